"""A file whose digest is computed while it is written, in a thread of its own."""

import hashlib
import io
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self

MAX_WAITING = 16  # writes whose bytes may wait in memory to be hashed


class HashedFile(io.RawIOBase):
    """A new binary file, written from its beginning to its end.

    Writes should be large: each is handed to the thread. After the block, `sha256` and `size` are final.
    """

    def __init__(self, path: Path):
        self.sha256, self.size = "", 0
        self._file = path.open("wb")
        self._digest = hashlib.sha256()
        self._hasher = ThreadPoolExecutor(1)
        self._waiting: deque[Future[None]] = deque()

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, data: Any) -> int:
        """Write all bytes and return their number."""
        count = memoryview(data).nbytes
        self._file.write(data)
        self._waiting.append(self._hasher.submit(self._digest.update, data))
        while len(self._waiting) > MAX_WAITING:
            self._waiting.popleft().result()
        self.size += count
        return count

    def tell(self) -> int:
        """Return the number of bytes written."""
        return self.size

    def flush(self) -> None:
        """Hand all bytes to the operating system."""
        if not self._file.closed:
            self._file.flush()

    def close(self) -> None:
        """Finish the digest and close the file."""
        if not self.closed:
            self._hasher.shutdown()
            self.sha256 = self._digest.hexdigest()
            self._file.close()
            super().close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
