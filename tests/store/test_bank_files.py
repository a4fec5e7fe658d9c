import os
from pathlib import Path

import numpy as np
import pytest

from inspector_gui.core.coreset import greedy
from inspector_gui.core.errors import Cancelled, KnownError
from inspector_gui.core.features import FeatureList, Features
from inspector_gui.core.neighbours import float_distances
from inspector_gui.core.patches import patch_features
from inspector_gui.core.types import Floats, Scoring
from inspector_gui.store.bank_files import BankFiles

SCORING = Scoring(method="patchcore", size=64, coreset=0.2)
EACH = 64  # places of the grid of stride 8
NAMES = tuple(f"{n:02d}" * 32 for n in range(16))


def features(name: str) -> Features:
    rng = np.random.default_rng(int(name[:2]))
    fine, middle, coarse = (
        rng.normal(size=(side, side, 3)).astype(np.float32) for side in (16, 8, 4)
    )
    return Features(np.ones(2, np.float32), (fine, middle, coarse))


def gallery(names: tuple[str, ...]) -> FeatureList:
    return FeatureList(tuple(features(name) for name in names))


def patches(names: tuple[str, ...]) -> Floats:
    return np.concatenate([patch_features(features(n).levels).reshape(EACH, -1) for n in names])


@pytest.fixture
def banks(tmp_path: Path) -> BankFiles:
    return BankFiles(tmp_path, SCORING)


def made(banks: BankFiles, names: tuple[str, ...]) -> None:
    banks.make(gallery(names), names)


def test_a_bank_is_the_same_from_its_file(banks: BankFiles, tmp_path: Path) -> None:
    assert banks.open(NAMES) is None
    chosen = banks.make(gallery(NAMES), NAMES)
    stored = banks.open(NAMES[::-1])
    assert stored is not None
    assert stored.hashes == NAMES
    for name in ("chosen", "distances", "seen", "nearest"):
        values = getattr(stored.bank.cover, name)
        assert np.array_equal(values, getattr(chosen.bank.cover, name))
        assert not values.flags.writeable
    assert np.array_equal(stored.bank.vectors, chosen.bank.vectors)
    queries = patches(("77" * 32,))
    assert np.array_equal(stored.bank.nearest(queries)[0], chosen.bank.nearest(queries)[0])
    assert stored.rows(NAMES[::-1]).tolist() == list(range(16))[::-1]
    assert [p.suffix for p in tmp_path.iterdir()] == [".bank"]  # nothing else is left


def test_another_share_is_another_bank(banks: BankFiles, tmp_path: Path) -> None:
    made(banks, NAMES)
    assert BankFiles(tmp_path, Scoring(method="patchcore", coreset=0.1)).open(NAMES) is None


def test_a_bank_grows_by_a_reference_as_the_greedy_rule_goes_on(banks: BankFiles) -> None:
    before = banks.make(gallery(NAMES[1:]), NAMES[1:])
    grown = banks.make(gallery(NAMES), NAMES)
    rows = patches(grown.hashes)
    assert grown.hashes == (*NAMES[1:], NAMES[0])
    assert grown.changes == 1
    kept = len(before.bank)
    chosen = grown.bank.cover.chosen
    assert len(chosen) == round(0.2 * len(rows))
    assert chosen[:kept].tolist() == before.bank.cover.chosen.tolist()
    distances = np.full(len(rows), np.inf, np.float32)
    for pick, row in enumerate(chosen):
        if pick >= kept:
            assert row == distances.argmax()
        np.minimum(distances, float_distances(rows[row], rows), out=distances)
        distances[row] = -1
    assert grown.bank.cover.radius == distances.max()


