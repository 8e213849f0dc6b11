"""Functions of a user's own, by name: registered with `@dl.indicator`, or brought by other packages.

A function takes a frame of bars and, by keyword, numbers with defaults; it gives one number a bar.
It is known where its module was imported. In other processes it is found through entry points of
the group `dlplugin.indicators` (a module, or "module:function"), through `plugins:` in the project
file (see `project`) and through `load_plugins`. A model records the hash of the function's own
source; what the function calls elsewhere is not part of it.
"""

import hashlib
import importlib
import inspect
import keyword
import textwrap
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import metadata
from typing import Any, TypeVar, overload

from dlplugin.errors import DLPluginError, DLPluginWarning, ExpressionError
from dlplugin.indicators.builtins import CALENDAR, ELEMENTWISE, WINDOWED
from dlplugin.indicators.forms import FORMS
from dlplugin.indicators.own import Lookback, OwnFunction
from dlplugin.indicators.project import load_project
from dlplugin.indicators.signature import LONGEST, Parameter
from dlplugin.indicators.talib import FUNCTIONS
from dlplugin.indicators.trial import tried

__all__ = ["GROUP", "describe_function", "indicator", "load_plugins", "own_function", "own_functions"]

GROUP = "dlplugin.indicators"

_COLUMNS = ("open", "high", "low", "close", "volume")
_LARGEST = 1e37
_registered: dict[str, OwnFunction] = {}
_entry_points_read: list[bool] = []
F = TypeVar("F", bound=Callable[..., Any])


@overload
def indicator(function: F, /) -> F: ...


@overload
def indicator(
    *,
    name: str | None = None,
    lookback: Lookback = None,
    columns: Sequence[str] = _COLUMNS,
    check: bool = True,
) -> Callable[[F], F]: ...


def indicator(
    function: F | None = None,
    /,
    *,
    name: str | None = None,
    lookback: Lookback = None,
    columns: Sequence[str] = _COLUMNS,
    check: bool = True,
) -> F | Callable[[F], F]:
    """Registers a function of a bars frame, to be used in expressions by its name.

    The function is given T bars and gives T numbers, the value of bar t from the bars up to t; NaN is
    no value. Its keyword parameters with defaults become the parameters of the expression. It is
    tried at once on made-up bars, and refused when it looks ahead.

    Args:
        function: The function, where it is decorated without arguments.
        name: What expressions call it; the function's own name when not given.
        lookback: How many bars, the bar itself included, decide its value; a function of its
            parameters may say so. With it, it streams over those bars; without, over all of them.
        columns: The columns of the frame it is given, in that order.
        check: False lets it in untried; that is recorded, and the responsibility is yours.

    Returns:
        The function itself, as it was.

    Raises:
        ExpressionError: It looks ahead, fails, needs more bars than its lookback, or its name is taken.
    """

    def register(given: F) -> F:
        described = describe_function(given, name=name, lookback=lookback, columns=columns, check=check)
        _refuse_taken(described)
        defaults = tuple(each.default or 0 for each in described.parameters)
        if check:
            tried(described, defaults)
        _registered[described.name] = described
        return given

    return register if function is None else register(function)


def describe_function(
    function: Callable[..., Any],
    *,
    name: str | None = None,
    lookback: Lookback = None,
    columns: Sequence[str] = _COLUMNS,
    check: bool = True,
) -> OwnFunction:
    """What a function is as an indicator; nothing is registered or tried.

    Raises:
        ExpressionError: Its name or its parameters cannot be used.
    """
    if not callable(function):
        raise ExpressionError(f"an indicator is a function of a bars frame, not {function!r}")
    called = name or str(getattr(function, "__name__", ""))
    if not (called.isidentifier() and called.isascii()) or keyword.iskeyword(called) or called in _COLUMNS:
        raise ExpressionError(
            f"an indicator cannot be called {called!r}; give it a name of letters, digits and _ with name="
        )
    if isinstance(columns, str) or not columns:
        raise ExpressionError(
            f"columns of indicator {called!r} is {columns!r}; give a list such as ['close']"
        )
    documented = (inspect.getdoc(function) or "").strip()
    return OwnFunction(
        name=called,
        function=function,
        columns=tuple(columns),
        parameters=_parameters(called, function),
        lookback=lookback,
        check=check,
        sha256=_source_hash(function),
        module=getattr(function, "__module__", "") or "",
        description=documented.split("\n\n")[0].replace("\n", " ") or f"The function {called} of your own.",
        trial=tried,
    )


