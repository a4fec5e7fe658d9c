import errno
import shutil
import zipfile
from pathlib import Path

import pytest
from typer.testing import Result

from inspector_gui.cli import fit as command

from .conftest import Invoke, read_json

SMALL = ("--size", "64")
RECIPES = {
    "default": ("--size", "128"),
    "dn2": ("--method", "dn2", *SMALL),
    "spade behind a gate": ("--method", "spade", "--gate", *SMALL),
    "padded": ("--method", "spade", "--fit", "keep", "--height", "96", *SMALL),
    "patchcore": ("--method", "patchcore", "--reweight", *SMALL),
}


@pytest.fixture
def bundle(washers: Path, invoke: Invoke, tmp_path: Path) -> Path:
    """A bundle of DN2."""
    path = tmp_path / "part.bundle"
    result = fitted(washers, invoke, path, *RECIPES["dn2"])
    assert (result.exit_code, result.stderr) == (0, "")
    return path


def fitted(washers: Path, invoke: Invoke, path: Path, *options: object) -> Result:
    good = washers / "train" / "good"
    return invoke("fit", "--references", good, "--bundle", path, *options)


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_a_bundle_says_of_parts_to_the_bit_what_the_references_say(
    washers: Path, invoke: Invoke, tmp_path: Path, recipe: tuple[str, ...]
) -> None:
    good, path = washers / "train" / "good", tmp_path / "part.bundle"
    made = invoke(
        "fit", "--references", good, "--bundle", path, "--json", tmp_path / "f.json", *recipe
    )
    assert (made.exit_code, made.stderr) == (0, "")
    parts = washers / "test"
    by_bundle = invoke("score", parts, "--bundle", path, "--json", tmp_path / "b.json")
    assert (by_bundle.exit_code, by_bundle.stderr) == (0, "")
    judged = invoke("score", parts, "--references", good, "--json", tmp_path / "r.json", *recipe)
    assert by_bundle.stdout == judged.stdout
    assert read_json(tmp_path / "b.json") == read_json(tmp_path / "r.json")
    facts = read_json(tmp_path / "f.json")
    assert facts["limits"] == read_json(tmp_path / "r.json")["limits"]
    assert facts["stage1_limit"] == read_json(tmp_path / "r.json")["stage1_limit"]
    assert facts["n_references"] == 6
    assert facts["bundle_bytes"] == path.stat().st_size
    assert facts["seconds"] > 0


def test_a_bundle_needs_nothing_but_itself(bundle: Path, washers: Path, invoke: Invoke) -> None:
    """Neither the references nor a picture of them: only what their method compares."""
    with zipfile.ZipFile(bundle) as archive:
        assert set(archive.namelist()) == {
            "bundle.json", "features/meta.json", "features/hashes.bin", "features/pooled.f32",
        }  # fmt: skip
    bundle.rename(bundle.with_name("renamed"))
    result = invoke("score", washers / "test", "--bundle", bundle.with_name("renamed"))
    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--size", "64"), "--size is fixed by the bundle"),
        (("--method", "dn2"), "--method is fixed by the bundle"),
        (("--stage1-limit", "1"), "--stage1-limit is fixed by the bundle"),
        (("--no-gate",), "--gate is fixed by the bundle"),
        (("--seed", "0"), "--seed is fixed by the bundle"),
        (("--subsample", "2"), "--subsample is fixed by the bundle"),
        (("--references", "good"), "by --references or by --bundle, not by both"),
        (("--heatmaps", "maps"), "no anomaly map"),
    ],
)
def test_what_a_bundle_has_decided_cannot_be_asked_for_again(
    bundle: Path, washers: Path, invoke: Invoke, options: tuple[str, ...], words: str
) -> None:
    result = invoke("score", washers / "test", "--bundle", bundle, *options)
    assert result.exit_code == 1
    assert words in result.stderr


def test_few_references_are_said_and_too_few_refused(
    washers: Path, invoke: Invoke, tmp_path: Path
) -> None:
    references = tmp_path / "references"
    references.mkdir()
    for path in sorted((washers / "train" / "good").iterdir())[:2]:
        shutil.copy(path, references)
    arguments = ("--references", references, "--bundle", tmp_path / "b", *RECIPES["dn2"])
    result = invoke("fit", *arguments)
    assert result.exit_code == 0
    assert "Only 2 references" in result.stderr
    assert "Only 2 references" in invoke("score", references, "--bundle", tmp_path / "b").stderr
    (tmp_path / "b").unlink()
    first, second = sorted(references.iterdir())
    shutil.copy(first, second)  # the same picture twice is one
    for _ in range(2):
        result = invoke("fit", *arguments)
        assert result.exit_code == 1
        assert "at least two different pictures of good parts" in result.stderr
        second.unlink(missing_ok=True)
    assert list(tmp_path.iterdir()) == [references]


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (OSError(errno.ENOSPC, "no space"), 1, "is full. Free some space"),
        (KeyboardInterrupt(), 130, "nothing was written"),
    ],
)
def test_a_bundle_that_could_not_be_written_whole_is_not_there(
    washers: Path,
    invoke: Invoke,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    status: int,
    words: str,
) -> None:
    def torn(file: object, **_: object) -> None:
        file.write(b"a part of it")  # type: ignore[attr-defined]
        raise error

    monkeypatch.setattr(command, "write_bundle", torn)
    results = tmp_path / "results"
    results.mkdir()
    (results / "b").write_bytes(b"the one before")
    result = fitted(washers, invoke, results / "b", *RECIPES["dn2"], "--json", results / "j")
    assert result.exit_code == status
    assert words in result.stderr
    assert [path.read_bytes() for path in results.iterdir()] == [b"the one before"]


def test_an_unpacked_bundle_is_gone_with_the_command(
    bundle: Path, washers: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    aside = tmp_path / "aside"
    aside.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(aside))
    assert invoke("score", washers / "test", "--bundle", bundle).exit_code == 0
    assert list(aside.iterdir()) == []


def test_another_version_of_the_runtime_is_said(
    bundle: Path, washers: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inspector_gui.cli.bundles.versions_of", lambda _: {"openvino": "2199.1.0"})
    result = invoke("score", washers / "test", "--bundle", bundle)
    assert result.exit_code == 0
    assert "with openvino 2199.1.0: scores may differ slightly" in " ".join(result.stderr.split())
