"""`score`: pictures in, decisions out, with the same core as the window."""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import typer
from rich.table import Table

from inspector_gui.cli.options import ProgressStyle
from inspector_gui.cli.outputs import Outputs
from inspector_gui.cli.progress import Report, reporting
from inspector_gui.cli.quantise import calibrated_on
from inspector_gui.cli.recipe import fitted_to, open_extractor, temporary_bank
from inspector_gui.cli.tables import show
from inspector_gui.core.ahead import ahead
from inspector_gui.core.calibration import MIN_REFERENCES, suggest_limits
from inspector_gui.core.decision import decide_part
from inspector_gui.core.errors import KnownError
from inspector_gui.core.features import Extractor, Gallery
from inspector_gui.core.heatmap import overlay, to_bytes
from inspector_gui.core.images import (
    UnreadableImage,
    display_name,
    encode_png,
    list_images,
    read_bytes,
    read_image,
)
from inspector_gui.core.measuring.evaluation import Picture, References, learn_pictures
from inspector_gui.core.method_options import has_option, name_of
from inspector_gui.core.methods import VIDEO_FRAMES, make_method
from inspector_gui.core.methods.base import (
    Method,
    anomaly_map,
    fit,
    inspected_map,
    leave_one_out,
)
from inspector_gui.core.methods.gate import gate_limit
from inspector_gui.core.regions import RegionFacts, facts_of, picture_regions
from inspector_gui.core.types import (
    RGB,
    Decision,
    Limits,
    Outcome,
    Progress,
    Scores,
    Scoring,
    gallery_fingerprint,
)
from inspector_gui.core.video import chosen_frames, frame_files

OPACITY = 0.6
_NUMBERS = ("kappa", "sigma", "levels", "weights", "pool", "scales", "coreset", "reweight")
LEAST_FOR_LIMITS = 2


@dataclass(frozen=True)
class Request:
    """What to judge, by what, and where results go."""

    paths: tuple[Path, ...]
    references: Path
    subsample: int | None
    csv: Path | None
    json: Path | None
    heatmaps: Path | None
    mm_per_pixel: float | None = None


@dataclass(frozen=True, eq=False)
class Judged:
    """One picture and what came of it; `scores` is None where it could not be read.

    `regions` is None where there is no map or no limit.
    """

    path: Path
    scores: Scores | None
    decision: Decision | None
    reason: str
    nearest: str = ""
    regions: tuple[RegionFacts, ...] | None = None


def run(request: Request, scoring: Scoring, style: ProgressStyle) -> int:
    """Judge the pictures; returns the exit status, 1 where none could be judged."""
    pictures = _pictures(request.paths)
    references, remark = _references(request.references, request.subsample)
    scoring = fitted_to(scoring, references)
    method = make_method(scoring)
    if request.heatmaps is not None and not method.has_map:
        raise KnownError(
            f"{scoring.method} has no anomaly map, so --heatmaps needs spade or patchcore."
        )
    if request.mm_per_pixel is not None and not method.has_map:
        raise KnownError(f"{scoring.method} has no regions to measure by --mm-per-pixel.")
    files = (request.csv, request.json)
    with Outputs(files=files, folder=request.heatmaps) as outputs:
        with reporting(style) as report:
            scoring = calibrated_on(scoring, references, report)
        method = make_method(scoring)  # of the network that int8 has by now
        with temporary_bank(scoring) as bank, reporting(style) as report:
            extractor = open_extractor(scoring, report)
            learned = learn_pictures(references, bank, extractor, report=report)
            if not learned.files:
                raise KnownError(f"No reference is usable. {learned.unreadable[0]}")
            gallery = bank.gallery(tuple(learned.files))
            fit(method, gallery, report=report)
            limits = _limits(method, gallery, learned, scoring, report)
            if request.heatmaps is not None and limits is None:
                raise KnownError("--heatmaps needs limits, and so at least two references.")
            scale = request.mm_per_pixel
            judge = _Judge(scoring, method, extractor, gallery, learned, limits, scale)
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
            stage1_limit = judge.stage1_limit
        if request.csv is not None:
            outputs.stage(request.csv, _as_csv(judged))
        facts = _as_json(judged, scoring, learned, limits, scale)
        outputs.stage_json(request.json, facts | {"stage1_limit": stage1_limit})
        outputs.commit()
    if style is not ProgressStyle.JSON:
        _show(judged, limits, stage1_limit)
    _remarks(judged, learned, doubles=len(references) - _read(learned))
    if remark:
        typer.echo(remark, err=True)
    return 0 if any(part.scores is not None for part in judged) else 1


def _pictures(paths: Sequence[Path]) -> list[Path]:
    for path in paths:
        if not path.exists():
            raise KnownError(f"There is no file or folder {display_name(path)}.")
    pictures = list_images(list(paths))
    if not pictures:
        raise KnownError(f"There are no pictures in {', '.join(map(display_name, paths))}.")
    return pictures


def _references(place: Path, subsample: int | None) -> tuple[list[Picture], str]:
    """Return the pictures in a folder or a video, evenly subsampled, and a remark about them."""
    shown = display_name(place)
    if not place.exists():
        raise KnownError(f"There is no folder or video {shown}.")
    if place.is_file():
        return frame_files(place, subsample or VIDEO_FRAMES)
    files = list_images([place])
    if not files:
        raise KnownError(f"There are no pictures in the folder of references, {shown}.")
    chosen = chosen_frames(len(files), len(files) if subsample is None else subsample)
    return [(files[n], partial(read_bytes, files[n])) for n in chosen], ""


