"""Long jobs as child processes: this program's own command line, run and supervised."""

import json
import sys
from contextlib import suppress
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, QTimer, Signal, Slot

_END_MS = 250


class ChildJob(QObject):
    """One child process; lives in the thread that made it. Cancelled by ending it.

    It reports JSON lines {"done": n, "total": n, "what": text}; what it has to say where it fails
    is the last line on its standard error. `request` is a file that says what it is to do, and is
    its own: `cancel` removes it.
    """

    progressed = Signal(str, int, int)
    finished = Signal(str)
    """The sentence of its failure, empty where it succeeded."""
    ended = Signal()
    """The process is gone after `end`."""

    def __init__(
        self, arguments: list[str], parent: QObject, *, request: Path | None = None
    ) -> None:
        super().__init__(parent)
        if request is not None:
            arguments = [*arguments, "--request", str(request)]
        self._request = request
        self.arguments = tuple(arguments)
        self.was_killed = False
        """Whether something else than itself or this object has ended the process."""
        self._is_ending = False
        self._process = QProcess(self)
        self._process.setProgram(sys.executable)
        self._process.setArguments(["-m", "inspector_gui", *arguments, "--progress", "json"])
        environment = QProcessEnvironment.systemEnvironment()
        environment.insert("PYTHONUNBUFFERED", "1")
        self._process.setProcessEnvironment(environment)
        self._process.readyReadStandardOutput.connect(self._on_output)
        self._process.finished.connect(self._on_finished)
        self._process.errorOccurred.connect(self._on_error)

    def start(self) -> None:
        """Start the process."""
        self._process.start()

    def cancel(self) -> None:
        """End the process and wait for that, half a second at most; `finished` is not emitted."""
        self._process.blockSignals(True)
        self._process.terminate()  # lets it remove its temporary files
        if not self._process.waitForFinished(_END_MS):
            self._process.kill()
            self._process.waitForFinished(_END_MS)
        if self._request is not None:
            with suppress(OSError):
                self._request.unlink(missing_ok=True)

    def end(self, *, grace_ms: int = _END_MS) -> None:
        """Ask the process to end and return at once; `ended` follows, `finished` does not.

        It is killed where it takes longer than `grace_ms`. Keep this object until then.
        """
        if self._process.state() is QProcess.ProcessState.NotRunning:
            self.ended.emit()
        elif not self._is_ending:
            self._is_ending = True
            self._process.terminate()
            QTimer.singleShot(grace_ms, self._process.kill)

    def wait(self, seconds: float) -> None:
        """Wait so long for a process that was asked to end, then kill it."""
        if not self._process.waitForFinished(max(1, round(1000 * seconds))):
            self._process.kill()
            self._process.waitForFinished(_END_MS)

    @Slot()
    def _on_output(self) -> None:
        while not self._is_ending and self._process.canReadLine():
            line = bytes(self._process.readLine().data()).decode(errors="replace")
            try:
                step = json.loads(line)
                self.progressed.emit(str(step["what"]), int(step["done"]), int(step["total"]))
            except (ValueError, KeyError, TypeError):
                continue

    @Slot(int, QProcess.ExitStatus)
    def _on_finished(self, status: int, how: QProcess.ExitStatus) -> None:
        if self._is_ending:
            self.ended.emit()
            return
        if status == 0 and how is QProcess.ExitStatus.NormalExit:
            self.finished.emit("")
            return
        self.was_killed = how is QProcess.ExitStatus.CrashExit
        errors = bytes(self._process.readAllStandardError().data())
        text = errors.decode(errors="replace").strip()
        self.finished.emit(text.splitlines()[-1] if text else f"A job ended with status {status}.")

    @Slot()
    def _on_error(self) -> None:
        if self._process.error() == QProcess.ProcessError.FailedToStart:
            self.finished.emit("A part of the program could not be started; reinstall it.")
