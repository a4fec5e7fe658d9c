"""SPADE's search: ours by bounds against faiss and against one matrix product, same answers."""

import faiss
import numpy as np
from table import median_seconds, options, photographs, show

from inspector_gui import paths
from inspector_gui.core.features import Extractor
from inspector_gui.core.neighbours import nearest_places, pyramid_gallery
from inspector_gui.core.types import Floats, Scoring

Levels = tuple[Floats, Floats, Floats]


def main() -> None:
    """Compare one photograph with all places of 50 others, on the full finest grid."""
    given = options(__doc__ or "")
    extractor = Extractor(
        Scoring(), weights_folder=paths.weights_folder(), cache=paths.networks_folder()
    )
    features = [extractor.extract(picture) for picture in photographs(51)]
    query, references = features[0].levels, [f.levels for f in features[1:]]
    gallery = pyramid_gallery(references)
    index = faiss.IndexFlatL2(concatenated(query).shape[1])
    rows_all = np.concatenate([concatenated(r) for r in references])
    index.add(rows_all)
    ours = nearest_places(query, gallery)
    theirs = index.search(concatenated(query), 1)[0].reshape(ours.shape)
    worst = float(np.abs(ours - theirs).max() / theirs.max())
    rounds = max(3, given.rounds // 3)
    seconds = {
        "bounds (ours)": median_seconds(lambda: nearest_places(query, gallery), rounds=rounds),
        "faiss IndexFlatL2": median_seconds(
            lambda: index.search(concatenated(query), 1), rounds=rounds
        ),
        "numpy product": median_seconds(lambda: by_product(query, rows_all), rounds=rounds),
    }
    rows: list[dict[str, object]] = [
        {
            "search": name,
            "seconds": value,
            "ratio_to_ours": value / seconds["bounds (ours)"],
            "worst_relative_difference": worst,
        }
        for name, value in seconds.items()
    ]
    show("SPADE map, 56 x 56 places against 50 references", rows, given.json)


def concatenated(levels: Levels) -> Floats:
    """Return the 3136 x 176 features of all fine places, coarser levels repeated."""
    fine, middle, coarse = levels
    repeated = [fine, middle.repeat(2, 0).repeat(2, 1), coarse.repeat(4, 0).repeat(4, 1)]
    return np.ascontiguousarray(np.concatenate(repeated, axis=2).reshape(fine.shape[0] ** 2, -1))


def by_product(query: Levels, gallery: Floats) -> Floats:
    """Return the smallest distances by plain matrix products, in blocks of references."""
    q = concatenated(query)
    best = np.full(len(q), np.inf, np.float32)
    norms = np.einsum("nd,nd->n", q, q)[:, None]
    for start in range(0, len(gallery), 8192):
        block = gallery[start : start + 8192]
        distances = norms - 2 * (q @ block.T) + np.einsum("nd,nd->n", block, block)
        np.minimum(best, distances.min(axis=1), out=best)
    return best


if __name__ == "__main__":
    main()
