import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from inspector_gui.core import runtimes
from inspector_gui.core.backbones import Backbone, backbone
from inspector_gui.core.errors import KnownError
from inspector_gui.core.preprocess import Geometry, normalise
from inspector_gui.core.runtimes import (
    Network,
    convert,
    converted_path,
    import_openvino,
    load_network,
)
from inspector_gui.core.types import RGB, Floats

from .photographs import dataset_pictures, shipped_picture

LITE0 = backbone("efficientnet_lite0")
OUTPUTS = ("level 1", "level 2", "level 3", "global")
Load = Callable[[str, str], Network]


@pytest.fixture(scope="module")
def load(networks: Path, weights: Path) -> Load:
    def of(runtime: str, precision: str) -> Network:
        return load_network(
            LITE0,
            runtime=runtime,
            precision=precision,
            size=(224, 224),
            weights_folder=weights,
            cache=networks,
        )

    return of


def batch_of(image: RGB) -> Floats:
    return normalise(Geometry(224).apply(image), LITE0.mean, LITE0.std)


def differences(a: Network, b: Network, image: RGB) -> list[float]:
    """Return for every output the largest difference as a part of the largest value."""
    found = []
    for x, y in zip(a.run(batch_of(image)), b.run(batch_of(image)), strict=True):
        assert x.shape == y.shape
        assert x.dtype == y.dtype == np.float32
        found.append(float(np.abs(x - y).max() / np.abs(x).max()))
    return found


@pytest.fixture(scope="module")
def torch_f32(load: Load) -> Network:
    return load("torch", "f32")


@pytest.fixture(scope="module")
def openvino_f32(load: Load) -> Network:
    return load("openvino", "f32")


@pytest.mark.parametrize("name", ["coffee", "chelsea", "astronaut"])
def test_torch_and_openvino_agree_on_every_level(
    torch_f32: Network, openvino_f32: Network, name: str
) -> None:
    apart = differences(torch_f32, openvino_f32, shipped_picture(name))
    assert len(apart) == len(OUTPUTS)
    assert max(apart) < 1e-4, dict(zip(OUTPUTS, apart, strict=True))


@pytest.mark.parametrize(
    ("name", "part"),
    [("hazelnut_toy", "test/colour"), ("cookie", "test/good"), ("magnetic_tile", "test/crack")],
)
def test_torch_and_openvino_agree_on_photographs_of_parts(
    torch_f32: Network, openvino_f32: Network, name: str, part: str
) -> None:
    for image in dataset_pictures(name, part, 3):
        assert max(differences(torch_f32, openvino_f32, image)) < 1e-4


@pytest.mark.parametrize("runtime", ["torch", "openvino"])
def test_the_same_picture_gives_the_same_bits_again(load: Load, runtime: str) -> None:
    image = shipped_picture("coffee")
    network, again = load(runtime, "f32"), load(runtime, "f32")
    first = network.run(batch_of(image))
    network.run(batch_of(shipped_picture("chelsea")))
    for other in (network.run(batch_of(image)), again.run(batch_of(image))):
        for x, y in zip(first, other, strict=True):
            np.testing.assert_array_equal(x, y)


def test_results_outlive_the_next_run(openvino_f32: Network) -> None:
    first = openvino_f32.run(batch_of(shipped_picture("coffee")))
    kept = [x.copy() for x in first]
    openvino_f32.run(batch_of(shipped_picture("chelsea")))
    for x, y in zip(first, kept, strict=True):
        np.testing.assert_array_equal(x, y)


def test_f32_is_in_force_where_the_processor_would_rather_have_bf16(
    load: Load, torch_f32: Network, openvino_f32: Network
) -> None:
    capabilities = import_openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if "BF16" not in capabilities:
        pytest.skip("this processor has no bf16")
    image = shipped_picture("coffee")
    assert max(differences(torch_f32, openvino_f32, image)) < 1e-4
    assert max(differences(torch_f32, load("openvino", "bf16"), image)) > 1e-3


