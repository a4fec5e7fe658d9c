"""The lot check on drawn parts: mean, max and concatenated pooling, as in DN2's figure 4.

A usual group has exactly one part of each of M kinds, an unusual one M parts of random kinds among
the same (draws that are one of each by chance are drawn again: they are usual). References,
usual and unusual groups share no part. Each seed takes other kinds, parts and groups.
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
from table import show

from inspector_gui import paths
from inspector_gui.core.features import Extractor
from inspector_gui.core.lots.model import LotModel, build_model
from inspector_gui.core.lots.pooling import Pooling, group_feature, group_scores
from inspector_gui.core.measuring.metrics import image_auroc
from inspector_gui.core.types import Bools, Floats, Outcome, Scoring
from inspector_gui.demo.parts import PART_KINDS, draw_part

SIZES = range(2, 11)
REFERENCE_GROUPS = 256
TEST_GROUPS = 200

Groups = list[npt.NDArray[np.int64]]


def main() -> None:
    """Print how well poolings tell groups apart, and what the window's limit makes of them.

    The figures are means over seeds ± their standard deviation.
    """
    given = _options()
    began = time.perf_counter()
    features = _features(range(given.first, given.first + given.parts), given.side)
    seconds = time.perf_counter() - began
    rows: list[dict[str, object]] = []
    for unusual in ("random kinds", "one kind doubled"):
        for size in SIZES:
            measured = [_measure(features, size, seed, unusual) for seed in range(given.seeds)]
            row: dict[str, object] = {"unusual": unusual, "group_size": size}
            for name in measured[0]:
                values = [figures[name] for figures in measured]
                row[name] = statistics.mean(values)
                row[f"{name}_spread"] = statistics.stdev(values) if len(values) > 1 else 0.0
            rows.append(row)
    what = (
        f"{given.seeds} seeds, {given.parts} parts a kind at {given.side} px "
        f"({seconds:.0f} s to draw and embed)"
    )
    show(f"ROC-AUC of groups, {what}", [_shown(row, "auc_") for row in rows], None)
    gap = "Gap: lowest twentieth of unusual scores / highest twentieth of usual ones"
    show(gap, [_shown(row, "gap_") for row in rows], None)
    show("At the window's limit", [_shown(row, "at_limit_") for row in rows], None)
    if given.json is not None:
        given.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the figures as a list of objects")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--parts", type=int, default=80, help="drawn of each kind; half referenced")
    parser.add_argument("--first", type=int, default=0, help="seed of the first drawn part")
    parser.add_argument("--side", type=int, default=128, help="of a drawn picture, pixels")
    return parser.parse_args()


def _shown(row: dict[str, object], prefix: str) -> dict[str, object]:
    """Return the figures of one table, with their spread."""
    shown = {name: row[name] for name in ("unusual", "group_size")}
    for name, value in row.items():
        if name.startswith(prefix) and not name.endswith("_spread"):
            shown[name.removeprefix(prefix)] = f"{value:.3f} ± {row[f'{name}_spread']:.3f}"
    return shown


def _features(parts: range, side: int) -> Floats:
    """Return the pooled features of drawn parts: float32, kinds x parts x D."""
    extractor = Extractor(
        Scoring(method="dn2", size=side),
        weights_folder=paths.weights_folder(),
        cache=paths.networks_folder(),
    )
    return np.stack(
        [
            np.stack(
                [
                    extractor.extract(draw_part(kind, seed=seed, size=side).image).pooled
                    for seed in parts
                ]
            )
            for kind in PART_KINDS
        ]
    )


def _measure(features: Floats, size: int, seed: int, kind_of_unusual: str) -> dict[str, float]:
    random = np.random.default_rng([seed, size])
    kinds = random.permutation(len(features))[:size]
    order = random.permutation(features.shape[1])
    half = len(order) // 2
    known, new = features[kinds][:, order[:half]], features[kinds][:, order[half:]]
    one_each = np.arange(size)
    reference = [one_each] * REFERENCE_GROUPS
    usual = [one_each] * TEST_GROUPS
    draw_kinds = _random_kinds if kind_of_unusual == "random kinds" else _one_doubled
    unusual = [draw_kinds(size, random) for _ in range(TEST_GROUPS)]
    drawn = {
        "references": _draw(known, reference, random),
        "queries": _draw(new, usual + unusual, random),
    }
    labels = np.repeat([False, True], TEST_GROUPS)
    figures: dict[str, float] = {}
    poolings: tuple[Pooling, ...] = ("mean", "max", "concatenated")
    for how in poolings:
        references, queries = (_pool(groups, how) for groups in drawn.values())
        figures |= _told_apart(how, references, queries, labels)
    shuffled = (random.permuted(groups, axis=1) for groups in drawn.values())
    references, queries = (_pool(groups, "concatenated") for groups in shuffled)
    figures |= _told_apart("concatenated_any_order", references, queries, labels)
    return figures | _at_the_limit(known, drawn["queries"], kinds)


def _told_apart(how: str, references: Floats, queries: Floats, labels: Bools) -> dict[str, float]:
    scores = group_scores(queries, references)
    gap = np.quantile(scores[labels], 0.05) / np.quantile(scores[~labels], 0.95)
    auc = image_auroc(labels, scores)
    return {f"auc_{how}": float("nan") if auc is None else auc, f"gap_{how}": float(gap)}


def _at_the_limit(known: Floats, queries: Floats, kinds: npt.NDArray[np.int64]) -> dict[str, float]:
    """Return what the window's own model makes of the same groups."""
    names = [PART_KINDS[kind] for kind in kinds for _ in range(known.shape[1])]
    model: LotModel = build_model(
        known.reshape(-1, known.shape[2]),
        names,
        counts={PART_KINDS[kind]: 1 for kind in kinds},
        gallery="",
    )
    began = time.perf_counter()
    results = [model.judge(group) for group in queries]
    seconds = (time.perf_counter() - began) / len(queries)
    usual, unusual = results[:TEST_GROUPS], results[TEST_GROUPS:]
    share = {
        "usual_failed": [r.outcome is Outcome.FAIL for r in usual],
        "usual_unsure": [r.outcome is Outcome.UNSURE for r in usual],
        "unusual_failed": [r.outcome is Outcome.FAIL for r in unusual],
        "unusual_passed": [r.outcome is Outcome.PASS for r in unusual],
    }
    return {f"at_limit_{name}": float(np.mean(found)) for name, found in share.items()} | {
        "at_limit_judge_ms": 1000 * seconds
    }


def _random_kinds(size: int, random: np.random.Generator) -> npt.NDArray[np.int64]:
    """Draw the kinds of an unusual group; sorted, as concatenation expects them."""
    while True:
        kinds = np.sort(random.integers(0, size, size))
        if len(np.unique(kinds)) < size:
            return kinds


def _one_doubled(size: int, random: np.random.Generator) -> npt.NDArray[np.int64]:
    """Draw the kinds of the least unusual group: one kind twice, another missing; sorted."""
    missing, doubled = random.permutation(size)[:2]
    kinds = np.arange(size)
    kinds[missing] = doubled
    return np.sort(kinds)


def _draw(features: Floats, groups: Groups, random: np.random.Generator) -> Floats:
    """Draw a part of each kind named, none twice in a group: float32, groups x M x D."""
    count = features.shape[1]
    drawn = []
    for kinds in groups:
        parts = random.permutation(count)[: len(kinds)]
        drawn.append(features[kinds, parts])
    return np.stack(drawn)


def _pool(groups: Floats, how: Pooling) -> Floats:
    return np.stack([group_feature(group, how) for group in groups])


if __name__ == "__main__":
    main()
