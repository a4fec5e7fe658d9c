"""What is varied about the references before a method is measured: impure, cleaned, few, centres.

The DN2 paper (arXiv 2002.10445) states impurity as the share of anomalous pictures in the training
set; so a share s among n good ones are s * n / (1 - s).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inspector_gui.core.errors import KnownError
from inspector_gui.core.types import Scoring

DRAWS = 5
"""How often references are drawn at random for one point of a few-shot curve."""
CLEAN, CONTAMINATED, CLEANED = "clean", "contaminated", "cleaned"


@dataclass(frozen=True)
class Variation:
    """How the references differ from all good pictures of a data set.

    `contaminate`: share of bad pictures among them. `clean`: fraction that is dropped by
    leave-one-out scores. `shots`: numbers of references to draw at random. `centroids`: number of
    k-means centres in their place.
    """

    contaminate: float | None = None
    clean: float | None = None
    shots: tuple[int, ...] = ()
    centroids: int | None = None

    def check(self, scoring: Scoring) -> None:
        """Raise `KnownError` for values that mean nothing, or that a method cannot do."""
        if self.contaminate is not None and not 0 < self.contaminate < 0.5:
            raise KnownError(
                "--contaminate is the share of defective pictures in the training set: more than "
                "0 and less than 0.5."
            )
        if self.clean is not None and not 0 < self.clean < 1:
            raise KnownError(
                "--clean is the fraction of the training set that is dropped: more than 0 and "
                "less than 1."
            )
        if any(count < 1 for count in self.shots):
            raise KnownError("--shots counts references: at least 1.")
        if self.shots and (self.contaminate is not None or self.clean is not None):
            raise KnownError(
                "--shots is measured with clean references; leave out --contaminate and --clean."
            )
        if self.centroids is not None and self.centroids < 1:
            raise KnownError("--centroids counts k-means centres: at least 1.")
        if self.centroids is not None and scoring.method != "dn2":
            raise KnownError(
                f"--centroids stand for global features, so {scoring.method} cannot use them; "
                "take --method dn2."
            )


def wanted_contaminants(share: float, *, goods: int) -> int:
    """Return how many bad pictures make a share of all when mixed among `goods` good ones.

    Raises `KnownError` where that is less than one.
    """
    wanted = round(share * goods / (1 - share))
    if wanted < 1:
        raise KnownError(
            f"An impurity of {share:g} is less than one picture among {goods}; ask for more."
        )
    return wanted


def available_contaminants(name: str, *, bads: int) -> int:
    """Return how many of the bad test pictures may be taken: half, so that others are left.

    Raises `KnownError` where there are fewer than two.
    """
    if bads < 2:
        count = "no defective test picture" if bads == 0 else "only one defective test picture"
        raise KnownError(
            f"{name} has {count}; contaminating the references takes some and leaves as many to "
            "test with."
        )
    return bads // 2


def mean_known(values: Sequence[float | None]) -> float | None:
    """Return the mean of the values that are known; None where none is."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def spread(values: Sequence[float | None]) -> float | None:
    """Return the standard deviation (n - 1) of the values that are known; None for one or none."""
    known = [value for value in values if value is not None]
    return float(np.std(known, ddof=1)) if len(known) > 1 else None
