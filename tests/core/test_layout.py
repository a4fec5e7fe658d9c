from pathlib import Path

import pytest

from inspector_gui.core.layout import sort_pictures
from inspector_gui.core.types import Purpose
from tests.drawn import write_parts

REFERENCE, VALIDATION, BAD = Purpose


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """A data set in MVTec layout, as small as one can be."""
    for number, place in enumerate(
        ("train/good", "test/good", "test/scratch", "ground_truth/scratch")
    ):
        write_parts(tmp_path / "screws" / place, range(number, number + 1))
    return tmp_path / "screws"


@pytest.mark.parametrize(
    ("dropped", "purposes"),
    [
        (".", [VALIDATION, BAD, REFERENCE]),
        ("train", [REFERENCE]),
        ("train/good", [REFERENCE]),
        ("test", [VALIDATION, BAD]),
        ("test/good", [VALIDATION]),
        ("test/scratch", [BAD]),
        ("test/scratch/good-002.png", [BAD]),
        ("ground_truth", []),
    ],
)
def test_any_piece_of_a_data_set_is_recognised(
    dataset: Path, dropped: str, purposes: list[Purpose]
) -> None:
    found = sort_pictures([dataset / dropped])
    assert [f.purpose for f in found] == purposes
    assert all(f.is_recognised for f in found)


def test_folders_that_only_share_names_mean_nothing(tmp_path: Path) -> None:
    write_parts(tmp_path / "test" / "scratch", range(2))
    write_parts(tmp_path / "ground_truth", range(2, 3))
    found = sort_pictures([tmp_path])
    assert [f.purpose for f in found] == [REFERENCE] * 3
    assert not any(f.is_recognised for f in found)


def test_a_given_purpose_counts_for_everything_but_masks_stay_out(dataset: Path) -> None:
    found = sort_pictures([dataset], BAD)
    assert [f.purpose for f in found] == [BAD] * 3
    assert not any(f.is_recognised for f in found)
