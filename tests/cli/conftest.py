"""Photographs, drawn data sets, and the command line as a function and as a process."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from inspector_gui.cli.application import app
from inspector_gui.demo.stream import write_mvtec

_BESIDE_THE_PROJECT = Path(__file__).parents[2].parent / "shared" / "data"

Invoke = Callable[..., Result]
Start = Callable[..., subprocess.Popen[str]]


_WITH_PROGRESS = ("score", "evaluate", "doctor", "convert", "fit", "export")


@pytest.fixture
def invoke() -> Invoke:
    """Run a command in this process, without progress unless a test asks for it."""

    def run(*arguments: object) -> Result:
        words = [str(a) for a in arguments]
        if "--progress" not in words and words[0] in _WITH_PROGRESS:
            words += ["--progress", "none"]
        return CliRunner().invoke(app, words)

    return run


@pytest.fixture
def start() -> Iterator[Start]:
    """Start the program as a process of its own that can be interrupted."""
    with contextlib.ExitStack() as started:

        def run(*arguments: object, **environment: str) -> subprocess.Popen[str]:
            process = subprocess.Popen(
                [sys.executable, "-W", "error", "-m", "inspector_gui", *map(str, arguments)],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
                # Shells start background processes with Ctrl+C ignored.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
            )
            started.enter_context(process)
            started.callback(process.kill)
            return process

        yield run


@pytest.fixture
def photographs() -> Path:
    """The folder of real photographs: 28 good hazelnuts, and a test folder with coloured ones."""
    root = Path(os.environ.get("INSPECTOR_TEST_DATA", _BESIDE_THE_PROJECT)) / "hazelnut_toy"
    if not root.is_dir():
        pytest.skip(f"no photographs in {root}; set INSPECTOR_TEST_DATA")
    return root


@pytest.fixture(scope="session")
def washers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small drawn data set."""
    folder = tmp_path_factory.mktemp("drawn") / "washers"
    write_mvtec(folder, "washer", n_train=6, n_test_good=3, n_test_bad=4, seed=7, size=160)
    return folder


def read_json(path: Path) -> Any:
    """Return what a JSON file holds."""
    return json.loads(path.read_text(encoding="utf-8"))
