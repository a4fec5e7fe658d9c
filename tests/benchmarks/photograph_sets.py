"""The data sets of real photographs, and recipes by name, for benchmarks that measure on them."""

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from inspector_gui.cli.recipe import fitted_to, scoring_from
from inspector_gui.core.errors import KnownError
from inspector_gui.core.images import read_bytes
from inspector_gui.core.types import Scoring

DATA = Path(
    os.environ.get("INSPECTOR_TEST_DATA") or Path(__file__).parents[2].parent / "shared" / "data"
)
"""Development data: they were looked at while the program was written."""
SETS = ("cookie", "hazelnut_toy", "magnetic_tile")


def folder_of(name: str) -> Path:
    """Return the folder of a data set; ends the benchmark where there is none."""
    folder = DATA / name
    if not (folder / "train" / "good").is_dir():
        raise SystemExit(f"There is no data set {folder}; set INSPECTOR_TEST_DATA to their folder.")
    return folder


def recipe(name: str) -> Scoring:
    """Return the recipe that `METHOD` or `METHOD/PRESET` names; raises `KnownError` as `score`."""
    method, _, preset = name.partition("/")
    return scoring_from(method, preset or None, None)


def recipe_for(scoring: Scoring, references: Sequence[Path]) -> Scoring:
    """Return a recipe with the input that it chooses for these references, if it chooses one."""
    return fitted_to(scoring, [(path, partial(read_bytes, path)) for path in references])


def known_recipes(names: str) -> tuple[dict[str, Scoring], dict[str, str]]:
    """Return the recipes of names with commas between them, and why each other one is none."""
    found, skipped = {}, {}
    for name in dict.fromkeys(word.strip() for word in names.split(",") if word.strip()):
        try:
            found[name] = recipe(name)
        except KnownError as error:
            skipped[name] = str(error)
    return found, skipped
