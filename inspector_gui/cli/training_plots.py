"""Plots of the ablations of SimpleNet as PNG files, in the manner of its paper's figures."""

from collections.abc import Callable, Sequence

from inspector_gui.cli.plots import figure_of, png_of
from inspector_gui.core.measuring import training_ablation
from inspector_gui.core.measuring.adaptor_spread import BINS, AdaptorSpread
from inspector_gui.core.measuring.training_ablation import TrainedPoint

_METRICS = {"image_auroc": "image AUROC", "pixel_auroc": "pixel AUROC", "aupro": "AUPRO"}
_LABELS = {
    training_ablation.LEVELS: "levels",
    training_ablation.ADAPTOR: "adaptor",
    training_ablation.BACKBONE: "network",
    training_ablation.CLASSES: "class that is normal",
    training_ablation.LOSS: "loss",
}
_NUMBERS = {
    training_ablation.NOISE: "standard deviation of the noise",
    training_ablation.NEIGHBOURHOOD: "places on a side of the neighbourhood",
}


def draw_trainings(
    points: Sequence[TrainedPoint], spread: AdaptorSpread | None, dataset: str
) -> dict[str, bytes]:
    """Return a picture for every ablation as a PNG file, by the name it should have."""
    found = {}
    for ablation in training_ablation.ABLATIONS:
        chosen = [p for p in points if p.ablation == ablation and not p.failure]
        if not chosen:
            continue
        title = f"{dataset}: {ablation}"
        if ablation in _NUMBERS:
            found[ablation] = _curve(chosen, title, _NUMBERS[ablation])
        else:
            found[ablation] = _dots(chosen, title, _LABELS[ablation])
    if spread is not None:
        found["adaptor_spread"] = _spread(spread, f"{dataset}: before and after the adaptor")
    return found


def _dots(points: Sequence[TrainedPoint], title: str, label: str) -> bytes:
    figure, axes = figure_of(title, "%")
    axes.set_xlabel(label)
    names = _names(points)
    for metric, words in _METRICS.items():
        drawn = [
            (name, 100 * area)
            for name, point in zip(names, points, strict=True)
            if (area := point.areas[metric]) is not None
        ]
        if drawn:
            axes.plot(*zip(*drawn, strict=True), "o", label=words)
    axes.tick_params(axis="x", labelsize=7)
    axes.margins(0.1, 0.2)
    figure.legend(loc="outside lower center", ncols=len(_METRICS))
    return png_of(figure)


def _names(points: Sequence[TrainedPoint]) -> list[str]:
    """Return what points are called below their places; one name only once."""
    is_of_many = len({point.scoring.backbone for point in points}) > 1
    found = []
    for point in points:
        name = point.setting.replace(", ", ",\n").replace("_", "\n", 1)
        if is_of_many and point.ablation == training_ablation.CLASSES:
            name += f"\n{point.scoring.backbone}"
        found.append(name)
    return found


def _curve(points: Sequence[TrainedPoint], title: str, label: str) -> bytes:
    figure, axes = figure_of(title, "%")
    axes.set_xlabel(label)
    is_noise = points[0].ablation == training_ablation.NOISE
    place: Callable[[TrainedPoint], float] = lambda p: (  # noqa: E731
        float(p.noise or 0) if is_noise else float(p.setting)
    )
    if is_noise:
        axes.set_xscale("log")
    places = [place(point) for point in points]
    axes.set_xticks(places, [f"{value:.3g}" for value in places])
    axes.minorticks_off()
    for metric, words in _METRICS.items():
        drawn = [
            (place(point), 100 * area)
            for point in points
            if (area := point.areas[metric]) is not None
        ]
        if drawn:
            axes.plot(*zip(*drawn, strict=True), "o-", label=words)
    figure.legend(loc="outside lower center", ncols=len(_METRICS))
    return png_of(figure)


def _spread(spread: AdaptorSpread, title: str) -> bytes:
    figure, axes = figure_of(title, "dimensions")
    axes.set_xlabel("standard deviation over patches of good parts")
    ends = (0.0, max(float(spread.before.max()), float(spread.after.max())))
    for deviations, words in ((spread.before, "before"), (spread.after, "after")):
        axes.hist(deviations, bins=BINS, range=ends, alpha=0.6, label=words)
    axes.axvline(spread.noise, ls="--", color="0.5", label="noise")
    figure.legend(loc="outside lower center", ncols=len(_METRICS))
    return png_of(figure)
