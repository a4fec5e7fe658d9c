"""What usual lots of one reference set look like, and how a lot of parts compares with them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from inspector_gui.core.calibration import MIN_REFERENCES, suggest_limits
from inspector_gui.core.decision import decide
from inspector_gui.core.errors import KnownError
from inspector_gui.core.lots.draws import (
    DRAWN_LOTS,
    Ints,
    draw_lots,
    exact_counts,
    pooled_lots,
    scores_of_new_draws,
    usual_counts,
)
from inspector_gui.core.lots.kinds import reach_of, spread_choice
from inspector_gui.core.lots.pooling import (
    Doubles,
    group_feature,
    group_scores,
    leave_one_out_groups,
)
from inspector_gui.core.lots.result import KindCount, LotResult, oddities_of, reason_of
from inspector_gui.core.types import Floats, Limits, Outcome

MIN_LOTS = 5
"""Fewer reference lots of a size than this judge nothing."""
LARGEST_LOT = 1000
_FORMAT = 1
_FEW_LOTS = 20
# Larger products are shared among threads, which wait for each other while the engine works.
_QUIET_PRODUCTS = 1 << 18
_LEAST_BLOCK = 32


@dataclass(frozen=True, eq=False)
class LotModel:
    """Usual lots of `size` parts, for DN2 on the mean of a lot's features.

    `kinds`: names, K. `shares`: float64, K, of the parts of usual lots. `members`: float32, N x D,
    features of references, `member_kinds`: int64, N; `reach`: float64, K, the squared distance to
    the nearest reference up to which a part is of its kind. `lots`: float32, L x D, features of
    usual lots of `size`, drawn ones or (not `is_drawn`) gathered ones; of all gathered ones
    `gathered`: float32, G x D, and `gathered_counts`: int64, G x K. `stated` is the size that a
    person gave with the proportions of drawn lots, `limits` are those of a lot's score. `gallery`
    and `scoring_key` name what it was made for.
    """

    kinds: tuple[str, ...]
    shares: Doubles
    size: int
    members: Floats
    member_kinds: Ints
    reach: Doubles
    lots: Floats
    limits: Limits
    is_drawn: bool
    gathered: Floats
    gathered_counts: Ints
    stated: int = 0
    scoring_key: str = ""
    seed: int = 0

    @property
    def gallery(self) -> str:
        """Fingerprint of the references it was made for."""
        return self.limits.gallery

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a person should know about how far to trust it."""
        if not self.is_drawn:
            few = f"Only {len(self.lots)} reference lots: the limit is a rough estimate."
            return (few,) if len(self.lots) < _FEW_LOTS else ()
        have = np.bincount(self.member_kinds, minlength=len(self.kinds))
        need = exact_counts(self.shares, self.size)
        if need is None:
            return ()
        return tuple(
            f"{kind}: {have[n]} references for {need[n]} in a lot; add more, so that lots drawn "
            "for comparison do not repeat parts."
            for n, kind in enumerate(self.kinds)
            if have[n] < 2 * need[n]
        )

    def of_size(self, size: int) -> "LotModel":
        """Return a model of the same references for lots of another size.

        Means of few parts vary more than means of many, so a lot is compared with lots of its own
        size. Gathered ones must be there; drawn ones are drawn anew (some tenths of a second).
        But a lot of less than twice the stated size that cannot have the stated proportions is
        held to be a usual lot with parts lost or added, and is compared with usual lots. Raises
        `KnownError` where there are too few gathered ones, or for a size below 1.
        """
        if size == self.size:
            return self
        if not 1 <= size <= LARGEST_LOT:
            raise KnownError(f"A lot has 1 to {LARGEST_LOT} parts, not {size}.")
        if self.is_drawn and self._is_damaged(size):
            return replace(self.of_size(self.stated), size=size)
        if self.is_drawn:
            return _with_drawn_lots(replace(self, size=size))
        return _with_gathered_lots(replace(self, size=size))

    def judge(self, features: Floats) -> LotResult:
        """Judge a lot by the features of its parts: float32, M x D with M = `size`.

        Fails from the limit of the lot's score on. Below it the lot is unsure where a kind is not
        as often in it as in usual lots, or a part is unlike every reference. What the parts'
        own decisions are does not matter. Raises `ValueError` for another shape.
        """
        if features.shape != (self.size, self.members.shape[1]):
            raise ValueError(
                f"expected {self.size} x {self.members.shape[1]} features, got {features.shape}"
            )
        score = float(group_scores(group_feature(features)[None], self.lots)[0])
        found = self.kinds_of(features)
        kinds = tuple(
            KindCount(kind, float(self.shares[n] * self.size), *usual, int((found == n).sum()))
            for n, (kind, usual) in enumerate(zip(self.kinds, self._usual, strict=True))
        )
        names = tuple("" if kind < 0 else self.kinds[kind] for kind in found)
        decision = decide(score, self.limits)
        oddities = oddities_of(kinds, names.count(""))
        if self.is_drawn and self.size != self.stated:
            parts = "1 part" if self.size == 1 else f"{self.size} parts"
            oddities = (f"{parts}, where a usual lot has {self.stated}", *oddities)
        outcome = decision.outcome
        if outcome is Outcome.PASS and oddities:
            outcome = Outcome.UNSURE
        multiple = self.limits.relative(score)
        return LotResult(score, multiple, outcome, kinds, names, reason_of(outcome, oddities))

    def kinds_of(self, features: Floats) -> Ints:
        """Return each part's kind, that of its nearest reference; -1 where that is far: int64, M.

        `features`: float32, M x D.
        """
        rows, shift, norms = self._products
        centred = features - shift
        step = max(_LEAST_BLOCK, _QUIET_PRODUCTS // max(centred.size, 1))
        blocks = (rows[start : start + step].T for start in range(0, len(rows), step))
        bounds = norms - 2 * np.concatenate([centred @ block for block in blocks], axis=1)
        nearest = bounds.argmin(axis=1)
        difference = self.members[nearest].astype(np.float64) - features.astype(np.float64)
        kinds = self.member_kinds[nearest]
        is_far = np.einsum("md,md->m", difference, difference) > self.reach[kinds]
        return np.where(is_far, -1, kinds)

    @cached_property
    def _products(self) -> tuple[Floats, Floats, Floats]:
        shift = self.members.mean(axis=0)
        rows = self.members - shift
        return rows, shift, np.einsum("nd,nd->n", rows, rows)

    @cached_property
    def _usual(self) -> tuple[tuple[int, int], ...]:
        """The fewest and the most of each kind in usual lots."""
        if not self.is_drawn:
            counts = self.gathered_counts[self.gathered_counts.sum(axis=1) == self.size]
            seen = list(zip(counts.min(axis=0).tolist(), counts.max(axis=0).tolist(), strict=True))
            if (counts == counts[0]).all():
                return tuple(seen)
            chance = [usual_counts(float(share), self.size) for share in self.shares]
            return tuple(
                (min(a[0], b[0]), max(a[1], b[1])) for a, b in zip(seen, chance, strict=True)
            )
        size = self.stated if self._is_damaged(self.size) else self.size
        exact = exact_counts(self.shares, size)
        if exact is not None:
            return tuple((int(n), int(n)) for n in exact)
        return tuple(usual_counts(float(share), self.size) for share in self.shares)

    def _is_damaged(self, size: int) -> bool:
        """Return whether a lot of this size can only be one with parts lost or added."""
        return size < 2 * self.stated and exact_counts(self.shares, size) is None

    def save(self, path: Path) -> None:
        """Write the model to a file of numpy arrays (npz)."""
        facts = {
            "format": _FORMAT,
            "kinds": self.kinds,
            "size": self.size,
            "limits": asdict(self.limits),
            "is_drawn": self.is_drawn,
            "stated": self.stated,
            "scoring_key": self.scoring_key,
            "seed": self.seed,
        }
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        with path.open("wb") as file:
            np.savez(file, allow_pickle=False, facts=np.array(json.dumps(facts)), **arrays)


_ARRAYS = ("shares", "members", "member_kinds", "reach", "lots", "gathered", "gathered_counts")


def load_model(path: Path) -> LotModel:
    """Read a model that `LotModel.save` wrote; nothing is unpickled. Raises `KnownError`."""
    try:
        with path.open("rb") as data, np.load(data, allow_pickle=False) as file:
            facts = json.loads(str(file["facts"]))
            arrays = {name: file[name] for name in _ARRAYS}
        if facts["format"] != _FORMAT:
            raise ValueError(f"format {facts['format']}")
        return LotModel(
            kinds=tuple(facts["kinds"]),
            size=facts["size"],
            limits=Limits(**facts["limits"]),
            is_drawn=facts["is_drawn"],
            stated=facts["stated"],
            scoring_key=facts["scoring_key"],
            seed=facts["seed"],
            **arrays,
        )
    except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile) as error:
        raise KnownError("What usual lots look like cannot be read; build it again.") from error


