"""SPADE's search on a device of torch against brute force there: a GPU, where there is one.

Brute force is a product of all places of the part with all places of its K nearest references,
some references at once, and a running minimum. Both take turns within a round.
"""

import statistics

import numpy as np
import torch
from spade_exact import DATASETS, Levels, concatenated, difference, features_of, seconds_of
from table import options, show

from inspector_gui.core.neighbours import nearest
from inspector_gui.core.pyramid import pyramid_gallery
from inspector_gui.core.pyramid_device import DeviceSearch
from inspector_gui.core.pyramid_search import nearest_places
from inspector_gui.core.runtimes import gpu_kind
from inspector_gui.core.types import Floats

K = 50
_ROWS = 4 * 3136  # compared at once by brute force


def main() -> None:
    """Measure the first data sets, one part each."""
    given = options(__doc__ or "")
    device = gpu_kind() or "cpu"
    rows: list[dict[str, object]] = []
    for name in DATASETS:
        data = features_of(name)
        pooled, own = data.parts[0]
        chosen = sorted(int(row) for row in nearest(pooled, data.pooled, K))
        references = [data.references[row] for row in chosen]
        rows.append(
            {"dataset": name, "device": device, **measured(own, references, device, given.rounds)}
        )
    show("SPADE map on a device, all places of 56 x 56, exact", rows, given.json)


def measured(own: Levels, references: list[Levels], device: str, rounds: int) -> dict[str, object]:
    """Return medians of the times of both, their ratio, and how far their results differ."""
    gallery, search = pyramid_gallery(references), DeviceSearch(device)
    others = torch.from_numpy(np.concatenate([concatenated(r) for r in references])).to(device)
    places = torch.from_numpy(concatenated(own)).to(device)

    def by_us() -> Floats:
        return nearest_places(own, gallery, device=search)

    def by_brute_force() -> Floats:
        norms = torch.linalg.vecdot(places, places)
        best = torch.full((len(places),), torch.inf, device=device)
        for some in torch.split(others, _ROWS):
            found = torch.addmm(torch.linalg.vecdot(some, some)[None], places, some.T, alpha=-2)
            best = torch.minimum(best, found.amin(dim=1))
        return (best + norms).cpu().numpy()

    worst = difference(by_us().ravel(), by_brute_force())
    times = [(seconds_of(by_us), seconds_of(by_brute_force)) for _ in range(max(3, rounds // 3))]
    ours, theirs = (statistics.median(column) for column in zip(*times, strict=True))
    return {
        "k": K,
        "references": len(references),
        "seconds": ours,
        "brute_force_seconds": theirs,
        "ratio": theirs / ours,
        "max_relative_difference": worst,
    }


if __name__ == "__main__":
    main()
