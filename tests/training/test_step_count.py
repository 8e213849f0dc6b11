"""Lightning counts one step for each chunk of minibatches."""

import io
from typing import Any

import pytest
from rich.console import Console

import dlplugin as dl
from dlplugin.samples import build_samples
from dlplugin.training import fit as fit_module
from tests.training.notes import Notes


@pytest.mark.parametrize(("minibatches", "cells"), [(256, 1 << 22), (3, 1 << 22), (3, 1)])
def test_lightning_counts_each_chunk_once(
    monkeypatch: pytest.MonkeyPatch, model: dl.Model, two_stocks: dl.DataSet, minibatches: int, cells: int
) -> None:
    monkeypatch.setattr("dlplugin.training.module.MINIBATCHES_A_STEP", minibatches)
    monkeypatch.setattr("dlplugin.training.module.CELLS_AT_ONCE", cells)
    samples = build_samples(model.definition, two_stocks, dl.resolve_split(two_stocks, dl.Split()))
    made: list[Any] = []
    make = fit_module.make_trainer

    def kept(*arguments: Any) -> Any:
        made.append(make(*arguments))
        return made[-1]

    monkeypatch.setattr(fit_module, "make_trainer", kept)
    options = dl.TrainingOptions(epochs=2, batch_size=32, auto_stop=None)
    fit_module.fit(samples, options, Notes(), console=Console(file=io.StringIO()))
    count, a_chunk = len(samples.rows["in-sample"]), minibatches * 32
    chunks = count // a_chunk + (count % a_chunk > 0)
    (trainer,) = made
    assert trainer.global_step == 2 * chunks
