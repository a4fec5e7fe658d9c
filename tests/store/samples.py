"""Pictures, features and inspections to remember."""

import hashlib
from pathlib import Path

import numpy as np

from inspector_gui.core.features import Features, FeatureShape
from inspector_gui.core.images import encode_png
from inspector_gui.core.types import (
    RGB,
    Decision,
    Frame,
    Inspection,
    Limits,
    Outcome,
    Scores,
    Scoring,
    Source,
)

LIMITS = Limits(
    centre=1.0, unsure_from=2.0, fail_from=3.0, pixel=0.5, rule="quantile", gallery="abcd"
)
SHAPE = FeatureShape(pooled=5, levels=((4, 4, 2), (2, 2, 3), (1, 1, 4)))


def picture(seed: int, height: int = 60, width: int = 200) -> RGB:
    values = np.random.default_rng(seed).integers(0, 256, (height // 20, width // 20, 3))
    return values.astype(np.uint8).repeat(20, axis=0).repeat(20, axis=1)


def picture_file(seed: int) -> bytes:
    return encode_png(picture(seed))


def sha(seed: int) -> str:
    return hashlib.sha256(str(seed).encode()).hexdigest()


def features(seed: int, shape: FeatureShape = SHAPE) -> Features:
    random = np.random.default_rng(seed)
    fine, middle, coarse = (random.random(s, np.float32) for s in shape.levels)
    return Features(random.random(shape.pooled, np.float32), (fine, middle, coarse))


def folder_frame(folder: Path, seed: int) -> Frame:
    path = folder / f"part{seed}.png"
    path.write_bytes(picture_file(seed))
    return Frame(
        path.name, picture(seed), Source.FOLDER, captured_at=10.0, path=path, data=path.read_bytes()
    )


def inspection(
    frame: Frame,
    set_id: int,
    *,
    outcome: Outcome = Outcome.FAIL,
    score: float = 2.5,
    scoring: Scoring | None = None,
    limits: Limits = LIMITS,
) -> Inspection:
    patches = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)
    return Inspection(
        frame=frame,
        set_id=set_id,
        scoring=scoring or Scoring(),
        scores=Scores(score, score / 2, (1, 0), patches, {"extract": 0.25}),
        limits=limits,
        decision=Decision(outcome, 0.75, "because"),
        nearest=(sha(1), sha(0)),
        judged_at=20.0,
    )
