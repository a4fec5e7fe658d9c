"""The engine thread: it owns the network, the method, the feature files and the device.

It works in turns of at most a fifth of a second and returns to its event loop between them, so
that a frame never waits for a long job and everything can be stopped at any time. Each turn does
the first of these that there is to do: load the network, compute features of new references, have
a memory bank chosen by a child process where the method needs one, judge an ad hoc part, judge a
part of the feed, score a reference against the others, do the same for validation and known bad
pictures, go on with the health of the set.
A reference whose file is unreadable is left out with a sentence; judging goes on with the others.
"""

import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot

from inspector_gui import paths
from inspector_gui.core.calibration import MIN_REFERENCES
from inspector_gui.core.decision import decide
from inspector_gui.core.errors import KnownError
from inspector_gui.core.types import Frame, Inspection, Limits, Source
from inspector_gui.workers.bank_building import BankBuilding
from inspector_gui.workers.engine_state import Calibration, EngineState, Phase
from inspector_gui.workers.gallery_work import GalleryWork, Setup, UnreadableReference
from inspector_gui.workers.health_work import Assessment, HealthWork
from inspector_gui.workers.index_building import IndexBuilding
from inspector_gui.workers.jobs import ChildJob
from inspector_gui.workers.mailbox import Mailbox
from inspector_gui.workers.thread import Worker

if TYPE_CHECKING:  # the engine's own imports come after the window, in this thread
    from inspector_gui.core.features import Extractor
    from inspector_gui.store.features_cache import FeatureStore


__all__ = ["Calibration", "Engine", "EngineState", "Phase"]


