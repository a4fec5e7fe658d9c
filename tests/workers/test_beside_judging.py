from collections.abc import Sequence
from dataclasses import replace

import pytest

from inspector_gui.core.types import EXACT_ONLY, Floats, ReferenceImage, Scoring
from inspector_gui.store.features_cache import open_store
from inspector_gui.workers.beside_job import BesideJob
from inspector_gui.workers.health_work import Assessment
from tests.drawn import png, sha
from tests.workers.bench import DN2, SPADE, Bench

PATCHCORE = Scoring(method="patchcore", k=2, size=96)


def test_other_pictures_are_scored_beside_and_never_join_the_gallery(bench: Bench) -> None:
    names = sorted(bench.files)
    bench.files |= {sha(png(20)): png(20), sha(png(21, defect="dent")): png(21, defect="dent")}
    others = tuple(name for name in bench.files if name not in names)
    bench.engine.configure(replace(bench.setup(hashes=names), others=others))
    bench.until(lambda: [c for c in bench.calibrations if c.is_others])
    references, (found,) = bench.calibrations[0], [c for c in bench.calibrations if c.is_others]
    assert set(references.scores) == set(names)
    assert set(found.scores) == set(others)
    bench.submit("20", seed=20)
    bench.until(lambda: bench.inspections)
    assert bench.inspections[0].scores.image == found.scores[sha(png(20))] > 0
    assert set(bench.inspections[0].nearest) <= set(names)
    pooled = bench.inspections[0].scores.pooled
    assert pooled is not None
    with open_store(bench.folder, DN2) as store:
        assert (store.gallery([sha(png(20))]).pooled[0] == pooled).all()


def test_a_part_does_not_wait_for_pictures_that_are_no_references(bench: Bench) -> None:
    names = sorted(bench.files)
    late = {sha(png(seed)): png(seed) for seed in range(20, 40)}
    bench.files |= late
    bench.engine.configure(replace(bench.setup(hashes=names), others=tuple(late)))
    bench.until_ready()
    bench.submit("part")
    bench.until(lambda: bench.inspections)
    assert not [c for c in bench.calibrations if c.is_others]
    bench.until(lambda: [c for c in bench.calibrations if c.is_others])


def test_another_picture_that_is_missing_is_named_and_the_rest_scored(bench: Bench) -> None:
    names = sorted(bench.files)
    bench.files[sha(png(20))] = png(20)
    others = (sha(png(99)), sha(png(20)))
    bench.engine.configure(replace(bench.setup(hashes=names), others=others))
    bench.until(lambda: [c for c in bench.calibrations if c.is_others])
    assert set(bench.calibrations[-1].scores) == {sha(png(20))}
    assert bench.notices == [f"The picture {sha(png(99))[:12]} is missing. It is left out."]


def test_a_large_gallery_gets_an_index_beside_judging_unless_that_is_refused(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inspector_gui.core.index.LATENCY_BUDGET", 1e-9)
    bench.files = {sha(png(seed)): png(seed) for seed in range(120)}
    refusing = replace(DN2, search=EXACT_ONLY)
    bench.engine.configure(bench.setup(refusing))
    bench.until_ready()
    assert bench.states[-1].search == "exact"
    bench.engine.configure(bench.setup())
    bench.until(lambda: "index is being built" in bench.states[-1].search)
    bench.submit("meanwhile", seed=7)
    bench.until(lambda: "meanwhile" in bench.names)
    bench.until(lambda: bench.states[-1].search.startswith("approximate"))
    bench.submit("by index", seed=7)
    bench.until(lambda: "by index" in bench.names)
    exactly, by_index = bench.inspections
    assert by_index.nearest == exactly.nearest
    assert by_index.scores.image == exactly.scores.image
    bench.engine.configure(bench.setup(refusing))
    bench.until(lambda: bench.states[-1].search == "exact")
    assert bench.notices == []


def test_an_index_that_cannot_be_built_is_said_once_and_search_stays_exact(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inspector_gui.core.index.LATENCY_BUDGET", 1e-9)
    bench.engine.configure(bench.setup())  # eight references: the child refuses
    bench.until(lambda: bench.notices)
    bench.submit("part")
    bench.until(lambda: bench.inspections)
    assert "exact" in bench.notices[0]
    bench.engine.configure(bench.setup(count=7))
    bench.submit("later")
    bench.until(lambda: len(bench.inspections) == 2)
    bench.qtbot.wait(200)
    assert len(bench.notices) == 1
    assert bench.states[-1].search == "exact"


def test_the_health_of_a_set_follows_it_and_compares_only_what_is_new(bench: Bench) -> None:
    found: list[Assessment] = []
    bench.engine.assessed.connect(found.append)

    def images(count: int) -> tuple[ReferenceImage, ...]:
        names = bench.setup(count=count).hashes
        return tuple(ReferenceImage(n, 1, name, f"{n}.png") for n, name in enumerate(names))

    first = replace(bench.setup(count=7), images=images(7), health_key="seven")
    bench.engine.configure(first)
    bench.until(lambda: found)
    table = bench.engine._health._table
    added: list[str] = []
    assert table is not None
    real = table.add

    def add(key: str, vector: Floats, *, counts: bool = True) -> None:
        added.append(key)
        real(key, vector, counts=counts)

    table.add = add  # type: ignore[method-assign]
    second = replace(bench.setup(count=8), images=images(8), health_key="eight")
    bench.engine.configure(second)
    bench.until(lambda: len(found) == 2)
    assert added == list(set(second.hashes) - set(first.hashes))
    assert [a.key for a in found] == ["seven", "eight"]
    assert [len(a.report.scores) for a in found] == [7, 8]
    bench.engine.configure(first)
    bench.until(lambda: len(found) == 3)
    assert found[2].report.scores == found[0].report.scores


@pytest.mark.parametrize(("scoring", "compiles"), [(SPADE, True), (PATCHCORE, False), (DN2, False)])
def test_the_quick_search_is_prepared_for_spade_alone(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, scoring: Scoring, compiles: bool
) -> None:
    begun: list[str] = []

    def begin(_: BesideJob, arguments: Sequence[str], _what: str) -> bool:
        begun.append(arguments[0])
        return False

    found: list[Assessment] = []
    bench.engine.assessed.connect(found.append)
    monkeypatch.setattr(BesideJob, "begin", begin)
    monkeypatch.setattr("inspector_gui.core.compiled.is_compiled", lambda: False)
    bench.engine.configure(replace(bench.setup(scoring), health_key="all"))
    bench.until_ready()
    bench.until(lambda: found)
    bench.until(lambda: begun) if compiles else bench.qtbot.wait(200)
    assert ("compile" in begun) == compiles


def test_where_the_quick_search_cannot_be_prepared_a_large_gallery_gets_its_index_all_the_same(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = BesideJob.begin

    def begin(self: BesideJob, arguments: Sequence[str], what: str) -> bool:
        return arguments[0] != "compile" and real(self, arguments, what)

    monkeypatch.setattr(BesideJob, "begin", begin)
    monkeypatch.setattr("inspector_gui.core.compiled.is_compiled", lambda: False)
    monkeypatch.setattr("inspector_gui.core.index.LATENCY_BUDGET", 1e-9)
    bench.files = {sha(png(seed)): png(seed) for seed in range(110)}
    bench.engine.configure(bench.setup(SPADE))
    bench.until(lambda: bench.states and bench.states[-1].search.startswith("approximate"), 60)
