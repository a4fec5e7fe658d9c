"""PatchCore's greedy coreset against the plain algorithm, on patches of real photographs.

    python tests/benchmarks/coreset.py [--json FILE] [--data FOLDER] [--patches 250000]

The plain algorithm is one pass over all patches for every pick, by the same compiled distances
that ours uses (faiss, one thread, bound by memory). All its passes cost the same, so of
25,000 some hundred are timed, half before and half after ours, and the whole time is extrapolated
from them. `same_picks` compares all picks that the plain algorithm made; `--all` lets it run to
the end. Photographs are development data.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
from photograph_sets import DATA
from table import show

from inspector_gui import paths
from inspector_gui.core.coreset import greedy, plain_greedy
from inspector_gui.core.features import Extractor
from inspector_gui.core.images import list_images, read_image
from inspector_gui.core.methods import scoring_for
from inspector_gui.core.patches import patch_features
from inspector_gui.core.types import Floats


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the figures as one object")
    parser.add_argument("--data", type=Path, default=DATA / "magnetic_tile")
    parser.add_argument("--patches", type=int, default=250_000)
    parser.add_argument("--share", type=float, default=0.1)
    parser.add_argument("--steps", type=int, default=400, help="picks of the plain algorithm")
    parser.add_argument("--all", action="store_true", help="all picks of the plain algorithm")
    given = parser.parse_args()
    rows = real_patches(given.data, given.patches)
    count = round(given.share * len(rows))
    steps = count if given.all else min(count, given.steps)
    plain, plain_seconds = timed_plain(rows, steps)
    began = time.perf_counter()
    ours = greedy(rows, count)
    seconds = time.perf_counter() - began
    if not given.all:
        _, again = timed_plain(rows, steps)
        plain_seconds = (plain_seconds + again) / 2
    whole = plain_seconds * count / steps
    result = {
        "dataset": given.data.name,
        "patches": len(rows),
        "width": rows.shape[1],
        "chosen": count,
        "plain_steps_timed": steps,
        "plain_seconds": whole,
        "is_extrapolated": steps < count,
        "seconds": seconds,
        "ratio": whole / seconds,
        "picks_compared": steps,
        "same_picks": bool(np.array_equal(plain, ours.chosen[:steps])),
    }
    how = f"extrapolated from {steps} picks" if steps < count else "all picks"
    same = "the same" if result["same_picks"] else "OTHERS"
    table: list[dict[str, object]] = [
        {"algorithm": "plain", "seconds": f"{whole:.0f} ({how})", "ratio": "1", "picks": "–"},
        {
            "algorithm": "ours",
            "seconds": f"{seconds:.1f}",
            "ratio": f"{whole / seconds:.1f}",
            "picks": f"{same}, of {steps}",
        },
    ]
    show(f"{len(rows)} patches x {rows.shape[1]}, {count} chosen", table, None)
    if given.json:
        given.json.write_text(json.dumps(result, indent=2))


def real_patches(folder: Path, count: int) -> Floats:
    """Return the first patches of the good pictures of a data set: float32, N x D."""
    scoring = scoring_for("patchcore", runtime="openvino")
    extractor = Extractor(
        scoring, weights_folder=paths.weights_folder(), cache=paths.networks_folder()
    )
    found: list[Floats] = []
    for file in list_images([folder / "train" / "good"]):
        patches = patch_features(extractor.extract(read_image(file)).levels)
        found.append(patches.reshape(-1, patches.shape[2]))
        if sum(map(len, found)) >= count:
            break
    return np.concatenate(found)[:count]


def timed_plain(rows: Floats, steps: int) -> tuple[np.ndarray, float]:
    """Return picks of the plain algorithm, and its seconds."""
    began = time.perf_counter()
    chosen = plain_greedy(rows, steps)
    return chosen, time.perf_counter() - began


if __name__ == "__main__":
    main()
