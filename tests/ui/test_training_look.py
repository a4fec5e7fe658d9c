from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QApplication, QComboBox, QLineEdit, QSpinBox, QWidget
from pytestqt.qtbot import QtBot

from inspector_gui.ui.theme import Theme
from inspector_gui.ui.training_plots import EpochAxis


@pytest.fixture
def theme(qapp: QApplication) -> Iterator[Theme]:
    before = qapp.styleSheet(), qapp.palette(), qapp.font()
    yield Theme(qapp)
    qapp.setStyleSheet(before[0])
    qapp.setPalette(before[1])
    qapp.setFont(before[2])


@pytest.mark.parametrize("is_dark", [True, False])
@pytest.mark.parametrize("kind", [QLineEdit, QSpinBox, QComboBox])
def test_a_field_that_cannot_be_changed_looks_so(
    qtbot: QtBot, theme: Theme, kind: type[QWidget], is_dark: bool
) -> None:
    theme.apply(is_dark=is_dark)
    field = kind()
    qtbot.addWidget(field)
    field.resize(100, 30)
    before = field.grab().toImage().pixelColor(80, 15)
    field.setEnabled(False)
    assert field.grab().toImage().pixelColor(80, 15) != before
    assert field.grab().toImage().pixelColor(80, 15).name() == theme.colours.card.lower()


@pytest.mark.parametrize("last", [2, 4, 20, 160, 10_000])
def test_epochs_have_marks_at_whole_numbers_alone(qtbot: QtBot, last: int) -> None:
    spacings = EpochAxis().tickSpacing(1, last, 500)
    assert spacings
    assert all(step >= 1 and step % 1 == 0 for step, _ in spacings)
