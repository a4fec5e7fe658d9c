import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from .conftest import Invoke, read_json


def checks_of(path: Path) -> tuple[bool, dict[str, Any]]:
    report = read_json(path)
    return report["ok"], {check["name"]: check for check in report["checks"]}


def test_a_sound_installation_is_called_so_line_by_line(
    invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    result = invoke("doctor", "--json", tmp_path / "r.json")
    assert (result.exit_code, result.stderr) == (0, "")
    is_ok, checks = checks_of(tmp_path / "r.json")
    assert is_ok
    assert checks["openvino"]["found"] == version("openvino")
    assert checks["torch"]["found"] == version("torch")
    assert "ms a picture" in checks["inference"]["found"]
    assert checks["display"]["found"] == "offscreen"
    for name in ("device", "cameras", "data folder", "cache folder", "weights resnet18"):
        assert name in checks
        assert name in result.stdout


def test_a_folder_that_cannot_be_written_fails_with_what_to_do(
    invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("INSPECTOR_DATA", str(tmp_path / "file" / "data"))
    result = invoke("doctor", "--json", tmp_path / "r.json")
    assert result.exit_code == 1
    is_ok, checks = checks_of(tmp_path / "r.json")
    assert not is_ok
    assert [name for name, check in checks.items() if not check["is_ok"]] == ["data folder"]
    assert "INSPECTOR_DATA" in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.skipif(sys.platform != "linux", reason="other systems always have a display")
def test_without_a_display_it_says_what_still_works(
    invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("QT_QPA_PLATFORM", "WAYLAND_DISPLAY", "DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert invoke("doctor", "--json", tmp_path / "r.json").exit_code == 0
    assert "score and evaluate work" in checks_of(tmp_path / "r.json")[1]["display"]["advice"]


def test_a_display_that_qt_cannot_use_fails(
    invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "no-such-platform")
    result = invoke("doctor", "--json", tmp_path / "r.json")
    assert result.exit_code == 1
    assert "no-such-platform" in checks_of(tmp_path / "r.json")[1]["display"]["found"]


def test_a_damaged_converted_network_is_made_again_by_running_it(
    invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from inspector_gui import paths
    from inspector_gui.core.backbones import backbone
    from inspector_gui.core.runtimes import converted_path, default_runtime

    if default_runtime() != "openvino":
        pytest.skip("with a GPU, doctor runs the network on torch")
    monkeypatch.setenv("INSPECTOR_CACHE", str(tmp_path / "cache"))
    model = converted_path(backbone("efficientnet_lite0"), paths.networks_folder())
    model.parent.mkdir(parents=True)
    model.write_text("damaged")
    result = invoke("doctor", "--json", tmp_path / "r.json")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "ms a picture" in checks_of(tmp_path / "r.json")[1]["inference"]["found"]
    assert model.read_text() != "damaged"


def test_a_network_that_does_not_run_fails_with_what_to_do(
    invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("illegal instruction")

    monkeypatch.setattr("inspector_gui.cli.recipe.open_extractor", fail)
    result = invoke("doctor", "--json", tmp_path / "r.json")
    assert result.exit_code == 1
    assert "illegal instruction" in checks_of(tmp_path / "r.json")[1]["inference"]["found"]
    assert result.stderr.startswith("The program cannot work: inference. Install")


def test_it_asks_for_versions_without_loading_torch() -> None:
    check = (
        "import sys; sys.argv[1:] = ['doctor', '--progress', 'none']\n"
        "from inspector_gui.__main__ import main\n"
        "try: main()\n"
        "except SystemExit as end: print(end.code, 'torch' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", check],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout.splitlines()[-1] == "0 False"
