from pathlib import Path

import numpy as np
import pytest

from inspector_gui.store import map_archive
from inspector_gui.store.map_archive import MapArchive, map_in


def test_maps_come_back_as_they_were_and_what_is_not_there_is_none(tmp_path: Path) -> None:
    patches = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)
    patches[0, 0] = np.nan  # padding
    with MapArchive(tmp_path / "maps.zip") as maps:
        maps.add("one", patches)
        maps.add("none", None)
    data = (tmp_path / "maps.zip").read_bytes()
    np.testing.assert_array_equal(map_in(data, "one"), patches)
    assert map_in(data, "none") is None
    assert map_in(data[:50], "one") is None
    assert map_in(b"", "one") is None


def test_an_archive_stays_small_enough_to_be_read_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(map_archive, "MOST_BYTES", 100)
    with MapArchive(tmp_path / "maps.zip") as maps:
        for name in ("first", "second"):
            maps.add(name, np.zeros((4, 4), np.float32))
    data = (tmp_path / "maps.zip").read_bytes()
    assert map_in(data, "first") is not None
    assert map_in(data, "second") is None
