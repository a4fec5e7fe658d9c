"""`index`: builds the index of a large reference set, for the window that runs it apart."""

from pathlib import Path

import typer

from inspector_gui.cli.options import ProgressStyle
from inspector_gui.cli.progress import reporting
from inspector_gui.core.errors import KnownError
from inspector_gui.core.index import build_index
from inspector_gui.store.features_cache import FeatureReader
from inspector_gui.store.index_files import IndexFiles

_FEWEST = 100


def run(folder: Path, style: ProgressStyle) -> int:
    """Build an index of all features in a folder and put it in the place of an older one.

    Another process may add features meanwhile; they are searched exactly until the next time.
    """
    reader = FeatureReader(folder)
    if len(reader) < _FEWEST:
        raise KnownError(f"{len(reader)} references need no index; search among them is exact.")
    with reporting(style) as report:
        index = build_index(reader.pooled, report=report)
        IndexFiles(folder).write(index, reader.keys)
    if style is not ProgressStyle.JSON:
        facts = index.facts
        typer.echo(
            f"{facts.rows} references, {facts.probes} of {facts.cells} cells searched, "
            f"recall {facts.recall:.3f}"
        )
    return 0
