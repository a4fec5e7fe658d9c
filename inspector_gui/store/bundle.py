"""Bundles: all that judges parts in one file, to be copied to another computer and used there.

A bundle is a zip archive without compression: `bundle.json` (see `bundle_facts`) and, in the
layout that this program has them on disk, the features of the references that their method
compares (all global ones, the levels where places are compared), PatchCore's bank, a SimpleNet
model and the int8 network of a recipe. Nothing of it is ever unpickled.

What is in it is decided by the facts alone: an archive with other members than these, with one of
another size or content, or compressed, is no bundle. So nothing can be written outside of the
folder that a bundle is unpacked to, nor more than the file itself is long.
"""

import hashlib
import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from inspector_gui.core.errors import Cancelled, KnownError
from inspector_gui.core.features import Features, FeatureShape, Gallery, feature_shape
from inspector_gui.core.images import display_name
from inspector_gui.core.method_options import has_compiled_search
from inspector_gui.core.methods import make_method
from inspector_gui.core.methods.base import Method
from inspector_gui.core.methods.patchcore import Patchcore
from inspector_gui.core.methods.simplenet import Simplenet
from inspector_gui.core.neighbours import ShouldStop
from inspector_gui.core.quantising import quantised_path
from inspector_gui.core.types import Progress, Scoring
from inspector_gui.store.bank_files import StoredBank, packed_bank, read_bank
from inspector_gui.store.bundle_facts import (
    BundleFacts,
    DamagedBundleError,
    Member,
    changed,
    described_in,
    description,
)
from inspector_gui.store.feature_rows import (
    FLOAT,
    HASHES,
    LEVELS,
    META,
    POOLED,
    files_of,
    levels_row,
    meta_of,
    row_bytes,
)
from inspector_gui.store.features_cache import FeatureReader
from inspector_gui.store.files import disk_error
from inspector_gui.store.model_files import MODEL_ENDINGS, ModelFiles
from inspector_gui.store.picture_rows import keys_of
from inspector_gui.store.stored_gallery import StoredGallery

DESCRIPTION = "bundle.json"
_FEATURES, _MODEL, _NETWORK = "features", "model", "network"
_BANK = f"{_FEATURES}/patches.bank"
_LONGEST_DESCRIPTION = 100_000_000  # bytes: names and hashes of about half a million references
_LARGEST_MODEL = 2_000_000_000  # bytes, which are read at once: above what any training makes
_AT_ONCE = 1 << 20
_ROWS_AT_ONCE = 1024
_SPARE = 100_000_000  # bytes that are left on the disk a bundle is unpacked to
_MB = 1_000_000
_MAGIC = b"PK\x03\x04"
_UNZIPPING = (zipfile.BadZipFile, OSError, RuntimeError, ValueError, EOFError)
"""What the archive's reader raises for one that is not as it was written."""

Pieces = Iterator[bytes | memoryview]


def write_bundle(
    file: BinaryIO,
    facts: BundleFacts,
    method: Method,
    gallery: Gallery,
    *,
    networks: Path,
    report: Callable[[Progress], None] = lambda _: None,
) -> None:
    """Write a bundle into an open file.

    `method` is fitted to `gallery`, whose rows are the references of `facts` in their order;
    `networks` is the folder of int8 networks. Raises `OSError` where the disk refuses.
    """
    members: dict[str, Member] = {}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        names = tuple(_names(facts))
        for number, name in enumerate(names):
            report(Progress("bundle", number, len(names)))
            pieces = _pieces(name, facts, method, gallery, networks)
            members[name] = _write(archive, name, pieces)
        _write(archive, DESCRIPTION, iter([description(facts, members)]))
    report(Progress("bundle", len(names), len(names)))


@dataclass(frozen=True, eq=False)
class Bundle:
    """A bundle that was unpacked into `folder`; its files are mapped, not copied to memory."""

    facts: BundleFacts
    folder: Path
    name: str

    @property
    def networks(self) -> Path:
        """The folder of its int8 network, where it has one."""
        return self.folder / _NETWORK

    def gallery(self) -> StoredGallery:
        """Return the features of its references; raises `DamagedBundleError`."""
        try:
            reader = FeatureReader(self.folder / _FEATURES)
            if reader.shape != _shape(self.facts.scoring):
                raise changed(self.name)
            return reader.gallery(self.facts.hashes)
        except (KnownError, KeyError, ValueError) as error:
            raise changed(self.name) from error

    def method(self, gallery: StoredGallery) -> Method:
        """Return its method, ready to judge by `gallery`; raises `DamagedBundleError`."""
        method = make_method(self.facts.scoring)
        if isinstance(method, Patchcore):
            stored = read_bank(self.folder / _BANK)
            if stored is None or tuple(sorted(stored.hashes)) != self.facts.hashes:
                raise changed(self.name)
            method.use(gallery, stored.bank, stored.rows(self.facts.hashes))
        if isinstance(method, Simplenet):
            try:
                method.use(ModelFiles(self.folder / _MODEL).read(self.facts.scoring.model))
            except KnownError as error:
                raise changed(self.name) from error
        return method


