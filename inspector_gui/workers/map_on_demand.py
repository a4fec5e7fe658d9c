"""The map of a part that stage 1 let through, computed in the engine's thread when it is opened."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from inspector_gui.core.errors import KnownError
from inspector_gui.core.types import RGB, Floats

if TYPE_CHECKING:  # the engine's own imports come after the window, in its thread
    from inspector_gui.core.features import Extractor
    from inspector_gui.core.neighbours import ShouldStop
    from inspector_gui.workers.gallery_work import GalleryWork, Setup


@dataclass(frozen=True, eq=False)
class WantedMap:
    """Which part wants its map, and by which gallery.

    `row_id` is the part's row in the history, `image` its picture (uint8, H x W x 3, RGB).
    `fingerprint` and `features_folder` name the gallery (see `Setup`).
    """

    row_id: int
    image: RGB
    fingerprint: str
    features_folder: Path


@dataclass(frozen=True, eq=False)
class FoundMap:
    """A part's map (see `Scores.patches`), None with the sentence that says why there is none."""

    row_id: int
    patches: Floats | None
    sentence: str = ""


class MapsOnDemand:
    """The one map that is wanted: the last one that was asked for."""

    def __init__(self) -> None:
        self._wanted: WantedMap | None = None

    def ask(self, wanted: WantedMap) -> None:
        """Compute this map in place of any other."""
        self._wanted = wanted

    def is_wanted(self, setup: Setup) -> bool:
        """Whether a map is wanted that the gallery of `setup` gives."""
        wanted = self._wanted
        if wanted is None or wanted.features_folder != setup.features_folder:
            return False
        return wanted.fingerprint == setup.fingerprint

    def answer(
        self, work: GalleryWork, extractor: Extractor, should_stop: ShouldStop
    ) -> FoundMap | None:
        """Compute the map; None where there is nothing to say. Call it where `is_wanted`."""
        from inspector_gui.core.methods.base import score_with_map

        wanted, self._wanted = self._wanted, None
        assert wanted is not None
        try:
            features = extractor.extract(wanted.image)
            scores = score_with_map(work.method, features, work.gallery, should_stop=should_stop)
        except KnownError as error:
            return FoundMap(wanted.row_id, None, str(error))
        return None if should_stop() else FoundMap(wanted.row_id, scores.patches)
