import importlib.metadata
import importlib.util
import json
import shutil
from pathlib import Path

import pytest

from inspector_gui import paths
from inspector_gui.core import quantising
from inspector_gui.core.backbones import backbone
from inspector_gui.core.runtimes import converted_path
from tests.drawn import write_parts

from .conftest import Invoke, read_json

needs_nncf = pytest.mark.skipif(
    importlib.util.find_spec("nncf") is None, reason='int8 needs pip install "inspector-gui[int8]"'
)


@pytest.fixture
def own_networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own that has the converted network, if this computer has."""
    model = converted_path(backbone("efficientnet_lite0"), paths.networks_folder())
    monkeypatch.setenv("INSPECTOR_CACHE", str(tmp_path / "cache"))
    paths.networks_folder().mkdir(parents=True)
    for file in model.parent.glob(f"{model.stem}.*"):
        shutil.copy(file, paths.networks_folder())
    return paths.networks_folder()


@pytest.mark.slow
@needs_nncf
def test_parts_are_scored_by_int8_with_the_same_scores_again(
    tmp_path: Path, own_networks: Path, invoke: Invoke
) -> None:
    write_parts(tmp_path / "good", range(8))
    write_parts(tmp_path / "new", range(20, 22))
    command = (
        "score", tmp_path / "new", "--references", tmp_path / "good", "--method", "dn2",
        "--size", 96, "--precision", "int8", "--json",
    )  # fmt: skip
    first = invoke(*command, tmp_path / "1.json", "--progress", "json")
    assert first.exit_code == 0, first.stderr
    steps = [json.loads(line)["what"] for line in first.stdout.splitlines()]
    assert list(dict.fromkeys(steps))[:2] == ["calibration pictures", "calibration"]
    (model,) = own_networks.glob("*int8*.xml")
    made = model.stat().st_mtime_ns
    second = invoke(*command, tmp_path / "2.json")
    assert second.exit_code == 0, second.stderr
    assert model.stat().st_mtime_ns == made
    one, again = (read_json(tmp_path / f"{n}.json") for n in (1, 2))
    assert (one["precision"], one["runtime"]) == ("int8", "openvino")
    assert one == again
    plain = invoke(*command[:-3], "--precision", "f32", "--json", tmp_path / "3.json")
    assert plain.exit_code == 0
    exact = read_json(tmp_path / "3.json")
    for mine, theirs in zip(one["parts"], exact["parts"], strict=True):
        assert mine["score"] != theirs["score"]
        assert mine["score"] == pytest.approx(theirs["score"], rel=0.3)
    bundle = tmp_path / "part.bundle"
    made_of = ("--references", tmp_path / "good", *command[4:-1])
    assert invoke("fit", *made_of, "--bundle", bundle).exit_code == 0
    model.unlink()  # as on another computer, which may have no NNCF either
    by_bundle = invoke("score", tmp_path / "new", "--bundle", bundle, *command[-1:], tmp_path / "b")
    assert by_bundle.exit_code == 0, by_bundle.stderr
    assert read_json(tmp_path / "b") == one


def test_int8_without_its_addition_is_a_sentence_before_pictures_are_read(
    tmp_path: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(quantising, "version", missing)
    good = write_parts(tmp_path / "good", range(5))[0].parent
    result = invoke("score", good, "--references", good, "--precision", "int8")
    assert result.exit_code == 1
    assert 'pip install "inspector-gui[int8]"' in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_int8_is_refused_where_it_cannot_be_calibrated_or_run(
    tmp_path: Path, invoke: Invoke
) -> None:
    good = write_parts(tmp_path / "good", range(5))[0].parent
    words = ("score", good, "--references", good, "--precision", "int8", "--runtime", "torch")
    assert "int8 runs on OpenVINO alone" in invoke(*words).stderr
    for kind in ("a", "b"):
        write_parts(tmp_path / "classes" / kind, range(6))
    protocol = ("evaluate", tmp_path / "classes", "--protocol", "one-class", "--precision", "int8")
    result = invoke(*protocol)
    assert result.exit_code == 1
    assert "which this command has none of" in result.stderr
