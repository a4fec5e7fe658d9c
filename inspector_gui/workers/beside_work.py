"""What makes judging quicker, made by a child process while parts are judged."""

from PySide6.QtCore import QObject, Signal

from inspector_gui.core.method_options import has_compiled_search
from inspector_gui.workers.beside_job import BesideJob
from inspector_gui.workers.gallery_work import GalleryWork


class BesideWork(QObject):
    """The compiled search, once on a computer, and the index of a large gallery."""

    progressed = Signal()
    ended = Signal(str)
    """The sentence of its failure, empty where it succeeded."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._is_quick = False
        self._job = BesideJob(self)
        self._job.progressed.connect(self.progressed)
        self._job.ended.connect(self.ended)

    @property
    def words(self) -> str:
        """What is being done, "" for nothing."""
        return self._job.words

    def step(self, work: GalleryWork) -> bool:
        """Begin what would make judging by a gallery quicker; returns whether that was done."""
        if has_compiled_search(work.setup.scoring.method) and not self._has_quick_search():
            what = "a quicker search is being prepared (once)"
            if self._job.begin(["compile"], what):
                return True
        if work.gallery.wants_index:
            arguments = ["index", "--features", str(work.features.folder)]
            return self._job.begin(arguments, "an index is being built")
        return False

    def cancel(self) -> None:
        """End the child; what it was making is not there."""
        self._job.cancel()

    def _has_quick_search(self) -> bool:
        """Whether the search is compiled; no longer asked once it is, since parts come here."""
        from inspector_gui.core.compiled import is_compiled

        self._is_quick = self._is_quick or is_compiled()
        return self._is_quick
