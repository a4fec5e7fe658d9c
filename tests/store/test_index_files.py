import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest

from inspector_gui.cli import index as index_command
from inspector_gui.cli.options import ProgressStyle
from inspector_gui.core import index as core_index
from inspector_gui.core.errors import KnownError
from inspector_gui.core.features import EXACT, Features, FeatureShape
from inspector_gui.core.neighbours import nearest
from inspector_gui.core.types import Floats
from inspector_gui.store import stored_gallery
from inspector_gui.store.features_cache import FeatureReader, FeatureStore
from inspector_gui.store.stored_gallery import StoredGallery

from .samples import sha

SHAPE = FeatureShape(8)
ROWS = 300


@pytest.fixture(autouse=True)
def _small_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a hundred rows count as a large set, and thirty as many that came later."""
    monkeypatch.setattr(core_index, "LATENCY_BUDGET", core_index.exact_seconds(100, SHAPE.pooled))
    monkeypatch.setattr(stored_gallery, "TAIL_BUDGET", core_index.exact_seconds(30, SHAPE.pooled))


def row(seed: int) -> Floats:
    return np.random.default_rng(seed).normal(size=SHAPE.pooled).astype(np.float32)


def add(store: FeatureStore, *seeds: int) -> None:
    empty = np.empty((0, 0, 0), np.float32)
    for seed in seeds:
        store.append(sha(seed), Features(row(seed), (empty, empty, empty)))


def shas(count: int) -> list[str]:
    return sorted(sha(seed) for seed in range(count))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of features with an index."""
    with FeatureStore(tmp_path, SHAPE) as store:
        add(store, *range(ROWS))
    index_command.run(tmp_path, ProgressStyle.NONE)
    return tmp_path


def gallery_of(folder: Path, count: int = ROWS) -> StoredGallery:
    return FeatureReader(folder).gallery(shas(count))


def assert_answers_exactly(gallery: StoredGallery) -> None:
    for seed in range(1000, 1020):
        found, true = gallery.nearest(row(seed), 3), nearest(row(seed), gallery.pooled, 3)
        assert found.tolist() == true.tolist()


def test_a_large_gallery_is_searched_through_the_index_and_says_so(folder: Path) -> None:
    gallery = gallery_of(folder)
    assert gallery.search.startswith("approximate (IVF, recall ")
    assert not gallery.wants_index
    hits = [
        np.isin(nearest(row(s), gallery.pooled, 2), gallery.nearest(row(s), 2)).mean()
        for s in range(1000, 1200)
    ]
    assert np.mean(hits) > 0.97


def test_the_approximation_can_be_refused(folder: Path) -> None:
    gallery = FeatureReader(folder).gallery(shas(ROWS), allow_approximate=False)
    assert gallery.search == EXACT
    assert not gallery.wants_index
    assert_answers_exactly(gallery)
    smaller = FeatureReader(folder).changed(gallery, removed=[shas(ROWS)[0]])
    assert smaller.search == EXACT


def test_a_small_choice_of_a_large_folder_is_searched_exactly(folder: Path) -> None:
    gallery = gallery_of(folder, 80)
    assert gallery.search == EXACT
    assert not gallery.wants_index
    assert_answers_exactly(gallery)


def test_one_more_and_one_fewer_reference_count_at_once(folder: Path) -> None:
    with FeatureStore(folder, SHAPE) as store:
        before = store.gallery(shas(ROWS))
        add(store, ROWS)
        after = store.changed(before, added=[sha(ROWS)], removed=[sha(7)])
        assert after.search == before.search
        best = after.nearest(row(ROWS), 1)
        assert (after.pooled_of(best)[0] == row(ROWS)).all()
        assert (after.pooled_of(after.nearest(row(7), 1))[0] != row(7)).any()
        assert (before.pooled_of(before.nearest(row(7), 1))[0] == row(7)).all()


def test_another_index_is_advised_when_many_rows_came_later(folder: Path) -> None:
    with FeatureStore(folder, SHAPE) as store:
        add(store, *range(ROWS, ROWS + 40))
        assert not store.gallery(shas(ROWS + 30)).wants_index
        late = store.gallery(shas(ROWS + 40))
        assert late.wants_index
        assert late.search != EXACT
        index_command.run(folder, ProgressStyle.NONE)
        assert not store.gallery(shas(ROWS + 40)).wants_index


def test_a_new_index_is_used_by_the_next_gallery_of_an_open_store(folder: Path) -> None:
    with FeatureStore(folder, SHAPE) as store:
        old = store.gallery(shas(ROWS))
        add(store, *range(ROWS, 2 * ROWS))
        index_command.run(folder, ProgressStyle.NONE)
        new = store.gallery(shas(2 * ROWS))
        assert len(list(folder.glob("*.ivf"))) == 1
        for gallery in (old, new):
            found = gallery.nearest(row(5), 1)
            assert (gallery.pooled_of(found)[0] == row(5)).all()


@pytest.mark.parametrize(
    "damage", ["cut", "gone", "garbage", "other format", "no facts", "other rows", "too few rows"]
)
def test_an_index_that_does_not_fit_counts_as_none(folder: Path, damage: str) -> None:
    meta, (file,) = folder / "pooled.index.json", folder.glob("*.ivf")
    described = json.loads(meta.read_bytes())
    count = ROWS
    match damage:
        case "cut":
            os.truncate(file, file.stat().st_size - 1)
        case "gone":
            file.unlink()
        case "garbage":
            file.write_bytes(b"\xff" * file.stat().st_size)
        case "other format":
            meta.write_text(json.dumps(described | {"format": 0}))
        case "no facts":
            meta.write_text(json.dumps(described | {"facts": {}}))
        case "other rows":
            meta.write_text(json.dumps(described | {"digest": "0" * 64}))
        case "too few rows":
            count = 200
            os.truncate(folder / "hashes.bin", 200 * 32)
    with FeatureStore(folder, SHAPE) as store:
        gallery = store.gallery(shas(count))
        assert gallery.search == EXACT
        assert gallery.wants_index
        assert_answers_exactly(gallery)
        index_command.run(folder, ProgressStyle.NONE)
        assert store.gallery(shas(count)).search != EXACT


def test_a_folder_begun_anew_has_no_index(folder: Path) -> None:
    FeatureStore(folder, FeatureShape(9)).close()
    assert not [path for path in folder.iterdir() if "index" in path.name or "ivf" in path.name]


def test_a_full_disk_leaves_the_old_index(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(KnownError, match="is full"):
        index_command.run(folder, ProgressStyle.NONE)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert gallery_of(folder).search != EXACT


def test_a_set_that_needs_no_index_gets_none(tmp_path: Path) -> None:
    with FeatureStore(tmp_path, SHAPE) as store:
        add(store, 1, 2, 3)
    with pytest.raises(KnownError, match="need no index"):
        index_command.run(tmp_path, ProgressStyle.NONE)


def test_building_reports_its_progress(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    index_command.run(folder, ProgressStyle.JSON)
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {"cells", "rows", "sample"} <= {line["what"] for line in said}
    assert said[-1]["done"] == said[-1]["total"]
