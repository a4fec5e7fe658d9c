"""A network for other programs: one file from a picture to its scores, as ONNX or OpenVINO's.

Its input is the picture itself, resized and cropped: uint8, 1 x H x W x 3, RGB. The normalisation
is in the network, with the very constants of `preprocess.normalise`.
"""

import importlib
import importlib.util
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from inspector_gui.core.backbones import Backbone
from inspector_gui.core.errors import KnownError
from inspector_gui.core.runtimes import import_openvino, save_whole
from inspector_gui.core.types import RGB, Floats

if TYPE_CHECKING:
    from torch import nn

ONNX, OPENVINO = "onnx", "openvino"
FORMATS = (ONNX, OPENVINO)
ENDINGS = {ONNX: ".onnx", OPENVINO: ".xml"}
INPUT = "picture"


def require_exporter(form: str) -> None:
    """Raise `KnownError` for a format that does not exist or whose writer is not installed."""
    if form not in FORMATS:
        raise KnownError(f"There is no format {form!r} to export; choose {' or '.join(FORMATS)}.")
    needed = ("onnx", "onnxscript") if form == ONNX else ()
    if any(importlib.util.find_spec(name) is None for name in needed):
        raise KnownError(
            'ONNX takes an addition that is not installed: pip install "inspector-gui[export]".'
        )


def save_openvino(
    graph: Any, spec: Backbone, *, size: tuple[int, int], outputs: Sequence[str], path: Path
) -> None:
    """Write a network as OpenVINO's `path` (.xml, with its weights as .bin beside it).

    `graph` is OpenVINO's own and is changed: its input (float32, 1 x 3 x H x W, normalised)
    becomes a picture. `size`: H and W; `outputs`: the names its results get.
    """
    ov = import_openvino()
    op = importlib.import_module("openvino.opset13")
    graph.reshape([1, 3, *size])
    (before,) = graph.get_parameters()
    picture = op.parameter([1, *size, 3], ov.Type.u8, name=INPUT)
    values = op.transpose(op.convert(picture, "f32"), np.array([0, 3, 1, 2]))
    factors, offsets = _constants(spec)
    normalised = op.add(op.multiply(values, factors), offsets)
    before.output(0).replace(normalised.output(0))
    results = graph.get_results()
    whole = ov.Model(results, [picture], spec.name)
    whole.inputs[0].get_tensor().set_names({INPUT})
    for result, name in zip(whole.outputs, outputs, strict=True):
        result.get_tensor().set_names({name})
    whole.validate_nodes_and_infer_types()
    save_whole(whole, path)


def save_onnx(
    stack: "nn.Module", spec: Backbone, *, size: tuple[int, int], outputs: Sequence[str], path: Path
) -> None:
    """Write a torch module (input float32, 1 x 3 x H x W, normalised) as the ONNX file `path`."""
    import torch

    factors, offsets = (torch.from_numpy(values) for values in _constants(spec))

    class _OfPictures(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stack = stack
            self.register_buffer("factors", factors)
            self.register_buffer("offsets", offsets)

        def forward(self, picture: torch.Tensor) -> Any:
            values = picture.permute(0, 3, 1, 2).float()
            return self.stack(values * self.get_buffer("factors") + self.get_buffer("offsets"))

    example = torch.zeros(1, *size, 3, dtype=torch.uint8)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter's own parts, for its makers
        torch.onnx.export(
            _OfPictures().eval(),
            (example,),
            path,
            input_names=[INPUT],
            output_names=list(outputs),
            dynamo=True,
            external_data=False,
            verbose=False,
        )


class ExportedNetwork:
    """A file that was exported, run by OpenVINO, which reads both formats."""

    def __init__(self, path: Path, *, precision: str = "f32") -> None:
        options = {"INFERENCE_PRECISION_HINT": precision}
        self._request = (
            import_openvino().Core().compile_model(str(path), "CPU", options).create_infer_request()
        )

    def run(self, picture: RGB) -> tuple[Floats, ...]:
        """Return its outputs for a picture (uint8, H x W x 3), float32 each."""
        results = self._request.infer([np.ascontiguousarray(picture[None])])
        return tuple(np.array(results[i], np.float32) for i in range(len(results)))


def _constants(spec: Backbone) -> tuple[Floats, Floats]:
    """Return factor and offset of every channel, as `preprocess.normalise` has them."""
    pairs = list(zip(spec.mean, spec.std, strict=True))
    factors = np.array([1.0 / s for _, s in pairs], np.float32)
    offsets = np.array([-m / s for m, s in pairs], np.float32)
    return factors.reshape(1, 3, 1, 1), offsets.reshape(1, 3, 1, 1)
