from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector_gui.core.features import Extractor
from inspector_gui.core.images import decode, pixel_digest, read_image
from inspector_gui.core.opencv import cv2
from inspector_gui.core.sets.health import HealthReport, assess
from inspector_gui.core.sets.provenance import mixed_sizes, sizes_of
from inspector_gui.core.sets.table import NeighbourTable
from inspector_gui.core.sets.trust import goods_needed, promise, trust_of
from inspector_gui.core.types import RGB, Floats, Purpose, ReferenceImage, Scoring
from tests import drawn
from tests.core.photographs import dataset_pictures

WIDTH = 8


class Set:
    """A reference set that is put together picture by picture."""

    def __init__(self) -> None:
        self.table = NeighbourTable()
        self.images: list[ReferenceImage] = []

    def add(
        self,
        key: str,
        vector: Floats | None,
        *,
        purpose: Purpose = Purpose.REFERENCE,
        pixels: str = "",
        origin: str = "",
        size: tuple[int, int] = (0, 0),
        included: bool = True,
    ) -> None:
        self.images.append(
            ReferenceImage(
                id=len(self.images),
                set_id=1,
                sha256=key,
                name=key,
                included=included,
                purpose=purpose,
                pixels=pixels or f"pixels of {key}",
                origin=origin,
                width=size[0],
                height=size[1],
            )
        )
        if vector is not None and included:
            counts = purpose is Purpose.REFERENCE
            self.table.add(key, np.asarray(vector, np.float32), counts=counts)

    def report(self) -> HealthReport:
        return assess(self.images, self.table)


def different_parts(count: int, *, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).normal(size=(count, WIDTH)).astype(np.float32)


def set_of(count: int, *, seed: int = 0) -> Set:
    made = Set()
    for number, vector in enumerate(different_parts(count, seed=seed)):
        made.add(f"{number:03d}", vector)
    return made


def test_a_sound_set_has_scores_and_nothing_to_complain_of() -> None:
    report = set_of(30).report()
    assert len(report.scores) == len(report.ranked) == 30
    assert report.warnings == ()
    assert not report.duplicates
    assert not report.leaks
    assert not report.uncompared
    assert [r.sigmas for r in report.ranked] == sorted(r.sigmas for r in report.ranked)[::-1]


def test_a_reference_far_from_all_others_is_a_suspect_with_its_nearest() -> None:
    made = set_of(30)
    made.add("odd", np.full(WIDTH, 9))
    report = made.report()
    assert [s.sha256 for s in report.suspects] == ["odd"]
    assert report.ranked[0] == report.suspects[0]
    assert [n.distance for n in report.suspects[0].nearest] == sorted(
        n.distance for n in report.suspects[0].nearest
    )
    assert "1 reference stands out" in " ".join(report.warnings)


def test_scores_of_the_method_itself_make_suspects_too() -> None:
    made = set_of(30)
    own = {f"{n:03d}": 1 + n / 100 for n in range(30)} | {"007": 99.0}
    report = assess(made.images, made.table, own_scores=own)
    assert [s.sha256 for s in report.suspects] == ["007"]
    assert report.scores["007"] != 99.0


def test_equal_pixels_are_exact_duplicates_and_close_features_near_ones() -> None:
    made = set_of(30)
    vector = made.table.vector("004")
    made.add("again", vector, pixels="pixels of 004")
    made.add("brighter", made.table.vector("009") + np.float32(0.05))
    report = made.report()
    assert [(d.hashes, d.is_exact) for d in report.duplicates] == [
        (("004", "again"), True),
        (("009", "brighter"), False),
    ]
    assert "4 references show only 2 parts" in report.warnings[0]


def test_ten_pictures_of_every_part_are_one_group_each() -> None:
    rng = np.random.default_rng(0)
    made = Set()
    for part, vector in enumerate(different_parts(12)):
        for shot in range(10):
            near = vector + 0.02 * rng.normal(size=WIDTH)
            made.add(f"{part:02d}-{shot}", near.astype(np.float32))
    found = made.report().duplicates
    assert sorted(len(d.hashes) for d in found) == [10] * 12
    assert all(len({key[:2] for key in d.hashes}) == 1 for d in found)


