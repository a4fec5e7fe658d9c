"""Adaptor and discriminator in torch, as they are trained (sections 3.2 and 3.3)."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from inspector_gui.core.simplenet.hyperparameters import (
    IDENTITY,
    LINEAR,
    MLP,
    NO_ADAPTOR,
    WHITENED,
    Hyperparameters,
)
from inspector_gui.core.simplenet.patches import PatchPooling
from inspector_gui.core.types import Floats

LEAK = 0.2
"""Slope of the leaky ReLU."""


class PatchFeatures(nn.Module):
    """Levels (1 x C x h x w each, finest first) to patch features: 1 x D x h x w, fixed weights."""

    def __init__(self, pooling: PatchPooling) -> None:
        super().__init__()
        self._pooling = pooling
        for number, level in enumerate(pooling.levels):
            self.register_buffer(f"kernel{number}", torch.from_numpy(level.kernel.copy()))

    def forward(self, levels: tuple[Tensor, ...]) -> Tensor:
        """Return the features on the grid of the finest chosen level."""
        finest = levels[self._pooling.finest]
        whole = finest.new_zeros(
            (finest.shape[0], self._pooling.dimension, *finest.shape[2:]), dtype=finest.dtype
        )
        for number, level in enumerate(self._pooling.levels):
            kernel = self.get_buffer(f"kernel{number}").to(finest.dtype)
            found = nn.functional.conv2d(
                levels[level.level], kernel, padding=kernel.shape[-1] // 2, groups=level.groups
            )
            if found.shape[2:] != finest.shape[2:]:
                found = nn.functional.interpolate(
                    found, size=finest.shape[2:], mode="bilinear", align_corners=False
                )
            whole[:, level.first : level.first + level.outputs] += found
        return whole


class Simplenet(nn.Module):
    """G and D: patch features (B x D) to D's outputs (B), high for features of good parts."""

    def __init__(self, width: int, chosen: Hyperparameters) -> None:
        super().__init__()
        self.adaptor = _adaptor(width, chosen)
        self.discriminator = nn.Sequential(
            nn.Linear(width, chosen.hidden),
            nn.BatchNorm1d(chosen.hidden),
            nn.LeakyReLU(LEAK),
            nn.Linear(chosen.hidden, 1, bias=False),
        )
        if chosen.xavier:
            for module in (*self.adaptor, *self.discriminator):
                if isinstance(module, nn.Linear):
                    nn.init.xavier_normal_(module.weight)
        if chosen.adaptor_start in (IDENTITY, WHITENED) and chosen.adaptor == LINEAR:
            nn.init.eye_(self.adaptor.get_parameter("0.weight"))
            if chosen.adaptor_bias:
                nn.init.zeros_(self.adaptor.get_parameter("0.bias"))

    def adapt(self, features: Tensor) -> Tensor:
        """Return G(features): B x D."""
        adapted: Tensor = self.adaptor(features)
        return adapted

    def judge(self, adapted: Tensor) -> Tensor:
        """Return D(adapted): B."""
        outputs: Tensor = self.discriminator(adapted)
        return outputs[:, 0]

    def forward(self, features: Tensor) -> Tensor:
        """Return D(G(features)): B."""
        return self.judge(self.adapt(features))

    def weights(self) -> dict[str, Floats]:
        """Return all weights by name, float32."""
        return {
            name: value.detach().float().cpu().numpy().copy()
            for name, value in self.state_dict().items()
            if not name.endswith("num_batches_tracked")
        }

    def load(self, weights: Mapping[str, Floats]) -> None:
        """Take over weights as `weights` gave them; raises `KeyError` or `RuntimeError`."""
        state: dict[str, Any] = {n: torch.from_numpy(np.array(v)) for n, v in weights.items()}
        counters = {n: v for n, v in self.state_dict().items() if n.endswith("num_batches_tracked")}
        self.load_state_dict(state | counters)


def _adaptor(width: int, chosen: Hyperparameters) -> nn.Sequential:
    if chosen.adaptor == NO_ADAPTOR:
        return nn.Sequential()
    first = nn.Linear(width, width, bias=chosen.adaptor_bias)
    if chosen.adaptor == MLP:
        return nn.Sequential(
            first, nn.LeakyReLU(LEAK), nn.Linear(width, width, bias=chosen.adaptor_bias)
        )
    return nn.Sequential(first)
