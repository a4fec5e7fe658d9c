"""`quantise`: makes the int8 network of a recipe, in a process that may import torch and NNCF."""

import hashlib
import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import typer

from inspector_gui import paths
from inspector_gui.cli.convert import run_apart
from inspector_gui.cli.options import ProgressStyle
from inspector_gui.cli.progress import Report, reporting
from inspector_gui.core.errors import KnownError
from inspector_gui.core.measuring.evaluation import Picture
from inspector_gui.core.quantising import calibration_of, quantise, quantised_path, spread
from inspector_gui.core.runtimes import INT8
from inspector_gui.core.types import Progress, Scoring


def run(request: Path, style: ProgressStyle) -> int:
    """Make the network that a request names.

    `request`: a JSON file with `scoring`, `pictures` (files) and `folder` (where it goes).
    """
    try:
        asked = json.loads(request.read_bytes())
        scoring = Scoring(**asked["scoring"])
        pictures = [Path(name) for name in asked["pictures"]]
        folder = Path(asked["folder"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise KnownError(f"The request {request} cannot be used; start again.") from error
    with reporting(style) as report:
        path = quantise(
            scoring,
            pictures,
            folder=folder,
            weights_folder=paths.weights_folder(),
            cache=paths.networks_folder(),
            report=report,
        )
    if style is not ProgressStyle.JSON:
        typer.echo(str(path))
    return 0


def calibrated_on(scoring: Scoring, references: Sequence[Picture], report: Report) -> Scoring:
    """Return a scoring whose int8 network is there, calibrated on references; others unchanged.

    A child process makes it, so that torch never enters this one; it is kept in the cache. Raises
    `KnownError` with the child's words where it fails, or where NNCF is not installed.
    """
    if scoring.precision != INT8:
        return scoring
    calibration_of(scoring, ())  # before pictures are read for nothing
    folder, chosen = paths.networks_folder(), spread(references)
    with tempfile.TemporaryDirectory(prefix="inspector-", ignore_cleanup_errors=True) as aside:
        hashes, files = [], []
        for number, (path, read) in enumerate(chosen):
            report(Progress("calibration pictures", number, len(chosen)))
            data = read()
            hashes.append(hashlib.sha256(data).hexdigest())
            files.append(path.absolute() if path.is_file() else Path(aside) / f"{number}.png")
            if not path.is_file():  # a frame of a video
                files[-1].write_bytes(data)
        report(Progress("calibration pictures", len(chosen), len(chosen)))
        scoring = replace(scoring, calibration=calibration_of(scoring, hashes))
        made = quantised_path(scoring, folder)
        if made is not None and not made.exists():
            request = Path(aside) / "request.json"
            request.write_text(json.dumps(request_for(scoring, files, folder)), encoding="utf-8")
            failure = "The int8 network could not be made."
            run_apart(["quantise", "--request", str(request)], report, failure=failure)
    return scoring


def request_for(scoring: Scoring, pictures: Sequence[Path], folder: Path) -> dict[str, object]:
    """Return what `run` reads."""
    files = [str(path) for path in pictures]
    return {"scoring": asdict(scoring), "pictures": files, "folder": str(folder)}
