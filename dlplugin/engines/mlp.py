"""The multi-layer perceptron."""

from torch import Tensor, nn

from dlplugin.definition import MLP, Shapes
from dlplugin.engines.layers import ACTIVATIONS, Dropout, LayerNorm, Linear

__all__ = ["MLPNetwork", "build"]


class MLPNetwork(nn.Module):
    """Hidden layers of linear map, normalisation, activation and dropout; then a linear output."""

    def __init__(self, options: MLP, shapes: Shapes) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        width = shapes.row[0]
        for neurons in options.hidden:
            layers.append(Linear(shapes.networks, width, neurons))
            if options.normalisation == "layer":
                layers.append(LayerNorm(shapes.networks, neurons))
            layers.append(ACTIVATIONS[options.activation]())
            if options.dropout:
                layers.append(Dropout(options.dropout))
            width = neurons
        self.hidden = nn.Sequential(*layers)
        self.output = Linear(shapes.networks, width, shapes.outputs)

    def forward(self, rows: Tensor) -> Tensor:
        """Scaled inputs to scaled outputs."""
        values: Tensor = self.hidden(rows)  # (K, B, D) -> (K, B, H)
        predicted: Tensor = self.output(values)  # (K, B, O)
        return predicted


def build(options: MLP, shapes: Shapes) -> MLPNetwork:
    """K perceptrons of these options; weights are not initialised yet."""
    return MLPNetwork(options, shapes)
