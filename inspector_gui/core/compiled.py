"""The compiled search of SPADE's map: made once per computer, kept in a folder, loaded from there.

Numba and its compiler are imported by the process that compiles alone; loading needs only
llvmlite, a few hundredths of a second, and calls run without Python's lock. A file is named after
everything that its code depends on (these sources, the versions, the processor) and begins with
its own digest: one that is damaged is removed, and made again. Before a new file counts, it is
tried out against the search in numpy.
"""

import ctypes
import hashlib
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from inspector_gui import paths
from inspector_gui.core.errors import KnownError
from inspector_gui.core.neighbours import Ints
from inspector_gui.core.pyramid import Doubles, Levels, PyramidShape
from inspector_gui.core.types import Floats

_SOURCES = ("pyramid_kernel.py", "vector_tiles.py")
_ENTRY = "search_places"
_DIGEST = 32  # bytes of SHA-256 before the code
_PROBES = 16  # as in `pyramid_kernel`
_LIMITS = 96


class CompiledSearch:
    """Native code that searches a group of a query's coarse cells; any thread may call it."""

    def __init__(self, code: bytes) -> None:
        llvm = _llvm()
        self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _machine(llvm))
        self._engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        self._engine.finalize_object()
        address = self._engine.get_function_address(_ENTRY)
        # Numba's own convention: where a result and an exception would go come first.
        self._call = ctypes.CFUNCTYPE(ctypes.c_int32, *[ctypes.c_void_p] * 12)(address)

    def search(
        self,
        query: Levels,
        addresses: Ints,
        shape: PyramidShape,
        cells: range,
        bounds: Floats,
        distances: Doubles,
        numbers: Ints,
    ) -> None:
        """Find the nearest places of the fine places of some coarse cells of a query.

        `query` as `pyramid.query_tiles` lays it out; `addresses`: of the arrays of
        `ReferencePlaces.laid_out`, references x 3; `cells`: a range from a multiple of 4 on;
        `bounds`: room for a float32 for each of them (up to a multiple of 4) and each of the
        references' padded cells. Rows of `distances` (so far: inf) and `numbers` are written,
        places x kappa, numbers with the cells that fill up tiles.
        """
        kappa = distances.shape[1]
        whole = -(-len(cells) // 4) * 4
        assert cells.start % 4 == 0
        assert bounds.size >= whole * len(addresses) * shape.padded_cells
        sizes = np.array(
            [cells.start, cells.stop, len(addresses), kappa, shape.padded_cells, *shape.widths],
            np.int64,
        )
        limits = np.empty(len(cells) * _LIMITS + 32, np.float32)
        chosen = np.empty(_PROBES, np.int64)
        unused = np.zeros(2, np.int64)
        arrays = (*query, addresses, sizes, distances, numbers, bounds, limits, chosen)
        assert all(array.flags.c_contiguous for array in arrays)
        self._call(*(array.ctypes.data for array in (unused[:1], unused[1:], *arrays)))


def code_folder() -> Path:
    """Return the folder of compiled code in the user's cache."""
    return paths.cache_folder() / "code"


def is_compiled() -> bool:
    """Whether the search is in the user's cache for this program on this computer."""
    return compiled_path(code_folder()).exists()


def compiled_path(folder: Path) -> Path:
    """Return where the code for this program on this computer is or will be."""
    llvm = _llvm()
    here = Path(__file__).parent
    depends_on = [(here / name).read_bytes().hex() for name in _SOURCES]
    depends_on += [version("numba"), version("llvmlite")]
    depends_on += [llvm.get_process_triple(), llvm.get_host_cpu_name(), _features(llvm)]
    digest = hashlib.sha256("\n".join(depends_on).encode()).hexdigest()
    return folder / f"search-{digest[:16]}.code"


def load_search(folder: Path) -> CompiledSearch | None:
    """Load the search from a folder; None where there is none. A damaged one is removed."""
    path = compiled_path(folder)
    try:
        content = path.read_bytes()
    except OSError:
        return None
    code = content[_DIGEST:]
    if hashlib.sha256(code).digest() == content[:_DIGEST]:
        return CompiledSearch(code)
    path.unlink(missing_ok=True)
    return None


def compile_search(folder: Path) -> Path:
    """Compile the search into a folder, where it is not there yet; returns its path.

    Takes seconds, and memory for the compiler: for a process of its own. The file appears last
    and whole. Raises `KnownError` where the code does not do what the search in numpy does.
    """
    path = compiled_path(folder)
    if load_search(folder) is not None:
        return path
    code = _compiled()
    _try_out(CompiledSearch(code))
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix="compiling-") as own:
        (Path(own) / path.name).write_bytes(hashlib.sha256(code).digest() + code)
        (Path(own) / path.name).replace(path)
    for other in folder.glob("search-*.code"):
        if other != path:
            other.unlink(missing_ok=True)  # of another version or processor
    return path


def _compiled() -> bytes:
    """Return the search as an object file that needs nothing of numba nor of Python."""
    from inspector_gui.core.pyramid_kernel import compiled_search

    llvm = _llvm()
    function = compiled_search()
    module = llvm.parse_assembly(function.inspect_llvm())
    wanted = function.native_name.removeprefix("cfunc.")
    for other in module.functions:
        if other.name == wanted:
            other.name = _ENTRY
        elif not other.is_declaration:
            other.linkage = llvm.Linkage.internal
    machine = _machine(llvm)
    passes = llvm.create_new_module_pass_manager()
    passes.add_global_dead_code_eliminate_pass()
    passes.run(module, llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options()))
    needed = {f.name for f in module.functions if f.is_declaration}
    foreign = {name for name in needed if not name.startswith("llvm.")}
    if foreign:
        raise KnownError(f"The search was compiled with calls that it may not make: {foreign}.")
    return bytes(machine.emit_object(module))


def _try_out(search: CompiledSearch) -> None:
    """Compare with the search in numpy on a small made-up part."""
    from inspector_gui.core.pyramid import pyramid_gallery
    from inspector_gui.core.pyramid_search import find_places

    random = np.random.default_rng(0)
    widths = zip((20, 10, 5), (24, 40, 112), strict=True)
    shapes = [(side, side, channels) for side, channels in widths]
    parts = []
    for _ in range(4):
        fine, middle, coarse = (random.normal(size=shape).astype(np.float32) for shape in shapes)
        parts.append((fine, middle, coarse))
    gallery = pyramid_gallery(parts[1:])
    for kappa in (1, 3):
        ours = find_places(parts[0], gallery, kappa=kappa, compiled=search)
        wanted = find_places(parts[0], gallery, kappa=kappa)
        if not np.array_equal(ours.distances, wanted.distances):
            raise KnownError("The compiled search does not work on this computer.")


def _llvm() -> Any:
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    return binding


def _features(llvm: Any) -> str:
    return str(llvm.get_host_cpu_features().flatten())


def _machine(llvm: Any) -> Any:
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=_features(llvm),
        opt=3,
        reloc="default",
        codemodel="jitdefault",
        jit=True,
    )