def _limits(
    method: Method, gallery: Gallery, learned: References, scoring: Scoring, report: Report
) -> Limits | None:
    """Suggest limits from the references, scored without themselves; None for a single one."""
    count = len(gallery)
    if count < LEAST_FOR_LIMITS:
        return None
    scores = []
    for row in range(count):
        report(Progress("limits", row, count))
        scores.append(leave_one_out(method, gallery, row).image)
    report(Progress("limits", count, count))
    return suggest_limits(scores, gallery=gallery_fingerprint(scoring, learned.files))


@dataclass(frozen=True, eq=False)
class _Judge:
    scoring: Scoring
    method: Method
    extractor: Extractor
    gallery: Gallery
    learned: References
    limits: Limits | None
    mm_per_pixel: float | None

    def part(self, path: Path, read: Callable[[], RGB]) -> tuple[Judged, RGB | None]:
        """Return what came of a picture, and the picture where it could be read."""
        try:
            image = read()
        except UnreadableImage as error:
            decision = Decision(Outcome.ERROR, None, str(error))
            return Judged(path, None, decision, str(error)), None
        scores = self.method.score(self.extractor.extract(image), self.gallery)
        nearest = display_name(tuple(self.learned.files.values())[scores.nearest[0]].name)
        if self.limits is None:
            reason = "no limit: that takes at least two references"
            return Judged(path, scores, None, reason, nearest), image
        decision = decide_part(scores, self.limits)
        regions = self.regions(scores, self.limits, image)
        return Judged(path, scores, decision, decision.reason, nearest, regions), image

    @property
    def stage1_limit(self) -> float | None:
        """The stage-1 limit up to which parts pass without a map; None without a gate."""
        return gate_limit(self.scoring, self.gallery)

    def regions(self, scores: Scores, limits: Limits, image: RGB) -> tuple[RegionFacts, ...] | None:
        """Return the regions of a part in pixels of its picture, None without a map."""
        if scores.patches is None:
            return None
        values, area = inspected_map(scores.patches, self.scoring, *image.shape[:2])
        found = picture_regions(values, limits, area)
        return facts_of(found, limits, mm_per_pixel=self.mm_per_pixel)

    def heatmap(self, part: Judged, image: RGB) -> bytes:
        """Return the picture under its anomaly map as a PNG file."""
        assert part.scores is not None
        assert part.scores.patches is not None
        assert self.limits is not None
        values = self.extractor.geometry.to_picture(
            anomaly_map(part.scores.patches, self.scoring), *image.shape[:2]
        )
        return encode_png(overlay(image, to_bytes(values, self.limits), OPACITY))


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


def _as_csv(judged: Sequence[Judged]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_as_row(Judged(Path(), None, None, "")))
    for part in judged:
        row = _as_row(part)
        writer.writerow("" if value is None else value for value in row.values())
    return text.getvalue()


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


def _as_json(
    judged: Sequence[Judged],
    scoring: Scoring,
    learned: References,
    limits: Limits | None,
    mm_per_pixel: float | None,
) -> dict[str, object]:
    given = None
    if limits is not None:
        given = {
            "centre": limits.centre,
            "unsure_from": limits.unsure_from,
            "fail_from": limits.fail_from,
            "pixel": limits.pixel,
            "rule": limits.rule,
        }
    return {
        "method": name_of(scoring),
        "backbone": scoring.backbone,
        "preset": scoring.preset,
        "runtime": scoring.runtime,
        "precision": scoring.precision,
        **scoring.input_as_json(),
        **{n: getattr(scoring, n) for n in _NUMBERS if has_option(scoring.method, n)},
        "k_used": min(scoring.k, len(learned.files)),
        "n_references": len(learned.files),
        "limits": given,
        "mm_per_pixel": mm_per_pixel,
        "parts": [_as_object(part) for part in judged],
    }


def _show(judged: Sequence[Judged], limits: Limits | None, stage1_limit: float | None) -> None:
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
    if limits is not None:
        typer.echo(f"Limit {limits.fail_from:.4g}: {limits.rule}.")
    if stage1_limit is not None:
        count = sum(part.scores is not None and part.scores.passed_stage1 for part in judged)
        words = "1 part" if count == 1 else f"{count} parts"
        typer.echo(f"Stage 1, limit {stage1_limit:.4g}: {words} passed by it, without a map.")


def _read(learned: References) -> int:
    return len(learned.files) + len(learned.unreadable)


def _remarks(judged: Sequence[Judged], learned: References, *, doubles: int) -> None:
    """Say on stderr what the results do not: doubts about the limits, and unusable files."""
    count = len(learned.files)
    if doubles:
        typer.echo(f"{doubles} of the references are the same file as another one.", err=True)
    if count < LEAST_FOR_LIMITS:
        typer.echo("One reference gives scores but no limit, so nothing was decided.", err=True)
    elif count < MIN_REFERENCES:
        typer.echo(
            f"Only {count} references: take these limits as a guess; "
            f"{MIN_REFERENCES} or more are needed to rely on them.",
            err=True,
        )
    for error in learned.unreadable:
        typer.echo(f"Reference left out: {error}", err=True)
    for part in judged:
        if part.scores is None:
            typer.echo(f"Not judged: {part.reason}", err=True)