def own_functions() -> Mapping[str, OwnFunction]:
    """All registered functions by name, those of installed packages and of the project file included.

    Raises:
        ExpressionError: The project file cannot be used, or one of its plugins.
    """
    if not _entry_points_read:
        _entry_points_read.append(True)
        for point in metadata.entry_points(group=GROUP):
            _load_entry_point(point)
    load_project(load_plugins)
    return _registered


def own_function(name: str) -> OwnFunction | None:
    """The registered function of that name; None where there is none."""
    return _registered.get(name) or own_functions().get(name)


def load_plugins(modules: Iterable[str]) -> None:
    """Imports modules for the indicators they register.

    Args:
        modules: Their names, such as "my_project.indicators".

    Raises:
        ExpressionError: A module cannot be imported.
    """
    if isinstance(modules, str):
        raise ExpressionError(f"plugins is {modules!r}; give a list of modules such as [{modules!r}]")
    for name in modules:
        try:
            importlib.import_module(name)
        except DLPluginError:
            raise
        except Exception as error:  # whatever a foreign module raises
            reason = " ".join(str(error).split())
            raise ExpressionError(
                f"plugin {name!r} cannot be imported: {type(error).__name__}: {reason}"
            ) from error


def _load_entry_point(point: metadata.EntryPoint) -> None:
    """A package that fails is named in a warning; the others still work."""
    try:
        found = point.load()
        known = any(each.function is found for each in _registered.values())
        if callable(found) and not known:
            indicator(name=point.name)(found)
    except Exception as error:  # whatever a foreign package raises
        package = point.dist.name if point.dist else "an installed package"
        reason = " ".join(str(error).split())
        warnings.warn(
            f"indicator {point.name!r} of {package} cannot be used: {type(error).__name__}: {reason}",
            DLPluginWarning,
            stacklevel=2,
        )


def _refuse_taken(described: OwnFunction) -> None:
    name = described.name
    if name in FUNCTIONS or name in {*ELEMENTWISE, *WINDOWED, *CALENDAR, *FORMS, "zscore"}:
        raise ExpressionError(
            f"{name!r} is one of the built-in indicators; give yours another name with name="
        )
    known = _registered.get(name)
    if known is not None and _home(known) != _home(described):  # the same place again is a reload
        raise ExpressionError(
            f"an indicator {name!r} is registered already, from {known.module}; give yours another name with name="
        )


def _home(described: OwnFunction) -> tuple[str, str]:
    return described.module, getattr(described.function, "__qualname__", "")


def _parameters(name: str, function: Callable[..., Any]) -> tuple[Parameter, ...]:
    given = list(inspect.signature(function).parameters.values())
    if not given or given[0].default is not inspect.Parameter.empty:
        raise ExpressionError(
            f"indicator {name!r} must take the bars first, as in def {name}(bars, period=14)"
        )
    return tuple(_parameter(name, each) for each in given[1:])


def _parameter(owner: str, given: inspect.Parameter) -> Parameter:
    default = given.default
    starred = given.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    if starred or isinstance(default, bool) or not isinstance(default, int | float):
        raise ExpressionError(
            f"parameter {given.name!r} of indicator {owner!r} must have a number as its default, such as "
            f"{given.name}=14"
        )
    meaning = f"a number that {owner} takes"
    if isinstance(default, int):
        least = 1 if default >= 1 else 0 if default == 0 else -LONGEST
        return Parameter(given.name, "whole", default, least, LONGEST, meaning)
    return Parameter(given.name, "real", default, -_LARGEST, _LARGEST, meaning)


def _source_hash(function: Callable[..., Any]) -> str:
    """SHA-256 of the function's source, or of its compiled code where there is no source to read."""
    try:
        lines = textwrap.dedent(inspect.getsource(function)).splitlines()
        content = "\n".join(line.rstrip() for line in lines)
    except (OSError, TypeError):
        code = getattr(function, "__code__", None)
        content = repr(_compiled(code)) if code is not None else repr(function)
    return hashlib.sha256(content.encode()).hexdigest()


def _compiled(code: Any) -> tuple[Any, ...]:
    constants = tuple(_compiled(each) if hasattr(each, "co_code") else each for each in code.co_consts)
    return (code.co_code, constants, code.co_names)
