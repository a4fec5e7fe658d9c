"""`inspector-gui demo` as a process of its own, offscreen and in a real window under Xvfb."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inspector_gui.core.images import read_image


@pytest.fixture
def x_display() -> Iterator[str]:
    """Start a screen of 1366 x 768 without a monitor; skips where Xvfb is missing."""
    program = shutil.which("Xvfb")
    if program is None:
        pytest.skip("Xvfb is not installed")
    reading, writing = os.pipe()
    server = subprocess.Popen(
        [program, "-displayfd", str(writing), "-screen", "0", "1366x768x24", "-nolisten", "tcp"],
        pass_fds=(writing,),
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    try:
        with os.fdopen(reading) as pipe:
            number = pipe.readline().strip()
        assert number, "Xvfb did not start"
        yield f":{number}"
    finally:
        server.terminate()
        server.wait(10)


def run_demo(folder: Path, **environment: str) -> tuple[dict[str, Any], Path]:
    """Run the demo to its end; returns its report and the path of its screenshot."""
    report, screenshot = folder / "report.json", folder / "window.png"
    options = ["--report", str(report), "--screenshot", str(screenshot), "--close"]
    done = subprocess.run(
        [sys.executable, "-m", "inspector_gui", "demo", *options],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return json.loads(report.read_text()), screenshot


def assert_is_a_good_run(report: dict[str, Any], screenshot: Path) -> None:
    assert report["inspected"] >= 60
    assert report["defective"] == report["inspected"] // 3
    assert report["escapes"] == 0
    assert report["errors"] == 0
    assert report["dropped"] == 0
    assert report["false_alarms"] <= 0.05 * (report["inspected"] - report["defective"])
    assert report["flagged"] == report["defective"] + report["false_alarms"]
    assert 0 < report["first_window_ms"] < report["ready_ms"] < report["first_inspection_ms"]
    assert {"p50", "p99", "max"} == set(report["ui_gap_ms"])
    assert report["startup_gap_max_ms"] > 0
    picture = read_image(screenshot)
    assert picture.shape[0] >= 700
    assert picture.shape[1] >= 1180
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 5000, "the window looks empty"


@pytest.mark.slow
def test_the_demo_finds_all_defects_and_reports_them(tmp_path: Path) -> None:
    assert_is_a_good_run(*run_demo(tmp_path, QT_QPA_PLATFORM="offscreen"))


@pytest.mark.slow
def test_the_demo_runs_in_a_real_window(tmp_path: Path, x_display: str) -> None:
    assert_is_a_good_run(*run_demo(tmp_path, DISPLAY=x_display, QT_QPA_PLATFORM="xcb"))


def test_a_demo_into_a_missing_folder_ends_with_a_sentence(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "inspector_gui",
            "demo",
            "--report",
            str(tmp_path / "no" / "r.json"),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert "no" in done.stderr
