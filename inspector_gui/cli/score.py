"""`score`: pictures in, decisions out, with the same core as the window."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import typer

from inspector_gui.cli.bundles import opened_bundle
from inspector_gui.cli.judging import Basis, Judge, Judged
from inspector_gui.cli.options import ProgressStyle
from inspector_gui.cli.outputs import Outputs
from inspector_gui.cli.progress import Report, reporting
from inspector_gui.cli.recipe import fitted_to
from inspector_gui.cli.references import learned, pictures_of
from inspector_gui.cli.results import as_csv, as_json, show_parts
from inspector_gui.core.ahead import ahead
from inspector_gui.core.errors import KnownError
from inspector_gui.core.images import display_name, list_images, read_image
from inspector_gui.core.methods import make_method
from inspector_gui.core.types import Progress, Scoring

Opening = Callable[[Report], AbstractContextManager[Basis]]


@dataclass(frozen=True)
class Request:
    """What to judge, and where results go."""

    paths: tuple[Path, ...]
    csv: Path | None
    json: Path | None
    heatmaps: Path | None
    mm_per_pixel: float | None = None


def by_references(
    request: Request,
    references: Path,
    subsample: int | None,
    scoring: Scoring,
    style: ProgressStyle,
) -> int:
    """Judge pictures by references; returns the exit status, 1 where none could be judged."""
    pictures = _pictures(request.paths)
    found, remark = pictures_of(references, subsample)
    scoring = fitted_to(scoring, found)

    @contextmanager
    def opening(report: Report) -> Iterator[Basis]:
        with learned(found, scoring, report) as (basis, _):
            yield basis

    return _run(request, pictures, scoring, opening, remark, style)


def by_bundle(request: Request, bundle: Path, style: ProgressStyle) -> int:
    """Judge pictures by a bundle; returns the exit status as `by_references` does."""
    pictures = _pictures(request.paths)
    with opened_bundle(bundle) as (scoring, opening):
        return _run(request, pictures, scoring, opening, "", style)


def _run(
    request: Request,
    pictures: Sequence[Path],
    scoring: Scoring,
    opening: Opening,
    remark: str,
    style: ProgressStyle,
) -> int:
    has_map = make_method(scoring).has_map
    if request.heatmaps is not None and not has_map:
        raise KnownError(
            f"{scoring.method} has no anomaly map, so --heatmaps needs another method."
        )
    if request.mm_per_pixel is not None and not has_map:
        raise KnownError(f"{scoring.method} has no regions to measure by --mm-per-pixel.")
    with Outputs(files=(request.csv, request.json), folder=request.heatmaps) as outputs:
        with reporting(style) as report, opening(report) as basis:
            if request.heatmaps is not None and basis.limits is None:
                raise KnownError("--heatmaps needs limits, and so at least two references.")
            judged = _judged(request, pictures, basis, outputs, report)
            facts = as_json(judged, basis, mm_per_pixel=request.mm_per_pixel)
        if request.csv is not None:
            outputs.stage(request.csv, as_csv(judged))
        outputs.stage_json(request.json, facts)
        outputs.commit()
    if style is not ProgressStyle.JSON:
        show_parts(judged, basis)
    unread = (f"Not judged: {part.reason}" for part in judged if part.scores is None)
    for line in (*basis.remarks, *unread, *([remark] if remark else [])):
        typer.echo(line, err=True)
    return 0 if any(part.scores is not None for part in judged) else 1


def _judged(
    request: Request, pictures: Sequence[Path], basis: Basis, outputs: Outputs, report: Report
) -> list[Judged]:
    judge = Judge(basis, request.mm_per_pixel)
    names = _unique_names(pictures)
    judged = []
    for done, (path, read) in enumerate(ahead(pictures, read_image)):
        report(Progress("pictures", done, len(pictures)))
        part, image = judge.part(path, read)
        judged.append(part)
        has_map = part.scores is not None and part.scores.patches is not None
        if request.heatmaps is not None and image is not None and has_map:
            outputs.stage(request.heatmaps / names[path], judge.heatmap(part, image))
    report(Progress("pictures", len(pictures), len(pictures)))
    return judged


def _pictures(paths: Sequence[Path]) -> list[Path]:
    for path in paths:
        if not path.exists():
            raise KnownError(f"There is no file or folder {display_name(path)}.")
    pictures = list_images(list(paths))
    if not pictures:
        raise KnownError(f"There are no pictures in {', '.join(map(display_name, paths))}.")
    return pictures


def _unique_names(pictures: Sequence[Path]) -> dict[Path, str]:
    """Return a file name for every picture: its stem, numbered where stems are equal."""
    names: dict[Path, str] = {}
    taken: set[str] = set()
    for path in pictures:
        stem, number = path.stem, 1
        # Lower case, since some file systems do not tell the cases apart.
        while stem.lower() in taken:
            number += 1
            stem = f"{path.stem}-{number}"
        taken.add(stem.lower())
        names[path] = f"{stem}.png"
    return names
