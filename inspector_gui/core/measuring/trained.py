"""Many trained models measured on the same test pictures, whose features are computed once.

Nothing of a test picture is kept but the patch scores of every model, so memory does not grow with
features or with maps: pixel metrics are taken from patch scores, one model after the other.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from inspector_gui.core.errors import KnownError
from inspector_gui.core.features import Extractor, PooledGallery
from inspector_gui.core.images import UnreadableImage, read_image
from inspector_gui.core.measuring import metrics
from inspector_gui.core.measuring.class_data import Ints, LabelledPictures
from inspector_gui.core.measuring.datasets import Dataset
from inspector_gui.core.measuring.evaluation import Report, go_on
from inspector_gui.core.measuring.pixel_frame import map_on_frame, mask_on_frame
from inspector_gui.core.methods.simplenet import Simplenet
from inspector_gui.core.neighbours import ShouldStop
from inspector_gui.core.simplenet.model import SimplenetModel
from inspector_gui.core.types import RGB, Floats, Progress, Scoring

TEST_PICTURES = "test pictures"

Picture = Callable[[], RGB]


@dataclass(eq=False)
class Judged:
    """What one model says of test pictures.

    `rows`: which of the pictures were readable. `scores`: one a picture; `patches`: float32, h x w
    each.
    """

    rows: list[int] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    patches: list[Floats] = field(default_factory=list)
    sizes: list[tuple[int, int]] = field(default_factory=list)


def judged_by(
    models: Sequence[SimplenetModel],
    pictures: Sequence[Picture],
    extractor: Extractor,
    *,
    report: Report = lambda _: None,
    should_stop: ShouldStop = lambda: False,
) -> tuple[list[Judged], tuple[str, ...]]:
    """Return what every model says of the pictures, and why others were unreadable.

    Raises `KnownError` where none is readable, `Cancelled` once `should_stop` is true.
    """
    methods = []
    for model in models:
        methods.append(Simplenet(model.facts.scoring))
        methods[-1].use(model)
    found = [Judged() for _ in models]
    unreadable = []
    for done, picture in enumerate(pictures):
        go_on(should_stop)
        report(Progress(TEST_PICTURES, done, len(pictures)))
        try:
            image = picture()
        except UnreadableImage as error:
            unreadable.append(str(error))
            continue
        features = extractor.extract(image)
        # The nearest references count for nothing here; the picture itself stands for them.
        gallery = PooledGallery(features.pooled[None])
        for method, one in zip(methods, found, strict=True):
            scores = method.score(features, gallery)
            assert scores.patches is not None
            one.rows.append(done)
            one.scores.append(scores.image)
            one.patches.append(scores.patches)
            one.sizes.append((image.shape[0], image.shape[1]))
    report(Progress(TEST_PICTURES, len(pictures), len(pictures)))
    if unreadable and len(unreadable) == len(pictures):
        raise KnownError(f"No test picture is readable. {unreadable[0]}")
    return found, tuple(unreadable)


def pictures_of(dataset: Dataset) -> list[Picture]:
    """Return the test pictures of a data set, read when they are asked for."""
    return [partial(read_image, sample.path) for sample in dataset.test]


def pictures_among(labelled: LabelledPictures) -> list[Picture]:
    """Return labelled pictures, read when they are asked for."""
    return [partial(labelled.pictures.__getitem__, row) for row in range(len(labelled))]


def areas_on(judged: Judged, dataset: Dataset, scoring: Scoring) -> dict[str, float | None]:
    """Return image AUROC, pixel AUROC and AUPRO; None where unknown.

    Raises `KnownError` for a mask that does not fit its picture.
    """
    pixels = metrics.PixelMetrics()
    for place, row in enumerate(judged.rows):
        sample = dataset.test[row]
        if sample.mask is None and sample.is_bad:
            continue
        size = judged.sizes[place]
        mask = mask_on_frame(sample, scoring, size)
        pixels.add(map_on_frame(judged.patches[place], scoring, size), mask)
    found = pixels.result()
    bad = np.array([dataset.test[row].is_bad for row in judged.rows])
    return {
        "image_auroc": metrics.image_auroc(bad, np.array(judged.scores)),
        "pixel_auroc": found.auroc if found else None,
        "aupro": found.aupro if found else None,
    }


def area_of_class(judged: Judged, labels: Ints, normal: int) -> float | None:
    """Return the image AUROC where pictures of one class are good and all others bad."""
    return metrics.image_auroc(labels[judged.rows] != normal, np.array(judged.scores))
