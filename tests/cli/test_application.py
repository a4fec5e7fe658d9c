import subprocess
import sys
import types
from pathlib import Path

import pytest

from inspector_gui import __main__, __version__, paths

from .conftest import Invoke


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Stands for the window: notes what it was asked for."""
    asked: list[object] = []
    app = types.ModuleType("inspector_gui.app")

    def run_gui(workspace: object) -> int:
        asked.append(workspace)
        return 0

    def run_demo(**options: object) -> int:
        asked.append(options)
        return 3

    vars(app).update(run_gui=run_gui, run_demo=run_demo)
    monkeypatch.setitem(sys.modules, "inspector_gui.app", app)
    return asked


def run_main(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> object:
    monkeypatch.setattr(sys, "argv", ["inspector-gui", *map(str, arguments)])
    with pytest.raises(SystemExit) as ending:
        __main__.main()
    return ending.value.code


def test_without_arguments_the_window_opens_on_the_default_workspace(
    windows: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run_main(monkeypatch) == 0
    assert windows == [None]


def test_gui_opens_the_named_workspace(
    windows: list[object], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert run_main(monkeypatch, "gui") == 0
    assert run_main(monkeypatch, "gui", tmp_path / "line3") == 0
    assert windows == [None, tmp_path / "line3"]


def test_gui_refuses_a_file_as_workspace(
    windows: list[object],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert run_main(monkeypatch, "gui", tmp_path / "file") == 1
    assert "a workspace is a folder" in capsys.readouterr().err
    assert windows == []


def test_demo_passes_its_options_and_its_status_on(
    windows: list[object], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    report = tmp_path / "report.json"
    status = run_main(
        monkeypatch, "demo", "--report", report, "--close", "--part", "gear", "--seed", "4"
    )
    assert status == 3
    assert windows == [
        {
            "part": "gear",
            "seed": 4,
            "size": 512,
            "screenshot": None,
            "report": report,
            "close": True,
        }
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--part", "banana"], "no part 'banana' to draw; there are:"),
        (["--report", "no/where.json"], "no does not exist"),
    ],
)
def test_demo_refuses_bad_input_before_the_window(
    windows: list[object],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    words: str,
) -> None:
    assert run_main(monkeypatch, "demo", *arguments) == 1
    assert words in capsys.readouterr().err
    assert windows == []


@pytest.mark.parametrize(
    "command", ["gui", "demo", "fit", "score", "export", "evaluate", "ablate", "doctor"]
)
def test_every_command_explains_itself_with_examples(invoke: Invoke, command: str) -> None:
    result = invoke(command, "--help")
    assert result.exit_code == 0
    assert f"\n    inspector-gui {command}" in result.stdout
    assert command in invoke("--help").stdout


def test_wrong_usage_is_refused_with_a_hint(invoke: Invoke) -> None:
    result = invoke("score", "part.png")
    assert result.exit_code == 2
    assert "--references: name a folder of good parts, or a bundle" in result.stderr
    assert invoke("judge").exit_code == 2


def test_the_program_starts_as_a_module_and_says_its_version() -> None:
    command = [sys.executable, "-W", "error", "-m", "inspector_gui"]
    helped = subprocess.run([*command, "--help"], capture_output=True, text=True, check=True)
    assert "Examples:" in helped.stdout
    assert helped.stderr == ""
    version = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
    assert version.stdout == f"inspector-gui {__version__}\n"


def test_help_and_the_way_to_the_window_load_nothing_heavy() -> None:
    check = (
        "import sys, inspector_gui.__main__\n"
        "assert not {'typer', 'rich', 'numpy'} & set(sys.modules)\n"
        "import inspector_gui.cli.application\n"
        "heavy = {'numpy', 'cv2', 'torch', 'openvino', 'faiss', 'sklearn', 'PySide6'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", check], check=True, cwd=Path(__file__).parents[2])


def test_folders_follow_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("INSPECTOR_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("INSPECTOR_CACHE", str(tmp_path / "cache"))
    assert paths.default_workspace() == tmp_path / "data"
    assert paths.networks_folder().parent == paths.weights_folder().parent == tmp_path / "cache"
    monkeypatch.delenv("INSPECTOR_DATA")
    monkeypatch.delenv("INSPECTOR_CACHE")
    assert tmp_path not in paths.default_workspace().parents
    assert tmp_path not in paths.networks_folder().parents
