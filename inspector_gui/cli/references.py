"""References of a command: pictures of good parts, learned now, and what is judged by them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from inspector_gui import paths
from inspector_gui.cli.judging import Basis
from inspector_gui.cli.progress import Report
from inspector_gui.cli.quantise import calibrated_on
from inspector_gui.cli.recipe import judging_extractor, open_extractor, temporary_bank
from inspector_gui.core.calibration import HELD_OUT, MIN_REFERENCES, suggest_limits
from inspector_gui.core.errors import KnownError
from inspector_gui.core.features import Gallery
from inspector_gui.core.images import display_name, list_images, read_bytes
from inspector_gui.core.measuring.evaluation import Picture, References, learn_pictures
from inspector_gui.core.methods import VIDEO_FRAMES, make_method
from inspector_gui.core.methods.base import Method, fit, leave_one_out
from inspector_gui.core.methods.simplenet import Simplenet
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
    if scoring.training is not None and not scoring.training.held_out:
        raise KnownError("Without held-out references there is no limit; leave held_out above 0.")
    scoring = calibrated_on(scoring, pictures, report)
    with temporary_bank(scoring) as bank:
        extractor = open_extractor(scoring, report)
        references = learn_pictures(pictures, bank, extractor, report=report)
        if not references.files:
            raise KnownError(f"No reference is usable. {references.unreadable[0]}")
        gallery = bank.gallery(tuple(references.files))
        method = _fitted(scoring, gallery, references, report)
        if isinstance(method, Simplenet):
            extractor = judging_extractor(method, report)
        limits = _limits(method, gallery, references, report)
        names = tuple(display_name(path.name) for path in references.files.values())
        remarks = (*_remarks(references, len(pictures)), *doubts(method, gallery))
        networks = paths.networks_folder()
        yield (
            Basis(method.scoring, method, extractor, gallery, names, limits, networks, remarks),
            references,
        )


def doubts(method: Method, gallery: Gallery) -> tuple[str, ...]:
    """Return what is to be said of a method that was fitted to a gallery, and of its limits."""
    if isinstance(method, Simplenet):
        facts = method.model.facts
        count, which = len(facts.held_out), "held-out references"
        said = facts.remarks
    else:
        count, which, said = len(gallery), "references", ()
    if count < LEAST_FOR_LIMITS:
        return (*said, "One reference gives scores but no limit, so nothing was decided.")
    if count < MIN_REFERENCES:
        return (
            *said,
            f"Only {count} {which}: take these limits as a guess; "
            f"{MIN_REFERENCES} or more are needed to rely on them.",
        )
    return said


def _fitted(scoring: Scoring, gallery: Gallery, references: References, report: Report) -> Method:
    """Return the method of a scoring, fitted; a training names its model in the scoring."""
    method = make_method(scoring)
    if not isinstance(method, Simplenet):
        fit(method, gallery, report=report)
        return method
    from inspector_gui.core.simplenet.fitting import train_model  # torch
    from inspector_gui.core.simplenet.training import Hooks

    model = train_model(gallery, tuple(references.files), scoring, hooks=Hooks(report=report))
    trained = Simplenet(model.facts.scoring)
    trained.use(model)
    return trained


def _limits(
    method: Method, gallery: Gallery, references: References, report: Report
) -> Limits | None:
    """Suggest limits from the references, scored without themselves; None for a single one."""
    name = gallery_fingerprint(method.scoring, references.files)
    if isinstance(method, Simplenet):
        held_out = tuple(method.model.facts.held_out.values())
        return suggest_limits(held_out, gallery=name, kind=HELD_OUT)
    count = len(gallery)
    if count < LEAST_FOR_LIMITS:
        return None
    scores = []
    for row in range(count):
        report(Progress("limits", row, count))
        scores.append(leave_one_out(method, gallery, row).image)
    report(Progress("limits", count, count))
    return suggest_limits(scores, gallery=name)


def _remarks(references: References, count: int) -> tuple[str, ...]:
    doubles = count - len(references.files) - len(references.unreadable)
    said = f"{doubles} of the references are the same file as another one." if doubles else ""
    left_out = (f"Reference left out: {error}" for error in references.unreadable)
    return (*([said] if said else []), *left_out)
