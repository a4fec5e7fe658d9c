"""Judging a folder while SimpleNet is trained on the same computer, against judging it alone.

Parts and set are those of `throughput.py` (1024 x 1024 PNG files, the default recipe). Folders are
judged in turn without a training and with one under way: `fast` on the set's references, whose
features are there already when counting begins. What the training does meanwhile is told as the
batches a second it gets through, with and without parts to judge.
"""

import argparse
import shutil
import statistics
import sys
import time
from pathlib import Path

import throughput
from filelock import FileLock
from table import show

REFERENCES = 200
FOLDERS = 3


def main() -> None:
    """Measure; the set is built first where it is missing."""
    from inspector_gui import paths
    from inspector_gui.core.compiled import code_folder, compile_search

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the figures as a list of objects")
    parser.add_argument("--references", type=int, default=REFERENCES)
    parser.add_argument("--folders", type=int, default=FOLDERS)
    parser.add_argument("--dataset", default="hazelnut_toy")
    parser.add_argument("--data", type=Path, default=throughput.DATA)
    given = parser.parse_args()
    compile_search(code_folder())
    name = f"throughput-{given.dataset}-{throughput.SIDE}"
    place = paths.cache_folder() / "benchmarks" / name
    place.mkdir(parents=True, exist_ok=True)
    with FileLock(place / "lock", timeout=0):
        throughput.build(place, given.data / given.dataset, given.references)
        row = measure(place, given.data / given.dataset, given.references, given.folders)
    show("judging while SimpleNet is trained", [row], given.json)


def measure(place: Path, source: Path, references: int, folders: int) -> dict[str, object]:
    """Judge folders alone and beside a training, by turns; return the row of the table."""
    from inspector_gui.core.methods import scoring_for
    from inspector_gui.core.simplenet.hyperparameters import hyperparameters_for
    from inspector_gui.feed.folder import FolderSource

    made = [
        throughput.write_parts(place / "parts" / f"{n}", source, n) for n in range(2 * folders + 1)
    ]
    throughput.put_back(place)
    shutil.rmtree(place / "workspace" / "models", ignore_errors=True)
    endless = hyperparameters_for("fast", {"epochs": 10_000})
    scoring = scoring_for("simplenet", training=endless)
    alone: list[float] = []
    beside: list[float] = []
    steps: list[float] = []
    with throughput.opened(place, references) as session:
        throughput.until_quiet(session)
        count = throughput.PARTS - throughput.UNCOUNTED
        throughput.judging(session, FolderSource(made[-1]), throughput.PARTS)
        throughput.set_limit(session)
        training = session.training
        training.start(scoring)
        throughput.until(lambda: training.is_training and bool(training.epochs))
        free = rate_of(training)
        for number in range(folders):
            training.pause()
            throughput.until(lambda: training.state.is_still)
            first, second = made[2 * number : 2 * number + 2]
            seconds, _ = throughput.judging(session, FolderSource(first), throughput.PARTS)
            alone.append(count / seconds)
            training.resume()
            throughput.until(lambda: training.is_training)
            done, began = training.progress.done, time.monotonic()  # type: ignore[union-attr]
            seconds, _ = throughput.judging(session, FolderSource(second), throughput.PARTS)
            beside.append(count / seconds)
            taken = training.progress.done - done  # type: ignore[union-attr]
            steps.append(taken / (time.monotonic() - began))
        training.cancel()
        throughput.until(lambda: training.run is None)
    return {
        "references": references,
        "alone_per_second": statistics.median(alone),
        "beside_per_second": statistics.median(beside),
        "share_kept": statistics.median(b / a for a, b in zip(alone, beside, strict=True)),
        "least_share_kept": min(b / a for a, b in zip(alone, beside, strict=True)),
        "batches_per_second_alone": free,
        "batches_per_second_beside": statistics.median(steps),
    }


def rate_of(training: object, seconds: float = 5.0) -> float:
    """Return the batches a second of a training that has the computer to itself."""
    done = training.progress.done  # type: ignore[attr-defined]
    began = time.monotonic()
    throughput.until(lambda: time.monotonic() - began > seconds)
    return (training.progress.done - done) / (time.monotonic() - began)  # type: ignore[attr-defined]


if __name__ == "__main__":
    sys.exit(main())
