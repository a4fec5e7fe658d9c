"""How long a start takes until parts can be judged, and how smooth the window stays.

Starts the program three times, each in a process of its own, on one workspace: the first start
adds 200 photographs as references and computes their features; the second and third find them.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

REFERENCES = 200


def main() -> None:
    """Run the starts and print what each of them measured."""
    from table import options, photographs, show

    from inspector_gui.core.images import encode_png

    given = options(__doc__ or "")
    with tempfile.TemporaryDirectory() as place:
        pictures = Path(place) / "good"
        pictures.mkdir()
        for number, picture in enumerate(photographs(REFERENCES)):
            (pictures / f"{number:03d}.png").write_bytes(encode_png(picture))
        rows: list[dict[str, object]] = []
        for name in ("first start, 200 references added", "second start", "third start"):
            report = Path(place) / "report.json"
            command = [sys.executable, __file__, "--inside", place, "--report", str(report)]
            subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
            rows.append({"start": name, **json.loads(report.read_text())})
        show("Start and smoothness (4 ms timer on the UI thread), milliseconds", rows, given.json)


def inside(place: Path, report: Path) -> None:
    """Run the program until it is ready; write what was measured."""
    from inspector_gui.app import App, seconds_since_start, set_up_process
    from inspector_gui.heartbeat import Heartbeat
    from inspector_gui.session.session import Readiness
    from inspector_gui.settings import Settings
    from inspector_gui.workers.engine_state import Phase

    set_up_process()
    app = App(Settings(place / "window.ini"))
    session = app.session
    heartbeat = Heartbeat()
    figures: dict[str, object] = {}

    def begin() -> None:
        figures["window_ms"] = round(seconds_since_start() * 1000)
        heartbeat.start()
        session.open_workspace(place / "workspace")

    def opened() -> None:
        if not session.references.sets:
            session.references.add([place / "good"])

    def indexing() -> None:
        if session.engine_state.phase is Phase.INDEXING:
            heartbeat.mark_ready()  # from here on: features, then comparing references

    def changed() -> None:
        if session.readiness is not Readiness.READY or "ready_ms" in figures:
            return
        figures["ready_ms"] = round(seconds_since_start() * 1000)
        gaps = heartbeat.working()
        figures["gap_max_before"] = heartbeat.startup_max()
        figures.update({f"gap_{name}_working": gaps[name] for name in ("p50", "p99", "max")})
        figures["torch_loaded"] = "torch" in sys.modules
        report.write_text(json.dumps(figures))
        app.window.close()

    session.workspace_opened.connect(opened)
    session.engine_changed.connect(indexing)
    session.readiness_changed.connect(changed)
    app.show(begin)
    app.run()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--inside", type=Path)
    parser.add_argument("--report", type=Path)
    known, _ = parser.parse_known_args()
    if known.inside is not None:
        inside(known.inside, known.report)
    else:
        main()
