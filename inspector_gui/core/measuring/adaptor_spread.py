"""How much each dimension of the patch features varies before and after the adaptor (figure 4)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from inspector_gui.core.backbones import backbone
from inspector_gui.core.features import Gallery
from inspector_gui.core.neighbours import ShouldStop
from inspector_gui.core.simplenet.model import SimplenetModel
from inspector_gui.core.simplenet.patch_rows import patch_rows
from inspector_gui.core.simplenet.patches import patch_pooling
from inspector_gui.core.types import Floats, Progress

BINS = 40
_MOST_PICTURES = 100
_MOST_ROWS = 20_000


@dataclass(frozen=True, eq=False)
class AdaptorSpread:
    """Standard deviations over the patches of good parts: float32, one a dimension.

    `noise`: that of the noise, which is added after the adaptor.
    """

    before: Floats
    after: Floats
    noise: float

    def as_json(self) -> dict[str, object]:
        """Return the deviations, and histograms of both over edges of their own."""
        return {
            "dimensions": len(self.before),
            "noise": self.noise,
            "before": _as_json(self.before),
            "after": _as_json(self.after),
        }


def adaptor_spread(
    model: SimplenetModel,
    gallery: Gallery,
    *,
    report: Callable[[Progress], None] = lambda _: None,
    should_stop: ShouldStop = lambda: False,
) -> AdaptorSpread:
    """Measure a model's adaptor on some references, evenly spread; raises as `patch_rows`."""
    import torch

    from inspector_gui.core.simplenet.networks import Simplenet

    chosen = model.facts.scoring.training
    if chosen is None:
        raise ValueError(f"the model {model.facts.id} has no hyperparameters")
    pooling = patch_pooling(backbone(model.facts.scoring.backbone).channels, chosen)
    rows = range(0, len(gallery), -(-len(gallery) // _MOST_PICTURES))
    with patch_rows(gallery, rows, pooling, report=report, should_stop=should_stop) as patches:
        features = patches.sample(_MOST_ROWS)
    net = Simplenet(features.shape[1], chosen).eval()
    net.load(model.weights)
    with torch.inference_mode():
        adapted = net.adapt(torch.from_numpy(features)).numpy()
    return AdaptorSpread(_deviations(features), _deviations(adapted), model.facts.noise)


def _deviations(features: Floats) -> Floats:
    return np.asarray(np.std(features, axis=0, dtype=np.float64), np.float32)


def _as_json(deviations: Floats) -> dict[str, object]:
    counts, edges = np.histogram(deviations, BINS)
    return {
        "std": [float(value) for value in deviations],
        "edges": [float(edge) for edge in edges],
        "counts": [int(count) for count in counts],
    }