class BundleFile:
    """A bundle as a file, whose facts are read and checked at once.

    Raises `KnownError` for what is no bundle, was cut off or changed, or is of a newer format.
    """

    def __init__(self, path: Path) -> None:
        self._name = display_name(path.name)
        if not path.exists():
            raise KnownError(f"There is no bundle {display_name(path)}.")
        try:
            self._length = path.stat().st_size
            begins_alike = _first_bytes(path) == _MAGIC
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise KnownError(f"{display_name(path)} cannot be read: {reason}.") from error
        if not begins_alike:
            raise DamagedBundleError(f"{self._name} is not a bundle of this program.")
        try:
            self._archive = zipfile.ZipFile(path)
        except _UNZIPPING as error:
            raise DamagedBundleError(
                f"{self._name} is cut off or damaged; copy it again."
            ) from error
        try:
            self.facts, self._members = self._described()
            self._check_members()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the file."""
        self._archive.close()

    def unpack(
        self,
        folder: Path,
        *,
        report: Callable[[Progress], None] = lambda _: None,
        should_stop: ShouldStop = lambda: False,
    ) -> Bundle:
        """Write its files into an empty folder, checking each against its SHA-256.

        Raises `KnownError` where there is no room or the file is not what was written, `Cancelled`
        once `should_stop` is true.
        """
        total = sum(member.size for member in self._members.values())
        try:
            if shutil.disk_usage(folder).free < total + _SPARE:
                raise KnownError(
                    f"{self._name} takes {total / _MB:,.0f} MB on the disk that holds {folder}, "
                    "which has not so much left. Free some space and try again."
                )
            done = 0
            for name, member in self._members.items():
                for count in self._unpacked(name, member, folder / name):
                    if should_stop():
                        raise Cancelled
                    done += count
                    report(Progress("bundle (MB)", done // _MB, -(-total // _MB)))
        except OSError as error:
            raise disk_error(error, folder) from error
        report(Progress("bundle (MB)", -(-total // _MB), -(-total // _MB)))
        return Bundle(self.facts, folder, self._name)

    def _described(self) -> tuple[BundleFacts, dict[str, Member]]:
        try:
            about = self._archive.getinfo(DESCRIPTION)
        except KeyError as error:
            raise DamagedBundleError(f"{self._name} is not a bundle of this program.") from error
        if not _is_plain(about) or about.file_size > min(_LONGEST_DESCRIPTION, self._length):
            raise changed(self._name)
        try:
            data = self._archive.read(about)
        except _UNZIPPING as error:
            raise changed(self._name) from error
        return described_in(data, name=self._name)

    def _check_members(self) -> None:
        """Raise `KnownError` unless the archive holds what the facts say, and nothing else."""
        found = {about.filename: about for about in self._archive.infolist()}
        outside = [name for name in found if _leads_outside(name)]
        if outside:
            raise DamagedBundleError(
                f"{self._name} holds a file for a place outside of itself ({outside[0]!r}); it is "
                "not used. Take it from where it was made."
            )
        wanted = set(_names(self.facts))
        if set(self._members) != wanted or set(found) != {*wanted, DESCRIPTION}:
            raise changed(self._name)
        if len(self._archive.infolist()) != len(found) or not all(map(_is_plain, found.values())):
            raise changed(self._name)
        if any(found[name].file_size != member.size for name, member in self._members.items()):
            raise changed(self._name)
        # Members that overlap could be unpacked to more than the file holds.
        if sum(about.file_size for about in found.values()) > self._length:
            raise changed(self._name)
        if any(self._members[name].size != size for name, size in self._sizes().items()):
            raise changed(self._name)
        if any(
            member.size > _LARGEST_MODEL
            for name, member in self._members.items()
            if name.startswith(f"{_MODEL}/")
        ):
            raise changed(self._name)

    def _sizes(self) -> dict[str, int]:
        """Return how large the members of features are, which the facts say."""
        shape, count = _shape(self.facts.scoring), len(self.facts.references)
        sizes = {name: count * row_bytes(shape, name) for name in files_of(shape)}
        sizes[META] = len(_meta(shape))
        return {f"{_FEATURES}/{name}": size for name, size in sizes.items()}

    def _unpacked(self, name: str, member: Member, place: Path) -> Iterator[int]:
        """Write a member piece by piece; yields how many bytes each had."""
        place.parent.mkdir(exist_ok=True)
        digest = hashlib.sha256()
        with place.open("xb") as file:
            for piece in self._stored(name):
                digest.update(piece)
                file.write(piece)
                yield len(piece)
        if digest.hexdigest() != member.sha256:
            raise changed(self._name)

    def _stored(self, name: str) -> Iterator[bytes]:
        """Yield a member piece by piece."""
        try:
            with self._archive.open(name) as source:
                pieces = iter(partial(source.read, _AT_ONCE), b"")
                yield from pieces
        except _UNZIPPING as error:
            raise changed(self._name) from error


def _shape(scoring: Scoring) -> FeatureShape:
    """Return the shapes of the references' features that a bundle of a scoring has."""
    shape = feature_shape(scoring)
    return shape if has_compiled_search(scoring.method) else FeatureShape(shape.pooled)


