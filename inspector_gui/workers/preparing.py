"""What parts wait for, made by child processes: a converted network, a memory bank."""

from PySide6.QtCore import QObject, Signal, Slot

from inspector_gui.workers.bank_building import BankBuilding
from inspector_gui.workers.converting import Conversion
from inspector_gui.workers.engine_state import Phase
from inspector_gui.workers.gallery_work import GalleryWork, Setup


class Preparation(QObject):
    """One of each at a time; asking again for the one that is being made does nothing.

    Lives in one thread.
    """

    progressed = Signal(object, int, int)
    """The `Phase`, how much of it is done, and of how much; 0 where that is not known yet."""
    ended = Signal(str)
    """The sentence of its failure, empty where it succeeded."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._conversion = Conversion(self)
        self._conversion.progressed.connect(self._on_converting)
        self._conversion.ended.connect(self.ended)
        self._bank = BankBuilding(self)
        self._bank.progressed.connect(self._on_choosing)
        self._bank.ended.connect(self._on_chosen)
        self._work: GalleryWork | None = None

    def convert(self, setup: Setup) -> None:
        """Have the network of a setup converted."""
        if not self._conversion.is_running:
            self.progressed.emit(Phase.CONVERTING, 0, 0)
            self._conversion.begin(setup)

    def choose_patches(self, work: GalleryWork) -> None:
        """Have the memory bank of a gallery chosen; raises `KnownError` where the disk refuses."""
        if not self._bank.is_of(work.setup):
            self._bank.begin(work.features.folder, work.setup, work.hashes)
        self._work = work
        self._on_choosing()

    def keep_only(self, setup: Setup | None) -> None:
        """End what nobody waits for any more under another setup."""
        self._conversion.keep_only(setup)
        self._bank.keep_only(setup)
        if not self._bank.is_running:
            self._work = None

    def cancel(self) -> None:
        """End everything; nothing is kept of what is half made."""
        self._conversion.cancel()
        self._bank.cancel()
        self._work = None

    @Slot(int, int)
    def _on_converting(self, done: int, total: int) -> None:
        self.progressed.emit(Phase.CONVERTING, done, total)

    @Slot()
    def _on_choosing(self) -> None:
        self.progressed.emit(Phase.CHOOSING, self._bank.done, 100)

    @Slot(str)
    def _on_chosen(self, sentence: str) -> None:
        work, self._work = self._work, None
        if not sentence and work is not None and not work.open_bank():
            sentence = "The patches that were chosen cannot be read; check the drive."
        self.ended.emit(sentence)
