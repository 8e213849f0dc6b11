"""Everything that a function of one's own is computed with, as one hash; None where that is not known.

What a cached value was computed with must be known whole, or an edit would go unseen. A function
reaches its own code, defaults and closure, and what its names stand for: numbers, texts, arrays and
containers of them by content; other functions likewise; modules of one's own by what is used of
them; installed packages by name and version. Whatever else it names (a class or an object of
one's own, an import in its body, or something that reads files, clocks, the network or chance)
makes its reach unknown.
"""

import dis
import hashlib
import sys
import sysconfig
from collections.abc import Callable, Iterator
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any, final

import numpy as np

__all__ = ["reach_of"]

_OUTSIDE = frozenset(
    """open input eval exec compile getattr setattr vars globals locals import_module __import__ __dict__
    os sys io pathlib Path glob environ getenv urlopen requests httpx urllib socket subprocess
    random rand randn randint choice shuffle permutation normal uniform integers default_rng RandomState sample
    secrets uuid uuid1 uuid4 now today utcnow time time_ns perf_counter monotonic
    load loads loadtxt genfromtxt fromfile memmap""".split()
)
_BY_CONTENT = (bool, int, float, complex, str, bytes, type(None), type(...))
_MOST = 10_000  # parts: more would take longer to hash than is worth it


class _UnknownError(Exception):
    """Something is reached that cannot be hashed."""


def reach_of(function: Callable[..., Any]) -> str | None:
    """SHA-256 of all that a function is computed with, in hexadecimal; None where it is not known."""
    if not isinstance(function, FunctionType):
        return None
    reach = _Reach(function.__module__.partition(".")[0])
    try:
        reach.value(function)
    except (_UnknownError, RecursionError):
        return None
    return reach.digest.hexdigest()


@final
class _Reach:
    """Feeds what is reached into a digest, each function once.

    Args:
        package: Whose modules are one's own, even where they are installed.
    """

    def __init__(self, package: str) -> None:
        self.digest = hashlib.sha256()
        self._package = package
        self._seen: dict[tuple[int, frozenset[str]], int] = {}
        self._parts = 0

    def value(self, value: Any, names: frozenset[str] = frozenset()) -> None:
        """Feeds a value; of a module of one's own, what is used of it by some of the names."""
        self._add(type(value).__module__, type(value).__qualname__)
        if type(value) in _BY_CONTENT:
            self._add(repr(value))
        elif isinstance(value, CodeType):
            self._code(value)
        elif type(value) in (tuple, list, dict):
            self._container(value)
        elif isinstance(value, set | frozenset):
            self._add(*sorted(map(_plain, value)))
        elif isinstance(value, np.ndarray | np.generic) and not value.dtype.hasobject:
            self._add(value.dtype.str, repr(value.shape), hashlib.sha256(value.tobytes()).hexdigest())
        elif isinstance(value, ModuleType):
            self._module(value, names)
        elif isinstance(value, FunctionType) and not self._is_installed(value):
            self._function(value)
        elif isinstance(value, FunctionType | BuiltinFunctionType | type | np.ufunc):
            self._installed(value)
        else:
            raise _UnknownError

    def _add(self, *texts: str) -> None:
        self._parts += len(texts)
        if self._parts > _MOST:
            raise _UnknownError
        for text in texts:
            content = text.encode("utf-8", "surrogatepass")
            self.digest.update(len(content).to_bytes(8, "little") + content)

    def _is_new(self, value: object, names: frozenset[str] = frozenset()) -> bool:
        """Whether it was not fed before; its number is fed in any case."""
        known = len(self._seen)
        number = self._seen.setdefault((id(value), names), known)
        self._add(str(number))
        return number == known

    def _container(self, value: "tuple[Any, ...] | list[Any] | dict[Any, Any]") -> None:
        self._add(str(len(value)))
        for part in value.items() if isinstance(value, dict) else value:
            self.value(part)

    def _code(self, code: CodeType) -> None:
        self._add(code.co_code.hex(), repr((code.co_argcount, code.co_kwonlyargcount, code.co_flags)))
        self._add(*code.co_names, *code.co_varnames, *code.co_freevars, *code.co_cellvars)
        self.value(code.co_consts)

    def _function(self, function: FunctionType) -> None:
        if not self._is_new(function):
            return
        names = frozenset(name for code in _codes(function.__code__) for name in code.co_names)
        if names & _OUTSIDE or any(name.startswith("read_") for name in names):
            raise _UnknownError
        if any(
            step.opname in ("IMPORT_NAME", "STORE_GLOBAL", "DELETE_GLOBAL")
            for code in _codes(function.__code__)
            for step in dis.get_instructions(code)
        ):
            raise _UnknownError
        self.value(function.__code__)
        self.value((function.__defaults__, function.__kwdefaults__, function.__dict__))
        for cell in function.__closure__ or ():
            try:
                self.value(cell.cell_contents, names)
            except ValueError:  # an empty cell
                raise _UnknownError from None
        for name in sorted(names & set(function.__globals__)):
            self._add(name)
            self.value(function.__globals__[name], names)

    def _module(self, module: ModuleType, names: frozenset[str]) -> None:
        version = self._version(module.__name__)
        if version is not None:
            self._add(module.__name__, version)
        elif "__getattr__" in vars(module):  # it may make up names, as dlplugin does
            raise _UnknownError
        elif self._is_new(module, names):
            for name in sorted(names & set(vars(module))):
                self._add(name)
                self.value(vars(module)[name], names)

    def _installed(self, value: Any) -> None:
        if not self._is_installed(value):
            raise _UnknownError
        module = "numpy" if isinstance(value, np.ufunc) else value.__module__
        self._add(module, getattr(value, "__qualname__", value.__name__), self._version(module) or "")

    def _is_installed(self, value: Any) -> bool:
        """Whether it is what an installed package has under that name."""
        module = "numpy" if isinstance(value, np.ufunc) else getattr(value, "__module__", None)
        if not isinstance(module, str) or self._version(module) is None:
            return False
        found: Any = sys.modules.get(module)
        for name in getattr(value, "__qualname__", value.__name__).split("."):
            found = getattr(found, name, None)
        return found is value

    def _version(self, module: str) -> str | None:
        """The version of an installed package; None for modules of one's own and for dlplugin.

        dlplugin finds other functions by their names in a text, which nothing here sees.
        """
        package = module.partition(".")[0]
        return None if package in (self._package, "__main__", "dlplugin") else _version(package)


def _plain(value: Any) -> str:
    if type(value) not in _BY_CONTENT:
        raise _UnknownError
    return f"{type(value).__name__} {value!r}"


def _codes(code: CodeType) -> Iterator[CodeType]:
    """A function's code and that of the functions inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


@lru_cache(maxsize=256)
def _version(package: str) -> str | None:
    if package in sys.stdlib_module_names:
        return sys.version
    file = getattr(sys.modules.get(package), "__file__", None)
    places = {Path(sysconfig.get_path(name)).resolve() for name in ("purelib", "platlib")}
    if file is None or not places & set(Path(file).resolve().parents):
        return None
    given = getattr(sys.modules[package], "__version__", None)
    try:
        return given if isinstance(given, str) else metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
