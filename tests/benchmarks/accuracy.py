"""How well every method tells good from bad on the shared photographs: a table for the README.

    python tests/benchmarks/accuracy.py [--json FILE] [--datasets cookie] [--methods dn2,spade]
    python tests/benchmarks/accuracy.py --methods simplenet --seeds 5 [--preset paper]

The photographs are development data: they were looked at while the program was written. Pixel
metrics are taken on the picture's own frame (`core/measuring/pixel_frame.py`), or on 256 x 256 for
`paper`. The interval of the image AUROC is the bootstrap's 95 %. A picture's time is the median of
reading, decoding, features, search. A method that cannot be used here is named below the table.

SimpleNet is trained on all references with every seed from `--seed` on, `--seeds` of them; below
the table are mean and least image AUROC. `--preset paper` (or `official`) is what it is trained
with, by lite0 unless `--backbone` names another network, with `--dimension` values a patch; as this
takes hours with hundreds of references, magnetic_tile then has 100 of them, drawn by `--seed`.
"""

import argparse
import json
import statistics
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from photograph_sets import SETS, folder_of, known_recipes, recipe_for

from inspector_gui.cli.recipe import open_extractor, scoring_from, temporary_bank
from inspector_gui.core.errors import KnownError
from inspector_gui.core.measuring.datasets import Dataset, read_dataset
from inspector_gui.core.measuring.evaluation import Evaluation, evaluate
from inspector_gui.core.methods import make_method
from inspector_gui.core.types import Scoring

METHODS = "dn2,spade,spade/paper,patchcore,default,simplenet"
FEW = 100
"""References that SimpleNet is trained on at most, but for `fast`."""
COLUMNS = ("data set", "method", "image AUROC [95 %]", "pixel AUROC", "AUPRO", "fit", "a picture")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the figures as an object")
    parser.add_argument("--datasets", default=",".join(SETS))
    parser.add_argument("--methods", default=METHODS, help="METHOD or METHOD/PRESET, by commas")
    parser.add_argument("--seed", type=int, default=0, help="of bootstrap and training")
    parser.add_argument("--seeds", type=int, default=1, help="trainings of simplenet")
    parser.add_argument("--preset", default="fast", help="of simplenet: fast, paper or official")
    parser.add_argument("--backbone", default="efficientnet_lite0", help="of simplenet")
    parser.add_argument("--dimension", type=int, help="of simplenet; the preset's if left out")
    given = parser.parse_args()
    recipes, skipped = known_recipes(given.methods)
    if "simplenet" in recipes:
        of_seeds = {f"simplenet seed {seed}": _trained(given, seed) for seed in _seeds(given)}
        recipes = {name: r for name, r in recipes.items() if name != "simplenet"} | of_seeds
    rows: list[dict[str, object]] = []
    summaries: list[dict[str, Any]] = []
    print(_line(COLUMNS), _line(["---"] * len(COLUMNS)), sep="\n", flush=True)
    for folder in map(folder_of, given.datasets.split(",")):
        dataset = read_dataset(folder)
        areas: list[float] = []
        for name, scoring in recipes.items():
            if name in skipped:
                continue
            used = dataset
            if scoring.training is not None and given.preset != "fast":
                used = _drawn(dataset, given.seed)
            try:
                found = measured(used, scoring, seed=given.seed)
            except KnownError as error:
                skipped[name] = str(error)
                continue
            rows.append({"recipe": name, **found.as_json()})
            print(_line(_cells(name, found)), flush=True)
            if scoring.training is not None and found.image_auroc is not None:
                areas.append(found.image_auroc)
        if areas:
            summary = _summary(dataset.name, given.preset, areas)
            summaries.append(summary)
    for summary in summaries:
        print(
            f"{summary['dataset']}, simplenet {given.preset}, {summary['seeds']} seeds: mean image "
            f"AUROC {summary['mean']:.4f}, least {summary['least']:.4f}"
        )
    for name, reason in skipped.items():
        print(f"Left out, {name}: {reason}")
    if given.json:
        result = {"rows": rows, "seeds": summaries, "skipped": skipped}
        given.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def measured(dataset: Dataset, scoring: Scoring, *, seed: int) -> Evaluation:
    """Measure a recipe with its input; raises `KnownError` where its network cannot be used."""
    scoring = recipe_for(scoring, dataset.train)
    extractor = open_extractor(scoring, lambda _: None)
    with temporary_bank(scoring) as bank:
        return evaluate(
            dataset, scoring=scoring, method=make_method(scoring), extractor=extractor, bank=bank,
            seed=seed,
        )  # fmt: skip


def _seeds(given: argparse.Namespace) -> range:
    return range(given.seed, given.seed + max(1, given.seeds))


def _trained(given: argparse.Namespace, seed: int) -> Scoring:
    """Return how SimpleNet is trained with a seed: on all references, since no limit is made."""
    words = ["held_out=0"]
    if given.dimension is not None:
        words.append(f"dimension={given.dimension}")
    return scoring_from(
        "simplenet", given.preset, None, backbone=given.backbone, training=words, seed=seed
    )


def _drawn(dataset: Dataset, seed: int) -> Dataset:
    """Return a data set with at most `FEW` of its references, drawn by a seed."""
    if len(dataset.train) <= FEW:
        return dataset
    rows = np.random.default_rng(seed).permutation(len(dataset.train))[:FEW]
    return replace(dataset, train=tuple(dataset.train[row] for row in sorted(rows)))


def _summary(dataset: str, preset: str, areas: list[float]) -> dict[str, Any]:
    return {
        "dataset": dataset,
        "preset": preset,
        "seeds": len(areas),
        "mean": statistics.mean(areas),
        "least": min(areas),
    }


def _cells(name: str, found: Evaluation) -> list[str]:
    area = _number(found.image_auroc)
    if found.image_auroc_interval:
        low, high = found.image_auroc_interval
        area += f" [{low:.3f}, {high:.3f}]"
    return [
        found.dataset,
        name,
        area,
        _number(found.pixel.auroc if found.pixel else None),
        _number(found.pixel.aupro if found.pixel else None),
        f"{found.fit_seconds:.1f} s",
        f"{1000 * found.seconds_per_image:.0f} ms",
    ]


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _line(cells: list[str] | tuple[str, ...]) -> str:
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
