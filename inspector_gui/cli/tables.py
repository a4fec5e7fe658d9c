"""Tables on stdout, and how figures are written in them."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from inspector_gui.core.types import KEEP, Scoring

_WIDTH_IN_FILES = 200


def show(table: Table) -> None:
    """Print a table: as wide as the terminal, or wide enough for names in a file or pipe."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH_IN_FILES)
    console.print(table, markup=False, highlight=False)


def in_words(value: float | None, spread: float | None = None) -> str:
    """Return a fraction with four digits and, where there is one, its spread; a dash for None."""
    if value is None:
        return "–"
    return f"{value:.4f}" if spread is None else f"{value:.4f} ± {spread:.4f}"


def training_in_words(training: str, details: Mapping[str, Any]) -> str:
    """Return what the references of a row were, for a cell of a table."""
    words = [training]
    if details.get("n_contaminated"):
        words.append(f"{details['impurity']:.1%} bad")
    if details.get("n_dropped"):
        words.append(f"{details['n_dropped']} dropped")
    if "shots" in details:
        words = [f"{details['shots']} drawn at random"]
    if "centroids" in details:
        words.append(f"{details['centroids']} centroids")
    return ", ".join(words)


def input_in_words(scoring: Scoring) -> str:
    """Return what the network sees of a picture, in words."""
    how = "in their own shape, padded" if scoring.fit == KEEP else "whatever their shape"
    words = f"pictures at {scoring.size} x {scoring.height or scoring.size} pixels, {how}"
    if scoring.crop:
        words += f", the middle {scoring.crop} x {scoring.crop}"
    return words + (f", in tiles of {scoring.tiles}" if scoring.tiles else "")
