"""`compile`: makes the compiled search of maps, so that no other process needs a compiler."""

import typer

from inspector_gui.cli.options import ProgressStyle
from inspector_gui.cli.progress import reporting
from inspector_gui.core.compiled import code_folder, compile_search
from inspector_gui.core.types import Progress


def run(style: ProgressStyle) -> int:
    """Compile the search into the cache, where it is not there yet."""
    with reporting(style) as report:
        report(Progress("search", 0, 1))
        path = compile_search(code_folder())
        report(Progress("search", 1, 1))
    if style is not ProgressStyle.JSON:
        typer.echo(str(path))
    return 0
