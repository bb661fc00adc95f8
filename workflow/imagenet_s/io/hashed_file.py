"""A file that is written and hashed at the same time, in two threads, while the next bytes are prepared."""

import hashlib
import io
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self

MAX_WAITING = 16  # writes whose bytes may wait in memory


class HashedFile(io.RawIOBase):
    """A new binary file, written from its beginning to its end.

    Writes should be large: each is handed to the threads. After the block, `sha256` and `size` are final.
    """

    def __init__(self, path: Path):
        self.sha256, self.size = "", 0
        self._file = path.open("wb")
        self._digest = hashlib.sha256()
        self._writer, self._hasher = ThreadPoolExecutor(1), ThreadPoolExecutor(1)
        self._waiting: deque[Future[Any]] = deque()

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, data: Any) -> int:
        """Write all bytes, which must not change, and return their number. An error may come later."""
        count = memoryview(data).nbytes
        self._waiting.append(self._writer.submit(self._file.write, data))
        self._waiting.append(self._hasher.submit(self._digest.update, data))
        while len(self._waiting) > 2 * MAX_WAITING:
            self._waiting.popleft().result()
        self.size += count
        return count

    def tell(self) -> int:
        """Return the number of bytes written."""
        return self.size

    def flush(self) -> None:
        """Do nothing: `close` hands all bytes to the operating system."""

    def close(self) -> None:
        """Wait until all bytes are written and hashed, and close the file."""
        if self.closed:
            return
        super().close()
        with self._file, self._writer, self._hasher:
            for waiting in self._waiting:
                waiting.result()
        self.sha256 = self._digest.hexdigest()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
