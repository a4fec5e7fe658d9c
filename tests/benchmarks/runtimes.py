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
    seconds = {}
    for runtime in ("torch", "openvino"):
        extractor = Extractor(
            replace(Scoring(), runtime=runtime),
            weights_folder=paths.weights_folder(),
            cache=paths.networks_folder(),
        )
        work = _work(extractor, pictures)
        seconds[extractor.device] = median_seconds(work, rounds=given.rounds) / len(pictures)
    slowest = max(seconds.values())
    rows: list[dict[str, object]] = [
        {
            "backbone": Scoring().backbone,
            "device": device,
            "ms_per_image": 1000 * value,
            "speed_ratio": slowest / value,
        }
        for device, value in seconds.items()
    ]
    show("Features of one picture (decoded RGB to pyramid)", rows, given.json)


def _work(extractor: Extractor, pictures: list[RGB]) -> Callable[[], object]:
    return lambda: [extractor.extract(picture) for picture in pictures]


if __name__ == "__main__":
    main()
