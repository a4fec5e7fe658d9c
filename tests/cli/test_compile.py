"""The hidden command that compiles, as the window runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

from inspector_gui.core.compiled import load_search

from .conftest import Invoke


def test_a_child_compiles_the_search_into_the_cache(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "inspector_gui", "compile", "--progress", "json"],
        capture_output=True, text=True, check=False, timeout=120,
        env=os.environ | {"INSPECTOR_CACHE": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    steps = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(s["what"], s["done"], s["total"]) for s in steps] == [
        ("search", 0, 1),
        ("search", 1, 1),
    ]
    assert load_search(tmp_path / "code") is not None
    assert len(list((tmp_path / "code").iterdir())) == 1


def test_people_do_not_see_the_command(invoke: Invoke) -> None:
    assert "compile" not in invoke("--help").stdout