@pytest.mark.parametrize("side", [32, 224, 320])
def test_outputs_have_strides_4_8_16_and_the_widths_of_the_backbone(
    networks: Path, weights: Path, side: int
) -> None:
    network = load_network(
        LITE0,
        runtime="openvino",
        precision="f32",
        size=(side, side),
        weights_folder=weights,
        cache=networks,
    )
    outputs = network.run(np.zeros((1, 3, side, side), np.float32))
    expected = [
        (1, c, side // s, side // s) for c, s in zip(LITE0.channels, (4, 8, 16), strict=True)
    ]
    assert [o.shape for o in outputs] == [*expected, (1, LITE0.global_width)]


def test_the_default_path_needs_no_torch_and_calls_nobody(
    openvino_f32: Network, networks: Path, weights: Path, tmp_path: Path
) -> None:
    """In a fresh process with a fresh home, with the converted network already there."""
    code = """
import socket, sys, threading
from pathlib import Path

calls = []

def refuse(name):
    def call(*arguments, **_options):
        calls.append((name, arguments))
        raise OSError("no network here")
    return call

socket.socket.connect = refuse("connect")
socket.socket.connect_ex = refuse("connect_ex")
socket.create_connection = refuse("create_connection")
socket.getaddrinfo = refuse("getaddrinfo")

import numpy as np
from inspector_gui.core.features import Extractor
from inspector_gui.core.types import Scoring

extractor = Extractor(Scoring(), weights_folder=Path(sys.argv[1]), cache=Path(sys.argv[2]))
extractor.extract(np.zeros((30, 40, 3), np.uint8))
for thread in threading.enumerate():
    if thread is not threading.current_thread():
        thread.join(5)
assert calls == [], calls
assert sys.modules["openvino_telemetry"] is None
for name in ("torch", "torchvision", "timm", "requests", "huggingface_hub"):
    assert name not in sys.modules, name
from openvino.tools.ovc import telemetry_utils
assert "stub" in telemetry_utils.tm.Telemetry.__module__, telemetry_utils.tm.Telemetry
print(extractor.device)
"""
    home = tmp_path / "home"
    home.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", code, str(weights), str(networks)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=_environment(home),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "CPU (OpenVINO f32)\n"
    assert done.stderr == ""
    assert list(home.rglob("*telemetry*")) == []


def _environment(home: Path) -> dict[str, str]:
    return {**os.environ, "HOME": str(home), "USERPROFILE": str(home)}


class _TinyPyramid(torch.nn.Module):
    """A pyramid of the right shape that converts within a moment."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = torch.nn.ModuleList(
            [torch.nn.Conv2d(3, 24, 4, 4), torch.nn.Conv2d(24, 40, 2, 2)]
        )
        self.last = torch.nn.Conv2d(40, 112, 2, 2)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        fine = self.layers[0](x)
        middle = self.layers[1](fine)
        coarse = self.last(middle)
        return fine, middle, coarse, coarse.mean((2, 3))


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> Backbone:
    def build(spec: Backbone, weights: Path) -> torch.nn.Module:
        return _TinyPyramid().eval()

    monkeypatch.setattr(runtimes, "build_pyramid", build)
    return LITE0


def load_tiny(spec: Backbone, folder: Path) -> Network:
    return load_network(
        spec,
        runtime="openvino",
        precision="f32",
        size=(64, 64),
        weights_folder=folder,
        cache=folder,
    )


class _Interrupted(BaseException):
    """What Ctrl+C is, without being taken for it by pytest."""


@pytest.mark.parametrize("step", ["save", "first rename", "second rename"])
def test_a_conversion_that_is_interrupted_leaves_no_model(
    tiny: Backbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    ov = import_openvino()
    save, renamed = ov.save_model, 0

    def save_and_stop(*arguments: Any, **options: Any) -> None:
        save(*arguments, **options)
        raise _Interrupted

    def rename_and_stop(source: Path, target: Path) -> None:
        nonlocal renamed
        renamed += 1
        if renamed == (1 if step == "first rename" else 2):
            raise _Interrupted
        Path(source).rename(target)

    with monkeypatch.context() as broken:
        if step == "save":
            broken.setattr(ov, "save_model", save_and_stop)
        else:
            broken.setattr(os, "replace", rename_and_stop)
        with pytest.raises(_Interrupted):
            convert(tiny, weights_folder=tmp_path, cache=tmp_path)
    assert not converted_path(tiny, tmp_path).exists()
    assert [p for p in tmp_path.iterdir() if p.is_dir()] == []
    assert load_tiny(tiny, tmp_path).run(np.zeros((1, 3, 64, 64), np.float32))[0].shape[1] == 24


def test_a_network_is_converted_once(tiny: Backbone, tmp_path: Path) -> None:
    load_tiny(tiny, tmp_path)
    model = converted_path(tiny, tmp_path)
    written = model.stat().st_mtime_ns
    time.sleep(0.01)
    load_tiny(tiny, tmp_path)
    assert model.stat().st_mtime_ns == written


@pytest.mark.parametrize("damage", ["empty", "cut", "no weights", "weights cut", "weights empty"])
def test_a_damaged_converted_network_is_told_in_a_sentence_or_made_again(
    tiny: Backbone, tmp_path: Path, damage: str
) -> None:
    load_tiny(tiny, tmp_path)
    model = converted_path(tiny, tmp_path)
    binary = model.with_suffix(".bin")
    if damage == "empty":
        model.write_bytes(b"")
    elif damage == "cut":
        model.write_bytes(model.read_bytes()[: model.stat().st_size // 2])
    elif damage == "no weights":
        binary.unlink()
    elif damage == "weights cut":
        binary.write_bytes(binary.read_bytes()[: binary.stat().st_size // 2])
    else:
        binary.write_bytes(b"")
    result = outcome_of_loading(tiny, tmp_path)
    if isinstance(result, KnownError):
        assert model.name in str(result)
        assert "\n" not in str(result)
    else:
        assert np.abs(result[0]).max() > 0


def outcome_of_loading(spec: Backbone, folder: Path) -> tuple[Floats, ...] | KnownError:
    try:
        return load_tiny(spec, folder).run(np.ones((1, 3, 64, 64), np.float32))
    except KnownError as error:
        return error


def test_unknown_runtimes_and_precisions_are_sentences(tmp_path: Path) -> None:
    for runtime, precision in [("onnx", "f32"), ("openvino", "int4"), ("torch", "f64")]:
        with pytest.raises(KnownError, match=r"There is no (runtime|precision) '\w+'; choose"):
            load_network(
                LITE0,
                runtime=runtime,
                precision=precision,
                size=(224, 224),
                weights_folder=tmp_path,
                cache=tmp_path,
            )
