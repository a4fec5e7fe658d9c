"""The engine thread: it owns the network, the method, the feature files and the device.

It works in turns of at most a fifth of a second and returns to its event loop between them, so
that a frame never waits for a long job and everything can be stopped at any time. Each turn does
the first of these that there is to do: load the network, compute features of new references,
judge an ad hoc part, judge a part of the feed, score a reference against the others.
A reference whose file is unreadable is left out with a sentence; judging goes on with the others.
"""

import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot

from inspector_gui import paths
from inspector_gui.core.calibration import MIN_REFERENCES, sampled_rows
from inspector_gui.core.decision import decide
from inspector_gui.core.errors import KnownError
from inspector_gui.core.types import Frame, Inspection, Limits, Scoring, Source
from inspector_gui.workers.jobs import ChildJob
from inspector_gui.workers.mailbox import Mailbox
from inspector_gui.workers.thread import Worker

if TYPE_CHECKING:  # the engine's own imports come after the window, in this thread
    from inspector_gui.core.features import Extractor, Gallery
    from inspector_gui.core.methods.base import Method
    from inspector_gui.store.features_cache import FeatureStore


class Phase(Enum):
    """What the engine is busy with before it can judge, or that it can."""

    IDLE = auto()
    LOADING = auto()
    CONVERTING = auto()
    INDEXING = auto()
    CALIBRATING = auto()
    READY = auto()
    FAILED = auto()


@dataclass(frozen=True)
class EngineState:
    """What the status bar and the reference panel say of the engine."""

    phase: Phase = Phase.IDLE
    done: int = 0
    total: int = 0
    device: str = ""
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Setup:
    """What the engine shall judge by: one reference set under one scoring.

    `hashes` are the included references in canonical order; `read_image` returns the bytes of
    one and may be called from any thread; `known_scores` are leave-one-out scores of exactly this
    gallery, if they were computed before.
    """

    set_id: int
    scoring: Scoring
    hashes: tuple[str, ...]
    fingerprint: str
    features_folder: Path
    read_image: Callable[[str], bytes]
    limits: Limits | None = None
    known_scores: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Calibration:
    """Leave-one-out scores of a gallery (by hash)."""

    set_id: int
    fingerprint: str
    scores: Mapping[str, float]


