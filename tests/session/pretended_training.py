"""A child that says and writes what `train` does without training: `FOLDER PLAN`, in JSON.

Quick, and it fails, hangs and is deaf when asked to.
"""

import json
import signal
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from inspector_gui.core.simplenet.facts import EpochFacts


def say(what: str, done: int, total: int) -> None:
    print(json.dumps({"what": what, "done": done, "total": total}), flush=True)


def facts_of(epoch: int, epochs: int) -> EpochFacts:
    """Return what is told of an epoch: always the same."""
    loss = 1 / epoch
    return EpochFacts(
        epoch, epochs, loss, 0.4 * loss, 0.6 * loss, (-1.0, 0.0, 1.0), (1, 9), (8, 2),
        (0.1 * loss, -0.2), 0.02 * epoch,
    )  # fmt: skip


def main(folder: Path, plan: dict[str, Any]) -> None:
    """Pretend to train; `plan` says at which epoch what happens."""
    asked = json.loads((folder / "request.json").read_bytes())
    epochs = asked["scoring"]["training"]["epochs"]
    checkpoint, events = folder / "checkpoint.json", folder / "events.jsonl"
    done = json.loads(checkpoint.read_bytes()) if checkpoint.exists() else 0

    def end(*_: object) -> None:
        if not plan.get("is_deaf"):
            checkpoint.write_text(json.dumps(done))
            raise SystemExit(130)

    signal.signal(signal.SIGTERM, end)
    say("features", 8, 8)
    if events.exists():
        events.write_text("".join(events.read_text().splitlines(keepends=True)[:done]))
    say("training", done, epochs)
    while done < epochs:
        if done == plan.get("fails_at"):
            sys.exit("The loss is no number any more; choose smaller rates.")
        time.sleep(0.01)
        done += 1
        with events.open("a") as file:
            file.write(json.dumps(facts_of(done, epochs).as_json()) + "\n")
        say("training", done, epochs)
        if done % 4 == 0:
            checkpoint.write_text(json.dumps(done))
        while done == plan.get("stands_at"):
            time.sleep(0.05)
    from tests.session.trained import write_model  # takes longer than all that comes before

    made = write_model(Path(asked["models_folder"]), asked)
    while plan.get("stands_at") == "model":
        say("training", done, epochs)
        time.sleep(0.05)
    (folder / "result.json").write_text(json.dumps({"model": made.id}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))
