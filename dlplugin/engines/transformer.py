"""The transformer encoder: every bar of the window looks at every other one."""

from torch import Tensor, nn

from dlplugin.definition import Shapes, Transformer
from dlplugin.engines.attention import Encoder
from dlplugin.engines.layers import Linear

__all__ = ["TransformerNetwork", "build"]


class TransformerNetwork(nn.Module):
    """A linear map of each bar, an encoder of the window, and the newest bar or the mean of all predicts."""

    def __init__(self, options: Transformer, shapes: Shapes) -> None:
        super().__init__()
        window, features = shapes.row
        self.embedding = Linear(shapes.networks, features, options.width)
        self.encoder = Encoder(options, shapes.networks, window)
        self.output = Linear(shapes.networks, options.width, shapes.outputs)
        self._pooled = 1 if options.pooling == "last" else window  # bars

    def forward(self, rows: Tensor) -> Tensor:
        """Scaled windows to scaled outputs."""
        bars = self.embedding(rows)  # (K, B, W, F) -> (K, B, W, E)
        encoded = self.encoder(bars, self._pooled)  # (K, B, 1 or W, E)
        predicted: Tensor = self.output(encoded.mean(dim=2))  # (K, B, E) -> (K, B, N)
        return predicted


def build(options: Transformer, shapes: Shapes) -> TransformerNetwork:
    """K networks of these options; weights are not initialised yet."""
    return TransformerNetwork(options, shapes)