def test_banks_of_padded_references_are_kept_and_grow_as_well(banks: BankFiles) -> None:
    def padded(names: tuple[str, ...]) -> FeatureList:
        items = []
        for name in names:
            own, number = features(name), int(name[:2])
            inside = None if number % 3 == 0 else (0, 0, 16 - number % 7, 16 - number % 5)
            items.append(Features(own.pooled, own.levels, inside))
        return FeatureList(tuple(items))

    def patches_of(names: tuple[str, ...]) -> Floats:
        own = [patch_features(f.levels, f.inside) for f in padded(names).items]
        return np.concatenate([patches.reshape(-1, patches.shape[2]) for patches in own])

    before = banks.make(padded(NAMES[1:]), NAMES[1:])
    assert np.array_equal(before.bank.vectors, patches_of(NAMES[1:])[before.bank.places])
    left = (*NAMES[:5], *NAMES[6:])
    banks.make(padded(left), left)
    after = banks.open(left)
    assert after is not None
    assert after.changes == 2
    rows = patches_of(after.hashes)
    assert len(rows) < EACH * len(left)
    assert len(after.bank) == round(0.2 * len(rows))
    assert np.array_equal(after.bank.vectors, rows[after.bank.places])
    true = [float_distances(row, after.bank.vectors).min() for row in rows]
    assert after.bank.cover.radius == max(true)


def test_a_reference_that_leaves_takes_its_patches_and_is_made_up_for(banks: BankFiles) -> None:
    before = banks.make(gallery(NAMES), NAMES)
    left = NAMES[:5] + NAMES[6:]
    after = banks.make(gallery(left), left)
    assert after.hashes == left
    assert len(after.bank) == round(0.2 * EACH * 15)
    rows = patches(left)
    assert np.array_equal(after.bank.vectors, rows[after.bank.places])
    others = before.bank.places // EACH != 5
    kept = before.bank.vectors[others]
    assert all((after.bank.vectors == vector).all(axis=1).any() for vector in kept)
    true = [float_distances(row, after.bank.vectors).min() for row in rows]
    assert after.bank.cover.radius == max(true)


def test_after_many_changes_a_bank_is_chosen_from_nothing(banks: BankFiles) -> None:
    made(banks, NAMES[:8])
    made(banks, NAMES[:9])
    made(banks, NAMES[:10])
    grown = banks.open(NAMES[:10])
    assert grown is not None
    assert grown.changes == 2
    anew = banks.make(gallery(NAMES[:11]), NAMES[:11])
    assert anew.changes == 0
    everything = greedy(patches(NAMES[:11]), len(anew.bank))
    assert anew.bank.cover.chosen.tolist() == everything.chosen.tolist()


def test_the_four_newest_banks_are_kept(banks: BankFiles, tmp_path: Path) -> None:
    for count in range(8, 14):
        made(banks, NAMES[:count])
        for age, path in enumerate(sorted(tmp_path.iterdir(), key=os.path.getmtime)):
            os.utime(path, (age, age))
    assert [banks.open(NAMES[:n]) is not None for n in range(8, 14)] == [False] * 2 + [True] * 4


@pytest.mark.parametrize("damage", ["cut", "longer", "empty", "words"])
def test_a_damaged_file_counts_as_none(banks: BankFiles, tmp_path: Path, damage: str) -> None:
    made(banks, NAMES)
    (path,) = tmp_path.iterdir()
    data = path.read_bytes()
    path.write_bytes(
        {"cut": data[:-1], "longer": data + b"0", "empty": b"", "words": b"not a bank"}[damage]
    )
    assert banks.open(NAMES) is None
    assert banks.relative(NAMES[1:]) is None
    made(banks, NAMES)
    assert banks.open(NAMES) is not None


def test_a_disk_that_refuses_is_a_sentence_and_leaves_nothing(
    banks: BankFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(KnownError, match="is full"):
        made(banks, NAMES)
    assert list(tmp_path.iterdir()) == []


def test_a_choice_that_is_stopped_leaves_nothing(banks: BankFiles, tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        banks.make(gallery(NAMES), NAMES, should_stop=lambda: True)
    assert list(tmp_path.iterdir()) == []
