"""What is no bundle, was cut off or changed is refused in a sentence, whatever it is."""

import io
import json
import random
import shutil
import zipfile
from collections import namedtuple
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inspector_gui.core.calibration import suggest_limits
from inspector_gui.core.digests import digest_of
from inspector_gui.core.errors import KnownError
from inspector_gui.core.features import FeatureList, Features
from inspector_gui.core.methods import make_method, scoring_for
from inspector_gui.core.types import gallery_fingerprint
from inspector_gui.store.bundle import DESCRIPTION, BundleFile, write_bundle
from inspector_gui.store.bundle_facts import BundleFacts
from tests.drawn import sha

COUNT = 4
Description = dict[str, Any]


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle of PatchCore with features of its own."""
    path = tmp_path / "part.bundle"
    path.write_bytes(made())
    return path


def made() -> bytes:
    scoring = scoring_for("patchcore", size=64)
    random_values = np.random.default_rng(0)
    grids = ((16, 16, 24), (8, 8, 40), (4, 4, 112))
    items = [
        Features(
            random_values.random(320, np.float32),
            tuple(random_values.random(grid, np.float32) for grid in grids),  # type: ignore[arg-type]
        )
        for _ in range(COUNT)
    ]
    gallery, method = FeatureList(tuple(items)), make_method(scoring)
    references = {sha(bytes([number])): f"{number}.png" for number in range(COUNT)}
    limits = suggest_limits([1.0, 2.0], gallery=gallery_fingerprint(scoring, references))
    facts = BundleFacts.of(scoring, references, limits, device="CPU")
    file = io.BytesIO()
    write_bundle(file, facts, method, gallery, networks=Path())
    return file.getvalue()


def used(path: Path, folder: Path) -> dict[str, bytes]:
    """Return what a bundle has for judging; raises where it cannot be used."""
    folder.mkdir()
    try:
        with closing(BundleFile(path)) as file:
            bundle = file.unpack(folder)
        gallery = bundle.gallery()
        assert len(gallery) == COUNT
        bundle.method(gallery)
        return {p.name: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    finally:
        shutil.rmtree(folder)


def rebuilt(
    path: Path,
    change: Callable[[Description, dict[str, bytes]], None],
    *,
    compression: int = zipfile.ZIP_STORED,
    is_consistent: bool = True,
) -> None:
    """Write a bundle anew, changed by somebody who knows how to write its digest."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    whole = json.loads(members.pop(DESCRIPTION))
    change(whole, members)
    if is_consistent:
        whole["digest"] = digest_of({"facts": whole["facts"], "members": whole["members"]})
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in {**members, DESCRIPTION: json.dumps(whole).encode()}.items():
            archive.writestr(name, data)


def test_a_bundle_as_it_was_written_is_used(bundle: Path, tmp_path: Path) -> None:
    assert set(used(bundle, tmp_path / "a")) == {
        "meta.json", "hashes.bin", "pooled.f32", "patches.bank",
    }  # fmt: skip
    rebuilt(bundle, lambda whole, _: whole["facts"].update(later={"more": 1}))
    assert used(bundle, tmp_path / "a")


