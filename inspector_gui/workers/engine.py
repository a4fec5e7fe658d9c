"""The engine thread: it owns the network, the method, the feature files and the device.

It works in turns of at most a fifth of a second and returns to its event loop between them, so
that a frame never waits for a long job and everything can be stopped at any time. Each turn does
the first of these that there is to do: load the network, compute features of new references, have
a memory bank chosen where the method needs one, judge an ad hoc part, judge a part of the feed,
explain one, score a reference against the others, do the same for validation and known bad
pictures, go on with the health of the set. What takes minutes is done by child processes.
A reference whose file is unreadable is left out with a sentence; judging goes on with the others.
"""

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot

from inspector_gui import paths
from inspector_gui.core.calibration import MIN_REFERENCES
from inspector_gui.core.decision import decide_part
from inspector_gui.core.errors import KnownError
from inspector_gui.core.types import ALL_REFERENCES, Frame, Inspection, Limits
from inspector_gui.workers.beside_work import BesideWork
from inspector_gui.workers.engine_state import Calibration, EngineState, Phase
from inspector_gui.workers.explaining import Answer, Explaining, Question
from inspector_gui.workers.gallery_work import GalleryWork, Setup
from inspector_gui.workers.health_work import Assessment, HealthWork
from inspector_gui.workers.mailbox import Mailbox
from inspector_gui.workers.map_on_demand import MapsOnDemand, WantedMap
from inspector_gui.workers.preparing import Preparation
from inspector_gui.workers.thread import Worker
from inspector_gui.workers.trained import method_of, network_key, stack_of
from inspector_gui.workers.waiting import Waiting, WaitingPart

if TYPE_CHECKING:  # the engine's own imports come after the window, in this thread
    from inspector_gui.core.features import Extractor
    from inspector_gui.store.features_cache import FeatureStore

_NAMED_OF_ALL = 50  # references that a row of the history names where all are neighbours