def test_a_part_in_two_purposes_is_a_leak_exact_or_near() -> None:
    made = set_of(30)
    made.add("v1", made.table.vector("003"), purpose=Purpose.VALIDATION, pixels="pixels of 003")
    made.add("v2", made.table.vector("005") + np.float32(0.03), purpose=Purpose.VALIDATION)
    made.add("v3", different_parts(1, seed=9)[0], purpose=Purpose.VALIDATION)
    made.add("b1", made.table.vector("006") + np.float32(0.04), purpose=Purpose.BAD)
    report = made.report()
    assert [(k.reference, k.other, k.is_exact) for k in report.leaks] == [
        ("003", "v1", True),
        ("005", "v2", False),
        ("006", "b1", False),
    ]
    assert report.leaks[2].purpose is Purpose.BAD
    assert any("3 pictures" in sentence for sentence in report.warnings)
    assert set(report.other_scores) == {"v1", "v2", "v3", "b1"}
    assert set(report.scores) == set(set_of(30).report().scores)


def test_excluded_pictures_do_not_count() -> None:
    made = set_of(30)
    made.add("odd", np.full(WIDTH, 9), included=False)
    assert made.report() == set_of(30).report()


@pytest.mark.parametrize(
    ("count", "sentence"),
    [
        (0, "There is no reference"),
        (1, "1 reference cannot judge"),
        (2, "2 references cannot judge"),
        (4, "at least 5"),
        (5, "5 references judge only roughly"),
        (9, "9 references judge only roughly"),
    ],
)
def test_a_small_set_has_a_report_that_says_so(count: int, sentence: str) -> None:
    report = set_of(count).report()
    assert sentence in report.warnings[0]
    assert len(report.scores) == (count if count > 1 else 0)
    assert report.suspects == ()


@pytest.mark.parametrize("count", [2, 3, 12])
def test_identical_pictures_are_called_so(count: int) -> None:
    made = Set()
    for number in range(count):
        made.add(f"{number:02d}", np.ones(WIDTH, np.float32), pixels=f"{number}")
    report = made.report()
    assert any("look identical" in sentence for sentence in report.warnings)
    assert [len(d.hashes) for d in report.duplicates] == [count]
    assert set(report.scores.values()) == {0.0}


def test_pictures_without_usable_features_are_named() -> None:
    made = set_of(12)
    made.add("nan", np.full(WIDTH, np.nan))
    made.add("missing", None)
    made.add("bad", np.full(WIDTH, np.inf), purpose=Purpose.BAD)
    report = made.report()
    assert report.uncompared == ("bad", "missing", "nan")
    assert "3 pictures could not be compared" in report.warnings[0]
    assert len(report.scores) == 12


def test_a_set_of_only_unusable_pictures_has_a_report() -> None:
    made = Set()
    for number in range(6):
        made.add(str(number), np.full(WIDTH, np.nan))
    report = made.report()
    assert report.scores == {}
    assert len(report.uncompared) == 6


def test_many_sizes_are_one_warning_that_tells_shapes_from_scales() -> None:
    def warned(*sizes: tuple[int, int]) -> list[str]:
        made = Set()
        for number, size in enumerate(sizes):
            made.add(str(number), None, size=size)
        return list(mixed_sizes(sizes_of(made.images)))

    assert warned((100, 80), (100, 80), (0, 0)) == []
    [scales] = warned((100, 80), (200, 160), (301, 240))
    assert "3 sizes" in scales
    assert "shapes" not in scales
    [shapes] = warned(*((100 + n, 300 - n) for n in range(50)), (100, 300))
    assert "50 sizes and different shapes (100 x 300 the commonest with 2)" in shapes


def test_sources_are_warned_of_only_where_their_pictures_look_different() -> None:
    def origins(shift: float) -> HealthReport:
        made = Set()
        for number, vector in enumerate(different_parts(60)):
            is_second = number % 3 == 0
            folder = "line 2" if is_second else "line 1"
            made.add(f"{number:03d}", vector + np.float32(shift * is_second), origin=folder)
        return made.report()

    same = origins(0).origins
    assert [(o.name, o.count, o.is_apart) for o in same] == [
        ("line 1", 40, False),
        ("line 2", 20, False),
    ]
    assert origins(0).warnings == ()
    moved = origins(2)
    assert [o.is_apart for o in moved.origins] == [True, True]
    assert any("line 1, line 2 look different" in sentence for sentence in moved.warnings)