def _names(facts: BundleFacts) -> Iterator[str]:
    """Yield the members of a bundle with these facts, but for its description."""
    for name in (META, *files_of(_shape(facts.scoring))):
        yield f"{_FEATURES}/{name}"
    if facts.scoring.method == "patchcore":
        yield _BANK
    if facts.scoring.method == "simplenet":
        yield from (f"{_MODEL}/{facts.scoring.model}{ending}" for ending in MODEL_ENDINGS)
    network = quantised_path(facts.scoring, Path())
    if network is not None:
        yield f"{_NETWORK}/{network.name}"
        yield f"{_NETWORK}/{network.with_suffix('.bin').name}"


def _pieces(
    name: str, facts: BundleFacts, method: Method, gallery: Gallery, networks: Path
) -> Pieces:
    folder, _, file = name.partition("/")
    if name == _BANK:
        assert isinstance(method, Patchcore)
        return _bank(facts, method, gallery)
    if folder == _NETWORK:
        return _copied(networks / file)
    if folder == _MODEL:
        assert isinstance(method, Simplenet)
        is_weights = file.endswith(MODEL_ENDINGS[0])
        return iter([method.model.file if is_weights else method.model.description])
    return _feature_pieces(file, facts, gallery)


def _feature_pieces(file: str, facts: BundleFacts, gallery: Gallery) -> Pieces:
    shape = _shape(facts.scoring)
    if file == META:
        yield _meta(shape)
    elif file == HASHES:
        yield keys_of(facts.hashes).tobytes()
    elif file == POOLED:
        for first in range(0, len(gallery), _ROWS_AT_ONCE):
            rows = range(first, min(first + _ROWS_AT_ONCE, len(gallery)))
            yield gallery.pooled_of(rows).astype(FLOAT).tobytes()
    elif file == LEVELS:
        for row in range(len(gallery)):
            own = Features(gallery.pooled_of([row])[0], gallery.levels(row), gallery.inside(row))
            yield levels_row(own, shape)


def _meta(shape: FeatureShape) -> bytes:
    return json.dumps(meta_of(shape)).encode()


def _bank(facts: BundleFacts, method: Patchcore, gallery: Gallery) -> Pieces:
    bank = method.bank(gallery)
    hashes = tuple(facts.hashes[row] for row in bank.rows)
    return packed_bank(StoredBank(bank.patches, hashes))


def _copied(path: Path) -> Pieces:
    with path.open("rb") as file:
        while piece := file.read(_AT_ONCE):
            yield piece


def _write(archive: zipfile.ZipFile, name: str, pieces: Pieces) -> Member:
    digest, size = hashlib.sha256(), 0
    # A date of its own would make two bundles of the same content different.
    about = zipfile.ZipInfo(name)
    with archive.open(about, "w", force_zip64=True) as file:
        for piece in pieces:
            digest.update(piece)
            size += file.write(piece)
    return Member(size, digest.hexdigest())


def _is_plain(about: zipfile.ZipInfo) -> bool:
    """Whether a member is neither compressed nor encrypted, and a file."""
    is_stored = about.compress_type == zipfile.ZIP_STORED
    return is_stored and about.compress_size == about.file_size and not about.flag_bits & 1


def _leads_outside(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return ".." in parts or parts[0] == "" or ":" in parts[0]


def _first_bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(len(_MAGIC))
