"""Plots of ablations as PNG files: DN2's in the manner of its paper's figures, and SPADE's."""

import io
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from inspector_gui.core.measuring import ablation, map_ablation
from inspector_gui.core.measuring.ablation import ALL, Point
from inspector_gui.core.measuring.map_ablation import MapPoint

_INCHES, _DPI = (6.0, 4.0), 150
_OF_MAPS = {"image_auroc": "image AUROC", "pixel_auroc": "pixel AUROC", "aupro": "AUPRO"}


def draw(points: Sequence[Point], dataset: str) -> dict[str, bytes]:
    """Return a picture for every ablation as a PNG file, by the name it should have."""
    by: dict[str, list[Point]] = {}
    for point in points:
        if point.image_auroc is not None:
            by.setdefault(point.ablation, []).append(point)
    k = next((p.k for p in by.get(ablation.DEPTH, [])), 0)
    return {
        "depth": _bars(by.get(ablation.DEPTH, []), f"{dataset}: depth of the network, k = {k}"),
        "neighbours": _curves(
            {"": by.get(ablation.NEIGHBOURS, [])},
            f"{dataset}: number of neighbours",
            "neighbours k",
            is_log=True,
        ),
        "references": _curves(
            {"": by.get(ablation.REFERENCES, [])},
            f"{dataset}: number of references",
            "references",
            is_log=True,
        ),
        "impurity": _curves(
            {
                "as it is": by.get(ablation.IMPURITY, []),
                f"cleaned, {ablation.CLEAN:.0%} dropped": by.get(ablation.CLEANED, []),
            },
            f"{dataset}: impurity of the references",
            "share of bad pictures",
        ),
        "centroids": _curves(
            {"": by.get(ablation.CENTROIDS, [])},
            f"{dataset}: k-means centroids",
            "centroids",
            is_log=True,
        ),
    }


def draw_maps(points: Sequence[MapPoint], dataset: str) -> dict[str, bytes]:
    """Return the plots of SPADE's ablations as PNG files, by the name each should have."""
    by = {
        name: [point for point in points if point.ablation == name]
        for name in (map_ablation.LEVELS, map_ablation.NEAREST, map_ablation.RANDOM)
    }
    return {
        "levels": _by_levels(by[map_ablation.LEVELS], f"{dataset}: levels of the pyramid"),
        "neighbours": _by_k(by, f"{dataset}: K nearest references and K at random"),
    }


def _by_levels(points: Sequence[MapPoint], title: str) -> bytes:
    figure, axes = figure_of(title, "%")
    axes.set_xlabel("levels that are compared")
    for metric, label in _OF_MAPS.items():
        known = [(p.levels, p.mean(metric)) for p in points]
        drawn = [(levels, 100 * area) for levels, area in known if area is not None]
        if drawn:
            axes.plot(*zip(*drawn, strict=True), "o", label=label)
    axes.legend()
    return png_of(figure)


def _by_k(by: dict[str, list[MapPoint]], title: str) -> bytes:
    figure, axes = figure_of(title, "%")
    axes.set_xlabel("references K")
    axes.set_xscale("log")
    for number, (metric, label) in enumerate(_OF_MAPS.items()):
        for name, dashes in ((map_ablation.NEAREST, "-"), (map_ablation.RANDOM, "--")):
            known = [(p, p.mean(metric)) for p in by[name]]
            drawn = [(p, 100 * area) for p, area in known if area is not None]
            if drawn:
                axes.errorbar(
                    [float(p.k) for p, _ in drawn],
                    [area for _, area in drawn],
                    yerr=[100 * (p.spread(metric) or 0) for p, _ in drawn],
                    color=f"C{number}",
                    ls=dashes,
                    marker="o",
                    capsize=3,
                    label=label if dashes == "-" else f"{label}, at random",
                )
    axes.legend()
    return png_of(figure)


def _bars(points: Sequence[Point], title: str) -> bytes:
    figure, axes = figure_of(title)
    values = [100 * (point.image_auroc or 0) for point in points]
    names = [point.backbone.replace("_", "\n", 1) for point in points]
    axes.plot(names, values, "o")
    for name, value in zip(names, values, strict=True):
        axes.annotate(f"{value:.1f}", (name, value), (0, 6), textcoords="offset points")
    axes.margins(0.1, 0.2)
    axes.tick_params(axis="x", labelsize=8)
    return png_of(figure)


def _curves(
    curves: dict[str, list[Point]], title: str, label: str, *, is_log: bool = False
) -> bytes:
    """Draw a curve for each list of points; the point of all references is a dashed line."""
    figure, axes = figure_of(title)
    axes.set_xlabel(label)
    if is_log:
        axes.set_xscale("log")
    for name, points in curves.items():
        numbers = [p for p in points if not isinstance(p.setting, str)]
        axes.errorbar(
            [float(p.setting) for p in numbers],
            [100 * (p.image_auroc or 0) for p in numbers],
            yerr=[100 * (p.spread or 0) for p in numbers],
            marker="o",
            capsize=3,
            label=name or None,
        )
        for point in points:
            if point.setting == ALL:
                axes.axhline(
                    100 * (point.image_auroc or 0), ls="--", color="0.5", label="all references"
                )
    if axes.get_legend_handles_labels()[1]:
        axes.legend()
    return png_of(figure)


def figure_of(title: str, label: str = "image ROC-AUC %") -> tuple[Figure, Axes]:
    """Return an empty figure and its axes; `label` is that of the upright one."""
    figure = Figure(figsize=_INCHES, dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_title(title)
    axes.set_ylabel(label)
    axes.grid(alpha=0.3)
    return figure, axes


def png_of(figure: Figure) -> bytes:
    """Return a figure as a PNG file."""
    data = io.BytesIO()
    figure.savefig(data, format="png")
    return data.getvalue()
