"""The options of the linear networks: the baselines that keep the others honest."""

from typing import Annotated

from pydantic import Field

from dlplugin.definition.engines.spec import EngineSpec, Shapes, linear_weights, window_of
from dlplugin.definition.settings import settings

__all__ = ["DLINEAR_SPEC", "LINEAR_SPEC", "NLINEAR_SPEC", "DLinear", "Linear", "NLinear"]


@settings
class Linear:
    """One linear map of all inputs with their depths side by side: linear or logistic regression."""

    def weights(self, shapes: Shapes) -> int:
        """How many numbers each network learns; see `EngineOptions`."""
        return linear_weights(shapes.row[0], shapes.outputs)


@settings
class NLinear:
    """One linear map of how the window differs from its newest bar: it does not see the level.

    The paper adds the newest value to what it predicts of the same series; here inputs and outputs are
    different indicators, and nothing is added.
    """

    def weights(self, shapes: Shapes) -> int:
        """How many numbers each network learns; see `EngineOptions`."""
        window, features = window_of("nlinear", shapes)
        return linear_weights((window - 1) * features, shapes.outputs)


@settings
class DLinear:
    """A linear map of the window's trend, and one of what is left of it."""

    kernel: Annotated[
        int,
        Field(
            ge=3,  # of 2 bars the last remainder would always be 0
            le=1000,
            description="Bars of the moving average that is the trend; the window's ends repeat.",
        ),
    ] = 9

    def weights(self, shapes: Shapes) -> int:
        """How many numbers each network learns; see `EngineOptions`."""
        window, features = window_of("dlinear", shapes)
        return linear_weights(2 * window * features, shapes.outputs)


_SOURCE = "Zeng et al. (2023), Are transformers effective for time series forecasting?"

LINEAR_SPEC = EngineSpec(
    "linear",
    Linear,
    "dlplugin.engines.linear:build",
    layout="flat",
    chunk=256,
    good_for="The yardstick: a network that does not beat it has found nothing that is not linear.",
    cost="The cheapest there is.",
)
NLINEAR_SPEC = EngineSpec(
    "nlinear",
    NLinear,
    "dlplugin.engines.linear:build_nlinear",
    layout="window",
    chunk=256,
    good_for="The yardstick for inputs whose level drifts, such as prices.",
    cost="The cheapest there is for windows.",
    sources=(_SOURCE,),
    sees_level=False,
)
DLINEAR_SPEC = EngineSpec(
    "dlinear",
    DLinear,
    "dlplugin.engines.linear:build_dlinear",
    layout="window",
    chunk=256,
    good_for="The yardstick for sequence networks: it has beaten many a transformer on long windows.",
    cost="Cheap; twice the weights of one linear map.",
    sources=(_SOURCE,),
)
