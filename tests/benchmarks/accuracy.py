"""How well every method tells good from bad on the shared photographs: a table for the README.

    python tests/benchmarks/accuracy.py [--json FILE] [--datasets cookie] [--methods dn2,spade]

The photographs are development data: they were looked at while the program was written. Pixel
metrics are taken on the picture's own frame (`core/measuring/pixel_frame.py`), or on 256 x 256 for
`paper`. The interval of the image AUROC is the bootstrap's 95 %. A picture's time is the median of
reading, decoding, features, search. A method that cannot be used here is named below the table.
"""

import argparse
import json
from pathlib import Path

from photograph_sets import SETS, folder_of, known_recipes, recipe_for

from inspector_gui.cli.recipe import open_extractor, temporary_bank
from inspector_gui.core.errors import KnownError
from inspector_gui.core.measuring.datasets import Dataset, read_dataset
from inspector_gui.core.measuring.evaluation import Evaluation, evaluate
from inspector_gui.core.methods import make_method
from inspector_gui.core.types import Scoring

METHODS = "dn2,spade,spade/paper,patchcore,default"
COLUMNS = ("data set", "method", "image AUROC [95 %]", "pixel AUROC", "AUPRO", "fit", "a picture")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the figures as an object")
    parser.add_argument("--datasets", default=",".join(SETS))
    parser.add_argument("--methods", default=METHODS, help="METHOD or METHOD/PRESET, by commas")
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap")
    given = parser.parse_args()
    recipes, skipped = known_recipes(given.methods)
    rows: list[dict[str, object]] = []
    print(_line(COLUMNS), _line(["---"] * len(COLUMNS)), sep="\n", flush=True)
    for folder in map(folder_of, given.datasets.split(",")):
        dataset = read_dataset(folder)
        for name, scoring in recipes.items():
            if name in skipped:
                continue
            try:
                found = measured(dataset, scoring, seed=given.seed)
            except KnownError as error:
                skipped[name] = str(error)
                continue
            rows.append({"recipe": name, **found.as_json()})
            print(_line(_cells(name, found)), flush=True)
    for name, reason in skipped.items():
        print(f"Left out, {name}: {reason}")
    if given.json:
        result = {"rows": rows, "skipped": skipped}
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
