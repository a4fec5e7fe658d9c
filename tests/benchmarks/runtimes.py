"""Feature extraction: OpenVINO against torch eager, the same network on the same CPU."""

from collections.abc import Callable
from dataclasses import replace

from table import median_seconds, options, photographs, show

from inspector_gui import paths
from inspector_gui.core.features import Extractor
from inspector_gui.core.types import RGB, Scoring


def main() -> None:
    """Measure lite0 at its default size, one picture at a time, preprocessing included."""
    given = options(__doc__ or "")
    pictures = photographs(8)
    rows: list[dict[str, object]] = []
    extractors = {
        runtime: Extractor(
            replace(Scoring(), runtime=runtime),
            weights_folder=paths.weights_folder(),
            cache=paths.networks_folder(),
        )
        for runtime in ("torch", "openvino")
    }
    for what, work in (("network alone", _network), ("picture to pyramid", _extraction)):
        seconds = {
            runtime: median_seconds(work(extractor, pictures), rounds=given.rounds) / len(pictures)
            for runtime, extractor in extractors.items()
        }
        rows += [
            {
                "backbone": Scoring().backbone,
                "measured": what,
                "device": extractors[runtime].device,
                "ms_per_image": 1000 * value,
                "speed_ratio": seconds["torch"] / value,
            }
            for runtime, value in seconds.items()
        ]
    show("Features of one 224 x 224 picture at a time, torch eager = 1", rows, given.json)


def _extraction(extractor: Extractor, pictures: list[RGB]) -> Callable[[], object]:
    return lambda: [extractor.extract(picture) for picture in pictures]


def _network(extractor: Extractor, pictures: list[RGB]) -> Callable[[], object]:
    batches = [extractor.prepare(picture) for picture in pictures]
    return lambda: [extractor.network.run(batch) for batch in batches]


if __name__ == "__main__":
    main()
