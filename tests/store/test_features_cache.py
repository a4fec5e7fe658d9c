import mmap
import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspector_gui.core.errors import KnownError
from inspector_gui.core.features import Features, FeatureShape, Gallery, feature_shape
from inspector_gui.core.types import Scoring
from inspector_gui.store.features_cache import (
    FeatureReader,
    FeatureStore,
    features_folder,
    open_store,
)

from .samples import SHAPE, features, sha


def filled(folder: Path, *seeds: int, shape: FeatureShape = SHAPE) -> FeatureStore:
    store = FeatureStore(folder, shape)
    for seed in seeds:
        store.append(sha(seed), features(seed, shape))
    return store


def assert_row_is(gallery: Gallery, row: int, seed: int) -> None:
    wanted = features(seed)
    np.testing.assert_array_equal(gallery.pooled[row], wanted.pooled)
    for got, level in zip(gallery.levels(row), wanted.levels, strict=True):
        np.testing.assert_array_equal(got, level)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 30), unique=True, max_size=8), st.data())
def test_a_gallery_holds_what_was_appended_in_the_order_asked_for(
    seeds: list[int], data: st.DataObject
) -> None:
    order = data.draw(st.permutations(seeds))
    with tempfile.TemporaryDirectory() as name:
        filled(Path(name), *seeds).close()
        with FeatureStore(Path(name), SHAPE) as store:
            gallery = store.gallery([sha(s) for s in order])
            assert len(gallery) == len(order)
            assert gallery.pooled.shape == (len(order), SHAPE.pooled)
            for row, seed in enumerate(order):
                assert_row_is(gallery, row, seed)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["levels.f32", "pooled.f32", "hashes.bin"]), st.integers(0, 2000))
