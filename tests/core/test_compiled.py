"""The compiled search in its folder: made once, checked, healed."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inspector_gui.core import compiled as module
from inspector_gui.core.compiled import (
    CompiledSearch,
    code_folder,
    compile_search,
    compiled_path,
    is_compiled,
    load_search,
)
from inspector_gui.core.errors import KnownError
from inspector_gui.core.methods.spade import Spade
from inspector_gui.core.types import Floats, Scoring

from .galleries import gallery_of

SPADE = Scoring(method="spade", size=32)
LOADING = """
import json, sys
from pathlib import Path
from inspector_gui.core.compiled import load_search
assert load_search(Path(sys.argv[1])) is not None
print(json.dumps(sorted({name.split(".")[0] for name in sys.modules})))
"""


@pytest.fixture
def code(compiled_file: Path) -> bytes:
    return compiled_file.read_bytes()


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INSPECTOR_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_where_nothing_was_compiled_there_is_no_search(tmp_path: Path) -> None:
    assert load_search(tmp_path / "nowhere") is None


@pytest.mark.parametrize("damage", ["cut", "changed", "empty"])
def test_a_damaged_file_is_removed_and_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: bytes, damage: str
) -> None:
    monkeypatch.setattr(module, "_compiled", lambda: code[32:])
    path = compiled_path(tmp_path)
    changed = code[:2000] + bytes([code[2000] ^ 1]) + code[2001:]
    path.write_bytes({"cut": code[:-1], "changed": changed, "empty": b""}[damage])
    assert load_search(tmp_path) is None
    assert not path.exists()
    assert compile_search(tmp_path) == path
    assert path.read_bytes() == code
    assert load_search(tmp_path) is not None


def test_it_is_compiled_once_and_files_of_other_versions_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: bytes
) -> None:
    monkeypatch.setattr(module, "_compiled", lambda: code[32:])
    (tmp_path / "search-0123456789abcdef.code").write_bytes(b"of another version")
    path = compile_search(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    monkeypatch.setattr(module, "_compiled", lambda: pytest.fail("compiled again"))
    assert compile_search(tmp_path) == path


def test_another_processor_has_a_file_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = compiled_path(tmp_path)
    monkeypatch.setattr(module, "_features", lambda _llvm: "+none")
    assert compiled_path(tmp_path) != here


def test_code_that_finds_something_else_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: bytes
) -> None:
    class Wrong(CompiledSearch):
        def search(self, *arguments: Any) -> None:
            super().search(*arguments)
            distances = arguments[5]
            distances[0, 0] *= 1 + 1e-15

    monkeypatch.setattr(module, "_compiled", lambda: code[32:])
    monkeypatch.setattr(module, "CompiledSearch", Wrong)
    with pytest.raises(KnownError, match="does not work on this computer"):
        compile_search(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_loading_needs_no_numba(tmp_path: Path, code: bytes) -> None:
    compiled_path(tmp_path).write_bytes(code)
    done = subprocess.run(
        [sys.executable, "-c", LOADING, str(tmp_path)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    loaded = set(json.loads(done.stdout))
    assert "llvmlite" in loaded
    assert loaded & {"numba", "torch", "scipy", "sklearn"} == set()


def test_a_score_is_the_same_before_and_after_the_search_is_compiled(
    own_cache: Path, code: bytes
) -> None:
    gallery = gallery_of([[0, 0], [1, 0], [0, 2], [5, 5], [2, 2], [3, 1]])
    method = Spade(SPADE)
    before = method.score(gallery.items[0], gallery, exclude=0)
    assert not is_compiled()
    code_folder().mkdir(parents=True)
    compiled_path(code_folder()).write_bytes(code)
    assert is_compiled()
    after = method.score(gallery.items[0], gallery, exclude=0)
    assert method._compiled
    assert after.image == before.image > 0
    np.testing.assert_array_equal(_patches(after.patches), _patches(before.patches))


def _patches(patches: Floats | None) -> Floats:
    assert patches is not None
    return patches
