import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inspector_gui.core.types import (
    RGB,
    Frame,
    Outcome,
    Scoring,
    Source,
)
from inspector_gui.store.features_cache import open_store
from inspector_gui.workers.engine_state import Phase
from tests.drawn import picture, png, sha
from tests.workers.bench import DN2, LIMITS, SPADE, Bench


@pytest.mark.parametrize("scoring", [DN2, SPADE])
def test_a_part_is_judged_once_features_and_limits_are_there(
    bench: Bench, scoring: Scoring
) -> None:
    bench.engine.configure(bench.setup(scoring, limits=None))
    bench.submit("waits")
    bench.until(lambda: bench.calibrations)
    assert bench.phases[:2] == [Phase.LOADING, Phase.INDEXING]
    assert set(bench.calibrations[0].scores) == set(bench.files)
    assert all(score > 0 for score in bench.calibrations[0].scores.values())
    assert bench.inspections == []
    bench.engine.set_limits(LIMITS)
    bench.until(lambda: bench.inspections)
    (inspection,) = bench.inspections
    assert inspection.scores.image > 0
    assert inspection.decision.outcome is Outcome.PASS
    assert set(inspection.nearest) <= set(bench.files)
    assert {"features"} < set(inspection.scores.timings)
    assert (inspection.scores.patches is not None) == (scoring is SPADE)
    bench.until_ready()


def test_a_reference_is_its_own_nearest_so_rows_and_hashes_fit(bench: Bench) -> None:
    bench.engine.configure(bench.setup())
    for seed in range(8):
        bench.submit(f"{seed}", seed=seed)
    bench.until(lambda: len(bench.inspections) == 8)
    for seed, inspection in enumerate(bench.inspections):
        assert inspection.nearest[0] == sha(png(seed))


def test_one_reference_more_takes_effect_on_the_next_part(
    bench: Bench, extracted: list[RGB]
) -> None:
    bench.engine.configure(bench.setup(count=7))
    bench.submit("before", seed=7)
    bench.until(lambda: bench.inspections)
    bench.until_ready()
    computed = len(extracted)
    bench.engine.configure(bench.setup(count=8))
    bench.submit("after", seed=7)
    bench.until(lambda: len(bench.inspections) == 2)
    before, after = bench.inspections
    assert before.scores.image > after.scores.image
    assert after.nearest[0] == sha(png(7))
    assert len(extracted) == computed + 2  # the new reference and the part


def test_leave_one_out_scores_are_those_of_the_others_alone(bench: Bench) -> None:
    bench.engine.configure(bench.setup(limits=None))
    bench.until(lambda: bench.calibrations)
    left_out = sha(png(3))
    others = [name for name in sorted(bench.files) if name != left_out]
    bench.engine.configure(bench.setup(hashes=others))
    bench.submit("3", seed=3)
    bench.until(lambda: bench.inspections)
    assert bench.inspections[0].scores.image == bench.calibrations[0].scores[left_out]


def test_after_a_restart_no_feature_is_computed_again(bench: Bench, extracted: list[RGB]) -> None:
    bench.engine.configure(bench.setup())
    bench.until(lambda: bench.calibrations)
    bench.stop()
    assert len(extracted) == len(bench.reads) == 8
    scores = bench.calibrations[0].scores
    bench.engine = bench.start()
    bench.engine.configure(replace(bench.setup(), known_scores=scores))
    bench.states.clear()
    bench.until_ready()
    bench.submit("part")
    bench.until(lambda: bench.inspections)
    assert len(extracted) == 9
    assert len(bench.reads) == 8
    assert len(bench.calibrations) == 1
    with open_store(bench.folder, DN2) as store:
        assert len(store) == 8


def test_other_limits_count_from_the_next_part_and_run_nothing(
    bench: Bench, extracted: list[RGB]
) -> None:
    bench.engine.configure(bench.setup())
    bench.submit("lenient")
    bench.until(lambda: bench.inspections)
    bench.until_ready()
    computed = len(extracted)
    bench.engine.set_limits(replace(LIMITS, unsure_from=1e-6, fail_from=1e-6))
    bench.submit("strict")
    bench.until(lambda: len(bench.inspections) == 2)
    lenient, strict = bench.inspections
    assert lenient.scores.image == strict.scores.image
    assert lenient.decision.outcome is Outcome.PASS
    assert strict.decision.outcome is Outcome.FAIL
    assert len(extracted) == computed + 1


