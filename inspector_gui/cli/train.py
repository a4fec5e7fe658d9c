"""`train`: trains a SimpleNet, for the window that runs it apart and can end it at any time.

The training's folder has all it takes: what was asked, and how far it came. So the same command
goes on where an earlier one was ended or killed.
"""

import os
import signal
import sys
from contextlib import closing
from pathlib import Path

import typer
from filelock import FileLock, Timeout

from inspector_gui.cli.endings import STOPPED
from inspector_gui.cli.options import ProgressStyle
from inspector_gui.cli.priority import give_way
from inspector_gui.cli.progress import Report, reporting
from inspector_gui.cli.recipe import open_extractor
from inspector_gui.core.errors import Cancelled, KnownError
from inspector_gui.core.images import decode
from inspector_gui.core.neighbours import ShouldStop
from inspector_gui.core.types import Progress
from inspector_gui.store.features_cache import networks_beside, open_store
from inspector_gui.store.images import ImageStore
from inspector_gui.store.model_files import ModelFiles
from inspector_gui.store.run_files import RunFiles
from inspector_gui.store.stored_gallery import StoredGallery
from inspector_gui.store.training_runs import TrainingRun

_LOCK, _PATIENCE = ".lock", 10.0


def run(folder: Path, style: ProgressStyle) -> int:
    """Train what a folder asks for, from its checkpoint if it has one, and write the model.

    Waits a moment for another process that is about to leave the folder. Asked to end, this process
    is gone once the checkpoint is written: torch would take half a second to say good-bye.
    """
    give_way()
    RunFiles(folder).asked()  # says so where the folder is none of a training
    lock = FileLock(folder / _LOCK, timeout=_PATIENCE)
    try:
        with lock:
            return _train(folder, style)
    except Timeout as error:
        raise KnownError(
            f"Another program is training in {folder}; let it end, or close it."
        ) from error
    except Cancelled:
        RunFiles(folder).sweep()
        sys.stdout.flush()
        os._exit(STOPPED)


def _train(folder: Path, style: ProgressStyle) -> int:
    from inspector_gui.core.simplenet.checkpoint import packed, unpacked
    from inspector_gui.core.simplenet.facts import EpochFacts
    from inspector_gui.core.simplenet.fitting import split, train_model
    from inspector_gui.core.simplenet.hyperparameters import check
    from inspector_gui.core.simplenet.training import Hooks

    files = RunFiles(folder)
    asked = files.asked()
    files.sweep()
    chosen = asked.scoring.training
    if chosen is None:
        raise KnownError(f"The training in {folder} has no hyperparameters; start it again.")
    check(chosen)
    if not chosen.held_out:
        raise KnownError(
            "A model without references that are held out has no limit; hold out a share of them."
        )
    split(len(asked.references), chosen)  # says at once where there are too few
    data = files.checkpoint()
    state = None if data is None else unpacked(data)
    done = () if state is None else state["facts"]["epochs"]
    files.begin_events([EpochFacts.from_json(one) for one in done])
    ended = _Ended()
    with reporting(style) as report:
        hashes, gallery, unreadable = _features(asked, report, ended)
        hooks = Hooks(
            report=report,
            on_epoch=files.add_event,
            on_state=lambda found: files.write_checkpoint(packed(found)),
            should_stop=ended,
        )
        model = train_model(
            gallery, hashes, asked.scoring, set_name=asked.set_name, folder=folder,
            hooks=hooks, state=state, unreadable=unreadable,
        )  # fmt: skip
    ModelFiles(asked.models_folder).write(model)
    files.write_result(model.facts.id)
    if style is not ProgressStyle.JSON:
        typer.echo(f"model {model.facts.id}, {model.facts.seconds:.1f} s of training")
    return 0


class _Ended:
    """True once this process was asked to end: then there is time for a checkpoint."""

    def __init__(self) -> None:
        self._is_asked = False
        signal.signal(signal.SIGTERM, self._ask)

    def _ask(self, *_: object) -> None:
        self._is_asked = True

    def __call__(self) -> bool:
        return self._is_asked


def _features(
    asked: TrainingRun, report: Report, should_stop: ShouldStop
) -> tuple[tuple[str, ...], StoredGallery, dict[str, str]]:
    """Return the readable references with their features, and a sentence for each other one.

    What the workspace lacks is computed and kept there, as for any method that compares with them.
    """
    scoring, hashes = asked.scoring, asked.references
    images = ImageStore(asked.features_folder.parent)
    unreadable: dict[str, str] = {}
    with closing(open_store(asked.features_folder, scoring)) as store:
        missing = store.missing(hashes)
        if missing:
            networks = networks_beside(asked.features_folder)
            extractor = open_extractor(scoring, report, quantised=networks)
            for done, sha in enumerate(missing):
                if should_stop():
                    raise Cancelled
                report(Progress("features", done, len(missing)))
                try:
                    image = decode(images.read(sha), name=f"The reference {sha[:12]}")
                except KnownError as error:
                    unreadable[sha] = f"{error} It is left out."
                    continue
                store.append(sha, extractor.extract(image))
            report(Progress("features", len(missing), len(missing)))
        there = tuple(sha for sha in hashes if sha in store)
        return there, store.gallery(there), unreadable
