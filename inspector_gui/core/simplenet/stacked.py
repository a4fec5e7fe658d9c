"""Extractor, adaptor and discriminator as one network, on either runtime."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from inspector_gui.core.simplenet.head import LEAK, Head, append

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class SimplenetStack:
    """A head behind a pyramid: a picture to its patch scores and its global feature.

    Outputs: patch scores (1 x 1 x h x w) and the global feature (1 x D).
    """

    head: Head

    def on_openvino(self, graph: Any) -> Any:
        """See `runtimes.Stack`."""
        return append(graph, self.head)

    def on_torch(self, module: Any) -> Any:
        """See `runtimes.Stack`."""
        import torch
        from torch import nn

        head = self.head

        class Stacked(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.pyramid = module
                for number, at in enumerate(head.pooling.levels):
                    self.register_buffer(f"kernel{number}", torch.from_numpy(at.kernel.copy()))
                for number, part in enumerate(head.first_parts):
                    matrix = torch.from_numpy(np.ascontiguousarray(part))
                    self.register_buffer(f"part{number}", matrix[:, :, None, None])
                for number, layer in enumerate(head.layers):
                    matrix = torch.from_numpy(layer.matrix.copy())[:, :, None, None]
                    self.register_buffer(f"matrix{number}", matrix if number else None)
                    self.register_buffer(f"bias{number}", torch.from_numpy(layer.bias.copy()))

            def forward(self, x: "Tensor") -> "tuple[Tensor, Tensor]":
                *levels, pooled = self.pyramid(x)
                return self.scores(levels), pooled

            def scores(self, levels: "list[Tensor]") -> "Tensor":
                """Return patch scores: 1 x 1 x h x w."""
                functional = nn.functional
                finest = levels[head.pooling.finest].shape[2:]
                total = self.get_buffer("bias0")[None, :, None, None]
                for number, at in enumerate(head.pooling.levels):
                    kernel = self.get_buffer(f"kernel{number}")
                    pooled = functional.conv2d(
                        levels[at.level], kernel, padding=kernel.shape[-1] // 2, groups=at.groups
                    )
                    part = functional.conv2d(pooled, self.get_buffer(f"part{number}"))
                    if part.shape[2:] != finest:
                        part = functional.interpolate(
                            part, size=finest, mode="bilinear", align_corners=False
                        )
                    total = total + part
                for number in range(1, len(head.layers)):
                    total = functional.conv2d(
                        functional.leaky_relu(total, LEAK),
                        self.get_buffer(f"matrix{number}"),
                        self.get_buffer(f"bias{number}"),
                    )
                return -total

        return Stacked().eval()
