"""Trainings shared by several processes, without a run around them: every case in turn, in the same processes.

Run as a script it is one of the others: `python -m tests.training.shared RANK PROCESSES ADDRESS NAME ...`.
"""

import hashlib
import io
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from torch import distributed

import dlplugin as dl
from dlplugin.samples import Samples, build_samples
from dlplugin.training.devices.meeting import attend, open_meeting, process_group
from dlplugin.training.devices.processes import python_paths
from dlplugin.training.devices.share import ALONE, Share
from dlplugin.training.fit import fit
from tests.training.notes import Notes
from tests.training.trainings import small_dataset

QUIET = Console(file=io.StringIO())
PLAIN: dict[str, Any] = {"epochs": 3, "batch_size": 64, "learning_rate": 0.01, "auto_stop": None}
NUMBER = dl.Output("ROC(5)", look_ahead=5, name="number")
OUTPUTS = {
    "number": [NUMBER],
    "of a window": [NUMBER],
    "mixed": [
        NUMBER,
        dl.Output("ROC(3)", look_ahead=3, name="quantiles", quantiles=[0.1, 0.5, 0.9]),
        dl.Output("ROC(5)", look_ahead=5, name="two", classes=[0.0], weight=3.0),
        dl.Output("ROC(1)", look_ahead=1, name="dropped", classes=[-0.5, 0.55], drop="middle"),
    ],
    "classes": [dl.Output("ROC(1)", look_ahead=1, classes=[-0.5, 0.55], drop="middle")],
}
# outputs, dropout, options
CASES: dict[str, tuple[str, float, dict[str, Any]]] = {
    "plain": ("number", 0.0, {}),
    "dropout": ("number", 0.3, {"networks": 2, "batch_size": 37}),
    "augmented": ("number", 0.0, {"input_noise": 0.3, "input_masking": 0.2, "input_magnitude": 0.2}),
    "weighted": ("number", 0.0, {"half_life": 50.0, "uniqueness": True, "batch_size": 37}),
    "mixed": ("mixed", 0.2, {"networks": 2, "class_weights": "none", "batch_size": 31, "half_life": 50.0}),
    "classes": ("classes", 0.0, {"class_weights": "balanced", "sampling": "over", "monitor": "accuracy"}),
    "clipped": ("number", 0.0, {"clip_norm": 0.1, "clip_value": 0.05, "l1": 0.01, "l2": 0.1, "networks": 2, "optimizer": "sgd"}),
    "averaged": ("number", 0.1, {"averaging": 0.9, "monitor": "correlation", "optimizer": "nadam"}),
    "full": ("number", 0.0, {"batch_size": "full"}),
    "two steps an epoch": ("number", 0.2, {"batch_size": 2, "epochs": 2, "learning_rate": 0.001}),
    "mixer": ("of a window", 0.2, {"networks": 2, "batch_size": 37}),
    "tiny batches": ("classes", 0.2, {"batch_size": 3, "epochs": 2, "learning_rate": 0.001}),
    "bf16": ("number", 0.2, {"precision": "bf16"}),
    "fp16": ("number", 0.2, {"precision": "fp16", "clip_norm": 0.1}),
}  # fmt: skip
Trace = tuple[list[list[float]], str]  # the losses of each epoch; a digest of the last state


@cache
def made(outputs: str, dropout: float, half_life: float | None, uniqueness: bool) -> Samples:
    dataset = small_dataset()
    window = outputs == "of a window"
    definition = dl.Definition(
        "shared",
        [dl.Input("RSI(14)", depth=3), dl.Input("ROC(5)", depth=3 if window else 2)],
        OUTPUTS[outputs],
        dl.TSMixer(
            activation="gelu", dropout=dropout
        )  # smooth: at the kink of a ReLU the last bits can decide
        if window
        else dl.MLP(hidden=[8, 4], dropout=dropout, normalisation="layer"),
    )
    spans = dl.resolve_split(dataset, dl.Split())
    return build_samples(definition, dataset, spans, half_life=half_life, uniqueness=uniqueness)


def case_of(name: str) -> tuple[Samples, dl.TrainingOptions]:
    outputs, dropout, options = CASES[name]
    chosen = dl.TrainingOptions(**(PLAIN | options))
    return made(outputs, dropout, chosen.half_life, chosen.uniqueness), chosen


def trace(name: str, share: Share = ALONE, **changed: Any) -> Trace:
    samples, options = case_of(name)
    options = replace(options, **changed)
    notes = Notes()
    fit(samples, options, notes, console=QUIET, share=share)
    state = notes.states[max(notes.states)]
    digest = hashlib.sha256(repr(state.values["module"]).encode())
    for key, value in sorted(state.arrays.items()):
        digest.update(key.encode() + np.ascontiguousarray(value).tobytes())
    return [[float(value) for value in row[1:3]] for row in notes.rows], digest.hexdigest()


def traces(names: Sequence[str], processes: int) -> list[Trace]:
    """What rank 0, this process, has seen of every case."""
    store, address = open_meeting(1)
    command = [sys.executable, "-P", "-m", "tests.training.shared"]
    root = Path(__file__).parents[2]
    others = [
        subprocess.Popen(
            [*command, str(rank), str(processes), address, *names],
            env={**os.environ, "PYTHONPATH": os.pathsep.join([python_paths(), str(root)])},
        )
        for rank in range(1, processes)
    ]
    try:
        return _all(names, Share(0, processes), store)
    finally:
        for other in others:
            with suppress(subprocess.TimeoutExpired):
                other.wait(10)
            other.kill()
            other.wait()


def _all(names: Sequence[str], share: Share, store: distributed.Store) -> list[Trace]:
    found = []
    for number, name in enumerate(names):
        with process_group(distributed.PrefixStore(str(number), store), share, "cpu"):
            found.append(trace(name, share))
    return found


if __name__ == "__main__":
    rank, processes, address, *names = sys.argv[1:]
    _all(names, Share(int(rank), int(processes)), attend(address))
