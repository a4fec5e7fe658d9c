"""Drives the real program from inside its event loop, as a person would from outside."""

import sys
import time
from collections.abc import Callable, Generator, Sequence
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QWidget

from inspector_gui.__main__ import main
from inspector_gui.ui.main_window import MainWindow

Step = Callable[[], object]
Story = Callable[[MainWindow], Generator[Step, None, None]]

_SECONDS = 60.0


def run_program(arguments: Sequence[str], story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run `main()` and let `story` act in its window; a step is a condition that it waits for.

    Raises what the story raises, or TimeoutError where a step does not come true.
    """
    monkeypatch.setattr(sys, "argv", ["inspector-gui", *arguments])
    player = _Player(story)
    # Beside the timer the story needs an application; the program takes the one that is there.
    timer = QTimer()
    timer.setInterval(20)
    timer.timeout.connect(player.step)
    timer.start()
    try:
        with pytest.raises(SystemExit) as ended:
            main()
    finally:
        timer.stop()
    if player.error is not None:
        raise player.error
    assert not ended.value.code
    assert player.is_over, "the window was closed before the story was over"


class _Player:
    def __init__(self, story: Story) -> None:
        self._story = story
        self._steps: Generator[Step, None, None] | None = None
        self._waits_for: Step | None = None
        self._until = 0.0
        self._is_busy = False
        self.error: BaseException | None = None
        self.is_over = False

    def step(self) -> None:
        if self._is_busy or self.is_over or self.error is not None:
            return
        self._is_busy = True
        try:
            self._advance()
        except StopIteration:
            self.is_over = True
            _window_of_program().close()  # type: ignore[union-attr]
        except BaseException as error:
            self.error = error
            window = _window_of_program()
            if window is None:
                QApplication.exit(1)
            else:
                window.close()
        finally:
            self._is_busy = False

    def _advance(self) -> None:
        if self._steps is None:
            window = _window_of_program()
            if window is None:
                return
            self._steps = self._story(window)
            self._next()
        elif self._waits_for is None or self._waits_for():
            self._next()
        elif time.monotonic() > self._until:
            code = getattr(self._waits_for, "__code__", None)
            raise TimeoutError(f"did not come true: {code}")

    def _next(self) -> None:
        assert self._steps is not None
        self._waits_for = next(self._steps)
        self._until = time.monotonic() + _SECONDS


def _window_of_program() -> MainWindow | None:
    for widget in QApplication.topLevelWidgets():
        if isinstance(widget, MainWindow) and widget.isVisible():
            return widget
    return None


def drop(widget: QWidget, paths: Sequence[Path]) -> None:
    """Drop files and folders on a widget, as a file manager does."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    where = QPointF(widget.rect().center())
    action, button = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    none = Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(where.toPoint(), action, mime, button, none)
    QApplication.sendEvent(widget, enter)
    assert enter.isAccepted(), f"{widget} does not take {paths}"
    QApplication.sendEvent(widget, QDropEvent(where, action, mime, button, none))
