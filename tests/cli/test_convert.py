import json
from pathlib import Path

import pytest

from inspector_gui import paths
from inspector_gui.cli.convert import convert_apart
from inspector_gui.core.backbones import backbone
from inspector_gui.core.errors import KnownError
from inspector_gui.core.runtimes import converted_path
from inspector_gui.core.types import Progress

from .conftest import Invoke


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INSPECTOR_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.slow
def test_a_network_is_converted_by_a_child_once_and_whole(own_cache: Path) -> None:
    steps: list[Progress] = []
    convert_apart("efficientnet_lite0", steps.append)
    assert converted_path(backbone("efficientnet_lite0"), paths.networks_folder()).is_file()
    assert {p.suffix for p in (own_cache / "networks").iterdir()} == {".xml", ".bin"}
    assert [(s.what, s.done, s.total) for s in steps] == [
        ("conversion", 0, 1),
        ("conversion", 1, 1),
    ]


def test_what_a_child_cannot_convert_is_said_in_its_words(own_cache: Path) -> None:
    with pytest.raises(KnownError, match="There is no backbone 'vgg'"):
        convert_apart("vgg", lambda _: None)


def test_damaged_weights_are_refused(own_cache: Path, invoke: Invoke) -> None:
    weights = own_cache / "weights" / backbone("resnet18").file
    weights.parent.mkdir(parents=True)
    weights.write_bytes(b"damaged")
    result = invoke("convert", "--backbone", "resnet18")
    assert result.exit_code == 1
    assert "damaged" in result.stderr
    assert not (own_cache / "networks").exists()


def test_an_already_converted_network_is_not_converted_again(
    own_cache: Path, invoke: Invoke
) -> None:
    model = converted_path(backbone("efficientnet_lite0"), paths.networks_folder())
    model.parent.mkdir(parents=True)
    model.write_text("converted before")
    result = invoke("convert", "--backbone", "efficientnet_lite0", "--progress", "json")
    assert result.exit_code == 0
    assert json.loads(result.stdout.splitlines()[-1])["what"] == "conversion"
    assert model.read_text() == "converted before"
