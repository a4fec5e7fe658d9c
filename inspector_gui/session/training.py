"""The training of SimpleNet: one at a time in a workspace, by a child process.

What a training needs and what it has done so far is a folder of the workspace, from which it goes
on after a pause, a crash or the end of the program.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from inspector_gui.core.calibration import MIN_REFERENCES
from inspector_gui.core.errors import KnownError
from inspector_gui.core.simplenet.facts import EpochFacts, ModelFacts
from inspector_gui.core.types import Progress, Scoring
from inspector_gui.session.recording import Ask
from inspector_gui.session.references import ReferenceSets
from inspector_gui.session.training_values import Pace, TrainingState
from inspector_gui.store.training_runs import (
    RESULT,
    EventsReader,
    TrainingRun,
    new_run_folder,
    unfinished_run,
)
from inspector_gui.workers.jobs import ChildJob
from inspector_gui.workers.recorder import Store

_PAUSE_MS = 800  # in which the child writes a checkpoint
_CANCEL_MS = 400
_TRAINING = "training"
"""What the child calls steps of the training itself; before them it computes features."""


class TrainingDesk(QObject):
    """Starts, pauses and ends the training; verbs return at once.

    `state` says what it does, `run` what it is of, `reason` why it stands still (a sentence, "":
    somebody paused it), `epochs` what is known of every epoch so far, `model` what it has made.
    """

    changed = Signal()
    """The state, the run or the reason is another one."""
    progressed = Signal()
    """`progress` is further, or there is another epoch."""
    trained = Signal(object)
    """The `ModelFacts` of a model that is there now."""
    noticed = Signal(str)

    def __init__(
        self, ask: Ask, references: ReferenceSets, features_folder: Callable[[], Path | None]
    ) -> None:
        super().__init__()
        self._ask = ask
        self._references = references
        self._features_folder = features_folder
        self.state = TrainingState.IDLE
        self.run: TrainingRun | None = None
        self.reason = ""
        self.progress: Progress | None = None
        self.epochs: tuple[EpochFacts, ...] = ()
        self.model: ModelFacts | None = None
        self.model_set_id: int | None = None
        """The set that `model` was trained for."""
        self.judges_afterwards = True
        """Whether the set judges by the model once it is there."""
        self._pace = Pace()
        self._job: ChildJob | None = None
        self._ending: dict[ChildJob, TrainingRun] = {}
        self._cancelled: set[Path] = set()
        self._events: EventsReader | None = None
        self._kill_at = 0.0

    @property
    def seconds_left(self) -> float | None:
        """How long it takes from here; None while nothing can be said."""
        if self.state is not TrainingState.RUNNING or self.progress is None:
            return None
        return self._pace.seconds_left(self.progress.done, self.progress.total)

    @property
    def epoch(self) -> int:
        """The epoch that it is in, from 1; 0 before the first."""
        if self.run is None:
            return len(self.epochs)
        epochs, progress = self.run.epochs, self.progress
        if self.state is TrainingState.RUNNING and progress is not None and self.is_training:
            return min(epochs, 1 + epochs * progress.done // max(progress.total, 1))
        return self.epochs[-1].epoch if self.epochs else 0

    @property
    def is_training(self) -> bool:
        """Whether features are all there and the networks are trained."""
        return self.progress is not None and self.progress.what == _TRAINING

    # Verbs

    def start(self, scoring: Scoring) -> None:
        """Train on the current set's references as they are now; what cannot be is said.

        `scoring` is SimpleNet's, with hyperparameters.
        """
        try:
            run = self._new_run(scoring)
        except KnownError as error:
            self.noticed.emit(str(error))
            return
        self._take(run, (), TrainingState.RUNNING)
        self._launch(run)

    def pause(self) -> None:
        """End the child, which keeps what it has done; `resume` goes on from there."""
        if self.state is not TrainingState.RUNNING:
            return
        if self._job is None:  # its folder is being made
            self._set(TrainingState.PAUSED)
            return
        self._set(TrainingState.PAUSING)
        self._end_job()

    def resume(self) -> None:
        """Go on with a training that stands still."""
        if self.run is not None and self.state.is_still:
            self._set(TrainingState.RUNNING)
            self._launch(self.run)

    def cancel(self) -> None:
        """End the training and remove what there is of it; it never becomes a model."""
        run = self.run
        if run is None:
            return
        run.forget()
        self._cancelled.add(run.folder)
        is_running = self._job is not None or run in self._ending.values()
        if self._job is not None:
            self._end_job(_CANCEL_MS)
        self._take(None, (), TrainingState.IDLE)
        if not is_running:
            self._remove(run)

    def discard(self) -> None:
        """Remove a training that stands still."""
        if self.state.is_still:
            self.cancel()

    # The workspace

    def look(self) -> None:
        """Take up the unfinished run of a workspace that was opened, to be offered.

        A training of the workspace before ends as if paused.
        """
        features = self._features_folder()
        if features is None or (self.run is not None and self.run.features_folder == features):
            return
        self._end_job()
        self._take(None, (), TrainingState.IDLE)
        self.model = None

        def look(_: Store) -> tuple[TrainingRun, tuple[EpochFacts, ...]] | None:
            return unfinished_run(features)

        def then(found: tuple[TrainingRun, tuple[EpochFacts, ...]] | None) -> None:
            if found is None or self.run is not None or self._features_folder() != features:
                return
            run, epochs = found
            self._take(run, epochs, TrainingState.INTERRUPTED)
            where = _where(run, epochs)
            sentence = f"A training of {run.set_name} was interrupted {where}."
            self._set(TrainingState.INTERRUPTED, sentence)

        self._ask(look, then=then)

    def ask_to_stop(self) -> None:
        """Have the child end; at the end of the program, before `wait`."""
        self._end_job()
        self._kill_at = time.monotonic() + _PAUSE_MS / 1000

    def wait(self, deadline: float) -> None:
        """Wait for children that end, until `deadline` (of time.monotonic); then kill them."""
        deadline = min(deadline, self._kill_at)
        for job, run in tuple(self._ending.items()):
            job.blockSignals(True)
            job.wait(max(0.0, deadline - time.monotonic()))
            if run.folder in self._cancelled:
                self._remove_now(run)
        self._ending.clear()

    # What happens

    def _new_run(self, scoring: Scoring) -> TrainingRun:
        current, features = self._references.current, self._features_folder()
        if self.run is not None:
            raise KnownError(
                f"A training of {self.run.set_name} is not over; go on with it or discard it first."
            )
        if current is None or features is None:
            raise KnownError("First add pictures of good parts.")
        if len(current.included) < MIN_REFERENCES:
            raise KnownError(f"Add at least {MIN_REFERENCES} pictures of good parts first.")
        scoring = self._references.calibrated(replace(scoring, model=""))
        return TrainingRun(
            folder=(folder := new_run_folder(features)),
            scoring=scoring,
            references=tuple(image.sha256 for image in current.included),
            features_folder=features,
            models_folder=folder.parent.parent,
            set_id=current.id,
            set_name=current.name,
            gallery=replace(current, scoring=scoring).fingerprint,
            started_at=time.time(),
        )

    def _launch(self, run: TrainingRun) -> None:
        """Write the request and start the child, once one before it has left the folder."""
        if run.folder in (ending.folder for ending in self._ending.values()):
            return  # `_on_gone` comes back
        self.progress, self._pace = None, Pace()

        def written(_: None) -> None:
            if self.run is run and self.state is TrainingState.RUNNING and self._job is None:
                self._start_job(run)

        def refused(sentence: str) -> None:
            if self.run is run:
                self._fail(sentence)

        self._ask(lambda _: run.write(), then=written, otherwise=refused)

    def _start_job(self, run: TrainingRun) -> None:
        job = ChildJob(["train", "--folder", str(run.folder)], self)
        job.progressed.connect(self._on_progressed)
        job.finished.connect(self._on_finished)
        job.ended.connect(partial(self._on_gone, job))
        self._job, self._events = job, EventsReader(run.folder)
        job.start()

    def _end_job(self, grace_ms: int = _PAUSE_MS) -> None:
        job, self._job = self._job, None
        if job is not None and self.run is not None:
            self._ending[job] = self.run
            job.end(grace_ms=grace_ms)

    @Slot(str, int, int)
    def _on_progressed(self, what: str, done: int, total: int) -> None:
        if self._job is None or self.sender() is not self._job:
            return
        is_first = what == _TRAINING and not self.is_training
        self.progress = Progress(what, done, total)
        if is_first:
            self._pace = Pace()
        self._pace.note(done)
        if what == _TRAINING:
            self._read_events()
        self.progressed.emit()

    def _read_events(self) -> None:
        """Take up new epochs; the file is cut back before the first step of a process."""
        if self._events is not None and self._events.read():
            self.epochs = self._events.epochs

    @Slot(str)
    def _on_finished(self, sentence: str) -> None:
        job, run = self._job, self.run
        if job is None or run is None or self.sender() is not job:
            return
        self._job = None
        job.deleteLater()
        self._read_events()
        if job.was_killed:
            sentence = (
                f"The training of {run.set_name} was ended from outside "
                f"{_where(run, self.epochs)}, perhaps since memory ran out. Go on with it, from "
                "its last checkpoint."
            )
        if sentence:
            self._fail(sentence)
        else:
            self._finish(run)

    def _on_gone(self, job: ChildJob) -> None:
        """Take notice that a child has ended which was asked to."""
        run = self._ending.pop(job, None)
        job.deleteLater()
        if run is None:
            return
        if run.folder in self._cancelled:
            self._remove(run)
        if self.run is None or self.run.folder != run.folder:
            return
        if self.state is TrainingState.PAUSING and (run.folder / RESULT).exists():
            self._finish(run)  # it was quicker
        elif self.state is TrainingState.PAUSING:
            self._read_events()
            self._set(TrainingState.PAUSED)
        elif self.state is TrainingState.RUNNING and self._job is None:
            self._launch(self.run)

    def _finish(self, run: TrainingRun) -> None:
        def then(facts: ModelFacts) -> None:
            if self.run is not run:
                return
            self.model, self.model_set_id = facts, run.set_id
            self._take(None, self.epochs, TrainingState.DONE)
            self.trained.emit(facts)
            self._judge_by(facts, run)

        def otherwise(sentence: str) -> None:
            if self.run is run:
                self._fail(sentence)

        self._ask(lambda _: run.finish(), then=then, otherwise=otherwise)

    def _judge_by(self, facts: ModelFacts, run: TrainingRun) -> None:
        known = next((one for one in self._references.sets if one.id == run.set_id), None)
        if known is None or not self.judges_afterwards:
            self.noticed.emit(f"SimpleNet is trained for {run.set_name}. It is among the models.")
            return
        self._references.set_scoring(facts.scoring, set_id=run.set_id)
        told = f"SimpleNet is trained; {known.name} is judged by it now."
        if not facts.is_of(image.sha256 for image in known.included):
            told += " Its references have changed since the training began."
        self.noticed.emit(told)

    def _fail(self, sentence: str) -> None:
        self._set(TrainingState.FAILED, sentence)
        self.noticed.emit(sentence)

    def _take(
        self, run: TrainingRun | None, epochs: tuple[EpochFacts, ...], state: TrainingState
    ) -> None:
        self.run, self.epochs, self.progress = run, epochs, None
        self._set(state)

    def _set(self, state: TrainingState, reason: str = "") -> None:
        self.state, self.reason = state, reason
        self.changed.emit()

    def _remove(self, run: TrainingRun) -> None:
        """Remove a cancelled run, whose child is gone."""

        def removed(_: None) -> None:
            self._cancelled.discard(run.folder)

        self._ask(lambda _: run.remove(), then=removed)

    def _remove_now(self, run: TrainingRun) -> None:
        try:
            run.remove()
        except KnownError as error:
            self.noticed.emit(str(error))


def _where(run: TrainingRun, epochs: Sequence[EpochFacts]) -> str:
    if not epochs:
        return "before its first epoch was over"
    return f"at epoch {epochs[-1].epoch} of {run.epochs}"
