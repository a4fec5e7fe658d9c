import hashlib
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inspector_gui.core.exporting import ExportedNetwork
from inspector_gui.core.images import read_image
from inspector_gui.core.opencv import cv2
from inspector_gui.core.runtimes import import_openvino
from inspector_gui.core.types import RGB, Floats
from tests.drawn import write_parts

from .conftest import Invoke, read_json

REFERENCES = 8
RECIPE = (
    "--method", "simplenet", "--size", "96", "--crop", "64", "--set", "epochs=1", "--set",
    "steps=2", "--seed", "3",
)  # fmt: skip
needs_onnx = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("onnx", "onnxscript")),
    reason='ONNX needs pip install "inspector-gui[export]"',
)


@pytest.fixture
def bundle(tmp_path: Path, invoke: Invoke) -> Path:
    """A SimpleNet of drawn parts; `parts` beside it holds two to judge."""
    write_parts(tmp_path / "good", range(REFERENCES))
    write_parts(tmp_path / "parts", range(20, 22))
    path = tmp_path / "part.bundle"
    result = invoke(
        "fit", "--references", tmp_path / "good", "--bundle", path, *RECIPE, "--json",
        tmp_path / "f.json",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    assert "Only 2 held-out references" in result.stderr
    return path


def test_a_simplenet_is_trained_into_a_bundle_and_exported(
    bundle: Path, tmp_path: Path, invoke: Invoke
) -> None:
    parts, out = tmp_path / "parts", tmp_path / "out"
    by_bundle = invoke("score", parts, "--bundle", bundle, "--json", tmp_path / "b.json")
    assert by_bundle.exit_code == 0, by_bundle.stderr
    judged = invoke(
        "score", parts, "--references", tmp_path / "good", *RECIPE, "--json", tmp_path / "r.json"
    )
    assert judged.exit_code == 0, judged.stderr
    found = read_json(tmp_path / "b.json")
    assert found == read_json(tmp_path / "r.json")
    facts = read_json(tmp_path / "f.json")
    assert (facts["n_references"], facts["n_held_out"]) == (REFERENCES, 2)
    assert "of 2 held-out scores" in facts["limits"]["rule"]
    assert facts["hyperparameters"]["seed"] == 3
    again = invoke("score", parts, "--bundle", bundle, "--set", "epochs=2")
    assert "--set is fixed by the bundle" in again.stderr

    result = invoke(
        "export", "--bundle", bundle, "--format", "openvino", "--out", out, "--check", parts
    )
    assert result.exit_code == 0, result.stderr
    assert "Checked on 2 pictures" in result.stdout
    name = f"simplenet-{facts['model']}.xml"
    sidecar = read_json(out / f"{name}.json")
    assert {p.name for p in out.iterdir()} == {f"{name}.json", *sidecar["files"]}
    for file, digest in sidecar["files"].items():
        assert hashlib.sha256((out / file).read_bytes()).hexdigest() == digest
    assert sidecar["limits"] == found["limits"]
    for part in found["parts"]:
        image = read_image(parts / Path(part["path"]).name)
        score = judged_by_the_sidecar(out / name, sidecar, image)
        assert score == pytest.approx(part["score"], abs=1e-4)


def judged_by_the_sidecar(file: Path, sidecar: Any, image: RGB) -> float:
    """Do what the sidecar says, without this program."""
    resize, crop = sidecar["preprocessing"]
    size = resize["width"], resize["height"]
    resized = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    top, left = (size[1] - crop["height"]) // 2, (size[0] - crop["width"]) // 2
    seen = resized[top : top + crop["height"], left : left + crop["width"]]
    assert sidecar["input"]["shape"] == [1, *seen.shape]
    patches, _ = ExportedNetwork(file).run(np.ascontiguousarray(seen))
    return float(patches.max())


@needs_onnx
def test_onnx_scores_alike(bundle: Path, tmp_path: Path, invoke: Invoke) -> None:
    out = tmp_path / "out"
    result = invoke("export", "--bundle", bundle, "--format", "onnx", "--out", out)
    assert result.exit_code == 0, result.stderr
    (sidecar,) = out.glob("*.onnx.json")
    facts = read_json(sidecar)
    assert facts["check"]["pictures"] == 4
    assert facts["check"]["largest_difference_of_patches"] < 1e-4
    network = import_openvino().Core().read_model(str(sidecar.with_suffix("")))
    assert network.inputs[0].get_any_name() == facts["input"]["name"]
    assert list(network.inputs[0].shape) == facts["input"]["shape"]
    assert [o.get_any_name() for o in network.outputs] == list(facts["outputs"])


def test_a_network_that_scores_otherwise_is_not_exported(
    bundle: Path, tmp_path: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = ExportedNetwork.run

    def run(self: ExportedNetwork, picture: RGB) -> tuple[Floats, ...]:
        patches, pooled = real(self, picture)
        return patches * np.float32(1.001), pooled

    monkeypatch.setattr(ExportedNetwork, "run", run)
    result = invoke("export", "--bundle", bundle, "--format", "openvino", "--out", tmp_path / "o")
    assert result.exit_code == 1
    assert "does not score like this program" in result.stderr
    assert not (tmp_path / "o").exists()


def test_what_is_no_network_is_not_exported(tmp_path: Path, invoke: Invoke) -> None:
    write_parts(tmp_path / "good", range(REFERENCES))
    fit = ("fit", "--references", tmp_path / "good", "--bundle", tmp_path / "b", "--size", "64")
    assert invoke(*fit, "--method", "dn2").exit_code == 0
    export = ("export", "--bundle", tmp_path / "b", "--out", tmp_path / "o", "--format")
    assert "only simplenet is one" in invoke(*export, "openvino").stderr
    assert "no format 'tflite'" in invoke(*export, "tflite").stderr
    padded = (*fit, "--fit", "keep", *RECIPE[:2], *RECIPE[6:])
    assert invoke(*padded).exit_code == 0
    assert "Fit a bundle with --fit squash" in invoke(*export, "openvino").stderr
