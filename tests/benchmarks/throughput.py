"""A folder of pictures from disk to stored decisions, against decoding the same files alone.

Pictures are 1024 x 1024 PNG files: a photograph of a shared set, enlarged (cubic) so that its
shorter side fills the frame, turned by up to 2 degrees, moved by up to 8 pixels and lit by 0.97 to
1.03, all drawn from a generator that is seeded with the picture's number. References are such
variants of `train/good`, parts of `test/good` and, every tenth, of a defective one. A session
without a window reads the folder and judges by the default recipe; its rows are in the database of
a workspace, which is put back before every run. Decoding alone is `imdecode` in two threads. Both
take turns, folder by folder, so that other work on this computer meets both alike; the first parts
of each folder are not counted, and the median of the ratios is told. `cpu_ratio` compares processor
time instead, which other work disturbs less. An uncounted folder comes first; then the limit is set
by hand so that one part of it in ten is flagged, as on a line that runs well: their pictures are
kept.

References and their features are made once, by what the program's import does, and kept in the
cache folder: about 2 MB each. Anonymous memory excludes mapped files (Linux).
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from filelock import FileLock

from inspector_gui.core.types import RGB

if TYPE_CHECKING:
    from inspector_gui.core.types import InspectionRow, Scoring
    from inspector_gui.session import Session

DATA = Path(__file__).parents[2].parent / "shared" / "data"
SIDE = 1024
ROUNDS = 5
PARTS = 60
"""Of each round."""
UNCOUNTED = 10
"""Parts at the beginning of a round: a folder is looked at twice before its files are taken."""
DEFECTIVE = 10
"""One part in so many."""
THREADS = 2
_QUIET = 0.1  # of a processor, for a second: nothing is left to do beside judging


def main() -> None:
    """Measure with every number of references in a process of its own."""
    from table import show

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the figures as a list of objects")
    parser.add_argument("--references", type=int, nargs="+", default=[200, 1000])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--dataset", default="hazelnut_toy")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--inside", choices=("build", "measure"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside is not None:
        inside(given)
        return
    rows: list[dict[str, object]] = []
    for count in given.references:
        for step in ("build", "measure"):
            own = [__file__, "--inside", step, "--references", str(count)]
            own += ["--rounds", str(given.rounds), "--dataset", given.dataset]
            own += ["--data", str(given.data)]
            done = subprocess.run([sys.executable, *own], check=True, stdout=subprocess.PIPE)
        rows.append(json.loads(done.stdout))
    show(f"{given.dataset}, {SIDE} x {SIDE}, from folder to database", rows, given.json)


def inside(given: argparse.Namespace) -> None:
    """Do one step for one number of references; print the row."""
    from inspector_gui import paths
    from inspector_gui.core.compiled import code_folder, compile_search

    compile_search(code_folder())
    place = paths.cache_folder() / "benchmarks" / f"throughput-{given.dataset}-{SIDE}"
    place.mkdir(parents=True, exist_ok=True)
    source = given.data / given.dataset
    with FileLock(place / "lock", timeout=0):
        if given.inside == "build":
            build(place, source, given.references[0])
        else:
            print(json.dumps(measure(place, source, given.references[0], given.rounds)))


def build(place: Path, source: Path, count: int) -> None:
    """Make a set of `count` references with its features and limits, where it is missing."""
    from inspector_gui import paths
    from inspector_gui.core.features import Extractor
    from inspector_gui.core.images import decode, encode_png, list_images
    from inspector_gui.store.database import Workspace
    from inspector_gui.store.features_cache import open_store
    from inspector_gui.store.references import References

    scoring = recipe()
    if set_name(count) in done(place):
        return
    known: list[str] = names(place)
    files = list_images([source / "train" / "good"])
    put_back(place)
    with Workspace.open(place / "workspace") as workspace:
        extractor = Extractor(
            scoring, weights_folder=paths.weights_folder(), cache=paths.networks_folder()
        )
        references = References(workspace)
        taken = {s.name: s.id for s in references.load_sets()}
        if set_name(count) in taken:
            references.delete_set(taken[set_name(count)])
        set_id = references.create_set(set_name(count), scoring).id
        with open_store(workspace.features_folder, scoring) as features:
            for number in range(count):
                if number < len(known):
                    data = workspace.images.read(known[number])
                    image = decode(data)
                else:
                    image = varied(files[number % len(files)], number)
                    data = encode_png(image)
                added = references.add_image(set_id, data, image, f"{number:05d}.png")
                assert added is not None
                if number >= len(known):
                    known.append(added.sha256)
                if added.sha256 not in features:
                    features.append(added.sha256, extractor.extract(image))
                if number % 50 == 49:  # thousands take long: go on from here after an interruption
                    (place / "references.json").write_text(json.dumps(known))
            features.flush()
    (place / "references.json").write_text(json.dumps(known))
    with opened(place, count) as session:  # which works out the limits
        until_quiet(session)
    shutil.copy(place / "workspace" / "inspector.db", place / "built.db")
    (place / "sets.json").write_text(json.dumps([*done(place), set_name(count)]))


def measure(place: Path, source: Path, count: int, rounds: int) -> dict[str, object]:
    """Judge some folders of parts; return the row of the table."""
    from inspector_gui.core.images import list_images
    from inspector_gui.feed.folder import FolderSource

    folders = [write_parts(place / "parts" / f"{n}", source, n) for n in range(rounds + 1)]
    put_back(place)
    shutil.rmtree(place / "workspace" / "thumbnails", ignore_errors=True)
    ratios: list[float] = []
    cpu_ratios: list[float] = []
    rates: list[float] = []
    decodes: list[float] = []
    with anonymous_peak() as peak, opened(place, count) as session:
        until_quiet(session)
        judging(session, FolderSource(folders[-1]), len(list_images(folders[-1:])))
        set_limit(session)
        first = len(session.history.rows)
        for folder in folders[:-1]:
            files = list_images([folder])
            before = decoding(files[UNCOUNTED:])
            seconds, cpu = judging(session, FolderSource(folder), len(files))
            after = decoding(files[UNCOUNTED:])
            alone, cpu_alone = ((a + b) / 2 for a, b in zip(before, after, strict=True))
            ratios.append(seconds / alone)
            cpu_ratios.append(cpu / cpu_alone)
            rates.append((len(files) - UNCOUNTED) / seconds)
            decodes.append(1000 * cpu_alone / (len(files) - UNCOUNTED))
        outcomes = [row.outcome.value for row in session.history.rows[first:]]
        assert "error" not in outcomes
    return {
        "references": count,
        "images_per_second": statistics.median(rates),
        "ratio_to_decode": statistics.median(ratios),
        "best_ratio": min(ratios),
        "cpu_ratio": statistics.median(cpu_ratios),
        "decode_cpu_ms": statistics.median(decodes),
        "peak_anonymous_mb": round(peak[0]),
        "parts": len(outcomes),
        "passed": outcomes.count("pass"),
    }


def set_limit(session: "Session") -> None:
    """Let one in ten of the parts judged so far fail."""
    scores = [row.score for row in session.history.rows if row.score is not None]
    session.limits.preview(float(np.quantile(scores, 1 - 1 / DEFECTIVE)))
    shown = session.limits.shown
    assert shown is not None
    session.limits.save(shown)
    until(lambda: session.limits.saved is not None and session.limits.saved.id is not None)


def judging(session: "Session", source: object, count: int) -> tuple[float, float]:
    """Have a folder judged; return seconds, and those of the processor, of the counted parts."""
    from inspector_gui.feed.source import FrameSource

    at: list[tuple[float, float]] = []

    def stored(_: "InspectionRow") -> None:
        at.append((time.perf_counter(), time.process_time()))

    session.history.added.connect(stored)
    feed: FrameSource = source  # type: ignore[assignment]
    session.start_feed(feed)
    until(lambda: len(at) == count)
    session.feeds.stop()
    session.history.added.disconnect(stored)
    first, last = at[UNCOUNTED - 1], at[-1]
    return last[0] - first[0], last[1] - first[1]


def decoding(files: list[Path]) -> tuple[float, float]:
    """Decode files in two threads; return the seconds, and those of the processor."""
    from inspector_gui.core.opencv import cv2

    def decode(file: Path) -> object:
        return cv2.imdecode(np.frombuffer(file.read_bytes(), np.uint8), cv2.IMREAD_COLOR)

    with ThreadPoolExecutor(THREADS) as pool:
        began, cpu = time.perf_counter(), time.process_time()
        for image in pool.map(decode, files):
            assert image is not None
        return time.perf_counter() - began, time.process_time() - cpu


def write_parts(folder: Path, source: Path, number: int) -> Path:
    """Write the parts of a round where they are missing; returns their folder."""
    from inspector_gui.core.images import encode_png, list_images

    goods = list_images([source / "test" / "good"])
    kinds = [k for k in sorted((source / "test").iterdir()) if k.is_dir() and k.name != "good"]
    bads = list_images(kinds)
    if not (folder / "whole").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for part in range(PARTS + UNCOUNTED):
            files = bads if part % DEFECTIVE == DEFECTIVE - 1 else goods
            seed = 1_000_000 + number * 1000 + part
            image = varied(files[(number * PARTS + part) % len(files)], seed)
            (folder / f"{part:03d}.png").write_bytes(encode_png(image))
        (folder / "whole").touch()
    return folder


def varied(file: Path, seed: int) -> RGB:
    """Return a photograph enlarged, turned, moved and lit: uint8, 1024 x 1024 x 3."""
    from inspector_gui.core.images import read_image
    from inspector_gui.core.opencv import cv2

    image, random = read_image(file), np.random.default_rng(seed)
    height, width = image.shape[:2]
    scale = SIDE / min(height, width)
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), random.uniform(-2, 2), scale)
    turn[:, 2] += SIDE / 2 - np.array([width, height]) / 2 + random.uniform(-8, 8, size=2)
    edge = cv2.BORDER_REFLECT_101
    moved = cv2.warpAffine(image, turn, (SIDE, SIDE), flags=cv2.INTER_CUBIC, borderMode=edge)
    lit = moved * np.float32(random.uniform(0.97, 1.03))
    return np.clip(np.rint(lit), 0, 255).astype(np.uint8)


def recipe() -> "Scoring":
    """Return the default recipe with the input that references of this size choose."""
    from inspector_gui.core.input_size import fitted
    from inspector_gui.session.session import default_scoring

    return fitted(default_scoring(), [(SIDE, SIDE)])


def set_name(count: int) -> str:
    """Return the name of a set; another default recipe gets another one."""
    return f"{count} by {recipe().key}"


def done(place: Path) -> list[str]:
    """Return the names of the sets that are ready."""
    return _listed(place / "sets.json")


def names(place: Path) -> list[str]:
    """Return the hashes of the references that there are, in the order of their numbers."""
    return _listed(place / "references.json")


def _listed(file: Path) -> list[str]:
    if not file.exists():
        return []
    found: list[str] = json.loads(file.read_text())
    return found


def put_back(place: Path) -> None:
    """Forget what was judged: the database as it was built, and no picture of a part."""
    workspace = place / "workspace"
    if not (place / "built.db").exists():
        shutil.rmtree(workspace, ignore_errors=True)
        for name in ("sets.json", "references.json"):
            (place / name).unlink(missing_ok=True)
        return
    for file in workspace.glob("inspector.db*"):
        file.unlink()
    shutil.copy(place / "built.db", workspace / "inspector.db")
    kept = set(names(place))
    for file in (workspace / "images").rglob("*.png"):
        if file.stem not in kept:
            file.unlink()


@contextmanager
def opened(place: Path, count: int) -> Iterator["Session"]:
    """Start a session on the workspace with one of its sets, ready to judge."""
    from PySide6.QtCore import QCoreApplication

    from inspector_gui.app import set_up_process
    from inspector_gui.session import Session
    from inspector_gui.session.session import Readiness

    application = QCoreApplication.instance() or QCoreApplication([])
    assert application is not None
    set_up_process()
    session = Session()
    session.noticed.connect(lambda sentence: print(sentence, file=sys.stderr))
    session.start()
    try:
        session.open_workspace(place / "workspace")
        until(lambda: session.references.sets)
        wanted = next(s for s in session.references.sets if s.name == set_name(count))
        session.references.select(wanted.id)
        until(lambda: session.references.current == wanted)
        until(lambda: session.readiness is Readiness.READY)
        yield session
    finally:
        assert session.stop()


def until_quiet(session: "Session") -> None:
    """Wait until the engine has nothing left to do beside judging."""
    from inspector_gui.workers.engine_state import Phase

    busy = 1.0
    while busy > _QUIET or session.engine_state.phase is not Phase.READY:
        began = time.process_time()
        ends = time.monotonic() + 1
        until(lambda ends=ends: time.monotonic() > ends)  # type: ignore[misc]
        busy = time.process_time() - began


def until(holds: Callable[[], object]) -> None:
    """Let the session run until something holds."""
    from PySide6.QtCore import QEventLoop, QTimer

    loop = QEventLoop()
    timer = QTimer()
    timer.setInterval(5)
    timer.timeout.connect(lambda: loop.quit() if holds() else None)
    timer.start()
    if not holds():
        loop.exec()
    timer.stop()


@contextmanager
def anonymous_peak() -> Iterator[list[float]]:
    """Watch the resident memory of this process that is no file's; the largest in 10^6 bytes."""
    peak, is_over = [0.0], threading.Event()

    def watch() -> None:
        while not is_over.wait(0.01):
            peak[0] = max(peak[0], anonymous_mb())

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peak
    finally:
        is_over.set()
        thread.join()


def anonymous_mb() -> float:
    """Return the resident memory of this process that is no file's."""
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(s.split()[1]) for s in status if s.startswith("RssAnon:")) * 1024 / 1e6


if __name__ == "__main__":
    main()