class Engine(Worker):
    """Judges frames against the references of its setup."""

    inspected = Signal(object, object)
    """An `Inspection` and the `Setup` it was made by."""
    rejected = Signal(object, str, object)
    """A frame that could not be judged, why, and the `Setup` that failed to."""
    calibrated = Signal(object)
    assessed = Signal(object)
    """An `Assessment` of the set's health."""
    state_changed = Signal(object)
    _configured = Signal(object)
    _limited = Signal(object)
    _woken = Signal()

    def __init__(self) -> None:
        super().__init__("engine")
        self.live: Mailbox[Frame] = Mailbox()
        self._queue: deque[Frame] = deque()
        self._ad_hoc: deque[Frame] = deque()
        self._state = EngineState()
        self._setup: Setup | None = None
        self._limits: Limits | None = None
        self._extractor: Extractor | None = None
        self._extractor_key = ""
        self._features: FeatureStore | None = None
        self._work: GalleryWork | None = None
        self._before: GalleryWork | None = None
        self._health = HealthWork()
        self._follows: GalleryWork | None = None
        self._job: ChildJob | None = None
        self._building: IndexBuilding | None = None
        self._choosing: BankBuilding | None = None
        self._is_awake = False
        self._configured.connect(self._configure)
        self._limited.connect(self._limit)
        self._woken.connect(self._turn, Qt.ConnectionType.QueuedConnection)

    # Called from other threads

    def configure(self, setup: Setup | None) -> None:
        """Judge by another setup from the next frame on; None: by nothing."""
        self._configured.emit(setup)

    def set_limits(self, limits: Limits) -> None:
        """Decide by other limits from the next frame on."""
        self._limited.emit(limits)

    def submit(self, frame: Frame, is_live: bool) -> None:
        """Queue a frame; of a live source only the newest is kept."""
        if frame.source is Source.AD_HOC:
            self._ad_hoc.append(frame)
        elif is_live:
            self.live.put(frame)
        else:
            self._queue.append(frame)
        self._wake()

    def forget_frames(self, *, ad_hoc: bool = False) -> None:
        """Drop the feed's frames that were not judged yet, and on request the ad hoc ones."""
        self._queue.clear()
        self.live.clear()
        if ad_hoc:
            self._ad_hoc.clear()

    # In the engine's thread

    @Slot(object)
    def _configure(self, setup: Setup | None) -> None:
        self._setup = setup
        self._before, self._work, self._follows = self._work or self._before, None, None
        self._health.leave()
        self._limits = setup.limits if setup else None
        self._say(Phase.IDLE)
        if self._job is not None and self._job.arguments != _conversion(setup):
            self._end_job()  # of a network that nobody waits for any more
        if self._choosing is not None and (
            setup is None or self._choosing.belongs_to != setup.fingerprint
        ):
            self._choosing.cancel()
        if setup is None:
            self._close_features()  # perhaps another workspace comes
            return
        if self._before is not None and self._before.setup.scoring != setup.scoring:
            self._before = None
        if setup.scoring.features_key != self._extractor_key:
            self._extractor = None
        self._wake()

    @Slot(object)
    def _limit(self, limits: Limits) -> None:
        self._limits = limits
        self._wake()

    def _wake(self) -> None:
        if not self._is_awake:
            self._is_awake = True
            self._woken.emit()

    @Slot()
    def _turn(self) -> None:
        self._is_awake = False
        setup = self._setup
        if setup is None or self.stopping.is_set():
            return
        if self._state.phase is Phase.FAILED:
            while (frame := self._next_frame()) is not None:
                self.rejected.emit(frame, self._state.reason, setup)
            return
        try:
            if self._go_on(setup):
                self._wake()
        except Exception as error:
            self._say(Phase.FAILED, reason=self.report(error))
            self._wake()

    def _go_on(self, setup: Setup) -> bool:
        """Do the next piece of work; return whether there may be more."""
        if self._extractor is None:
            return self._load(setup)
        work = self._work
        if work is None:
            self._open_gallery(setup)
        elif work.missing:
            done = work.total - len(work.missing)
            self._say(Phase.INDEXING, done=done, total=work.total)
            self._index(work.index)
        elif len(work.hashes) >= MIN_REFERENCES and not work.open_bank():
            self._choose_patches(setup, work)
            return False
        elif self._can_judge(work) and self._judge_next(setup, work):
            pass
        elif work.to_score:
            self._say(Phase.CALIBRATING, done=len(work.scores), total=work.sample)
            if work.calibrate(self.stopping.is_set):
                self.calibrated.emit(Calibration(setup.set_id, setup.fingerprint, work.scores))
        elif not self._go_on_beside(setup, work):
            return False
        return True

    def _go_on_beside(self, setup: Setup, work: GalleryWork) -> bool:
        """Do the next piece of what no part waits for; return whether there may be more."""
        assert self._extractor is not None
        self._say(Phase.READY if self._limits is not None else Phase.IDLE)
        if work.others_missing:
            self._index(work.index_other)
        elif work.others_to_score and len(work.hashes) >= MIN_REFERENCES:
            if work.score_other(self.stopping.is_set):
                fingerprint, scores = setup.fingerprint, work.other_scores
                found = Calibration(setup.set_id, fingerprint, scores, is_others=True)
                self.calibrated.emit(found)
        else:
            return self._go_on_with_health(work)
        return True

    def _go_on_with_health(self, work: GalleryWork) -> bool:
        if self._follows is not work:
            self._follows = work
            self._health.follow(work)
        found = self._health.step()
        if isinstance(found, Assessment):
            self.assessed.emit(found)
            return True
        return found or self._build_index(work)

    def _can_judge(self, work: GalleryWork) -> bool:
        return len(work.hashes) >= MIN_REFERENCES and self._limits is not None

    def _index(self, index: "Callable[[Extractor], None]") -> None:
        """Compute features; a picture that cannot be read is named and left out."""
        assert self._extractor is not None
        try:
            index(self._extractor)
        except UnreadableReference as error:
            self.failed.emit(f"{self.in_words(error)} It is left out.")

    def _load(self, setup: Setup) -> bool:
        from inspector_gui.core.backbones import backbone
        from inspector_gui.core.features import Extractor
        from inspector_gui.core.runtimes import converted_path

        scoring = setup.scoring
        self._say(Phase.LOADING)
        if scoring.runtime == "openvino":
            model = converted_path(backbone(scoring.backbone), paths.networks_folder())
            if not model.exists():
                self._convert(setup)
                return False
        self._extractor = Extractor(
            scoring, weights_folder=paths.weights_folder(), cache=paths.networks_folder()
        )
        self._extractor_key = scoring.features_key
        return True

    def _convert(self, setup: Setup) -> None:
        """Convert a network in a child process, so that this process never imports torch."""
        if self._job is not None:
            return
        self._say(Phase.CONVERTING)
        self._job = ChildJob(list(_conversion(setup)), self)
        self._job.progressed.connect(self._on_converting)
        self._job.finished.connect(self._on_converted)
        self._job.start()

    @Slot(str, int, int)
    def _on_converting(self, _what: str, done: int, total: int) -> None:
        self._say(Phase.CONVERTING, done=done, total=total)

    @Slot(str)
    def _on_converted(self, sentence: str) -> None:
        self._end_job()
        if sentence:
            self.failed.emit(sentence)
            self._say(Phase.FAILED, reason=sentence)
        self._wake()

    def _open_gallery(self, setup: Setup) -> None:
        from inspector_gui.core.methods import make_method
        from inspector_gui.store.features_cache import features_folder, open_store

        folder = features_folder(setup.features_folder, setup.scoring)
        if self._features is None or self._features.folder != folder:
            self._close_features()
            self._features = open_store(setup.features_folder, setup.scoring)
        before, self._before = self._before, None
        method = make_method(setup.scoring)
        self._work = GalleryWork(setup, self._features, method, before=before)

    def _choose_patches(self, setup: Setup, work: GalleryWork) -> None:
        """Have the memory bank chosen; parts wait for it."""
        if self._choosing is None:
            self._choosing = BankBuilding(self)
            self._choosing.progressed.connect(self._on_choosing)
            self._choosing.ended.connect(self._on_chosen)
        if self._state.phase is not Phase.CHOOSING:
            self._say(Phase.CHOOSING, total=100)
        folder = work.features.folder
        self._choosing.begin(folder, setup.scoring, work.hashes, setup.fingerprint)

    @Slot(int)
    def _on_choosing(self, per_cent: int) -> None:
        self._say(Phase.CHOOSING, done=per_cent, total=100)

    @Slot(str)
    def _on_chosen(self, sentence: str) -> None:
        if not sentence and self._work is not None and not self._work.open_bank():
            sentence = "The patches that were chosen cannot be read; check the drive."
        if sentence:
            self.failed.emit(sentence)
            self._say(Phase.FAILED, reason=sentence)
        self._wake()

    def _build_index(self, work: GalleryWork) -> bool:
        """Have an index made where one pays; parts are judged meanwhile."""
        if not work.gallery.wants_index:
            return False
        if self._building is None:
            self._building = IndexBuilding(self)
            self._building.progressed.connect(self._say_again)
            self._building.ended.connect(self._on_index_ended)
        return self._building.begin(work.features.folder)

    @Slot(str)
    def _on_index_ended(self, sentence: str) -> None:
        if sentence:
            self.failed.emit(f"{sentence} References are searched exactly, which takes longer.")
        elif self._work is not None and not self._work.missing:
            self._work.open_index()
        self._say_again()
        self._wake()

    @Slot()
    def _say_again(self) -> None:
        state = self._state
        self._say(state.phase, done=state.done, total=state.total, reason=state.reason)

    def _how_it_searches(self) -> str:
        if self._work is None:
            return ""
        building = self._building.words if self._building is not None else ""
        return ", ".join(filter(None, (self._work.gallery.search, building)))

    def _judge_next(self, setup: Setup, work: GalleryWork) -> bool:
        frame = self._next_frame()
        if frame is None:
            return False
        try:
            inspection = self._judge(frame, work)
        except KnownError as error:
            self.rejected.emit(frame, str(error), setup)
        except Exception as error:  # of this part; the next one may be fine
            self.rejected.emit(frame, self.report(error), setup)
        else:
            if not self.stopping.is_set():
                self.inspected.emit(inspection, setup)
        return True

    def _next_frame(self) -> Frame | None:
        for frames in (self._ad_hoc, self._queue):
            with suppress(IndexError):  # they may be forgotten at any time
                return frames.popleft()
        return self.live.take()

    def _judge(self, frame: Frame, work: GalleryWork) -> Inspection:
        assert self._extractor is not None
        assert self._limits is not None
        began = time.perf_counter()
        features = self._extractor.extract(frame.image)
        seconds = time.perf_counter() - began
        scores = work.method.score(features, work.gallery, should_stop=self.stopping.is_set)
        scores.timings["features"] = seconds
        return Inspection(
            frame=frame,
            set_id=work.setup.set_id,
            scoring=work.setup.scoring,
            scores=replace(scores, pooled=features.pooled),
            limits=self._limits,
            decision=decide(scores.image, self._limits),
            nearest=tuple(work.hashes[row] for row in scores.nearest),
            judged_at=time.time(),
        )

    def _say(self, phase: Phase, *, done: int = 0, total: int = 0, reason: str = "") -> None:
        device = self._extractor.device if self._extractor else ""
        state = EngineState(phase, done, total, device, reason, self._how_it_searches())
        if state != self._state:
            self._state = state
            self.state_changed.emit(state)

    def _end_job(self) -> None:
        job, self._job = self._job, None
        if job is not None:
            job.cancel()
            job.deleteLater()

    def _close(self) -> None:
        self._end_job()
        self._work = None
        self._close_features()
        self._extractor = None

    def _close_features(self) -> None:
        self._before = None
        for child in (self._building, self._choosing):
            if child is not None:
                child.cancel()
        if self._features is not None:
            self._features.close()
            self._features = None


def _conversion(setup: Setup | None) -> tuple[str, ...]:
    """Return the command that converts the network of a setup."""
    return ("convert", "--backbone", setup.scoring.backbone) if setup else ()
