import importlib.util
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inspector_gui.core.backbones import backbone
from inspector_gui.core.errors import KnownError
from inspector_gui.core.exporting import (
    ONNX,
    OPENVINO,
    ExportedNetwork,
    require_exporter,
    save_openvino,
)
from inspector_gui.core.preprocess import normalise
from inspector_gui.core.runtimes import import_openvino
from inspector_gui.core.types import RGB

SPEC = backbone("resnet18")
SIZE = (32, 64)


@pytest.fixture(scope="module")
def stack() -> Any:
    """A small network with two outputs, of normalised pictures."""
    import torch

    class Small(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.patches = torch.nn.Conv2d(3, 1, 4, stride=4)

        def forward(self, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return self.patches(values)[:, 0], values.mean((2, 3))

    torch.manual_seed(0)
    return Small().eval()


@pytest.fixture
def picture() -> RGB:
    return np.random.default_rng(0).integers(0, 256, (*SIZE, 3), np.uint8)


def assert_says_the_same(path: Path, stack: Any, picture: RGB) -> None:
    import torch

    with torch.no_grad():
        own = stack(torch.from_numpy(normalise(picture, SPEC.mean, SPEC.std)))
    patches, pooled = ExportedNetwork(path).run(picture)
    assert patches.shape == (1, SIZE[0] // 4, SIZE[1] // 4)
    np.testing.assert_allclose(patches, own[0].numpy(), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(pooled, own[1].numpy(), rtol=1e-5, atol=1e-5)
    network = import_openvino().Core().read_model(str(path))
    assert network.inputs[0].get_any_name() == "picture"
    assert list(network.inputs[0].shape) == [1, *SIZE, 3]
    assert [o.get_any_name() for o in network.outputs] == ["patches", "pooled"]


def test_an_openvino_network_takes_the_picture_itself(
    stack: Any, picture: RGB, tmp_path: Path
) -> None:
    import torch

    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph = import_openvino().convert_model(
            stack, example_input=torch.zeros(1, 3, *SIZE), input=[-1, 3, -1, -1]
        )
    path = tmp_path / "network.xml"
    save_openvino(graph, SPEC, size=SIZE, outputs=("patches", "pooled"), path=path)
    assert {p.name for p in tmp_path.iterdir()} == {"network.xml", "network.bin"}
    assert_says_the_same(path, stack, picture)


def test_what_cannot_be_written_is_said_before_any_work(monkeypatch: pytest.MonkeyPatch) -> None:
    require_exporter(OPENVINO)
    with pytest.raises(KnownError, match="no format 'tflite' to export; choose onnx or openvino"):
        require_exporter("tflite")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(KnownError, match=r'pip install "inspector-gui\[export\]"'):
        require_exporter(ONNX)
