"""What a check of a copy found, as a table and as text."""

from dataclasses import dataclass

import pandas as pd

from imagenet_s.verify.compare import VerificationResult
from imagenet_s.verify.report import report_lines


@dataclass(frozen=True, repr=False)
class Verification:
    """What a check of a copy found. It is true if the copy is whole, and its text is the report."""

    result: VerificationResult

    @property
    def whole(self) -> bool:
        """Whether the copy is complete and undamaged, as far as the level shows."""
        return self.result.whole

    @property
    def damage(self) -> pd.DataFrame:
        """The damaged files: `kind`, such as missing or changed, and `path` in the folder of the copy."""
        rows = [(kind, path) for kind, paths in self.result.damage.items() for path in paths]
        return pd.DataFrame(rows, columns=["kind", "path"])

    def __bool__(self) -> bool:
        return self.whole

    def __repr__(self) -> str:
        return "\n".join(report_lines(self.result))