class Engine(Worker):
    """Judges frames against the references of its setup."""

    inspected = Signal(object, object)
    """An `Inspection` and the `Setup` it was made by."""
    rejected = Signal(object, str, object)
    """A frame that could not be judged, why, and the `Setup` that failed to."""
    calibrated = Signal(object)
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
        self._method: Method | None = None
        self._features: FeatureStore | None = None
        self._features_folder: Path | None = None
        self._gallery: Gallery | None = None
        self._hashes: tuple[str, ...] = ()  # of the gallery's rows
        self._missing: deque[str] = deque()
        self._to_score: deque[int] = deque()
        self._scores: dict[str, float] = {}
        self._sample = 0
        self._job: ChildJob | None = None
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
        self._gallery = None
        self._method = None
        self._hashes = ()
        self._missing.clear()
        self._to_score.clear()
        self._scores = {}
        self._limits = setup.limits if setup else None
        self._say(Phase.IDLE)
        if self._job is not None and self._job.arguments != _conversion(setup):
            self._end_job()  # of a network that nobody waits for any more
        if setup is None:
            self._close_features()  # perhaps another workspace comes
            return
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
            if self._work(setup):
                self._wake()
        except Exception as error:
            self._say(Phase.FAILED, reason=self.report(error))
            self._wake()

    def _work(self, setup: Setup) -> bool:
        """Do the next piece of work; return whether there may be more."""
        if self._extractor is None:
            return self._load(setup)
        if self._gallery is None:
            self._open_gallery(setup)
            return True
        if self._missing:
            self._index(setup)
            return True
        enough = len(self._hashes) >= MIN_REFERENCES
        if enough and self._limits is not None and self._judge_next(setup):
            return True
        if self._to_score:
            self._calibrate(setup)
            return True
        self._say(Phase.READY if self._limits is not None else Phase.IDLE)
        return False

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
        from inspector_gui.core.features import feature_shape
        from inspector_gui.core.methods import make_method
        from inspector_gui.store.features_cache import FeatureStore

        folder = setup.features_folder / setup.scoring.features_key
        if self._features is None or self._features_folder != folder:
            self._close_features()
            self._features = FeatureStore(folder, feature_shape(setup.scoring))
            self._features_folder = folder
        self._method = make_method(setup.scoring)
        self._missing = deque(self._features.missing(setup.hashes))
        self._finish_gallery(setup)

    def _finish_gallery(self, setup: Setup) -> None:
        """Lay out the gallery once all features are there."""
        assert self._features is not None
        hashes = self._hashes = tuple(h for h in setup.hashes if h in self._features)
        self._gallery = self._features.gallery(hashes)
        if self._missing:
            return
        self._features.flush()
        if len(hashes) < MIN_REFERENCES <= len(setup.hashes):
            raise KnownError("Too many references are unreadable; add their pictures again.")
        if len(hashes) < MIN_REFERENCES:
            return
        known = setup.known_scores
        rows = sampled_rows(len(hashes), setup.fingerprint)
        self._sample = len(rows)
        if all(hashes[r] in known for r in rows):
            return
        self._to_score = deque(rows)
        self._scores = {}

    def _index(self, setup: Setup) -> None:
        from inspector_gui.core.images import decode

        assert self._features is not None
        assert self._extractor is not None
        sha = self._missing[0]
        total = len(setup.hashes)
        self._say(Phase.INDEXING, done=total - len(self._missing), total=total)
        try:
            image = decode(setup.read_image(sha), name=f"The reference {sha[:12]}")
        except KnownError as error:
            self.failed.emit(f"{self.in_words(error)} It is left out.")
        else:
            self._features.append(sha, self._extractor.extract(image))
        self._missing.popleft()
        if not self._missing:
            self._finish_gallery(setup)

    def _calibrate(self, setup: Setup) -> None:
        from inspector_gui.core.methods.base import leave_one_out

        assert self._method is not None
        assert self._gallery is not None
        row = self._to_score[0]
        self._say(Phase.CALIBRATING, done=self._sample - len(self._to_score), total=self._sample)
        score = leave_one_out(
            self._method, self._gallery, row, should_stop=self.stopping.is_set
        ).image
        if self.stopping.is_set():
            return
        self._scores[self._hashes[row]] = score
        self._to_score.popleft()
        if not self._to_score:
            self.calibrated.emit(Calibration(setup.set_id, setup.fingerprint, self._scores))

    def _judge_next(self, setup: Setup) -> bool:
        frame = self._next_frame()
        if frame is None:
            return False
        try:
            inspection = self._judge(frame, setup)
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

    def _judge(self, frame: Frame, setup: Setup) -> Inspection:
        assert self._extractor is not None
        assert self._method is not None
        assert self._gallery is not None
        assert self._limits is not None
        began = time.perf_counter()
        features = self._extractor.extract(frame.image)
        seconds = time.perf_counter() - began
        scores = self._method.score(features, self._gallery, should_stop=self.stopping.is_set)
        scores.timings["features"] = seconds
        return Inspection(
            frame=frame,
            set_id=setup.set_id,
            scoring=setup.scoring,
            scores=scores,
            limits=self._limits,
            decision=decide(scores.image, self._limits),
            nearest=tuple(self._hashes[row] for row in scores.nearest),
            judged_at=time.time(),
        )

    def _say(self, phase: Phase, *, done: int = 0, total: int = 0, reason: str = "") -> None:
        device = self._extractor.device if self._extractor else ""
        state = EngineState(phase, done, total, device, reason)
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
        self._gallery = None
        self._method = None
        self._close_features()
        self._extractor = None

    def _close_features(self) -> None:
        if self._features is not None:
            self._features.close()
            self._features = None


def _conversion(setup: Setup | None) -> tuple[str, ...]:
    """Return the command that converts the network of a setup."""
    return ("convert", "--backbone", setup.scoring.backbone) if setup else ()