def test_an_ad_hoc_part_overtakes_the_feed(bench: Bench) -> None:
    bench.submit("feed")
    bench.submit("ad hoc", source=Source.AD_HOC)
    bench.engine.configure(bench.setup())
    bench.until(lambda: len(bench.inspections) == 2)
    assert bench.names == ["ad hoc", "feed"]


def test_of_a_live_source_only_the_newest_waits(bench: Bench) -> None:
    for n in range(5):
        bench.engine.submit(Frame(f"{n}", picture(99), Source.CAMERA, 0.0), True)
    bench.engine.configure(bench.setup())
    bench.until(lambda: bench.inspections)
    bench.until_ready()
    assert bench.names == ["4"]
    assert bench.engine.live.dropped == 4


def test_forgotten_frames_are_not_judged(bench: Bench) -> None:
    bench.submit("feed")
    bench.submit("ad hoc", source=Source.AD_HOC)
    bench.engine.forget_frames()
    bench.engine.configure(bench.setup())
    bench.until(lambda: bench.inspections)
    bench.until_ready()
    assert bench.names == ["ad hoc"]


def test_forgetting_frames_at_any_moment_never_hurts(bench: Bench) -> None:
    bench.engine.configure(bench.setup())
    bench.until_ready()
    for n in range(300):
        bench.submit(f"{n}")
        bench.engine.forget_frames()
    bench.submit("last")
    bench.until(lambda: bench.names[-1:] == ["last"])
    assert bench.notices == []


def test_a_missing_reference_is_named_and_judging_goes_on_without_it(bench: Bench) -> None:
    gone = sha(png(2))
    names = sorted(bench.files)
    del bench.files[gone]
    bench.engine.configure(bench.setup(hashes=names))
    bench.submit("2", seed=2)
    bench.until(lambda: bench.inspections)
    assert bench.notices == [f"The picture {gone[:12]} is missing. It is left out."]
    assert gone not in bench.inspections[0].nearest
    bench.until(lambda: bench.calibrations)
    assert set(bench.calibrations[0].scores) == set(bench.files)
    bench.submit("3", seed=3)
    bench.until(lambda: len(bench.inspections) == 2)
    assert bench.inspections[1].nearest[0] == sha(png(3))


def test_a_damaged_reference_is_named_and_judging_goes_on_without_it(bench: Bench) -> None:
    damaged = sha(png(2))
    bench.files[damaged] = b"nothing"
    bench.engine.configure(bench.setup())
    bench.submit("part")
    bench.until(lambda: bench.inspections)
    assert len(bench.notices) == 1
    assert damaged[:12] in bench.notices[0]
    assert "not a picture" in bench.notices[0]


def test_where_too_few_references_are_readable_that_is_said_and_parts_are_refused(
    bench: Bench,
) -> None:
    names = sorted(bench.files)
    bench.files = dict(list(bench.files.items())[:4])
    bench.engine.configure(bench.setup(hashes=names))
    bench.submit("part")
    bench.until(lambda: bench.rejected)
    assert bench.states[-1].phase is Phase.FAILED
    assert bench.rejected == [("part", bench.states[-1].reason)]
    assert "unreadable" in bench.states[-1].reason
    bench.files = {sha(png(seed)): png(seed) for seed in range(8)}
    bench.engine.configure(bench.setup())
    bench.submit("later")
    bench.until(lambda: bench.names == ["later"])


