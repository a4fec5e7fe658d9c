"""What was judged, as tables, objects and lines for people."""

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import typer
from rich.table import Table

from inspector_gui.cli.judging import Basis, Judged
from inspector_gui.cli.tables import show
from inspector_gui.core.images import display_name
from inspector_gui.core.method_options import has_option, name_of
from inspector_gui.core.regions import RegionFacts
from inspector_gui.core.types import Limits

_NUMBERS = ("kappa", "sigma", "levels", "weights", "pool", "scales", "coreset", "reweight")


def as_csv(judged: Sequence[Judged]) -> str:
    """Return a line per part, under the names of its columns."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_as_row(Judged(Path(), None, None, "")))
    for part in judged:
        row = _as_row(part)
        writer.writerow("" if value is None else value for value in row.values())
    return text.getvalue()


def as_json(
    judged: Sequence[Judged], basis: Basis, *, mm_per_pixel: float | None
) -> dict[str, object]:
    """Return the parts and what they were judged by as a JSON-able mapping."""
    scoring = basis.scoring
    return {
        "method": name_of(scoring),
        "backbone": scoring.backbone,
        "preset": scoring.preset,
        "runtime": scoring.runtime,
        "precision": scoring.precision,
        **scoring.input_as_json(),
        **{n: getattr(scoring, n) for n in _NUMBERS if has_option(scoring.method, n)},
        "k_used": min(scoring.k, len(basis.gallery)),
        "n_references": len(basis.gallery),
        "limits": limits_as_json(basis.limits),
        "mm_per_pixel": mm_per_pixel,
        "parts": [_as_object(part) for part in judged],
        "stage1_limit": basis.stage1_limit,
    }


def limits_as_json(limits: Limits | None) -> dict[str, float | str] | None:
    """Return limits as a JSON-able mapping, None where there are none."""
    if limits is None:
        return None
    return {
        "centre": limits.centre,
        "unsure_from": limits.unsure_from,
        "fail_from": limits.fail_from,
        "pixel": limits.pixel,
        "rule": limits.rule,
    }


def show_parts(judged: Sequence[Judged], basis: Basis) -> None:
    """Print a line per part, and what the limits are."""
    table = Table("file", "score", "multiple", "decision", "nearest reference")
    for part in judged:
        multiple = part.decision.multiple if part.decision else None
        table.add_row(
            display_name(part.path),
            f"{part.scores.image:.4g}" if part.scores and not part.scores.passed_stage1 else "",
            f"{multiple:.2f} × limit" if multiple is not None else "",
            part.decision.outcome.value if part.decision else "",
            part.nearest,
        )
    show(table)
    if basis.limits is not None:
        typer.echo(f"Limit {basis.limits.fail_from:.4g}: {basis.limits.rule}.")
    if basis.stage1_limit is not None:
        count = sum(part.scores is not None and part.scores.passed_stage1 for part in judged)
        words = "1 part" if count == 1 else f"{count} parts"
        typer.echo(f"Stage 1, limit {basis.stage1_limit:.4g}: {words} passed by it, without a map.")


def _as_row(part: Judged) -> dict[str, str | float | None]:
    """Return the columns of a part; of its regions their count and the largest one's area."""
    scores, decision = part.scores, part.decision
    has_stages = scores is not None and (scores.patches is not None or scores.passed_stage1)
    return {
        "path": display_name(part.path),
        "score": scores.image if scores and not scores.passed_stage1 else None,
        "stage1": scores.stage1 if scores and has_stages else None,
        "multiple": decision.multiple if decision else None,
        "decision": decision.outcome.value if decision else None,
        "reason": part.reason,
        "nearest": part.nearest or None,
        "regions": None if part.regions is None else len(part.regions),
        **_largest(part.regions),
    }


def _largest(regions: Sequence[RegionFacts] | None) -> dict[str, float | None]:
    largest = max(regions or (), key=lambda region: region.area, default=None)
    return {
        "largest_area": largest.area if largest else None,
        "largest_area_mm2": largest.area_mm2 if largest else None,
    }


def _as_object(part: Judged) -> dict[str, object]:
    """Return a part as in a table, its regions as an object of their own with their list."""
    regions = None
    if part.regions is not None:
        facts = [asdict(region) for region in part.regions]
        regions = {"count": len(facts), **_largest(part.regions), "list": facts}
    columns = {k: v for k, v in _as_row(part).items() if k not in _largest(None)}
    return columns | {"regions": regions}
