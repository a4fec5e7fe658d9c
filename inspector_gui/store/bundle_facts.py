"""What a bundle says of itself: its file `bundle.json`, checked when it is read.

The file holds the format's number, the facts below, the size and SHA-256 of every member, and a
digest of all that. What this program does not know in the facts is left alone, so that later
versions may say more without another format; another set of members needs one.
"""

import json
import math
import re
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from importlib.metadata import version
from typing import Any

from inspector_gui import __version__
from inspector_gui.core.backbones import backbone
from inspector_gui.core.digests import digest_of
from inspector_gui.core.errors import KnownError
from inspector_gui.core.method_options import has_option
from inspector_gui.core.methods import scoring_for
from inspector_gui.core.simplenet.hyperparameters import Hyperparameters, check
from inspector_gui.core.types import Limits, Scoring, gallery_fingerprint

FORMAT = 1
_KIND = "inspector-bundle"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"([0-9a-f]{16})?")  # of a model or an int8 network; part of a file's name
_LIMITS = ("centre", "unsure_from", "fail_from", "pixel")


class DamagedBundleError(KnownError):
    """A file is not the bundle that was written."""


@dataclass(frozen=True)
class Member:
    """One file of a bundle: its size in bytes and its SHA-256."""

    size: int
    sha256: str


@dataclass(frozen=True)
class BundleFacts:
    """What a bundle judges by, and where it comes from.

    `references`: content hash and name of each, in canonical order. `weights` is the SHA-256 of
    the network's weights file, `device` what ran it, `versions` those of the program and of the
    runtime.
    """

    scoring: Scoring
    references: tuple[tuple[str, str], ...]
    limits: Limits
    made_at: float
    device: str
    weights: str
    versions: Mapping[str, str]

    @classmethod
    def of(
        cls, scoring: Scoring, references: Mapping[str, str], limits: Limits, *, device: str
    ) -> "BundleFacts":
        """Return the facts of what was fitted now; `references`: name by content hash."""
        return cls(
            scoring,
            tuple(sorted(references.items())),
            limits,
            time.time(),
            device,
            backbone(scoring.backbone).sha256,
            versions_of(scoring),
        )

    @property
    def hashes(self) -> tuple[str, ...]:
        """The references' content hashes in canonical order."""
        return tuple(sha for sha, _ in self.references)

    @property
    def names(self) -> tuple[str, ...]:
        """The references' names in the same order."""
        return tuple(name for _, name in self.references)


def versions_of(scoring: Scoring) -> dict[str, str]:
    """Return the versions of this program and of the runtime that a scoring runs on."""
    return {"inspector-gui": __version__, scoring.runtime: version(scoring.runtime)}


def description(facts: BundleFacts, members: Mapping[str, Member]) -> bytes:
    """Return the file that describes a bundle."""
    limits = {name: getattr(facts.limits, name) for name in (*_LIMITS, "rule", "gallery")}
    whole = asdict(facts) | {"limits": limits, "references": [list(r) for r in facts.references]}
    described = {
        "facts": whole,
        "members": {name: asdict(member) for name, member in members.items()},
    }
    digest = digest_of(json.loads(json.dumps(described, allow_nan=False)))
    content = {"kind": _KIND, "format": FORMAT, **described, "digest": digest}
    return json.dumps(content, indent=1, allow_nan=False).encode()


def described_in(data: bytes, *, name: str) -> tuple[BundleFacts, dict[str, Member]]:
    """Return the facts and the members in such a file; `name` is what messages call the bundle.

    Raises `DamagedBundleError` where it is not as it was written, and `KnownError` where a newer
    program wrote it or where this one has other weights.
    """
    try:
        whole = json.loads(data)
        if whole["kind"] != _KIND:
            raise ValueError(f"a {whole['kind']}")
        if int(whole["format"]) > FORMAT:
            raise KnownError(
                f"{name} was made by a newer version of this program. Update this one to use it."
            )
        described = {"facts": whole["facts"], "members": whole["members"]}
        is_whole = whole["digest"] == digest_of(described)
        facts = _facts(whole["facts"])
        members = {str(path): _member(about) for path, about in whole["members"].items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise DamagedBundleError(
            f"The description in {name} cannot be used; copy the bundle again, or fit a new one."
        ) from error
    if not is_whole:
        raise changed(name)
    if backbone(facts.scoring.backbone).sha256 != facts.weights:
        raise KnownError(
            f"{name} was made with other weights of {facts.scoring.backbone} than this version of "
            "the program has. Fit a new bundle with this one."
        )
    return facts, members


def changed(name: str) -> DamagedBundleError:
    """Return the error for a bundle whose content is not what was written."""
    return DamagedBundleError(
        f"{name} has been damaged or changed since it was written; copy it again, or fit a new one."
    )


def _facts(values: Mapping[str, Any]) -> BundleFacts:
    scoring = _scoring(values["scoring"])
    references = tuple((str(sha), str(name)) for sha, name in values["references"])
    hashes = [sha for sha, _ in references]
    if hashes != sorted(set(hashes)) or not all(map(_SHA256.fullmatch, hashes)):
        raise ValueError("hashes of references")
    limits = _limits(values["limits"])
    if limits.gallery != gallery_fingerprint(scoring, hashes):
        raise ValueError("limits of other references")
    return BundleFacts(
        scoring,
        references,
        limits,
        _finite(values["made_at"]),
        str(values["device"]),
        str(values["weights"]),
        {str(n): str(v) for n, v in values["versions"].items()},
    )


def _scoring(values: Mapping[str, Any]) -> Scoring:
    """Return a scoring that this program's own options could have made; raises `ValueError`."""
    _check_types(Scoring, {**values, "training": None})
    training = values.get("training")
    if training is not None:
        _check_types(Hyperparameters, training)
    scoring = Scoring(**values)
    if not (_NAME.fullmatch(scoring.calibration) and _NAME.fullmatch(scoring.model)):
        raise ValueError("names")
    if (scoring.method == "simplenet") != bool(scoring.model):
        raise ValueError("a model")
    options = {
        field.name: getattr(scoring, field.name)
        for field in fields(Scoring)
        if field.name not in ("method", "preset") and has_option(scoring.method, field.name)
    }
    try:
        if scoring.training is not None:
            check(scoring.training)
        made = scoring_for(scoring.method, **options)
    except KnownError as error:
        raise ValueError(str(error)) from error
    if any(getattr(made, name) != value for name, value in options.items()):
        raise ValueError("values that no options give")
    return scoring


def _check_types(kind: type, values: Mapping[str, Any]) -> None:
    """Raise `ValueError` where a value is not of the type that a class has for its name."""
    for name, value in values.items():
        wanted, given = type(getattr(kind, name, value)), type(value)
        if given is not wanted and (wanted, given) != (float, int):
            raise ValueError(f"{name} is a {given.__name__}")


def _limits(values: Mapping[str, Any]) -> Limits:
    centre, unsure_from, fail_from, pixel = (_finite(values[name]) for name in _LIMITS)
    if not (unsure_from <= fail_from and centre < fail_from):
        raise ValueError("limits out of order")
    return Limits(
        centre, unsure_from, fail_from, pixel, str(values["rule"]), str(values["gallery"])
    )


def _finite(value: object) -> float:
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value!r} is no number")
    return float(value)


def _member(about: Mapping[str, Any]) -> Member:
    size, sha256 = about["size"], about["sha256"]
    if type(size) is not int or size < 0 or not _SHA256.fullmatch(sha256):
        raise ValueError("a member")
    return Member(size, sha256)