def test_a_part_that_breaks_the_network_is_refused_and_the_next_one_judged(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.engine.configure(bench.setup())
    bench.engine.submit(
        Frame("odd", np.zeros((8, 8), np.uint8), Source.FOLDER, 0.0),
        False,
    )
    bench.submit("part")
    bench.until(lambda: bench.inspections)
    ((name, reason),) = bench.rejected
    assert name == "odd"
    assert reason == bench.notices[0]
    assert "ValueError" in caplog.text


def test_an_unknown_network_is_a_sentence_and_another_setup_works_again(bench: Bench) -> None:
    bench.engine.configure(bench.setup(replace(DN2, backbone="no_such_network")))
    bench.until(lambda: bench.states and bench.states[-1].phase is Phase.FAILED)
    assert "no_such_network" in bench.states[-1].reason
    assert bench.notices == [bench.states[-1].reason]
    bench.engine.configure(bench.setup())
    bench.until_ready()


def test_it_stops_within_half_a_second_while_references_are_computed(bench: Bench) -> None:
    many = {sha(png(seed)): png(seed) for seed in range(60)}
    bench.files = many
    bench.engine.configure(bench.setup(replace(SPADE, size=224)))
    bench.until(lambda: bench.states and bench.states[-1].done > 3)
    assert bench.states[-1].phase is Phase.INDEXING
    assert bench.stop() < 0.5
    assert len(bench.reads) < len(many)


def test_it_stops_within_half_a_second_while_references_are_compared(bench: Bench) -> None:
    bench.files = {sha(png(seed)): png(seed) for seed in range(30)}
    bench.engine.configure(bench.setup(replace(SPADE, size=224), limits=None))
    bench.until(lambda: bench.states and bench.states[-1].phase is Phase.CALIBRATING)
    assert bench.stop() < 0.5
    assert bench.calibrations == []


def test_it_stops_within_half_a_second_while_a_part_is_judged(
    bench: Bench, extracted: list[RGB]
) -> None:
    bench.files = {sha(png(seed)): png(seed) for seed in range(8)}
    scoring = replace(SPADE, size=512, kappa=9)
    bench.engine.configure(bench.setup(scoring, limits=LIMITS))
    bench.until(lambda: bench.states and bench.states[-1].phase is Phase.CALIBRATING)
    computed = len(extracted)
    bench.submit("part")
    bench.until(lambda: len(extracted) > computed)
    assert bench.stop() < 0.5


CONVERTS = """
import json, sys, threading, time
from pathlib import Path
import warnings
warnings.simplefilter("error")
from PySide6.QtCore import QCoreApplication
from inspector_gui.core.types import Scoring
from inspector_gui.workers.engine import Engine, Phase
from inspector_gui.workers.gallery_work import Setup
application = QCoreApplication([])
engine, phases = Engine(), []
engine.state_changed.connect(lambda state: phases.append(state.phase.name))
engine.start()
scoring = Scoring(method="dn2", k=2, size=96)
engine.configure(Setup(1, scoring, (), "none", Path(sys.argv[1]), lambda sha: b""))
until = sys.argv[2]
deadline = time.monotonic() + 60
while until not in phases[1:] and "FAILED" not in phases and time.monotonic() < deadline:
    application.processEvents()
    time.sleep(0.01)
if until == "CONVERTING":
    time.sleep(1.0)
began = time.monotonic()
engine.ask_to_stop()
ended = engine.wait(began + 10)
print(json.dumps({"phases": phases, "torch": "torch" in sys.modules, "ended": ended,
                  "openvino": "openvino" in sys.modules, "seconds": time.monotonic() - began}))
"""


def converts(tmp_path: Path, until: str) -> dict[str, object]:
    """Run an engine without a converted network in a process of its own."""
    environment = {**os.environ, "INSPECTOR_CACHE": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", CONVERTS, str(tmp_path / "features"), until],
        env=environment, capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    found: dict[str, object] = json.loads(done.stdout)
    return found


@pytest.mark.slow
def test_a_missing_network_is_converted_by_a_child_so_torch_never_gets_in(tmp_path: Path) -> None:
    found = converts(tmp_path, "IDLE")
    assert "CONVERTING" in found["phases"]  # type: ignore[operator]
    assert "FAILED" not in found["phases"]  # type: ignore[operator]
    assert found["openvino"]
    assert not found["torch"]
    assert len(list((tmp_path / "cache" / "networks").glob("*.xml"))) == 1


@pytest.mark.slow
def test_stopping_during_the_conversion_takes_half_a_second_and_leaves_no_network(
    tmp_path: Path,
) -> None:
    found = converts(tmp_path, "CONVERTING")
    assert found["ended"]
    assert isinstance(found["seconds"], float)
    assert found["seconds"] < 0.6
    networks = tmp_path / "cache" / "networks"
    assert [p for p in networks.rglob("*") if p.suffix in (".xml", ".bin")] == []
