"""Lets the session start children that only pretend to train."""

import json
from pathlib import Path
from typing import Any, ClassVar

from PySide6.QtCore import QObject, QProcess

from inspector_gui.workers.jobs import ChildJob

CHILD = Path(__file__).with_name("pretended_training.py")


class Pretended(ChildJob):
    """A job that pretends to train, as the newest plan says."""

    plan: ClassVar[dict[str, Any]] = {}
    newest: ClassVar["Pretended"]

    def __init__(self, arguments: list[str], parent: QObject) -> None:
        super().__init__(arguments, parent)
        assert arguments[:2] == ["train", "--folder"]
        self._process.setArguments([str(CHILD), arguments[2], json.dumps(Pretended.plan)])
        Pretended.newest = self

    @property
    def process(self) -> QProcess:
        return self._process
