"""An engine with drawn references, and everything that it said."""

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from pytestqt.qtbot import QtBot

from inspector_gui.core.errors import KnownError
from inspector_gui.core.types import (
    Frame,
    Inspection,
    Limits,
    Scoring,
    Source,
    gallery_fingerprint,
)
from inspector_gui.workers.engine import Engine
from inspector_gui.workers.engine_state import Calibration, EngineState, Phase
from inspector_gui.workers.gallery_work import Setup
from tests.drawn import picture, png, sha

DN2 = Scoring(method="dn2", k=2, size=96)
SPADE = Scoring(size=96)
LIMITS = Limits(0.0, 1e9, 1e9, 1e9, "set by hand", "")


class Bench:
    """An engine with drawn references, and everything that it said."""

    def __init__(self, qtbot: QtBot, folder: Path) -> None:
        self.qtbot = qtbot
        self.folder = folder
        self.files = {sha(png(seed)): png(seed) for seed in range(8)}
        self.reads: list[str] = []
        self.may_read = threading.Event()
        self.may_read.set()
        self.inspections: list[Inspection] = []
        self.rejected: list[tuple[str, str]] = []
        self.calibrations: list[Calibration] = []
        self.states: list[EngineState] = []
        self.notices: list[str] = []
        self.engine = self.start()

    def start(self) -> Engine:
        engine = Engine()
        engine.inspected.connect(lambda inspection, _: self.inspections.append(inspection))
        engine.rejected.connect(lambda frame, why, _: self.rejected.append((frame.name, why)))
        engine.calibrated.connect(self.calibrations.append)
        engine.state_changed.connect(self.states.append)
        engine.failed.connect(self.notices.append)
        engine.start()
        return engine

    def read(self, name: str) -> bytes:
        self.reads.append(name)
        self.may_read.wait(20)
        if name not in self.files:
            raise KnownError(f"The picture {name[:12]} is missing.")
        return self.files[name]

    def setup(
        self,
        scoring: Scoring = DN2,
        *,
        count: int | None = None,
        limits: Limits | None = LIMITS,
        hashes: Sequence[str] | None = None,
    ) -> Setup:
        names = tuple(sorted(list(self.files)[:count])) if hashes is None else tuple(hashes)
        return Setup(
            set_id=1,
            scoring=scoring,
            hashes=names,
            fingerprint=gallery_fingerprint(scoring, names),
            features_folder=self.folder,
            read_image=self.read,
            limits=limits,
        )

    def submit(self, name: str, *, seed: int = 99, source: Source = Source.FOLDER) -> None:
        self.engine.submit(Frame(name, picture(seed), source, 0.0), False)

    def until(self, holds: Callable[[], object], seconds: float = 30) -> None:
        self.qtbot.waitUntil(lambda: bool(holds()), timeout=round(seconds * 1000))

    def until_ready(self) -> None:
        self.until(lambda: self.states and self.states[-1].phase is Phase.READY)

    def stop(self) -> float:
        """End the engine; returns the seconds that took."""
        began = time.monotonic()
        self.engine.ask_to_stop()
        assert self.engine.wait(began + 20)
        return time.monotonic() - began

    @property
    def names(self) -> list[str]:
        return [i.frame.name for i in self.inspections]

    @property
    def phases(self) -> list[Phase]:
        return list(dict.fromkeys(state.phase for state in self.states))