def build_model(
    pooled: Floats,
    kinds: Sequence[str],
    *,
    gallery: str,
    counts: Mapping[str, int] | None = None,
    lots: Sequence[Sequence[int]] | None = None,
    scoring_key: str = "",
    seed: int = 0,
) -> LotModel:
    """Make a model from references: from the lots they came in, or from lots drawn from them.

    `pooled`: float32, N x D, `kinds`: the name of each reference's kind, N. Either `lots`, rows of
    `pooled` that were one lot each, or `counts`, how many of which kind a lot has. `gallery` is
    the set's fingerprint. The same input and seed give the same model. Raises `KnownError` for too
    few references or lots, and for counts that no lot can have.
    """
    if len(pooled) < MIN_REFERENCES:
        raise KnownError(f"A lot check needs at least {MIN_REFERENCES} references.")
    if not np.isfinite(pooled).all():
        raise KnownError("The features of a reference are no numbers; compute them again.")
    names = tuple(dict.fromkeys([*(counts or {}), *sorted(set(kinds))]))
    all_kinds = np.array([names.index(kind) for kind in kinds], np.int64)
    rows = spread_choice(all_kinds, len(names), seed)
    members, member_kinds = np.ascontiguousarray(pooled[rows], np.float32), all_kinds[rows]
    nothing = Limits(0, 0, 0, 0, "", gallery)
    model = LotModel(
        kinds=names,
        shares=np.zeros(len(names)),
        size=0,
        members=members,
        member_kinds=member_kinds,
        reach=reach_of(members, member_kinds, len(names)),
        lots=np.empty((0, pooled.shape[1]), np.float32),
        limits=nothing,
        is_drawn=lots is None,
        gathered=np.empty((0, pooled.shape[1]), np.float32),
        gathered_counts=np.empty((0, len(names)), np.int64),
        scoring_key=scoring_key,
        seed=seed,
    )
    if lots is None:
        shares, size = _stated(names, counts or {}, set(kinds))
        return _with_drawn_lots(replace(model, shares=shares, size=size, stated=size))
    gathered = [np.asarray(lot, np.int64) for lot in lots if len(lot)]
    if not gathered:
        raise KnownError("No reference belongs to a lot; choose another way to tell lots apart.")
    sizes = np.bincount([len(lot) for lot in gathered])
    return _with_gathered_lots(
        replace(
            model,
            size=int(sizes.argmax()),
            gathered=np.stack([group_feature(pooled[lot]) for lot in gathered]),
            gathered_counts=np.stack(
                [np.bincount(all_kinds[lot], minlength=len(names)) for lot in gathered]
            ),
        )
    )


