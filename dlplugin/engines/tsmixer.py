"""The mixer: small maps across the bars of a window, and across its inputs, in turn."""

from torch import Tensor, nn

from dlplugin.definition import Shapes, TSMixer
from dlplugin.engines.layers import ACTIVATIONS, Dropout, LayerNorm, Linear

__all__ = ["TSMixerNetwork", "build"]


class TSMixerNetwork(nn.Module):
    """Blocks that mix bars and then inputs, and a linear output of all that is left in the window."""

    def __init__(self, options: TSMixer, shapes: Shapes) -> None:
        super().__init__()
        window, features = shapes.row
        self.blocks = nn.Sequential(*[_Block(options, shapes) for _ in range(options.blocks)])
        self.output = Linear(shapes.networks, window * features, shapes.outputs)

    def forward(self, rows: Tensor) -> Tensor:
        """(K, B, W, F) scaled windows to (K, B, N)."""
        mixed: Tensor = self.blocks(rows)  # (K, B, W, F)
        predicted: Tensor = self.output(mixed.flatten(2))
        return predicted


class _Block(nn.Module):
    """Adds to a window what its bars say of each other, and then what its inputs do (Chen et al., 2023)."""

    def __init__(self, options: TSMixer, shapes: Shapes) -> None:
        super().__init__()
        networks, (window, features) = shapes.networks, shapes.row
        normalised = options.normalisation == "layer"
        self.across_bars = nn.Sequential(
            _WindowNorm(shapes) if normalised else nn.Identity(),
            _Transposed(Linear(networks, window, window)),
            ACTIVATIONS[options.activation](),
            _dropout(options.dropout),
        )
        self.across_inputs = nn.Sequential(
            _WindowNorm(shapes) if normalised else nn.Identity(),
            Linear(networks, features, options.hidden),
            ACTIVATIONS[options.activation](),
            _dropout(options.dropout),
            Linear(networks, options.hidden, features),
            _dropout(options.dropout),
        )

    def forward(self, window: Tensor) -> Tensor:
        """(K, B, W, F) to the same shape."""
        window = window + self.across_bars(window)
        mixed: Tensor = window + self.across_inputs(window)
        return mixed


class _WindowNorm(nn.Module):
    """Normalises all numbers of a row's window together, with a gain and a bias for each."""

    def __init__(self, shapes: Shapes) -> None:
        super().__init__()
        window, features = shapes.row
        self.norm = LayerNorm(shapes.networks, window * features)

    def forward(self, window: Tensor) -> Tensor:
        """(K, B, W, F) to the same shape."""
        normalised: Tensor = self.norm(window.flatten(2))  # (K, B, W · F)
        return normalised.view(window.shape)


class _Transposed(nn.Module):
    """A layer that sees the bars of one input, instead of the inputs of one bar."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, window: Tensor) -> Tensor:
        """(K, B, W, F) to (K, B, V, F), V being what the layer makes of W."""
        seen: Tensor = self.layer(window.transpose(2, 3))  # (K, B, F, V)
        return seen.transpose(2, 3)


def _dropout(share: float) -> nn.Module:
    return Dropout(share) if share else nn.Identity()


def build(options: TSMixer, shapes: Shapes) -> TSMixerNetwork:
    """K mixers of these options; weights are not initialised yet."""
    return TSMixerNetwork(options, shapes)
