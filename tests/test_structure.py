"""What holds for the whole program: directions, start-up promises, checks, the two commands."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "inspector_gui"
LONGEST_MODULE = 400
QT = {"PySide6", "shiboken6", "pyqtgraph", "superqt"}

REPORT = """
import json, os, sys, warnings
warnings.simplefilter("error")
os.environ.pop("QT_QPA_PLATFORM_PLUGIN_PATH", None)
os.environ.pop("QT_QPA_FONTDIR", None)
{code}
names = sorted({{name.split(".")[0] for name in sys.modules}})
print(json.dumps({{"loaded": names, "environment": dict(os.environ)}}))
"""

OPENVINO = """
import numpy as np
from inspector_gui import paths
from inspector_gui.core.features import Extractor
from inspector_gui.core.types import Scoring
cache = paths.networks_folder()
extractor = Extractor(Scoring(size=64), weights_folder=paths.weights_folder(), cache=cache)
extractor.extract(np.zeros((64, 64, 3), np.uint8))
"""


def run_fresh(code: str) -> tuple[set[str], dict[str, str]]:
    """Run code in a fresh interpreter; returns the packages then loaded, and its environment."""
    done = subprocess.run(
        [sys.executable, "-c", REPORT.format(code=code)],
        capture_output=True, text=True, check=False, timeout=60, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    return set(found["loaded"]), found["environment"]


TRAINING = {"networks", "training", "checkpoint", "fitting"}
"""Modules of `core/simplenet` that train, in torch; nothing else there loads it with itself."""


def modules_below(*folders: str) -> str:
    """Return statements that import every module of some folders of the package."""
    files = [
        path
        for folder in folders
        for path in (PACKAGE / folder).rglob("*.py")
        if not (path.parent.name == "simplenet" and path.stem in TRAINING)
    ]
    names = (path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".") for path in files)
    wanted = (name.removesuffix(".__init__") for name in sorted(names))
    # Alembic runs its environment and its versions itself.
    return "\n".join(f"import {name}" for name in wanted if ".migrations." not in name)


def test_below_the_workers_there_is_no_qt_and_without_a_gpu_no_torch() -> None:
    code = modules_below("core", "store", "feed", "demo")
    assert code.count("import") > 30
    loaded, _ = run_fresh(code)
    assert {"numpy", "cv2", "faiss", "sqlalchemy"} <= loaded
    assert loaded & QT == set()
    assert loaded & {"torch", "torchvision", "timm"} == set()


def test_features_on_openvino_need_neither_torch_nor_qt() -> None:
    if not is_converted():
        pytest.skip("the network was never converted")
    loaded, _ = run_fresh(OPENVINO)
    assert "openvino" in loaded
    assert "openvino_telemetry" in loaded  # as None: the import that would send something fails
    assert loaded & {"torch", "torchvision", "timm", *QT} == set()


def is_converted() -> bool:
    from inspector_gui import paths
    from inspector_gui.core.backbones import backbone
    from inspector_gui.core.runtimes import converted_path

    return converted_path(backbone("efficientnet_lite0"), paths.networks_folder()).exists()


def test_the_window_is_imported_without_anything_heavy() -> None:
    loaded, _ = run_fresh("import inspector_gui.app")
    assert "PySide6" in loaded
    heavy = {"torch", "torchvision", "timm", "openvino", "faiss", "sqlalchemy", "alembic", "cv2"}
    assert loaded & heavy == set()


def test_opencv_leaves_qts_plugins_and_fonts_alone() -> None:
    loaded, environment = run_fresh("import inspector_gui.core.opencv")
    assert "cv2" in loaded
    assert "QT_QPA_PLATFORM_PLUGIN_PATH" not in environment
    assert "QT_QPA_FONTDIR" not in environment


def test_opencv_keeps_what_the_user_had_set() -> None:
    _, environment = run_fresh(
        "os.environ['QT_QPA_FONTDIR'] = '/my/fonts'\nimport inspector_gui.core.opencv"
    )
    assert environment["QT_QPA_FONTDIR"] == "/my/fonts"


def test_no_module_is_too_long_to_be_read() -> None:
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in PACKAGE.rglob("*.py")
    }
    assert {name: n for name, n in lengths.items() if n > LONGEST_MODULE} == {}


def test_there_is_no_drawer_for_everything() -> None:
    assert [p for p in PACKAGE.rglob("*.py") if p.stem in ("utils", "helpers", "misc")] == []


def check(*words: str) -> None:
    """Run a tool of this environment on the project; what it says is the failure."""
    tool = shutil.which(words[0], path=str(Path(sys.executable).parent))
    assert tool is not None, f"{words[0]} is not installed beside {sys.executable}"
    done = subprocess.run(
        [tool, *words[1:]], capture_output=True, text=True, check=False, timeout=170, cwd=ROOT,
        env={**os.environ, "NO_COLOR": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_imports_point_one_way() -> None:
    check("lint-imports")


def test_ruff_finds_nothing() -> None:
    check("ruff", "check", "inspector_gui", "tests")


def test_ruff_would_format_nothing() -> None:
    check("ruff", "format", "--check", "inspector_gui", "tests")


@pytest.mark.slow
def test_mypy_finds_nothing() -> None:
    check("mypy")


def read_me() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


def test_readme_has_the_test_command_exactly_once_and_on_one_line() -> None:
    assert read_me().count("<!-- test command -->") == 1
    (block,) = re.findall(r"<!-- test command -->\s*```\w*\n(.*?)\n```", read_me(), re.DOTALL)
    assert "\n" not in block
    assert '".[test]"' in block
    assert block.endswith("-m pytest")


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script")
def test_ci_runs_literally_the_test_command_of_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    (extraction,) = re.findall(r"^command=\$\((.*)\)$", script, re.MULTILINE)
    done = subprocess.run(
        ["bash", "-c", extraction], capture_output=True, text=True, check=False, cwd=ROOT
    )
    (command,) = re.findall(r"<!-- test command -->\s*```\w*\n(.*?)\n```", read_me(), re.DOTALL)
    assert done.stdout.strip() == command
    assert script.rstrip().endswith('exec bash -c "$command"')


@pytest.mark.skipif(sys.platform == "win32", reason="permissions")
def test_ci_can_be_run() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