def test_small_sources_that_agree_by_chance_are_seldom_warned_of() -> None:
    apart = 0
    for seed in range(60):
        made = Set()
        for number, vector in enumerate(different_parts(25, seed=seed)):
            made.add(f"{number:03d}", vector, origin=f"line {number % 5}")
        apart += sum(origin.is_apart for origin in made.report().origins)
    assert apart <= 3  # of 300; without the test by exchange 6


def test_one_source_is_just_listed() -> None:
    made = Set()
    for number, vector in enumerate(different_parts(20)):
        made.add(str(number), vector, origin="line 1")
    [origin] = made.report().origins
    assert (origin.count, origin.is_apart) == (20, False)


@given(st.integers(1, 100_000))
def test_what_is_promised_by_n_parts_needs_n_parts(n: int) -> None:
    assert goods_needed(promise(n)) == n


@given(st.integers(1, 500), st.floats(0.001, 0.999))
def test_a_promise_is_kept_exactly_where_the_conformal_rank_exists(n: int, rate: float) -> None:
    rank = np.ceil(round((n + 1) * (1 - rate), 9))
    assert (rank <= n) == (n >= goods_needed(rate))


def test_the_known_numbers_of_parts_are_needed() -> None:
    assert goods_needed(0.01) == 99
    assert goods_needed(0.05) == 19
    with pytest.raises(ValueError, match="rate"):
        goods_needed(0)


def test_trust_is_put_into_words_and_leave_one_out_is_called_an_estimate() -> None:
    assert (
        trust_of(30, 12).sentence == "12 validation parts can promise at best 1 false alarm in 13."
    )
    assert trust_of(30, 12).promise == pytest.approx(1 / 13)
    assert trust_of(12, 0).promise is None
    assert "an estimate" in trust_of(12, 0).sentence
    assert "1 false alarm in 13" in trust_of(12, 0).sentence
    assert "add good parts" in trust_of(0, 0).sentence


def hardly_changed(image: RGB) -> Iterator[RGB]:
    """The same picture saved as JPEG, moved by a pixel, and a little brighter."""
    done, data = cv2.imencode(".jpg", image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])
    assert done
    yield decode(data.tobytes())
    moved = image.copy()
    moved[:, 1:] = image[:, :-1]
    yield moved
    yield np.clip(image * 1.03 + 0.5, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def extractor(weights: Path, networks: Path) -> Extractor:
    return Extractor(Scoring(), weights_folder=weights, cache=networks)


def set_of_pictures(extractor: Extractor, pictures: list[RGB]) -> Set:
    made = Set()
    for number, image in enumerate(pictures):
        pooled = extractor.extract(image).pooled
        made.add(f"{number:03d}", pooled, pixels=pixel_digest(image))
    return made


def test_a_photograph_that_is_hardly_changed_is_found_whichever_way(
    extractor: Extractor, photographs: Path
) -> None:
    pictures = dataset_pictures("hazelnut_toy", "train/good", 28)
    for number, changed in enumerate(hardly_changed(pictures[0])):
        made = set_of_pictures(extractor, pictures)
        made.add("changed", extractor.extract(changed).pooled, pixels=f"changed {number}")
        [group] = made.report().duplicates
        assert group.hashes == ("000", "changed")
        assert not group.is_exact


@pytest.mark.parametrize("name", ["hazelnut_toy", "cookie"])
def test_every_photograph_twice_is_found_and_no_two_parts_are_mistaken_for_one(
    extractor: Extractor, photographs: Path, name: str
) -> None:
    paths = sorted((photographs / name / "train" / "good").glob("*.*"))
    if name == "cookie":
        paths = [p for p in paths if p.name != "normal-2.jpg"]  # shows the cookie of normal-1
    pictures = [read_image(path) for path in paths]
    made = set_of_pictures(extractor, pictures)
    assert made.report().duplicates == ()
    for number, image in enumerate(pictures):
        jpeg = next(hardly_changed(image))
        made.add(f"{number:03d} again", extractor.extract(jpeg).pooled)
    groups = {d.hashes for d in made.report().duplicates}
    assert groups == {(f"{n:03d}", f"{n:03d} again") for n in range(len(pictures))}


def test_drawn_washers_are_different_parts(extractor: Extractor) -> None:
    made = set_of_pictures(extractor, [drawn.picture(seed) for seed in range(20)])
    assert made.report().duplicates == ()
