from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from inspector_gui import paths
from inspector_gui.cli.shared_by_methods import Asked
from inspector_gui.cli.side_by_side import run_side_by_side
from inspector_gui.core.errors import KnownError
from inspector_gui.core.features import Extractor, FeatureList
from inspector_gui.core.images import decode
from inspector_gui.core.methods import scoring_for
from inspector_gui.core.methods.simplenet import Simplenet
from inspector_gui.core.sets.side_by_side import Candidate, Contender, SideBySide
from inspector_gui.core.simplenet.facts import ModelFacts
from inspector_gui.core.simplenet.hyperparameters import PRESETS
from inspector_gui.core.simplenet.model import SimplenetModel
from inspector_gui.core.types import Purpose, Scoring
from inspector_gui.feed.folder import FolderSource
from inspector_gui.store.model_files import ModelFiles
from inspector_gui.store.past_pictures import past_pictures
from inspector_gui.workers.recorder import Store
from tests.drawn import write_parts
from tests.session.desk import Desk
from tests.session.test_studies import Watched

BROKEN = Scoring(method="dn2", k=2, size=96, precision="int8", calibration="0" * 16)
"""A method whose network is nowhere."""


@pytest.fixture
def filled(desk: Desk, tmp_path: Path) -> Desk:
    """A desk with references, pictures of the other purposes, and four inspected parts."""
    desk.make_ready(8)
    references = desk.session.references
    for seeds, purpose, defect in (
        (range(20, 22), Purpose.VALIDATION, None),
        (range(30, 32), Purpose.BAD, "stain"),
    ):
        references.add(write_parts(tmp_path / purpose, seeds, defect=defect), purpose)
        desk.until(lambda: not references.is_importing)
    desk.until(lambda: len(desk.session.health.scores_of(Purpose.BAD)) == 2)
    write_parts(tmp_path / "feed", range(40, 42))
    write_parts(tmp_path / "feed", range(50, 52), defect="crack")
    desk.session.start_feed(FolderSource(tmp_path / "feed"))
    desk.until(lambda: len(desk.rows) == 4)
    desk.session.feeds.stop_all()
    return desk


def pictures(desk: Desk) -> list[Candidate]:
    """Return what the window would ask for: inspected parts, then those of the set."""
    rows = [row.id for row in desk.rows]
    past = desk.stored(lambda store: past_pictures(store.workspace, rows))
    of_set = [
        Candidate(image.name, image.sha256, purpose=purpose.name.lower())
        for purpose in (Purpose.VALIDATION, Purpose.BAD)
        for image in desk.current.of(purpose)
    ]
    return [*past, *of_set]


def begin(
    desk: Desk, contenders: list[Contender], parts: list[Candidate], folder: str = ""
) -> Watched:
    asked = {
        "methods": [asdict(one) for one in contenders],
        "parts": [asdict(one) for one in parts],
        "folder": folder,
    }
    return Watched(desk.session.studies.begin("side_by_side", asked))


def run(
    desk: Desk, contenders: list[Contender], parts: list[Candidate], folder: str = ""
) -> SideBySide:
    watched = begin(desk, contenders, parts, folder)
    desk.until(lambda: watched.results or watched.failures, 60)
    assert watched.failures == []
    assert watched.steps[-1].done == watched.steps[-1].total
    return SideBySide.from_json(watched.results[0])


def own(desk: Desk) -> Contender:
    return Contender("DN2", desk.current.scoring, True, desk.session.limits.saved)


def test_methods_judge_the_same_parts_as_the_window_does_and_change_nothing(
    filled: Desk, tmp_path: Path
) -> None:
    before, files = filled.current, sorted(filled.folder.rglob("*"))
    patchcore = Contender("PatchCore", scoring_for("patchcore", size=96))
    parts = pictures(filled)
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "broken.png").write_bytes(b"no picture")
    more = write_parts(tmp_path / "more", range(60, 61))
    write_parts(tmp_path / "more", range(40, 41))  # one that was inspected already
    found = run(
        filled,
        [own(filled), patchcore, Contender("Broken", BROKEN)],
        parts,
        str(tmp_path / "more"),
    )
    dn2, bank, broken = found.methods
    assert dn2.limits == filled.session.limits.saved
    assert bank.limits is not None
    assert "8 leave-one-out scores" in bank.limits.rule
    assert all(0 < (ran.seconds or 0) < 5 for ran in (dn2, bank))
    assert "int8" in broken.failure  # the others ran all the same
    names = [part.candidate.name for part in found.parts]
    assert len(names) == 9
    assert names[-1] == more[0].name
    assert found.gone == ("broken.png is not a picture, or it is damaged.",)
    of_row = {part.candidate.row_id: part for part in found.parts}
    for row in filled.rows:
        opinion = of_row[row.id].opinions[0]
        assert opinion is not None
        assert opinion.score == pytest.approx(row.score, rel=1e-5)
    known = filled.session.health.scores_of(Purpose.BAD)
    for part in found.parts:
        if part.candidate.purpose == "bad":
            assert part.opinions[0] is not None
            assert part.opinions[0].score == pytest.approx(known[part.candidate.sha256], rel=1e-5)
        assert part.opinions[2] is None
        assert part.opinions[1] is not None
        assert set(part.opinions[1].nearest) <= {image.sha256 for image in before.included}
    cracks = [part for part in found.parts if "crack" in part.candidate.name]
    assert all(found.decision(part, 1).outcome == "fail" for part in cracks)  # type: ignore[union-attr]
    assert filled.current == before
    assert [path for path in sorted(filled.folder.rglob("*")) if path not in files] == []


