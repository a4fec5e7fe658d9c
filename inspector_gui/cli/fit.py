"""`fit`: references in, a bundle out that judges parts wherever it is copied to."""

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import typer

from inspector_gui import paths
from inspector_gui.cli.judging import Basis
from inspector_gui.cli.options import ProgressStyle
from inspector_gui.cli.outputs import Outputs
from inspector_gui.cli.progress import reporting
from inspector_gui.cli.recipe import fitted_to
from inspector_gui.cli.references import LEAST_FOR_LIMITS, learned, pictures_of
from inspector_gui.cli.results import limits_as_json
from inspector_gui.core.errors import KnownError
from inspector_gui.core.method_options import name_of
from inspector_gui.core.methods.simplenet import Simplenet
from inspector_gui.core.types import Limits, Scoring
from inspector_gui.store.bundle import write_bundle
from inspector_gui.store.bundle_facts import BundleFacts


@dataclass(frozen=True)
class Request:
    """What to learn, and where results go."""

    references: Path
    subsample: int | None
    bundle: Path
    json: Path | None


def run(request: Request, scoring: Scoring, style: ProgressStyle) -> int:
    """Learn the references and write the bundle; returns the exit status."""
    began = time.perf_counter()
    pictures, remark = pictures_of(request.references, request.subsample)
    _require(len(pictures))
    scoring = fitted_to(scoring, pictures)
    with Outputs(files=(request.bundle, request.json)) as outputs:
        with reporting(style) as report, learned(pictures, scoring, report) as (basis, references):
            _require(len(references.files))
            assert basis.limits is not None
            limits = basis.limits
            named = dict(zip(references.files, basis.names, strict=True))
            facts = BundleFacts.of(basis.scoring, named, limits, device=basis.extractor.device)
            size = outputs.stage(
                request.bundle,
                partial(
                    write_bundle,
                    facts=facts,
                    method=basis.method,
                    gallery=basis.gallery,
                    networks=paths.networks_folder(),
                    report=report,
                ),
            )
            seconds = time.perf_counter() - began
            outputs.stage_json(request.json, _as_json(basis, limits, seconds, size))
        outputs.commit()
    if style is not ProgressStyle.JSON:
        typer.echo(
            f"{len(facts.references)} references by {name_of(basis.scoring)}: "
            f"{request.bundle}, {size / 1e6:.3g} MB"
        )
        typer.echo(f"Limit {limits.fail_from:.4g}: {limits.rule}.")
    for line in (*basis.remarks, *([remark] if remark else [])):
        typer.echo(line, err=True)
    return 0


def _require(count: int) -> None:
    if count < LEAST_FOR_LIMITS:
        raise KnownError(
            "A bundle decides, and so needs limits: that takes at least two different pictures of "
            "good parts. Add some to the references."
        )


def _as_json(basis: Basis, limits: Limits, seconds: float, size: int) -> dict[str, object]:
    scoring = basis.scoring
    model = basis.method.model if isinstance(basis.method, Simplenet) else None
    return {
        "method": name_of(scoring),
        "backbone": scoring.backbone,
        "preset": scoring.preset,
        "runtime": scoring.runtime,
        "precision": scoring.precision,
        **scoring.input_as_json(),
        "n_references": len(basis.gallery),
        "n_held_out": len(model.facts.held_out) if model else None,
        "limits": limits_as_json(limits),
        "stage1_limit": basis.stage1_limit,
        "model": scoring.model or None,
        "train_seconds": model.facts.seconds if model else None,
        "hyperparameters": scoring.training.as_json() if scoring.training else None,
        "seconds": seconds,
        "bundle_bytes": size,
    }
