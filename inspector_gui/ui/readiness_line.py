"""Whether parts can be judged, as one line with a dot, a word and what is missing."""

from PySide6.QtWidgets import QLabel, QWidget

from inspector_gui.core.calibration import MIN_REFERENCES
from inspector_gui.core.sets.trust import ENOUGH_REFERENCES, trust_of
from inspector_gui.core.types import Purpose
from inspector_gui.session import Session
from inspector_gui.session.session import Readiness
from inspector_gui.ui.card import set_role
from inspector_gui.workers.engine_state import Phase

_ROLES = {
    Readiness.NO_WORKSPACE: "muted",
    Readiness.NO_SET: "muted",
    Readiness.TOO_FEW: "warn",
    Readiness.BUSY: "muted",
    Readiness.READY: "good",
    Readiness.STALE: "warn",
    Readiness.FAILED: "bad",
}


class ReadinessLine(QLabel):
    """Follows `session.readiness` and the engine's progress."""

    def __init__(self, session: Session, parent: QWidget) -> None:
        super().__init__(parent)
        self._session = session
        self.setWordWrap(True)
        self.setAccessibleName(self.tr("Readiness"))
        session.readiness_changed.connect(self.refresh)
        session.references.images_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show what holds now."""
        readiness = self._session.readiness
        set_role(self, _ROLES[readiness])
        self.setText(f"● {self._words(readiness)}")
        self.setToolTip(self._explanation(readiness))

    def _words(self, readiness: Readiness) -> str:
        match readiness:
            case Readiness.NO_WORKSPACE:
                return self.tr("No workspace is open")
            case Readiness.NO_SET:
                return self.tr("No pictures yet")
            case Readiness.TOO_FEW:
                return self._missing()
            case Readiness.BUSY:
                return self._work() or self.tr("Getting ready")
            case Readiness.FAILED:
                return self.tr("Failed: {}").format(self._session.engine_state.reason)
            case Readiness.STALE:
                return self._with_work(self.tr("Stale limit"))
            case Readiness.READY:
                few = self._few()
                return self._with_work(f"{self.tr('Ready')} · {few}" if few else self.tr("Ready"))

    def _with_work(self, word: str) -> str:
        work = self._work()
        return f"{word} · {work[0].lower()}{work[1:]}" if work else word

    def _few(self) -> str:
        """Say that there are few references, where what they say is rough."""
        current = self._session.references.current
        count = len(current.included) if current is not None else 0
        return self.tr("only {} references").format(count) if count < ENOUGH_REFERENCES else ""

    def _trust(self) -> str:
        current = self._session.references.current
        if current is None:
            return ""
        trust = trust_of(len(current.included), len(current.of(Purpose.VALIDATION)))
        return trust.sentence

    def _missing(self) -> str:
        current = self._session.references.current
        missing = MIN_REFERENCES - (len(current.included) if current is not None else 0)
        if missing == 1:
            return self.tr("Too few: add 1 more good picture")
        return self.tr("Too few: add {} more good pictures").format(missing)

    def _work(self) -> str:
        state = self._session.engine_state
        counted = self.tr("{} of {}").format(state.done, state.total) if state.total else ""
        match state.phase:
            case Phase.LOADING:
                return self.tr("Loading the network")
            case Phase.CONVERTING:
                return f"{self.tr('Preparing the network (once)')} {counted}".strip() + "…"
            case Phase.INDEXING:
                return f"{self.tr('Features')} {counted}".strip()  # one line in a narrow dock
            case Phase.CHOOSING:
                return self.tr("Choosing patches {} %").format(state.done)
            case Phase.CALIBRATING:
                return f"{self.tr('Comparing')} {counted}".strip()
            case _:
                return ""

    def _explanation(self, readiness: Readiness) -> str:
        match readiness:
            case Readiness.TOO_FEW:
                return self.tr(
                    "Parts are judged from {} good pictures on; about 30 are better."
                ).format(MIN_REFERENCES)
            case Readiness.STALE:
                return self.tr(
                    "The limit was set for other references. Take the suggested one or check it."
                )
            case Readiness.READY:
                return f"{self.tr('Parts can be judged by this set.')} {self._trust()}"
            case _:
                return ""