def test_a_row_cut_off_anywhere_is_ignored_and_overwritten(file: str, cut: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        filled(folder, 0, 1, 2).close()
        size = (folder / file).stat().st_size
        os.truncate(folder / file, max(0, size - cut))
        store = FeatureStore(folder, SHAPE)
        missing = store.missing([sha(0), sha(1), sha(2)])
        whole = max(0, size - cut) // (size // 3)
        assert missing == tuple(sha(s) for s in range(whole, 3))
        for seed in (7, *range(whole, 3)):  # in another order than before
            store.append(sha(seed), features(seed))
        store.close()
        again = FeatureStore(folder, SHAPE)
        gallery = again.gallery([sha(s) for s in (2, 7, 1, 0)])
        for row, seed in enumerate((2, 7, 1, 0)):
            assert_row_is(gallery, row, seed)
        again.close()


def test_data_without_its_hash_does_not_count(tmp_path: Path) -> None:
    filled(tmp_path, 0).close()
    for name in ("levels.f32", "pooled.f32"):
        with (tmp_path / name).open("ab") as file:
            file.write(b"\xff" * 1000)
    store = FeatureStore(tmp_path, SHAPE)
    assert len(store) == 1
    store.append(sha(1), features(1))
    assert_row_is(store.gallery([sha(1)]), 0, 1)
    store.close()


def test_a_lost_row_does_not_lend_its_hash_to_the_next_half_row(tmp_path: Path) -> None:
    filled(tmp_path, 0, 1, 2).close()
    row_bytes = (tmp_path / "levels.f32").stat().st_size // 3
    os.truncate(tmp_path / "levels.f32", row_bytes)
    FeatureStore(tmp_path, SHAPE).close()
    with (tmp_path / "levels.f32").open("r+b") as levels:  # killed before the hash was written
        levels.seek(row_bytes)
        levels.write(b"\xff" * row_bytes)
    with FeatureStore(tmp_path, SHAPE) as store:
        assert len(store) == 1


def test_galleries_stay_valid_while_the_store_grows_and_after_it_closes(tmp_path: Path) -> None:
    store = filled(tmp_path, 0, 1)
    early = store.gallery([sha(1), sha(0)])
    view = early.levels(0)[0]
    for seed in range(2, 60):
        store.append(sha(seed), features(seed))
    late = store.gallery([sha(59), sha(1)])
    store.close()
    assert_row_is(early, 0, 1)
    assert_row_is(early, 1, 0)
    assert_row_is(late, 0, 59)
    np.testing.assert_array_equal(view, features(1).levels[0])


def test_levels_are_views_into_the_file_and_cannot_be_written(tmp_path: Path) -> None:
    store = filled(tmp_path, 0, 1, 2)
    gallery = store.gallery([sha(2), sha(0)])
    for level in gallery.levels(1):
        root: object = level
        while isinstance(root, np.ndarray):
            root = root.base
        assert isinstance(root, mmap.mmap)
        assert level.flags.c_contiguous
        assert not level.flags.writeable
    assert gallery.pooled.flags.c_contiguous
    assert gallery.pooled.dtype == np.float32
    with pytest.raises(IndexError):
        gallery.levels(2)
    store.close()


def test_appending_a_picture_twice_keeps_the_first(tmp_path: Path) -> None:
    store = filled(tmp_path, 0)
    store.append(sha(0), features(1))
    assert len(store) == 1
    assert_row_is(store.gallery([sha(0)]), 0, 0)
    store.close()


def test_missing_names_each_picture_once_in_order(tmp_path: Path) -> None:
    store = filled(tmp_path, 1)
    assert store.missing([sha(3), sha(1), sha(2), sha(3)]) == (sha(3), sha(2))
    assert sha(1) in store
    assert sha(3) not in store
    with pytest.raises(KeyError):
        store.gallery([sha(3)])
    store.close()


@pytest.mark.parametrize("damage", ["other shapes", "no meta", "garbage in meta"])
def test_a_folder_made_for_other_shapes_is_begun_anew(tmp_path: Path, damage: str) -> None:
    filled(tmp_path, 0, 1).close()
    shape = SHAPE
    match damage:
        case "other shapes":
            shape = FeatureShape(SHAPE.pooled, (SHAPE.levels[0], (2, 2, 1), (1, 1, 12)))
            assert shape.values == SHAPE.values
        case "no meta":
            (tmp_path / "meta.json").unlink()
        case "garbage in meta":
            (tmp_path / "meta.json").write_bytes(b"\0")
    store = filled(tmp_path, 5, shape=shape)
    assert len(store) == 1
    store.close()
    again = FeatureStore(tmp_path, shape)
    assert again.missing([sha(5), sha(0)]) == (sha(0),)
    again.close()


def test_features_of_other_shapes_are_refused(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path, SHAPE)
    good = features(0)
    fine, middle, coarse = good.levels
    for bad in (
        Features(good.pooled[:-1], good.levels),
        Features(good.pooled, (fine, middle, coarse.transpose(2, 0, 1))),
        Features(good.pooled.astype(np.float64), good.levels),
    ):
        with pytest.raises(ValueError, match="expected"):
            store.append(sha(0), bad)
    with pytest.raises(ValueError, match="SHA-256"):
        store.append("abcd", good)
    assert len(store) == 0
    store.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is full")
@pytest.mark.parametrize("file", ["levels.f32", "pooled.f32", "hashes.bin"])
def test_a_full_disk_is_told_in_words_and_leaves_no_row(tmp_path: Path, file: str) -> None:
    FeatureStore(tmp_path, SHAPE).close()
    (tmp_path / file).unlink()
    (tmp_path / file).symlink_to("/dev/full")
    full = FeatureStore(tmp_path, SHAPE)
    with pytest.raises(KnownError, match="is full"):
        full.append(sha(0), features(0))
    assert sha(0) not in full
    full.close()
    (tmp_path / file).unlink()
    store = filled(tmp_path, 1)
    store.flush()
    store.close()
    again = FeatureStore(tmp_path, SHAPE)
    assert again.missing([sha(0), sha(1)]) == (sha(0),)
    assert_row_is(again.gallery([sha(1)]), 0, 1)
    again.close()


def test_a_folder_that_cannot_be_made_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(KnownError, match="cannot be used"):
        FeatureStore(tmp_path / "file" / "features", SHAPE)


def test_a_reader_sees_whole_rows_and_changes_no_file(tmp_path: Path) -> None:
    with filled(tmp_path, 0, 1) as store:
        with (tmp_path / "levels.f32").open("ab") as levels:  # a row that is just being written
            levels.write(b"\xff" * 100)
        before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
        gallery = FeatureReader(tmp_path).gallery([sha(1), sha(0)])
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
        store.append(sha(2), features(2))
        reader = FeatureReader(tmp_path)
    assert len(reader) == 3
    assert reader.missing([sha(3), sha(2)]) == (sha(3),)
    assert_row_is(gallery, 0, 1)
    assert_row_is(reader.gallery([sha(2)]), 0, 2)


@pytest.mark.parametrize("meta", [None, b"\0", b'{"pooled": 5}', b"[]"])
def test_a_folder_without_features_is_told_to_a_reader(tmp_path: Path, meta: bytes | None) -> None:
    if meta is not None:
        (tmp_path / "meta.json").write_bytes(meta)
    with pytest.raises(KnownError, match="no features"):
        FeatureReader(tmp_path)


def test_a_store_of_global_features_keeps_nothing_else(tmp_path: Path) -> None:
    for seeds in ((0, 1), (2,)):
        with FeatureStore(tmp_path, FeatureShape(SHAPE.pooled)) as store:
            for seed in seeds:
                store.append(sha(seed), features(seed))  # the network computes levels all the same
            assert len(store) == seeds[-1] + 1
            gallery = store.gallery([sha(seeds[-1]), sha(0)])
    assert not (tmp_path / "levels.f32").exists()
    np.testing.assert_array_equal(gallery.pooled_of([0])[0], features(2).pooled)
    assert [level.size for level in gallery.levels(1)] == [0, 0, 0]


@pytest.mark.parametrize("method", ["dn2", "spade"])
def test_only_a_method_with_a_map_keeps_pyramids(tmp_path: Path, method: str) -> None:
    scoring = Scoring(method=method)
    with open_store(tmp_path, scoring) as store:
        assert store.folder == features_folder(tmp_path, scoring)
        assert bool(store.shape.levels) == (method == "spade")


def test_global_features_are_taken_over_from_the_full_folder(tmp_path: Path) -> None:
    full, own = tmp_path / "full", tmp_path / "full-pooled"
    filled(full, 0, 1, 2).close()
    with FeatureStore(own, FeatureShape(SHAPE.pooled)) as store:
        store.append(sha(1), features(1))
        assert store.borrow(FeatureReader(full)) == 2
        assert store.borrow(FeatureReader(full)) == 0
        store.append(sha(3), features(3))
    with FeatureStore(own, FeatureShape(SHAPE.pooled)) as again:
        gallery = again.gallery([sha(s) for s in range(4)])
    for seed in range(4):
        np.testing.assert_array_equal(gallery.pooled[seed], features(seed).pooled)


def test_a_store_for_dn2_begins_with_what_spade_computed(tmp_path: Path) -> None:
    spade, dn2 = Scoring(method="spade", size=32), Scoring(method="dn2", size=32)
    shape = feature_shape(spade)
    filled(tmp_path / spade.features_key, 0, 1, shape=shape).close()
    with open_store(tmp_path, dn2) as store:
        assert store.missing([sha(0), sha(1), sha(2)]) == (sha(2),)
        np.testing.assert_array_equal(store.gallery([sha(1)]).pooled[0], features(1, shape).pooled)


@settings(max_examples=25, deadline=None)
@given(st.sets(st.integers(0, 9), min_size=1), st.sets(st.integers(0, 9)))
def test_a_changed_gallery_is_the_one_of_all_again(before: set[int], after: set[int]) -> None:
    with tempfile.TemporaryDirectory() as name, filled(Path(name), *range(10)) as store:
        gallery = store.gallery(sorted(map(sha, before)))
        changed = store.changed(
            gallery,
            added=[sha(s) for s in after | (before & {1})],
            removed=[sha(s) for s in before - after],
        )
        wanted = store.gallery(sorted(map(sha, after | (before & {1}))))
        assert changed.rows.tolist() == wanted.rows.tolist()
        np.testing.assert_array_equal(changed.pooled, wanted.pooled)
        with pytest.raises(KeyError):
            store.changed(wanted, removed=[sha(11)])


def test_hashes_that_begin_alike_are_told_apart(tmp_path: Path) -> None:
    alike = [f"{'ab' * 8}{number:048x}" for number in range(5)]
    with FeatureStore(tmp_path, SHAPE) as store:
        for number in (3, 0, 4):
            store.append(alike[number], features(number))
    with FeatureStore(tmp_path, SHAPE) as again:
        assert again.missing(alike) == (alike[1], alike[2])
        assert_row_is(again.gallery([alike[4], alike[3]]), 0, 4)


def test_two_may_write_a_folder_and_each_row_is_there_once(tmp_path: Path) -> None:
    with filled(tmp_path, 0) as first, FeatureStore(tmp_path, SHAPE) as second:
        second.append(sha(1), features(1))
        first.append(sha(2), features(2))
        first.append(sha(1), features(1))
        second.append(sha(2), features(2))
        second.append(sha(3), features(3))
        for store in (first, second):
            store.append(sha(4), features(4))
            gallery = store.gallery([sha(seed) for seed in range(5)])
            for seed in range(5):
                assert_row_is(gallery, seed, seed)
    assert len(FeatureReader(tmp_path)) == 5
