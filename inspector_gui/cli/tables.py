"""Tables on stdout."""

from rich.console import Console
from rich.table import Table

_WIDTH_IN_FILES = 200


def show(table: Table) -> None:
    """Print a table: as wide as the terminal, or wide enough for names in a file or pipe."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH_IN_FILES)
    console.print(table, markup=False, highlight=False)
