"""Makes the desks of a session that are not needed to show the window: each at its first use."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inspector_gui.session.lots import LotDesk
    from inspector_gui.session.models import ModelDesk
    from inspector_gui.session.session import Session
    from inspector_gui.session.training import TrainingDesk


def lot_desk(session: "Session") -> "LotDesk":
    """Return the lot check of a session."""
    from inspector_gui.session.lots import LotDesk

    desk = LotDesk(
        session.ask,
        session.references,
        session.history,
        session.feeds,
        session.studies,
        can_judge=session.can_judge,
    )
    desk.noticed.connect(session.notice)
    session.workspace_opened.connect(desk.usual.start_over)
    return desk


def training_desk(session: "Session") -> "TrainingDesk":
    """Return the training of a session."""
    from inspector_gui.session.training import TrainingDesk

    desk = TrainingDesk(session.ask, session.references, session.features_folder)
    desk.noticed.connect(session.notice)
    return desk


def model_desk(session: "Session") -> "ModelDesk":
    """Return the models of a session's workspace."""
    from inspector_gui.session.models import ModelDesk

    desk = ModelDesk(session.ask, session.references, session.features_folder)
    desk.noticed.connect(session.notice)
    session.workspace_opened.connect(desk.refresh)
    session.training.trained.connect(lambda _: desk.refresh())
    return desk
