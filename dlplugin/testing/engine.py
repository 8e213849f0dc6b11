"""The conformance check for engines that others write."""

from collections.abc import Callable, Mapping

import torch

from dlplugin.definition import EngineOptions, engine_from_plain, engine_title
from dlplugin.definition.engines import spec_of
from dlplugin.errors import DefinitionError, DLPluginError, EngineError
from dlplugin.testing.learning import check_storage, check_training
from dlplugin.testing.numbers import check_devices, check_finite, check_gradients
from dlplugin.testing.rows import check_bits, check_rows
from dlplugin.testing.structure import (
    check_determinism,
    check_networks,
    check_parameters,
    check_registration,
    check_shapes,
)
from dlplugin.testing.subject import Subject

__all__ = ["CHECKS", "check_engine"]

CHECKS: dict[str, Callable[[Subject], None]] = {
    "registration": check_registration,
    "parameters": check_parameters,
    "shapes": check_shapes,
    "determinism": check_determinism,
    "networks": check_networks,
    "rows": check_rows,
    "bits": check_bits,
    "gradients": check_gradients,
    "finite": check_finite,
    "devices": check_devices,
    "training": check_training,
    "storage": check_storage,
}


def check_engine(engine: str | EngineOptions | Mapping[str, object], depth: int = 16) -> None:
    """Holds an engine to what every engine promises; returns when it keeps all of it.

    Checked in this order: its EngineSpec and options fit together (registration); it learns as many
    numbers as its options say, with the networks as the first dimension of all that is stored
    (parameters); (K, B, D) or (K, B, W, F) become (K, B, N) (shapes); the seed alone decides initial
    weights and outputs (determinism); a network is the same alone and beside others (networks); a
    row's output does not change with the other rows (rows), and not even in its last bit in padded
    chunks of prediction (bits); every number learns (gradients); outputs and gradients are finite
    for odd rows (finite); all its tensors go where its rows are (devices); its loss falls with every
    kind of loss and output (training); and a training that was stored goes on, and predicts, as if it
    had not been (storage).

    It takes a second or two, trains on made-up bars, and leaves nothing behind.

    Args:
        engine: A name, for its default options; or options, such as {"name": "lstm", "hidden": 8} or an
            object of the options class. It must be registered: see docs/engines.md.
        depth: Bars of each input, W of an engine that reads windows.

    Raises:
        EngineError: With the name of the first check that fails, and what was seen.
        UnknownNameError: No engine has the name.
        DefinitionError: The engine's options do not suit rows of this depth.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # such small networks are fastest on one
    try:
        with torch.random.fork_rng(devices=[]):
            _check(engine, depth)
    finally:
        torch.set_num_threads(threads)


def _check(engine: str | EngineOptions | Mapping[str, object], depth: int) -> None:
    plain = dict(engine) if isinstance(engine, Mapping) else engine
    title = engine_title(_name(plain))
    try:
        options = engine_from_plain(plain)
    except Exception as error:
        raise _failed(title, "registration", error) from error
    subject = Subject(options, spec_of(options), depth)
    for check, hold in CHECKS.items():
        try:
            hold(subject)
        except Exception as error:
            if check == "parameters" and isinstance(error, DefinitionError):
                raise
            raise _failed(title, check, error) from error


def _name(engine: object) -> str:
    named = engine.get("name") if isinstance(engine, dict) else engine
    return named if isinstance(named, str) else spec_of(engine_from_plain(engine)).name


def _failed(title: str, check: str, error: Exception) -> EngineError:
    kind = "" if isinstance(error, DLPluginError) else f"{type(error).__name__}: "
    reason = " ".join(f"{kind}{error}".split())
    reason = reason.removeprefix(f"{title}: ")
    if reason.startswith(f"{title} "):
        reason = f"it{reason.removeprefix(title)}"
    return EngineError(f"{title} fails the check of {check}: {reason}")
