"""`bank`: chooses the memory bank of a reference set, for the window that runs it apart."""

import json
from pathlib import Path

import typer

from inspector_gui.cli.options import ProgressStyle
from inspector_gui.cli.progress import reporting
from inspector_gui.core.errors import KnownError
from inspector_gui.core.types import Scoring
from inspector_gui.store.bank_files import BankFiles
from inspector_gui.store.features_cache import FeatureReader


def run(features: Path, request: Path, style: ProgressStyle) -> int:
    """Choose the patches of the references that a request names, and write them to the folder.

    `request`: a JSON file with `references` (hashes in the order of the gallery) and `coreset`.
    """
    try:
        asked = json.loads(request.read_bytes())
        hashes = tuple(str(sha) for sha in asked["references"])
        scoring = Scoring(method="patchcore", coreset=float(asked["coreset"]))
        gallery = FeatureReader(features).gallery(hashes)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise KnownError(f"The request {request} cannot be used; start again.") from error
    with reporting(style) as report:
        stored = BankFiles(features, scoring).make(gallery, hashes, report=report)
    if style is not ProgressStyle.JSON:
        bank = stored.bank
        typer.echo(
            f"{len(bank)} of {len(bank.cover.distances)} patches; none is farther from them than "
            f"{bank.cover.radius:.4g}"
        )
    return 0
