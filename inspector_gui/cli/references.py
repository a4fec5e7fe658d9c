"""References of a command: pictures of good parts, learned now, and what is judged by them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from inspector_gui.cli.judging import Basis
from inspector_gui.cli.progress import Report
from inspector_gui.cli.quantise import calibrated_on
from inspector_gui.cli.recipe import open_extractor, temporary_bank
from inspector_gui.core.calibration import MIN_REFERENCES, suggest_limits
from inspector_gui.core.errors import KnownError
from inspector_gui.core.features import Gallery
from inspector_gui.core.images import display_name, list_images, read_bytes
from inspector_gui.core.measuring.evaluation import Picture, References, learn_pictures
from inspector_gui.core.methods import VIDEO_FRAMES, make_method
from inspector_gui.core.methods.base import Method, fit, leave_one_out
from inspector_gui.core.types import Limits, Progress, Scoring, gallery_fingerprint
from inspector_gui.core.video import chosen_frames, frame_files

LEAST_FOR_LIMITS = 2


def pictures_of(place: Path, subsample: int | None) -> tuple[list[Picture], str]:
    """Return the pictures in a folder or a video, evenly subsampled, and a remark about them.

    Raises `KnownError` where there are none.
    """
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


@contextmanager
def learned(
    pictures: Sequence[Picture], scoring: Scoring, report: Report
) -> Iterator[tuple[Basis, References]]:
    """Yield what parts are judged by that are compared with pictures of good parts.

    `scoring` is fitted to the pictures already. Features are kept on disk meanwhile. Raises
    `KnownError` where no picture is usable.
    """
    scoring = calibrated_on(scoring, pictures, report)
    method = make_method(scoring)  # of the network that int8 has by now
    with temporary_bank(scoring) as bank:
        extractor = open_extractor(scoring, report)
        references = learn_pictures(pictures, bank, extractor, report=report)
        if not references.files:
            raise KnownError(f"No reference is usable. {references.unreadable[0]}")
        gallery = bank.gallery(tuple(references.files))
        fit(method, gallery, report=report)
        limits = _limits(method, gallery, references, report)
        names = tuple(display_name(path.name) for path in references.files.values())
        remarks = _remarks(references, len(pictures))
        yield Basis(scoring, method, extractor, gallery, names, limits, remarks), references


def few_references(count: int) -> str:
    """Return what is to be said of limits from so many references; "" where they are enough."""
    if count < LEAST_FOR_LIMITS:
        return "One reference gives scores but no limit, so nothing was decided."
    if count < MIN_REFERENCES:
        return (
            f"Only {count} references: take these limits as a guess; "
            f"{MIN_REFERENCES} or more are needed to rely on them."
        )
    return ""


def _limits(
    method: Method, gallery: Gallery, references: References, report: Report
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
    return suggest_limits(scores, gallery=gallery_fingerprint(method.scoring, references.files))


def _remarks(references: References, count: int) -> tuple[str, ...]:
    doubles = count - len(references.files) - len(references.unreadable)
    said = f"{doubles} of the references are the same file as another one." if doubles else ""
    left_out = (f"Reference left out: {error}" for error in references.unreadable)
    remarks = (said, few_references(len(references.files)), *left_out)
    return tuple(remark for remark in remarks if remark)
