"""The program's state, its verbs and its past-tense signals: all that the panels know."""

from inspector_gui.session.session import Session

__all__ = ["Session"]