def test_parts_whose_pictures_are_gone_or_others_are_counted_and_left_out(
    filled: Desk, tmp_path: Path
) -> None:
    parts = pictures(filled)
    passed = [part for part in parts if part.path]
    assert len(passed) >= 2  # of passed parts of a folder no picture is kept
    Path(passed[0].path).unlink()
    Path(passed[1].path).write_bytes(write_parts(tmp_path / "x", range(70, 71))[0].read_bytes())
    other = Contender("SPADE", scoring_for("spade", size=96))
    found = run(filled, [own(filled), other], parts, str(tmp_path / "no folder"))
    assert len(found.parts) == len(parts) - 2
    assert len(found.gone) == 3
    assert "cannot be read" in found.gone[0]
    assert "is another picture by now" in found.gone[1]
    assert found.gone[2].startswith("no folder cannot be read")


def write_model(folder: Path, references: Sequence[str]) -> SimplenetModel:
    """Write a model with weights at random, of the shapes that lite0's levels 2 and 3 ask for."""
    values, hidden, rng = 40 + 112, 16, np.random.default_rng(0)
    weights = {
        "discriminator.0.weight": rng.normal(size=(hidden, values)),
        "discriminator.0.bias": rng.normal(size=hidden),
        "discriminator.1.weight": np.ones(hidden),
        "discriminator.1.bias": np.zeros(hidden),
        "discriminator.1.running_mean": np.zeros(hidden),
        "discriminator.1.running_var": np.ones(hidden),
        "discriminator.3.weight": rng.normal(size=(1, hidden)) / 10,
        "discriminator.3.bias": np.ones(1),
    }
    training = replace(PRESETS["fast"], adaptor="none", hidden=hidden)
    held_out = {sha: -0.2 * n for n, sha in enumerate(references[-3:], start=1)}
    facts = ModelFacts(
        "", 0.0, scoring_for("simplenet", size=96, training=training), 0.1,
        tuple(references[:-3]), held_out, (), 1.0,
    )  # fmt: skip
    model = SimplenetModel.of({n: v.astype(np.float32) for n, v in weights.items()}, facts)
    ModelFiles(folder).write(model)
    return model


def test_a_trained_model_takes_part_with_scores_below_zero_and_a_limit_from_held_out_parts(
    filled: Desk,
) -> None:
    references = [image.sha256 for image in filled.current.included]
    models = filled.folder / "models"
    models.mkdir()
    model = write_model(models, references)
    scoring = model.facts.scoring
    trained = Contender("SimpleNet", scoring)
    missing = Contender("Gone", replace(scoring, model="0" * 16))
    untrained = Contender("Untrained", replace(scoring, model=""))
    parts = [part for part in pictures(filled) if part.purpose]
    found = run(filled, [own(filled), trained, missing, untrained], parts)
    limits = found.methods[1].limits
    assert limits is not None
    assert "3 held-out scores" in limits.rule
    assert "is not in this workspace any more" in found.methods[2].failure
    assert "has no model for this set yet" in found.methods[3].failure

    # The set's own features are global ones alone; those of parts were computed whole.
    extractor = Extractor(
        scoring, weights_folder=paths.weights_folder(), cache=paths.networks_folder()
    )
    method = Simplenet(scoring)
    method.use(model)

    def score(sha256: str) -> float:
        features = extractor.extract(decode(filled.stored(partial(_read, sha256))))
        return method.score(features, FeatureList((features,))).image

    held_out = [score(sha) for sha in references[-3:]]
    assert limits.centre == pytest.approx(np.median(held_out), rel=1e-4, abs=1e-4)
    for part in found.parts:
        expected = score(part.candidate.sha256)
        assert part.opinions[1] is not None
        assert part.opinions[1].score == pytest.approx(expected, rel=1e-4, abs=1e-4)
        decision = found.decision(part, 1)
        assert decision is not None
        assert decision.multiple == pytest.approx(limits.relative(part.opinions[1].score))


def _read(sha256: str, store: Store) -> bytes:
    return store.workspace.images.read(sha256)


@pytest.mark.parametrize(
    ("methods", "parts", "sentence"),
    [
        (1, 1, "at least two methods"),
        (2, 0, "no part to compare"),
        (2, 1, "None of 1 pictures can be read"),
    ],
)
def test_what_cannot_be_compared_is_a_sentence(
    tmp_path: Path, methods: int, parts: int, sentence: str
) -> None:
    gone = Candidate("a.png", path=str(tmp_path / "a.png"))
    asked = Asked(
        (Contender("DN2", Scoring(method="dn2")),) * methods, (gone,) * parts, ("ab" * 32,) * 5,
        tmp_path / "features", tmp_path / "study",
    )  # fmt: skip
    with pytest.raises(KnownError, match=sentence):
        run_side_by_side(asked, lambda _: None)
