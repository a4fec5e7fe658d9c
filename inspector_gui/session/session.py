"""The session: one open workspace, its workers, and the parts that panels talk to.

Lives in the main thread. A verb returns at once; what came of it is told by a signal.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal, Slot

from inspector_gui.core.calibration import MIN_REFERENCES
from inspector_gui.core.method_options import DEFAULT_RECIPE
from inspector_gui.core.types import (
    Frame,
    Inspection,
    InspectionRow,
    ReferenceSet,
    Scoring,
    Source,
    UnreadableFrame,
)
from inspector_gui.feed.source import FrameSource
from inspector_gui.session import desks
from inspector_gui.session.feeds import Feeds
from inspector_gui.session.health import HealthDesk
from inspector_gui.session.history import History
from inspector_gui.session.judged_by import JudgedBy, judged_by
from inspector_gui.session.limits import LimitsDesk
from inspector_gui.session.maps import MapDesk
from inspector_gui.session.readiness import Readiness as Readiness
from inspector_gui.session.recording import InTurn
from inspector_gui.session.references import ReferenceSets
from inspector_gui.session.studies import Studies
from inspector_gui.session.why import WhyDesk
from inspector_gui.workers.engine import Engine
from inspector_gui.workers.engine_state import Calibration, EngineState, Phase
from inspector_gui.workers.feed_worker import FeedState
from inspector_gui.workers.gallery_work import Setup
from inspector_gui.workers.health_work import Assessment
from inspector_gui.workers.recorder import Answer, Recorder, Request, Store

if TYPE_CHECKING:
    from inspector_gui.session.lots import LotDesk
    from inspector_gui.session.models import ModelDesk
    from inspector_gui.session.training import TrainingDesk

STOP_SECONDS = 2.4
_LEAST_RECORDER_SECONDS = 0.4  # also where the other threads took all the time there was


class Session(QObject):
    """The state of the program: its parts below, and the engine's state."""

    workspace_opened = Signal()
    workspace_refused = Signal(str)
    """The workspace could not be opened; the sentence says why and what to do."""
    engine_changed = Signal()
    readiness_changed = Signal()
    noticed = Signal(str)
    """A sentence for the operator; one per streak of equal ones."""

    def __init__(self) -> None:
        super().__init__()
        self.workspace: Path | None = None
        self.engine_state = EngineState()
        self._store: Store | None = None
        self._in_turn = InTurn()
        self._recorder = Recorder()
        self._engine = Engine()
        self.feeds = Feeds(self._engine)
        self.references = ReferenceSets(self.ask, default_scoring)
        self.limits = LimitsDesk(self.ask)
        self.history = History(self.ask, self.limits)
        self.why = WhyDesk(self._engine, self.references, self.history, self.features_folder)
        self.maps = MapDesk(self._engine, self.references, self.history, self.features_folder)
        self.health = HealthDesk()
        self.studies = Studies(self.references, self.features_folder)
        self._loaded_set: int | None = None
        self._listed_set: int | None = None
        self._last_notice = ("", 0.0)
        self._connect()

    def _connect(self) -> None:
        self.workspace_opened.connect(self.why.close)
        self.workspace_opened.connect(lambda: self.training.look())
        self._recorder.answered.connect(self._on_answered)
        self._engine.inspected.connect(self._on_inspected)
        self._engine.rejected.connect(self._on_rejected)
        self._engine.calibrated.connect(self._on_calibrated)
        self._engine.assessed.connect(self._on_assessed)
        self._engine.state_changed.connect(self._on_engine_state)
        self.limits.saved_limits.connect(self._engine.set_limits)
        self.limits.changed.connect(self.readiness_changed)
        self.feeds.unreadable.connect(self._on_unreadable)
        self.feeds.goes_on.connect(lambda: self.ask(self._in_turn.go_on))
        self.references.current_changed.connect(self._on_gallery_changed)
        self.references.images_changed.connect(self._on_gallery_changed)
        for failing in (self._recorder, self._engine, self.feeds):
            failing.failed.connect(self.notice)
        self.references.noticed.connect(self.notice)
        self.limits.noticed.connect(self.notice)
        self.maps.noticed.connect(self.notice)

    @cached_property
    def lots(self) -> "LotDesk":
        """The lot check; lots are formed from its first use on."""
        return desks.lot_desk(self)

    @cached_property
    def training(self) -> "TrainingDesk":
        """The training of SimpleNet."""
        return desks.training_desk(self)

    @cached_property
    def models(self) -> "ModelDesk":
        """What was trained in the workspace."""
        return desks.model_desk(self)

    # Opening and closing

    @property
    def workers(self) -> tuple[Any, ...]:
        """The threads in the order in which they stop."""
        return (self.feeds.worker, self.feeds.ad_hoc, self._engine, self._recorder)

    def start(self) -> None:
        """Start the threads; called once the window is on screen."""
        for worker in self.workers:
            worker.start()

    def open_workspace(self, folder: Path, *, current_set: int | None = None) -> None:
        """Open a workspace in place of the one before, whose feed and imports end."""
        folder = folder.expanduser().resolve()
        self.feeds.stop_all()
        self.references.cancel_import()
        self.studies.cancel_all()
        self._engine.configure(None)
        before, self._store = self._store, None
        self._loaded_set = self._listed_set = None

        def opened(result: tuple[Store, Any]) -> None:
            self._store, sets = result
            self.workspace = folder
            self.health.load("", None, {})  # set ids repeat from workspace to workspace
            self.workspace_opened.emit()
            self.references.load(sets, current_set)
            self.readiness_changed.emit()

        def refused(sentence: str) -> None:
            if before is not None:  # it is still open: go on with it
                self._store = before
                self._on_gallery_changed()
                self.notice(sentence)
                return
            self.workspace = None
            self.references.load((), None)
            self.workspace_refused.emit(sentence)
            self.readiness_changed.emit()

        request = Request(lambda store: (store, store.references.load_sets()), opened, refused)
        self._recorder.open(folder, request)

    def stop(self) -> bool:
        """End all threads within their deadline; return whether every one has ended."""
        deadline = time.monotonic() + STOP_SECONDS
        self.training.ask_to_stop()
        self.studies.stop()
        for worker in self.workers[:-1]:
            worker.ask_to_stop()
        ended = [worker.wait(deadline) for worker in self.workers[:-1]]
        self.training.wait(deadline)
        self._recorder.ask_to_stop()
        deadline = max(deadline, time.monotonic() + _LEAST_RECORDER_SECONDS)
        return all([*ended, self._recorder.wait(deadline)])

    def ask(
        self,
        work: Callable[[Store], Any],
        *,
        then: Callable[[Any], None] | None = None,
        otherwise: Callable[[str], None] | None = None,
    ) -> None:
        """Queue work for the recorder; `then` gets its result in the main thread.

        Without an open workspace nothing is done, and that is said.
        """
        if self._store is None:
            (otherwise or self.notice)("No workspace is open; open one first.")
            return
        self._recorder.ask(Request(work, then, otherwise))

    @Slot(str)
    def notice(self, sentence: str) -> None:
        """Show a sentence; the same one again within five seconds is one streak."""
        last, at = self._last_notice
        now = time.monotonic()
        self._last_notice = (sentence, now)
        if sentence != last or now - at > 5:
            self.noticed.emit(sentence)

    # Judging

    @property
    def readiness(self) -> Readiness:
        """Whether parts can be judged now."""
        current = self.references.current
        if self.workspace is None:
            return Readiness.NO_WORKSPACE
        if current is None:
            return Readiness.NO_SET
        if len(current.included) < MIN_REFERENCES:
            return Readiness.TOO_FEW
        phase = self.engine_state.phase
        if phase is Phase.FAILED:
            return Readiness.FAILED
        if self.limits.saved is None or phase in (
            Phase.LOADING,
            Phase.CONVERTING,
            Phase.INDEXING,
            Phase.CHOOSING,
        ):
            return Readiness.BUSY
        return Readiness.STALE if self.limits.is_stale else Readiness.READY

    def can_judge(self) -> bool:
        """Return whether the current set can judge parts (at once or soon); say so if not."""
        match self.readiness:
            case Readiness.NO_WORKSPACE | Readiness.NO_SET:
                self.notice("First add pictures of good parts: drop them on the left.")
            case Readiness.TOO_FEW:
                self.notice(f"Add at least {MIN_REFERENCES} pictures of good parts first.")
            case _:
                return True
        return False

    def start_feed(self, source: FrameSource) -> None:
        """Judge what a source delivers, if the current set can."""
        if self.can_judge():
            self.feeds.start(source)

    def check(self, paths: list[Path]) -> None:
        """Judge pictures and folders ad hoc, if the current set can."""
        if self.can_judge():
            self.feeds.check(paths)

    def _on_gallery_changed(self) -> None:
        """Judge by the current set as it is now: from the next part on."""
        current = self.references.current
        self._hold_feed(current)
        if current is None or self._store is None:
            self._loaded_set = self._listed_set = None
            self._engine.configure(None)
            self.limits.load(None, None, {})
            self.health.load("", None, {})
            self.history.load((), None)
            self.readiness_changed.emit()
            return
        needs_rows = self._listed_set != current.id
        self._loaded_set = current.id

        def then(found: JudgedBy) -> None:
            now = self.references.current
            if now is None or (now.id, now.fingerprint) != (current.id, current.fingerprint):
                return  # changed again meanwhile; the answer to that follows
            setup, limits = found.setup, found.limits
            if needs_rows:
                self._listed_set = current.id
                self.history.load(found.rows, current.scoring)
            self.history.judge_by(current.scoring)
            self.limits.load(current, limits, found.own)
            self.health.load(setup.health_key, current, found.others)
            if limits is self.limits.saved and len(setup.hashes) >= MIN_REFERENCES:
                setup = replace(setup, limits=limits)
            self._engine.configure(setup)
            self.readiness_changed.emit()

        self.ask(partial(judged_by, current=current, needs_rows=needs_rows), then=then)

    def _hold_feed(self, current: ReferenceSet | None) -> None:
        """Pause the feed where its set is gone or has too few references to judge by."""
        if not self.feeds.state.is_active or self.feeds.state is FeedState.PAUSED:
            return
        was_deleted = self._loaded_set not in {s.id for s in self.references.sets}
        if current is None or len(current.included) < MIN_REFERENCES:
            self.notice(f"The feed is paused: fewer than {MIN_REFERENCES} references are left.")
        elif self._loaded_set is not None and was_deleted:
            self.notice("The feed is paused: the set it was judged by has been deleted.")
        else:
            return
        self.feeds.pause()

    @Slot(object)
    def _on_answered(self, answer: Answer) -> None:
        request = answer.request
        if answer.error:
            if request.otherwise is not None:
                request.otherwise(answer.error)
        elif request.then is not None:
            request.then(answer.result)

    @Slot(object)
    def _on_engine_state(self, state: EngineState) -> None:
        self.engine_state = state
        self.engine_changed.emit()
        self.readiness_changed.emit()

    @Slot(object)
    def _on_calibrated(self, calibration: Calibration) -> None:
        if self._store is None:
            return
        set_id, fingerprint = calibration.set_id, calibration.fingerprint
        scores = dict(calibration.scores)
        self.ask(lambda store: store.references.save_leave_one_out(set_id, fingerprint, scores))
        if calibration.is_others:
            self.health.scored(fingerprint, scores)
        else:
            self.limits.calibrated(fingerprint, scores)

    @Slot(object)
    def _on_assessed(self, assessment: Assessment) -> None:
        self.health.assessed(assessment.key, assessment.report)

    @Slot(object, object)
    def _on_inspected(self, inspection: Inspection, setup: Setup) -> None:
        if self._is_of_this_workspace(setup):
            self._record(
                lambda store: store.inspections.add(inspection), inspection.frame, inspection
            )

    @Slot(object, str, object)
    def _on_rejected(self, frame: Frame, reason: str, setup: Setup) -> None:
        if self._is_of_this_workspace(setup):
            refused = UnreadableFrame(
                frame.name, reason, frame.source, frame.captured_at, frame.path
            )
            self._record(
                lambda store: store.inspections.add_unreadable(refused, setup.set_id), frame, None
            )

    @Slot(object)
    def _on_unreadable(self, frame: UnreadableFrame) -> None:
        set_id = self._loaded_set
        if set_id is None:
            self.feeds.recorded(frame, None)
            return
        self._record(lambda store: store.inspections.add_unreadable(frame, set_id), frame, None)

    def features_folder(self) -> Path | None:
        """Return where the workspace keeps its features; None where none is open."""
        return None if self._store is None else self._store.workspace.features_folder

    def _is_of_this_workspace(self, setup: Setup) -> bool:
        """Return whether a setup is not of the workspace that was open before."""
        return self.features_folder() == setup.features_folder

    def _record(
        self,
        work: Callable[[Store], InspectionRow],
        frame: Frame | UnreadableFrame,
        inspection: Inspection | None,
    ) -> None:
        """Store a row; a part of the feed that cannot be stored pauses it and is tried again."""

        def stored(row: InspectionRow) -> None:
            self.feeds.recorded(frame, inspection)
            if row.set_id == self._listed_set:
                self.history.add(row, inspection)

        def not_stored(sentence: str) -> None:
            if frame.source is Source.AD_HOC:
                self.feeds.recorded(frame, None)
                self.notice(sentence)
                return
            self.feeds.hold(lambda: self._record(work, frame, inspection))
            self.notice(f"{sentence} The feed is paused.")

        is_in_turn = frame.source is not Source.AD_HOC
        self.ask(self._in_turn(work) if is_in_turn else work, then=stored, otherwise=not_stored)


def default_scoring() -> Scoring:
    """Return the scoring of a new set on this computer."""
    from inspector_gui.core.runtimes import default_runtime

    return replace(DEFAULT_RECIPE, runtime=default_runtime())
