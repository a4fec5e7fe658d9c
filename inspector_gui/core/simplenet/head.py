"""What judges patches: a model's adaptor and discriminator, folded, on the levels of a pyramid.

A linear adaptor, D's first layer and its BatchNorm are one matrix. Since resizing the coarser
levels is linear, too, each level has its own part of that matrix, applied on its own, coarser grid
before the resizing. What is left is LeakyReLU and one product with a vector; the score is -D.

`append` builds this behind a converted pyramid, so that OpenVINO runs extractor, adaptor and
discriminator as one network; `core.simplenet.stacked` does the same in torch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from inspector_gui.core.backbones import backbone
from inspector_gui.core.runtimes import import_openvino
from inspector_gui.core.simplenet.model import DamagedModelError, SimplenetModel
from inspector_gui.core.simplenet.patches import LevelPooling, PatchPooling, patch_pooling
from inspector_gui.core.types import Floats

LEAK = 0.2
_BATCH_NORM_EPSILON = 1e-5

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Layer:
    """outputs = matrix @ inputs + bias: float32, outputs x inputs and outputs."""

    matrix: Floats
    bias: Floats


@dataclass(frozen=True, eq=False)
class Head:
    """Pooling and layers; between two layers there is a LeakyReLU. The last one gives D."""

    pooling: PatchPooling
    layers: tuple[Layer, ...]

    @classmethod
    def of(cls, model: SimplenetModel) -> "Head":
        """Fold a model.

        Raises `DamagedModelError` where its weights do not have the shapes of its hyperparameters.
        """
        scoring = model.facts.scoring
        chosen = scoring.training
        if chosen is None:
            raise DamagedModelError(f"The model {model.facts.id} has no hyperparameters.")
        pooling = patch_pooling(backbone(scoring.backbone).channels, chosen)
        try:
            layers = folded(model.weights)
        except (KeyError, ValueError) as error:
            raise DamagedModelError(
                f"The weights of the model {model.facts.id} are not those of its hyperparameters."
            ) from error
        if layers[0].matrix.shape[1] != pooling.dimension:
            raise DamagedModelError(
                f"The model {model.facts.id} was trained on features of "
                f"{layers[0].matrix.shape[1]} values, not of {pooling.dimension}."
            )
        return cls(pooling, layers)

    @cached_property
    def first_parts(self) -> tuple[Floats, ...]:
        """The first layer's matrix for each level's own outputs."""
        matrix = self.layers[0].matrix
        return tuple(matrix[:, at.first : at.first + at.outputs] for at in self.pooling.levels)


def folded(weights: Mapping[str, Floats]) -> tuple[Layer, ...]:
    """Return the layers that adaptor and discriminator come to, computed in double precision.

    Raises `KeyError` or `ValueError` for weights of other hyperparameters.
    """
    found = {name: np.asarray(value, np.float64) for name, value in weights.items()}
    adaptor = [_layer(found, f"adaptor.{n}") for n in (0, 2) if f"adaptor.{n}.weight" in found]
    first = _layer(found, "discriminator.0")
    scale = found["discriminator.1.weight"] / np.sqrt(
        found["discriminator.1.running_var"] + _BATCH_NORM_EPSILON
    )
    shift = found["discriminator.1.bias"] - scale * found["discriminator.1.running_mean"]
    first = first[0] * scale[:, None], first[1] * scale + shift
    before: list[tuple[Doubles, Doubles]] = adaptor[:-1]
    if adaptor:
        matrix, bias = adaptor[-1]
        first = first[0] @ matrix, first[0] @ bias + first[1]
    last = _layer(found, "discriminator.3")
    return tuple(
        Layer(np.asarray(matrix, np.float32), np.asarray(bias, np.float32))
        for matrix, bias in (*before, first, last)
    )


def _layer(weights: Mapping[str, Doubles], name: str) -> tuple[Doubles, Doubles]:
    matrix = weights[f"{name}.weight"]
    return matrix, weights.get(f"{name}.bias", np.zeros(len(matrix)))


# On OpenVINO


def append(graph: Any, head: Head, *, keep: Sequence[int] = (3,)) -> Any:
    """Return a network that has patch scores and some outputs of a pyramid network.

    `graph`: an OpenVINO model with the outputs level 1, 2, 3, global. The result has patch scores
    (1 x 1 x h x w) first, then the outputs that `keep` names.
    """
    ov = import_openvino()
    sources = [graph.output(n).get_node().input_value(0) for n in range(4)]
    scores = _scores(head, sources[:3])
    results = [scores.output(0), *(sources[n] for n in keep)]
    return ov.Model(results, graph.get_parameters(), "simplenet")


def _scores(head: Head, levels: Sequence[Any]) -> Any:
    from openvino import opset13 as ops

    finest = levels[head.pooling.finest]
    total: Any = None
    for at, matrix in zip(head.pooling.levels, head.first_parts, strict=True):
        part = _product(_pooled(levels[at.level], at), matrix)
        if at.level != head.pooling.finest:
            part = _resized(part, finest)
        total = part if total is None else ops.add(total, part)
    total = ops.add(total, head.layers[0].bias.reshape(1, -1, 1, 1))
    for layer in head.layers[1:]:
        total = ops.prelu(total, np.array([LEAK], np.float32))
        total = ops.add(_product(total, layer.matrix), layer.bias.reshape(1, -1, 1, 1))
    return ops.negative(total)


def _pooled(level: Any, at: LevelPooling) -> Any:
    from openvino import opset13 as ops

    side = at.kernel.shape[-1]
    if at.groups == 1 and side == 1 and np.array_equal(at.kernel[:, :, 0, 0], np.eye(at.outputs)):
        return level
    kernel = at.kernel.reshape(at.groups, -1, *at.kernel.shape[1:])
    border = [side // 2] * 2
    return ops.group_convolution(level, kernel, [1, 1], border, border, [1, 1])


def _product(values: Any, matrix: Floats) -> Any:
    """Return a matrix times every place: a convolution over one place."""
    from openvino import opset13 as ops

    return ops.convolution(values, matrix[:, :, None, None], [1, 1], [0, 0], [0, 0], [1, 1])


def _resized(values: Any, like: Any) -> Any:
    from openvino import opset13 as ops

    sides = ops.gather(ops.shape_of(like), np.array([2, 3]), np.array(0))
    return ops.interpolate(
        values,
        sides,
        mode="linear_onnx",
        shape_calculation_mode="sizes",
        coordinate_transformation_mode="half_pixel",
        axes=np.array([2, 3]),
    )


class HeadOnLevels:
    """The head alone on OpenVINO: levels of a pyramid in memory to patch scores."""

    def __init__(self, head: Head, shapes: Sequence[tuple[int, int, int]]) -> None:
        """`shapes`: h, w, C of the levels, finest first."""
        ov = import_openvino()
        from openvino import opset13 as ops

        self._used = [at.level for at in head.pooling.levels]
        inputs = [ops.parameter([1, c, h, w], np.float32) for h, w, c in shapes]
        scores = _scores(head, [node.output(0) for node in inputs])
        model = ov.Model([scores], [inputs[level] for level in self._used], "head")
        options = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
        self._request = ov.Core().compile_model(model, "CPU", options).create_infer_request()

    def run(self, levels: Sequence[Floats]) -> Floats:
        """Return patch scores (float32, h x w) of levels (float32, h x w x C, finest first)."""
        given = [np.ascontiguousarray(levels[n].transpose(2, 0, 1))[None] for n in self._used]
        found = self._request.infer(given)
        return np.array(found[0][0, 0], np.float32)