class Engine(Worker):
    """Judges frames against the references of its setup."""

    inspected = Signal(object, object)
    """An `Inspection` and the `Setup` it was made by."""
    rejected = Signal(object, str, object)
    """A frame that could not be judged, why, and the `Setup` that failed to."""
    calibrated = Signal(object)
    assessed = Signal(object)
    """An `Assessment` of the set's health."""
    explained = Signal(object)
    """The `Answer` to a `Question`."""
    mapped = Signal(object)
    """The `FoundMap` of a `WantedMap`."""
    state_changed = Signal(object)
    _configured = Signal(object)
    _asked = Signal(object)
    _limited = Signal(object)
    _woken = Signal()

    def __init__(self) -> None:
        super().__init__("engine")
        self._waiting = Waiting()
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
        self._explaining = Explaining()
        self._maps = MapsOnDemand()
        self._preparation: Preparation | None = None
        self._beside: BesideWork | None = None
        self._is_awake = False
        self._configured.connect(self._configure)
        self._limited.connect(self._limit)
        self._asked.connect(self._ask)
        self._woken.connect(self._turn, Qt.ConnectionType.QueuedConnection)

    # Called from other threads

    @property
    def live(self) -> Mailbox[Frame]:
        """The newest frame of a live source."""
        return self._waiting.live

    def configure(self, setup: Setup | None) -> None:
        """Judge by another setup from the next frame on; None: by nothing."""
        self._configured.emit(setup)

    def set_limits(self, limits: Limits) -> None:
        """Decide by other limits from the next frame on."""
        self._limited.emit(limits)

    def explain(self, question: Question | None) -> None:
        """Answer a question by `explained`, in place of any asked before; None: none."""
        self._asked.emit(question)

    def compute_map(self, wanted: WantedMap) -> None:
        """Answer by `mapped`, in place of any map asked for before."""
        self._asked.emit(wanted)

    def submit(self, frame: Frame, is_live: bool) -> None:
        """Queue a frame; of a live source only the newest is kept."""
        self._waiting.put(frame, self._extractor, is_live=is_live)
        self._wake()

    def forget_frames(self, *, ad_hoc: bool = False) -> None:
        """Drop the feed's frames that were not judged yet, and on request the ad hoc ones."""
        self._waiting.forget(ad_hoc=ad_hoc)

    # In the engine's thread

    @Slot(object)
    def _configure(self, setup: Setup | None) -> None:
        self._setup = setup
        self._before, self._work, self._follows = self._work or self._before, None, None
        self._health.leave()
        self._explaining.forget_gallery()
        self._limits = setup.limits if setup else None
        self._say(Phase.IDLE)
        if self._preparation is not None:
            self._preparation.keep_only(setup)
        if setup is None:
            self._close_features()  # perhaps another workspace comes
            return
        if self._before is not None and self._before.setup.scoring != setup.scoring:
            self._before = None
        if network_key(setup.scoring) != self._extractor_key:
            self._extractor = None
        self._wake()

    @Slot(object)
    def _limit(self, limits: Limits) -> None:
        self._limits = limits
        self._wake()

    @Slot(object)
    def _ask(self, question: Question | WantedMap | None) -> None:
        if isinstance(question, WantedMap):
            self._maps.ask(question)
        else:
            self._explaining.ask(question)
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
            while (part := self._waiting.take()) is not None:
                self.rejected.emit(part.frame, self._state.reason, setup)
            self._say_why(self._explaining.give_up(self._state.reason))
            return
        try:
            if self._go_on(setup):
                self._wake()
        except Exception as error:
            self._tell_unreadable()
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
            work.index(self._extractor)
            if not work.missing:
                self._tell_unreadable()
        elif len(work.hashes) >= MIN_REFERENCES and not work.open_bank():
            self._prepare().choose_patches(work)
            return False
        elif self._explaining.is_urgent(setup):
            self._explain(work)
            if self._can_judge(work):
                self._judge_next(setup, work)
        elif self._can_judge(work) and self._judge_next(setup, work):
            pass
        elif self._explaining.is_wanted(setup):
            self._explain(work)
        elif self._maps.is_wanted(setup):
            found = self._maps.answer(work, self._extractor, self.stopping.is_set)
            if found is not None:
                self.mapped.emit(found)
        elif work.to_score:
            self._say(Phase.CALIBRATING, done=len(work.scores), total=work.sample)
            if work.calibrate(self._extractor, self.stopping.is_set):
                self.calibrated.emit(Calibration(setup.set_id, setup.fingerprint, work.scores))
        elif not self._go_on_beside(setup, work):
            return False
        return True

    def _go_on_beside(self, setup: Setup, work: GalleryWork) -> bool:
        """Do the next piece of what no part waits for; return whether there may be more."""
        assert self._extractor is not None
        self._say(Phase.READY if self._limits is not None else Phase.IDLE)
        if work.others_missing:
            work.index_other(self._extractor)
        elif work.unreadable:  # of those that are no references
            self._tell_unreadable()
        elif work.others_to_score and len(work.hashes) >= MIN_REFERENCES:
            if work.score_other(self._extractor, self.stopping.is_set):
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
        if self._beside is None:
            self._beside = BesideWork(self)
            self._beside.progressed.connect(self._say_again)
            self._beside.ended.connect(self._on_beside_ended)
        return found or self._beside.step(work)

    def _can_judge(self, work: GalleryWork) -> bool:
        return len(work.hashes) >= MIN_REFERENCES and self._limits is not None

    def _explain(self, work: GalleryWork) -> None:
        assert self._extractor is not None
        try:
            self._say_why(self._explaining.step(work, self._extractor))
        except Exception as error:  # of this question; parts are judged all the same
            self._say_why(self._explaining.give_up(self.in_words(error)))

    def _say_why(self, answer: Answer | None) -> None:
        if answer is not None and not self.stopping.is_set():
            self.explained.emit(answer)

    def _tell_unreadable(self) -> None:
        """Name what could not be read, all together once the rest has its features."""
        sentence = self._work.take_unreadable() if self._work is not None else ""
        if sentence:
            self.failed.emit(sentence)

    def _load(self, setup: Setup) -> bool:
        from inspector_gui.core.backbones import backbone
        from inspector_gui.core.features import Extractor
        from inspector_gui.core.quantising import quantised_path
        from inspector_gui.core.runtimes import converted_path
        from inspector_gui.store.features_cache import networks_beside

        scoring, cache = setup.scoring, paths.networks_folder()
        self._say(Phase.LOADING)
        quantised = networks_beside(setup.features_folder)
        if scoring.runtime == "openvino":
            model = quantised_path(scoring, quantised)
            if not (model or converted_path(backbone(scoring.backbone), cache)).exists():
                self._prepare().convert(setup)
                return False
        self._extractor = Extractor(
            scoring,
            weights_folder=paths.weights_folder(),
            cache=cache,
            quantised=quantised,
            stack=stack_of(method_of(setup)),
        )
        self._extractor_key = network_key(scoring)
        return True

    def _prepare(self) -> Preparation:
        if self._preparation is None:
            self._preparation = Preparation(self)
            self._preparation.progressed.connect(self._on_preparing)
            self._preparation.ended.connect(self._on_prepared)
        return self._preparation

    @Slot(object, int, int)
    def _on_preparing(self, phase: Phase, done: int, total: int) -> None:
        self._say(phase, done=done, total=total)

    @Slot(str)
    def _on_prepared(self, sentence: str) -> None:
        if sentence:
            self.failed.emit(sentence)
            self._say(Phase.FAILED, reason=sentence)
        self._wake()

    def _open_gallery(self, setup: Setup) -> None:
        from inspector_gui.store.features_cache import features_folder, open_store

        folder = features_folder(setup.features_folder, setup.scoring)
        if self._features is None or self._features.folder != folder:
            self._close_features()
            self._features = open_store(setup.features_folder, setup.scoring)
        before, self._before = self._before, None
        method = method_of(setup)
        self._work = GalleryWork(setup, self._features, method, before=before)

    @Slot(str)
    def _on_beside_ended(self, sentence: str) -> None:
        if sentence:
            self.failed.emit(f"{sentence} Search is exact all the same, and takes longer.")
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
        beside = self._beside.words if self._beside is not None else ""
        return ", ".join(filter(None, (self._work.gallery.search, beside)))

    def _judge_next(self, setup: Setup, work: GalleryWork) -> bool:
        part = self._waiting.take()
        if part is None:
            return False
        try:
            inspection = self._judge(part, work)
        except KnownError as error:
            self.rejected.emit(part.frame, str(error), setup)
        except Exception as error:  # of this part; the next one may be fine
            self.rejected.emit(part.frame, self.report(error), setup)
        else:
            if not self.stopping.is_set():
                self.inspected.emit(inspection, setup)
        return True

    def _judge(self, part: WaitingPart, work: GalleryWork) -> Inspection:
        assert self._extractor is not None
        assert self._limits is not None
        features, seconds = part.features(self._extractor)
        scores = work.method.score(features, work.gallery, should_stop=self.stopping.is_set)
        scores.timings["features"] = seconds
        most = _NAMED_OF_ALL if work.setup.scoring.k == ALL_REFERENCES else None
        return Inspection(
            frame=part.frame,
            set_id=work.setup.set_id,
            scoring=work.setup.scoring,
            scores=replace(scores, pooled=features.pooled),
            limits=self._limits,
            decision=decide_part(scores, self._limits),
            nearest=tuple(work.hashes[row] for row in scores.nearest[:most]),
            judged_at=time.time(),
        )

    def _say(self, phase: Phase, *, done: int = 0, total: int = 0, reason: str = "") -> None:
        device = self._extractor.device if self._extractor else ""
        state = EngineState(phase, done, total, device, reason, self._how_it_searches())
        if state != self._state:
            self._state = state
            self.state_changed.emit(state)

    def _close(self) -> None:
        if self._preparation is not None:
            self._preparation.cancel()
        self._waiting.close()
        self._work = None
        self._close_features()
        self._extractor = None

    def _close_features(self) -> None:
        self._before = None
        if self._beside is not None:
            self._beside.cancel()
        if self._features is not None:
            self._features.close()
            self._features = None