def test_a_bundle_cut_off_anywhere_is_refused(bundle: Path, tmp_path: Path) -> None:
    whole = bundle.read_bytes()
    for length in (0, 3, 4, 100, len(whole) // 2, len(whole) - 100, len(whole) - 1):
        bundle.write_bytes(whole[:length])
        with pytest.raises(KnownError, match=r"part\.bundle is (cut off|not a bundle)"):
            used(bundle, tmp_path / "a")


def test_bytes_that_change_anywhere_are_noticed_or_mean_nothing(
    bundle: Path, tmp_path: Path
) -> None:
    whole, chance = bundle.read_bytes(), random.Random(0)
    intact = used(bundle, tmp_path / "a")
    # What zip archives say of themselves is at the end; there every other byte is tried.
    tail = range(len(whole) - 700, len(whole), 2)
    refused = 0
    for place in [*(chance.randrange(len(whole)) for _ in range(150)), *tail]:
        torn = bytearray(whole)
        torn[place] ^= chance.randrange(1, 256)
        bundle.write_bytes(torn)
        try:
            assert used(bundle, tmp_path / "a") == intact
        except KnownError:
            refused += 1
    assert refused > 250


@pytest.mark.parametrize("content", [b"", b"nothing", b"PK\x05\x06" + bytes(18)])
def test_another_file_is_no_bundle(bundle: Path, tmp_path: Path, content: bytes) -> None:
    bundle.write_bytes(content)
    with pytest.raises(KnownError, match="is not a bundle of this program"):
        used(bundle, tmp_path / "a")
    with pytest.raises(KnownError, match=r"There is no bundle .*gone"):
        used(tmp_path / "gone", tmp_path / "a")
    with pytest.raises(KnownError, match="cannot be read"):
        used(tmp_path, tmp_path / "a")


def of_facts(**values: object) -> Callable[[Description, dict[str, bytes]], None]:
    return lambda whole, _: whole["facts"].update(values)


def of_scoring(**values: object) -> Callable[[Description, dict[str, bytes]], None]:
    return lambda whole, _: whole["facts"]["scoring"].update(values)


def beside(name: str) -> Callable[[Description, dict[str, bytes]], None]:
    def change(whole: Description, members: dict[str, bytes]) -> None:
        members[name] = b"evil"
        whole["members"][name] = {"size": 4, "sha256": sha(b"evil")}

    return change


def of_size(size: object) -> Callable[[Description, dict[str, bytes]], None]:
    return lambda whole, _: whole["members"]["features/pooled.f32"].update(size=size)


def without_a_member(whole: Description, members: dict[str, bytes]) -> None:
    del members["features/patches.bank"], whole["members"]["features/patches.bank"]


def with_shorter_features(whole: Description, members: dict[str, bytes]) -> None:
    data = members["features/pooled.f32"][:-4]
    members["features/pooled.f32"] = data
    whole["members"]["features/pooled.f32"] = {"size": len(data), "sha256": sha(data)}


def with_another_bank(whole: Description, members: dict[str, bytes]) -> None:
    members["features/patches.bank"] = b"no bank"
    whole["members"]["features/patches.bank"] = {"size": 7, "sha256": sha(b"no bank")}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda whole, _: whole.update(format=2), "newer version of this program"),
        (lambda whole, _: whole.update(kind="song"), "description .* cannot be used"),
        (lambda whole, _: whole.update(facts=[]), "description .* cannot be used"),
        (of_facts(weights="0" * 64), "other weights of efficientnet_lite0"),
        (of_facts(references=[]), "description .* cannot be used"),
        (of_facts(made_at=float("inf")), "description .* cannot be used"),
        (of_scoring(backbone="vgg"), "description .* cannot be used"),
        (of_scoring(method="magic"), "description .* cannot be used"),
        (of_scoring(size="64"), "description .* cannot be used"),
        (of_scoring(size=10**9), "description .* cannot be used"),
        (of_scoring(coreset=float("nan")), "description .* cannot be used"),
        (of_scoring(calibration="../../../evil"), "description .* cannot be used"),
        (of_scoring(later=1), "description .* cannot be used"),
        (beside("../evil"), "outside of itself"),
        (beside("/tmp/evil"), "outside of itself"),
        (beside("features\\..\\..\\evil"), "outside of itself"),
        (beside("C:/evil"), "outside of itself"),
        (beside("features/more.f32"), "damaged or changed"),
        (of_size(10**15), "damaged or changed"),
        (of_size(-1), "description .* cannot be used"),
        (without_a_member, "damaged or changed"),
        (with_shorter_features, "damaged or changed"),
        (with_another_bank, "damaged or changed"),
    ],
)
def test_a_bundle_made_to_deceive_is_refused(
    bundle: Path,
    tmp_path: Path,
    change: Callable[[Description, dict[str, bytes]], None],
    words: str,
) -> None:
    rebuilt(bundle, change)
    with pytest.raises(KnownError, match=words):
        used(bundle, tmp_path / "a")
    assert list(tmp_path.iterdir()) == [bundle]


def test_limits_moved_by_hand_are_noticed(bundle: Path, tmp_path: Path) -> None:
    rebuilt(bundle, lambda w, _: w["facts"]["limits"].update(fail_from=99.0), is_consistent=False)
    with pytest.raises(KnownError, match="damaged or changed"):
        used(bundle, tmp_path / "a")


def test_a_compressed_archive_is_refused_so_that_none_can_swell(
    bundle: Path, tmp_path: Path
) -> None:
    rebuilt(bundle, lambda *_: None, compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(KnownError, match="damaged or changed"):
        used(bundle, tmp_path / "a")


def test_without_room_nothing_is_unpacked(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = namedtuple("room", "free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: room(free=1000))
    with pytest.raises(KnownError, match="Free some space and try again"):
        used(bundle, tmp_path / "a")


def test_the_same_content_makes_the_same_bundle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 1.0)
    assert made() == made()
