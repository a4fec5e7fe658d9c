"""Everything a person can do, as a table: where it stands, its text, its key, and its verb."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu

SEPARATOR = "-"


@dataclass(frozen=True)
class ActionSpec:
    """One row: `menu` may name a submenu ("Recipe/Method"); `group` makes it one of several.

    `key` is a key sequence as text, "" for none; `tip` is said in the status bar and the tooltip.
    """

    name: str
    menu: str
    text: str
    key: str
    tip: str
    verb: Callable[[], object]
    group: str = ""
    separate: bool = False


def add_actions(window: QMainWindow, specs: Iterable[ActionSpec]) -> dict[str, QAction]:
    """Create the actions of a table with their menus; returns them by name."""
    menus: dict[str, QMenu] = {}
    groups: dict[str, QActionGroup] = {}
    actions: dict[str, QAction] = {}
    for spec in specs:
        menu = _menu(window, menus, spec.menu)
        if spec.separate:
            menu.addSeparator()
        action = QAction(spec.text, window)
        if spec.key:
            action.setShortcut(QKeySequence(spec.key))
        tip = f"{spec.tip} ({spec.key})" if spec.key else spec.tip
        action.setToolTip(tip)
        action.setStatusTip(tip)
        if spec.group:
            action.setCheckable(True)
            groups.setdefault(spec.group, QActionGroup(window)).addAction(action)
        action.triggered.connect(_Trigger(spec.verb))
        menu.addAction(action)
        actions[spec.name] = action
    return actions


class _Trigger:
    """Calls a verb without the `checked` argument of the signal; main thread only."""

    def __init__(self, verb: Callable[[], object]) -> None:
        self._verb = verb

    def __call__(self, _checked: bool = False) -> None:
        self._verb()


def _menu(window: QMainWindow, menus: dict[str, QMenu], path: str) -> QMenu:
    if path not in menus:
        parent, _, name = path.rpartition("/")
        if parent:
            menus[path] = _menu(window, menus, parent).addMenu(name)
        else:
            menus[path] = window.menuBar().addMenu(name)
        menus[path].setToolTipsVisible(True)
    return menus[path]
