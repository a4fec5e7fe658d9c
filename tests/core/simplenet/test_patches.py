import numpy as np
import pytest
import torch
from torch.nn import functional

from inspector_gui.core.errors import KnownError
from inspector_gui.core.simplenet.hyperparameters import hyperparameters_for
from inspector_gui.core.simplenet.networks import PatchFeatures
from inspector_gui.core.simplenet.patch_rows import patch_rows, shown_area
from inspector_gui.core.simplenet.patches import PatchPooling, patch_pooling
from tests.core.simplenet.levels import CHANNELS, gallery, pyramid

WIDE = (256, 512, 1024)


def published(
    levels: list[torch.Tensor], chosen: list[int], side: int, dimension: int
) -> torch.Tensor:
    """Return patch features as the authors' code computes them: P x D."""
    found = []
    grid = levels[chosen[0]].shape[2:]
    for number in chosen:
        level = levels[number]
        channels = level.shape[1]
        around = functional.unfold(level, side, padding=side // 2)
        around = around.reshape(1, channels * side * side, *level.shape[2:])
        if level.shape[2:] != grid:
            around = functional.interpolate(around, grid, mode="bilinear", align_corners=False)
        flat = around[0].reshape(channels * side * side, -1).T[:, None]
        found.append(functional.adaptive_avg_pool1d(flat, dimension)[:, 0])
    stacked = torch.stack(found, 1).reshape(len(found[0]), 1, -1)
    return functional.adaptive_avg_pool1d(stacked, dimension)[:, 0]


@pytest.mark.parametrize(
    ("channels", "levels", "side", "dimension"),
    [
        (WIDE, "2,3", 3, 1536),
        (WIDE, "1,2,3", 3, 1000),
        (WIDE, "3", 1, 512),
        (CHANNELS, "2,3", 3, 301),
        (CHANNELS, "1,3", 5, 64),
        (CHANNELS, "2,3", 3, 1536),  # more than level 2 has: its values are repeated
        ((64, 128, 256), "2,3", 1, 1536),
    ],
)
def test_one_convolution_gives_what_the_authors_pipeline_gives(
    channels: tuple[int, ...], levels: str, side: int, dimension: int
) -> None:
    torch.manual_seed(0)
    drawn = [torch.randn(1, c, 12 >> n, 8 >> n) for n, c in enumerate(channels)]
    pooling = patch_pooling(
        channels,
        hyperparameters_for(
            "paper", {"levels": levels, "neighbourhood": side, "dimension": dimension}
        ),
    )
    with torch.inference_mode():
        ours = PatchFeatures(pooling)(tuple(drawn))[0].reshape(dimension, -1).T
        theirs = published(drawn, [int(n) - 1 for n in levels.split(",")], side, dimension)
    assert ours.shape == theirs.shape
    assert float((ours - theirs).abs().max()) < 2e-6


def test_at_1536_values_the_weights_fall_into_groups_of_a_few_channels() -> None:
    pooling = patch_pooling(WIDE, hyperparameters_for("paper"))
    assert [(level.groups, level.first, level.outputs) for level in pooling.levels] == [
        (256, 0, 768),
        (256, 768, 768),
    ]
    for level in pooling.levels:
        assert level.kernel.reshape(768, -1).sum(axis=1) == pytest.approx(1, abs=1e-6)


def test_without_a_dimension_every_channel_is_kept_averaged_over_its_neighbourhood() -> None:
    pooling = patch_pooling(CHANNELS, hyperparameters_for("fast"))
    assert pooling.dimension == 40 + 112
    levels = [torch.from_numpy(level.transpose(2, 0, 1))[None] for level in pyramid(1)]
    with torch.inference_mode():
        found = PatchFeatures(pooling)(tuple(levels))[0]
        averaged = functional.avg_pool2d(levels[1], 3, 1, 1)[0]
    assert float((found[:40] - averaged).abs().max()) < 1e-6


def test_patches_lie_in_a_file_that_is_gone_afterwards(tmp_path) -> None:
    pooling: PatchPooling = patch_pooling(CHANNELS, hyperparameters_for("fast"))
    with patch_rows(gallery(3), [2, 0], pooling, folder=tmp_path) as rows:
        assert len(rows) == 2
        assert rows.values.shape == (2 * 64, 152)
        assert list(tmp_path.iterdir())
        first, second = rows.split(1)
        assert np.array_equal(first.of(0), rows.of(0))
        assert np.array_equal(second.of(0), rows.of(1))
        drawn = rows.batch([1, 1], 5, np.random.default_rng(0))
        assert drawn.shape == (10, 152)
        own = {row.tobytes() for row in rows.of(1)}
        assert all(row.tobytes() in own for row in drawn)
    assert not list(tmp_path.iterdir())


def test_of_a_padded_picture_only_its_own_cells_count() -> None:
    assert shown_area((4, 0, 12, 16), (8, 8), 1) == (slice(2, 6), slice(0, 8))
    assert shown_area((3, 1, 11, 16), (8, 8), 1) == (slice(1, 6), slice(0, 8))
    assert shown_area(None, (8, 8), 1) == (slice(0, 8), slice(0, 8))


def test_features_that_are_no_numbers_are_refused(tmp_path) -> None:
    broken = gallery(2)
    broken.items[1].levels[1][0, 0, 0] = np.nan
    pooling = patch_pooling(CHANNELS, hyperparameters_for("fast"))
    with (
        pytest.raises(KnownError, match="no numbers"),
        patch_rows(broken, [0, 1], pooling, folder=tmp_path),
    ):
        pass
    assert not list(tmp_path.iterdir())
