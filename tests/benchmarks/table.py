"""What every benchmark shares: its options, its table, and its JSON file."""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from inspector_gui.core.types import RGB

_WIDTH_IN_FILES = 200


def options(description: str) -> argparse.Namespace:
    """Return the options of a benchmark script."""
    return parser_of(description).parse_args()


def parser_of(description: str, *, rounds: int = 15) -> argparse.ArgumentParser:
    """Return a parser of the options that every benchmark has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", type=Path, help="write the figures as a list of objects")
    parser.add_argument("--rounds", type=int, default=rounds, help="measurements of each; odd")
    return parser


def median_seconds(work: Callable[[], object], *, rounds: int) -> float:
    """Return the median time of `work` after two rounds to warm up."""
    times = []
    for number in range(rounds + 2):
        began = time.perf_counter()
        work()
        if number >= 2:
            times.append(time.perf_counter() - began)
    return statistics.median(times)


def show(title: str, rows: list[dict[str, object]], json_file: Path | None) -> None:
    """Print rows as a table and write them as JSON where asked for."""
    table = Table(title=title)
    for name in rows[0]:
        table.add_column(name, justify="left" if isinstance(rows[0][name], str) else "right")
    for row in rows:
        table.add_row(*(f"{v:.4g}" if isinstance(v, float) else str(v) for v in row.values()))
    console = Console()
    (console if console.is_terminal else Console(width=_WIDTH_IN_FILES)).print(table)
    if json_file is not None:
        json_file.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def photographs(count: int) -> list[RGB]:
    """Return photographs that scikit-image ships, cut into `count` different pictures."""
    import skimage.data

    pictures = [skimage.data.coffee(), skimage.data.chelsea(), skimage.data.astronaut()]
    random = np.random.default_rng(0)
    cut = []
    for number in range(count):
        picture = pictures[number % len(pictures)]
        top = int(random.integers(0, picture.shape[0] - 256))
        left = int(random.integers(0, picture.shape[1] - 256))
        cut.append(np.ascontiguousarray(picture[top : top + 256, left : left + 256]))
    return cut
