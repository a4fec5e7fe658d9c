import threading
from dataclasses import replace

import pytest

from inspector_gui.core.features import Extractor, Features
from inspector_gui.core.types import RGB, Frame, Source
from inspector_gui.workers.engine_state import Phase
from tests.drawn import picture
from tests.workers.bench import SPADE, Bench


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[RGB, str]]:
    """The pictures that features are computed of, and in which thread."""
    seen: list[tuple[RGB, str]] = []
    real = Extractor.extract

    def extract(self: Extractor, image: RGB) -> Features:
        seen.append((image, threading.current_thread().name))
        return real(self, image)

    monkeypatch.setattr(Extractor, "extract", extract)
    return seen


def ready(bench: Bench) -> None:
    bench.engine.configure(bench.setup(SPADE))
    bench.until_ready()


def frames(count: int, source: Source = Source.FOLDER) -> list[Frame]:
    return [Frame(f"{n}", picture(90 + n), source, 0.0) for n in range(count)]


def test_parts_ahead_score_as_one_by_one_in_order_each_computed_once(
    bench: Bench, computed: list[tuple[RGB, str]]
) -> None:
    ready(bench)
    computed.clear()
    for frame in frames(6):
        bench.engine.submit(frame, False)
    bench.until(lambda: len(bench.inspections) == 6)
    assert bench.names == [f"{n}" for n in range(6)]
    assert {name.split("_")[0] for _, name in computed} == {"features ahead"}
    assert len(computed) == 6
    for n, frame in enumerate(frames(6)):
        bench.engine.submit(frame, False)
        bench.until(lambda n=n: len(bench.inspections) == 7 + n)  # type: ignore[misc]
    for ahead, alone in zip(bench.inspections[:6], bench.inspections[6:], strict=True):
        assert ahead.scores.image == alone.scores.image
        assert ahead.scores.patches is not None
        assert alone.scores.patches is not None
        assert (ahead.scores.patches == alone.scores.patches).all()


def test_of_a_live_source_nothing_is_computed_before_it_is_judged(
    bench: Bench, computed: list[tuple[RGB, str]]
) -> None:
    ready(bench)
    computed.clear()
    for frame in frames(8, Source.CAMERA):
        bench.engine.submit(frame, True)
    bench.until(lambda: bench.names[-1:] == ["7"])
    assert len(computed) == len(bench.inspections)
    assert not any(name.startswith("features ahead") for _, name in computed)
    assert bench.engine.live.dropped == 8 - len(bench.inspections)


def test_a_part_that_breaks_the_network_ahead_is_refused_alone(bench: Bench) -> None:
    ready(bench)
    good = frames(3)
    odd = Frame("odd", picture(1)[:, :, 0], Source.FOLDER, 0.0)
    for frame in (good[0], odd, *good[1:]):
        bench.engine.submit(frame, False)
    bench.until(lambda: len(bench.inspections) == 3)
    assert [name for name, _ in bench.rejected] == ["odd"]
    assert bench.names == ["0", "1", "2"]


def test_features_of_another_recipe_do_not_count(bench: Bench) -> None:
    ready(bench)
    for frame in frames(4):
        bench.engine.submit(frame, False)
    bench.engine.configure(bench.setup(replace(SPADE, size=128)))
    bench.until(lambda: len(bench.inspections) == 4)
    assert bench.names == ["0", "1", "2", "3"]
    for inspection in bench.inspections:
        assert inspection.scores.patches is not None
        assert len(inspection.scores.patches) == inspection.scoring.size // 4
    assert bench.inspections[-1].scoring.size == 128


def test_forgetting_in_the_middle_computes_no_more_and_the_next_part_is_judged(
    bench: Bench, computed: list[tuple[RGB, str]]
) -> None:
    ready(bench)
    computed.clear()
    for frame in frames(30):
        bench.engine.submit(frame, False)
    bench.engine.forget_frames()
    bench.submit("last")
    bench.until(lambda: bench.names[-1:] == ["last"])
    assert len(computed) < 30
    assert bench.names == [*(f"{n}" for n in range(len(bench.names) - 1)), "last"]
    assert bench.rejected == []


def test_the_thread_ends_with_the_engine_and_later_parts_do_no_harm(bench: Bench) -> None:
    ready(bench)
    for frame in frames(8):
        bench.engine.submit(frame, False)
    assert bench.stop() < 0.5
    assert not [t for t in threading.enumerate() if t.name.startswith("features ahead")]
    bench.submit("late")
    assert bench.states[-1].phase is Phase.READY