def _stated(
    names: Sequence[str], counts: Mapping[str, int], known: set[str]
) -> tuple[Doubles, int]:
    wanted = np.array([counts.get(name, 0) for name in names], np.int64)
    size = int(wanted.sum())
    if (wanted < 0).any() or not 1 <= size <= LARGEST_LOT:
        raise KnownError(
            f"Say how many parts of each kind a lot has: 1 to {LARGEST_LOT} in all, not {size}."
        )
    missing = [name for name, count in counts.items() if count and name not in known]
    if missing:
        raise KnownError(f"There is no reference of {missing[0]}; a lot cannot have any.")
    return wanted / size, size


def _with_drawn_lots(model: LotModel) -> LotModel:
    random = np.random.default_rng([model.seed, model.size])
    of_what = model.member_kinds, model.shares, model.size
    rows = draw_lots(*of_what, lots=DRAWN_LOTS, random=random)
    scores = scores_of_new_draws(model.members, *of_what, random=random)
    limits = suggest_limits(scores.tolist(), gallery=model.gallery)
    rule = limits.rule.replace("leave-one-out scores", "drawn lots among lots without their parts")
    return replace(model, lots=pooled_lots(model.members, rows), limits=replace(limits, rule=rule))


def _with_gathered_lots(model: LotModel) -> LotModel:
    is_of_size = model.gathered_counts.sum(axis=1) == model.size
    found = int(is_of_size.sum())
    if found < MIN_LOTS:
        raise KnownError(
            f"There are {found} reference lots of {model.size} parts; a lot of that size can be "
            f"judged from {MIN_LOTS} on."
        )
    lots = model.gathered[is_of_size]
    counts = model.gathered_counts[is_of_size].sum(axis=0)
    limits = suggest_limits(leave_one_out_groups(lots).tolist(), gallery=model.gallery)
    return replace(model, lots=lots, shares=counts / counts.sum(), limits=limits)
