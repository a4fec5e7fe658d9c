"""The part of the table of commands that the window runs as child processes; hidden from people."""

from pathlib import Path
from typing import Annotated

import typer

from inspector_gui.cli import options
from inspector_gui.cli.endings import ends_in_words, stops_when_ended
from inspector_gui.cli.options import ProgressStyle

app = typer.Typer()


@app.command(hidden=True)
@ends_in_words
@stops_when_ended
def convert(
    backbone: Annotated[str, typer.Option(help="The network.")],
    progress: options.Progress = ProgressStyle.BAR,
) -> int:
    """Convert a network for OpenVINO into the cache, so that the window never imports torch."""
    from inspector_gui.cli import convert as command

    return command.run(backbone, progress)


@app.command(hidden=True)
@ends_in_words
@stops_when_ended
def quantise(
    request: Annotated[Path, typer.Option(metavar="FILE", help="Which recipe, which pictures.")],
    progress: options.Progress = ProgressStyle.BAR,
) -> int:
    """Make the int8 network of a recipe, calibrated on its references."""
    from inspector_gui.cli import quantise as command

    return command.run(request, progress)


@app.command(name="compile", hidden=True)
@ends_in_words
@stops_when_ended
def compile_(progress: options.Progress = ProgressStyle.BAR) -> int:
    """Compile the search of maps into the cache, so that the window needs no compiler."""
    from inspector_gui.cli import compile as command

    return command.run(progress)


@app.command(hidden=True)
@ends_in_words
@stops_when_ended
def index(
    features: Annotated[Path, typer.Option(metavar="FOLDER", help="A folder of features.")],
    progress: options.Progress = ProgressStyle.BAR,
) -> int:
    """Build the index of a large reference set, from its features on disk."""
    from inspector_gui.cli import index as command

    return command.run(features, progress)


@app.command(hidden=True)
@ends_in_words
@stops_when_ended
def bank(
    features: Annotated[Path, typer.Option(metavar="FOLDER", help="A folder of features.")],
    request: Annotated[Path, typer.Option(metavar="FILE", help="Which references, what share.")],
    progress: options.Progress = ProgressStyle.BAR,
) -> int:
    """Choose the memory bank of a reference set, from its features on disk."""
    from inspector_gui.cli import bank as command

    return command.run(features, request, progress)


@app.command(hidden=True)
@ends_in_words
@stops_when_ended
def study(
    kind: Annotated[str, typer.Argument(help="map, slim, learn, lots, compare, side_by_side.")],
    folder: Annotated[Path, typer.Option(help="Where the request is and the result goes.")],
    progress: options.Progress = ProgressStyle.BAR,
) -> int:
    """Find something out about a reference set, from its features on disk."""
    from inspector_gui.cli import study as command

    return command.run(kind, folder, progress)


@app.command(hidden=True)
@ends_in_words
def train(
    folder: Annotated[Path, typer.Option(metavar="FOLDER", help="Of the training.")],
    progress: options.Progress = ProgressStyle.BAR,
) -> int:
    """Train a SimpleNet; asked to end, it writes a checkpoint first."""
    from inspector_gui.cli import train as command

    return command.run(folder, progress)
