"""`convert`: makes the OpenVINO file of a network, which takes torch, so that others need none."""

import json
import subprocess
import sys
import tempfile

import typer

from inspector_gui import paths
from inspector_gui.cli.options import ProgressStyle
from inspector_gui.cli.progress import Report, reporting
from inspector_gui.core.backbones import backbone, fetch_weights
from inspector_gui.core.errors import KnownError
from inspector_gui.core.runtimes import convert
from inspector_gui.core.types import Progress


def run(name: str, style: ProgressStyle) -> int:
    """Convert a network into the cache, downloading its weights first where they are missing."""
    spec, weights = backbone(name), paths.weights_folder()
    with reporting(style) as report:
        fetch_weights(
            spec, weights, report=lambda done, total: report(Progress("weights", done, total))
        )
        report(Progress("conversion", 0, 1))
        path = convert(spec, weights_folder=weights, cache=paths.networks_folder())
        report(Progress("conversion", 1, 1))
    if style is not ProgressStyle.JSON:
        typer.echo(str(path))
    return 0


def convert_apart(name: str, report: Report) -> None:
    """Convert a network in a child process, so that torch never enters this one.

    Raises `KnownError` with the child's words where it fails. The child is ended with this call.
    """
    failure = f"The network {name} could not be converted."
    run_apart(["convert", "--backbone", name], report, failure=failure)


def run_apart(arguments: list[str], report: Report, *, failure: str) -> None:
    """Run a command of this program in a child process and pass its progress on.

    Raises `KnownError` with the child's words, or else `failure`, where it fails. The child is
    ended with this call.
    """
    command = [sys.executable, "-m", "inspector_gui", *arguments]
    with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
        child = subprocess.Popen(
            [*command, "--progress", "json"], stdout=subprocess.PIPE, stderr=said, text=True
        )
        assert child.stdout is not None
        try:
            for line in child.stdout:
                report(Progress(**json.loads(line)))
            status = child.wait()
        except BaseException:
            child.terminate()
            child.wait()
            raise
        finally:
            child.stdout.close()
        if status != 0:
            said.seek(0)
            raise KnownError(said.read().strip() or failure)
