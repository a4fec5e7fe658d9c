import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, QProcess
from pytestqt.qtbot import QtBot

from inspector_gui.core.backbones import backbone
from inspector_gui.core.runtimes import converted_path
from inspector_gui.workers.jobs import ChildJob

SCRIPT = """
import json, sys, time
for done in range(3):
    print(json.dumps({"what": "work", "done": done, "total": 2}))
print("not a report")
print(json.dumps([1]))
sys.stdout.flush()
"""


class Script(ChildJob):
    """A job that is a script instead of a command of this program."""

    def __init__(self, script: str, parent: QObject) -> None:
        super().__init__([], parent)
        self._process.setArguments(["-c", script])
        self.steps: list[tuple[str, int, int]] = []
        self.endings: list[str] = []
        self.progressed.connect(lambda *step: self.steps.append(step))
        self.finished.connect(self.endings.append)

    @property
    def process(self) -> QProcess:
        return self._process


@pytest.fixture
def owner() -> Iterator[QObject]:
    owner = QObject()
    yield owner
    owner.deleteLater()


def test_a_job_reports_its_steps_and_that_it_succeeded(owner: QObject, qtbot: QtBot) -> None:
    job = Script(SCRIPT, owner)
    job.start()
    qtbot.waitUntil(lambda: bool(job.endings), timeout=10_000)
    assert job.steps == [("work", 0, 2), ("work", 1, 2), ("work", 2, 2)]
    assert job.endings == [""]


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("import sys; sys.exit('The weights are missing.')", "The weights are missing."),
        ("raise SystemExit(3)", "A job ended with status 3."),
        ("import os; os.kill(os.getpid(), 9)", "A job ended with status 9."),
    ],
)
def test_a_job_that_fails_says_why(
    owner: QObject, qtbot: QtBot, script: str, sentence: str
) -> None:
    job = Script(script, owner)
    job.start()
    qtbot.waitUntil(lambda: bool(job.endings), timeout=10_000)
    assert job.endings == [sentence]


def test_a_program_that_is_not_there_is_a_sentence(owner: QObject, qtbot: QtBot) -> None:
    job = Script("", owner)
    job.process.setProgram("/there/is/no/such/program")
    job.start()
    qtbot.waitUntil(lambda: bool(job.endings), timeout=10_000)
    assert job.endings == ["A part of the program could not be started; reinstall it."]


def test_a_command_of_this_program_says_its_own_sentence(owner: QObject, qtbot: QtBot) -> None:
    job = ChildJob(["convert", "--backbone", "no_such_network"], owner)
    endings: list[str] = []
    job.finished.connect(endings.append)
    job.start()
    qtbot.waitUntil(lambda: bool(endings), timeout=30_000)
    assert endings[0].startswith("There is no backbone 'no_such_network'.")


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("ignores", [False, True])
def test_a_cancelled_job_ends_soon_and_in_silence(
    owner: QObject, qtbot: QtBot, ignores: bool
) -> None:
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" if ignores else ""
    job = Script(deaf + SCRIPT + "time.sleep(60)", owner)
    job.start()
    qtbot.waitUntil(lambda: len(job.steps) == 3, timeout=10_000)
    began = time.monotonic()
    job.cancel()
    assert time.monotonic() - began < 0.6
    assert job.process.state() is QProcess.ProcessState.NotRunning
    assert job.endings == []


@pytest.mark.slow
def test_cancelling_a_conversion_leaves_no_half_network(
    owner: QObject, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INSPECTOR_CACHE", str(tmp_path / "cache"))
    job = ChildJob(["convert", "--backbone", "efficientnet_lite0"], owner)
    steps: list[str] = []
    job.progressed.connect(lambda what, *_: steps.append(what))
    job.start()
    qtbot.waitUntil(lambda: "conversion" in steps, timeout=30_000)
    job.cancel()
    networks = tmp_path / "cache" / "networks"
    assert not converted_path(backbone("efficientnet_lite0"), networks).exists()
    assert list(networks.glob("*.bin")) == []
