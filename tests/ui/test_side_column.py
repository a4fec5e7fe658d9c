from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from inspector_gui.ui.side_column import SideColumn

LEAST = 200


def test_a_column_has_room_for_the_longest_name_in_it(qtbot: QtBot) -> None:
    content = QWidget()
    box = QCheckBox("DN2")
    QVBoxLayout(content).addWidget(box)
    outer = QWidget()
    qtbot.addWidget(outer)
    row = QHBoxLayout(outer)
    column = SideColumn(content, LEAST)
    row.addWidget(column)
    row.addWidget(QLabel("what matters"), 1)
    outer.show()
    assert column.width() == LEAST
    box.setText("SimpleNet 22 Nov 13:10 (this set's recipe)" * 2)
    qtbot.waitUntil(lambda: column.width() > LEAST)
    room = column.verticalScrollBar().sizeHint().width()
    assert column.width() >= content.minimumSizeHint().width() + room
    box.setText("DN2")
    qtbot.waitUntil(lambda: column.width() == LEAST)
