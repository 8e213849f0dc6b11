"""Checks of how an engine is announced, and of the networks that it builds."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from dlplugin.definition import engine_from_plain, engine_to_plain, help_sentences, spec_named
from dlplugin.engines import build_network, load_build, seed_networks
from dlplugin.errors import EngineError
from dlplugin.testing.subject import CLOSE, Subject, initial, refuse_difference, tensors_of

__all__ = ["check_determinism", "check_networks", "check_parameters", "check_registration", "check_shapes"]


def check_registration(subject: Subject) -> None:
    """Its spec is whole, its options explain themselves, and survive as plain text."""
    options, name = subject.options, subject.spec.name
    load_build(spec_named(name))
    for option, sentence in help_sentences(type(options)).items():
        if not sentence:
            raise EngineError(
                f"its option {option!r} has no description; write Annotated[..., Field(description='One sentence.')]"
            )
    plain = json.loads(json.dumps(engine_to_plain(options), allow_nan=False))
    again = engine_from_plain(plain)
    if again != options:
        raise EngineError(f"its options {options!r} come back from plain text as {again!r}")


def check_parameters(subject: Subject) -> None:
    """It learns as many numbers as its options say, and all that is stored has K first."""
    for definition in subject.definitions():
        for networks in (1, 3):
            network = build_network(definition, networks)  # holds the parameters to both
            if not any(True for _ in network.parameters()):
                raise EngineError("it learns nothing; give it weights: dlplugin.engines.Linear")
            for name, value in tensors_of(network).items():
                if value.dim() == 0 or value.shape[0] != networks:
                    raise EngineError(
                        f"it stores {name!r} of shape {tuple(value.shape)}, but the first dimension of all that is "
                        f"stored is the {networks} networks; register what is not learned with persistent=False"
                    )
                if value.dtype != torch.float32:
                    raise EngineError(f"it stores {name!r} as {value.dtype}, but weights are torch.float32")


def check_shapes(subject: Subject) -> None:
    """(K, B, D) or (K, B, W, F) become (K, B, N), however many rows there are and however they lie."""
    for definition in subject.definitions():
        outputs = definition.shapes().outputs
        for networks, count in ((1, 1), (3, 5), (2, subject.spec.chunk), (1, subject.spec.chunk + 3)):
            network = build_network(definition, networks)
            rows = subject.rows(networks, count, definition=definition)
            shared = rows[0].expand(networks, *rows.shape[1:])  # as prediction gives them
            part = subject.rows(networks, count + 2, definition=definition)[:, 1:-1]  # as training does
            for given in (rows, shared, part):
                for training in (False, True):
                    network.train(training)
                    seed_networks(network, 0, epoch=1, samples=1)
                    with torch.no_grad():
                        _refuse_shape(network(given), given, (networks, count, outputs))


def _refuse_shape(got: object, given: Tensor, wanted: tuple[int, ...]) -> None:
    if not isinstance(got, Tensor):
        raise EngineError(
            f"it gives a {type(got).__name__} for rows of shape {tuple(given.shape)}, not a tensor"
        )
    if got.shape != wanted or got.dtype != torch.float32:
        raise EngineError(
            f"it gives {tuple(got.shape)} {got.dtype} for rows of shape {tuple(given.shape)}, but must give "
            f"{wanted} torch.float32"
        )


def check_determinism(subject: Subject) -> None:
    """The seed alone decides the initial weights and, with the epoch, all outputs."""
    with _uninitialised_is_nan():
        for name, value in initial(subject, 2).items():
            if not torch.isfinite(value).all():
                raise EngineError(
                    f"its weight {name!r} has no initial values; draw them in initialise(generators)"
                )
    again = initial(subject, 2, seed=4)
    for name, value in initial(subject, 2, seed=4).items():
        refuse_difference(
            value,
            again[name],
            f"its initial {name!r} are two different ones with one seed; draw in initialise(generators), from "
            "generator k for network k",
        )
    rows, others = subject.rows(2, 7), subject.rows(2, 5, seed=1)
    dropping, network = subject.with_dropout(0.5), subject.network(2)
    with torch.no_grad():
        predicted = network(rows)
        network(others)
        refuse_difference(
            predicted, network(rows), "it gives two outputs for the same rows, with others between them"
        )
    refuse_difference(
        _given(dropping, rows, training=True),
        _given(dropping, rows, training=True),
        "in training it gives two outputs for the same rows, seed and epoch; drop out with dlplugin.engines.Dropout "
        "only",
    )


@contextmanager
def _uninitialised_is_nan() -> Iterator[None]:
    """Fills what torch.empty gives with NaN, so that it shows when nothing is written there."""
    before = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )
    memory: Any = torch.utils.deterministic
    filled = memory.fill_uninitialized_memory
    torch.use_deterministic_algorithms(True, warn_only=True)
    memory.fill_uninitialized_memory = True
    try:
        yield
    finally:
        memory.fill_uninitialized_memory = filled
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])


def check_networks(subject: Subject) -> None:
    """A network is the same alone and beside others, and neither hears of the other."""
    three = initial(subject, 3, seed=9)
    for networks in (1, 2):
        for name, value in initial(subject, networks, seed=9).items():
            refuse_difference(
                value,
                three[name][:networks],
                f"its initial {name!r} differ between {networks} and 3 networks; draw those of network k from "
                "generator k, one network after the other",
            )
    dropping, rows, others = subject.with_dropout(0.5), subject.rows(3, 6), 10 * subject.rows(3, 6, seed=1)
    for training in (False, True):
        together = _given(dropping, rows, training)
        alone = _given(dropping, rows[:2], training)
        refuse_difference(together[:2], alone, "two networks give other outputs beside a third one", CLOSE)
        for changed in range(3):
            rest = [k for k in range(3) if k != changed]
            mixed = rows.clone()
            mixed[changed] = others[changed]
            refuse_difference(
                together[rest],
                _given(dropping, mixed, training)[rest],
                "the rows of one network change the outputs of the others",
                CLOSE,
            )
    network = subject.network(3, seed=9)
    network(rows)[1].square().sum().backward()
    for name, weight in network.named_parameters():
        if weight.grad is not None and bool(weight.grad[[0, 2]].any()):
            raise EngineError(f"the loss of one network has a gradient for the {name!r} of another")


def _given(subject: Subject, rows: Tensor, training: bool) -> Tensor:
    """What new networks give, in training with the random streams of the first epoch."""
    network = subject.network(len(rows), seed=9).train(training)
    seed_networks(network, 3, epoch=1, samples=1)
    with torch.no_grad():
        given: Tensor = network(rows)
    return given
