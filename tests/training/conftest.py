"""Samples that the tests of training share; none of them is changed by a test."""

import pytest

import dlplugin as dl
from dlplugin.samples import Samples
from tests.training.stepping import samples_of

THREE = dl.Output("ROC(1)", look_ahead=1, classes=[-0.5, 0.55])
TWO = dl.Output("ROC(5)", look_ahead=5, classes=[0.0])


@pytest.fixture(scope="session")
def numbers(describe, two_stocks: dl.DataSet) -> Samples:
    """Two outputs that are numbers."""
    return samples_of(describe("unused"), two_stocks)


@pytest.fixture(scope="session")
def three_classes(describe, two_stocks: dl.DataSet) -> Samples:
    """One output with three classes."""
    return samples_of(describe("unused", outputs=[THREE]), two_stocks)


@pytest.fixture(scope="session")
def two_classes(describe, two_stocks: dl.DataSet) -> Samples:
    """One output with two classes."""
    return samples_of(describe("unused", outputs=[TWO]), two_stocks)


@pytest.fixture(scope="session")
def mixed(describe, two_stocks: dl.DataSet) -> Samples:
    """A number, three quantiles, two classes with weight 3, and three classes of which one is dropped."""
    outputs = [
        dl.Output("ROC(5)", look_ahead=5, name="number"),
        dl.Output("ROC(3)", look_ahead=3, name="quantiles", quantiles=[0.1, 0.5, 0.9]),
        dl.Output("ROC(5)", look_ahead=5, name="two", classes=[0.0], weight=3.0),
        dl.Output("ROC(1)", look_ahead=1, name="dropped", classes=[-0.5, 0.55], drop="middle"),
    ]
    return samples_of(describe("unused", outputs=outputs), two_stocks)
