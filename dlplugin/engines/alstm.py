"""LSTM with attention over its own states."""

import torch
from torch import Tensor, nn

from dlplugin.definition import ALSTM, Shapes
from dlplugin.engines.layers import Dropout, Linear
from dlplugin.engines.lstm import LSTMLayer

__all__ = ["ALSTMNetwork", "build"]


class ALSTMNetwork(nn.Module):
    """A feature layer, LSTM layers, and a weighted look back at the last layer's states.

    With the bars x_t and the LSTM's states h_t, t = 1 … W, it is

        f_t = tanh(V x_t + c), which the LSTM reads
        a_t = softmax over t of u · tanh(A h_t + b)
        the outputs: a linear map of h_W and of Σ a_t h_t, joined

    (Feng et al., 2019, after the temporal attention of Qin et al., 2017). u has no bias: it would add the
    same to each bar's score, which changes no softmax.
    """

    def __init__(self, options: ALSTM, shapes: Shapes) -> None:
        super().__init__()
        networks, hidden = shapes.networks, options.hidden
        self.features = Linear(networks, shapes.row[1], options.features)
        layers: list[nn.Module] = [LSTMLayer(networks, options.features, hidden)]
        for _ in range(options.layers - 1):
            if options.dropout:
                layers.append(Dropout(options.dropout))
            layers.append(LSTMLayer(networks, hidden, hidden))
        self.hidden = nn.Sequential(*layers)
        self.attention = Linear(networks, hidden, hidden)
        self.score = Linear(networks, hidden, 1, biases=False)
        self.dropout = Dropout(options.dropout) if options.dropout else nn.Identity()
        self.output = Linear(networks, 2 * hidden, shapes.outputs)

    def forward(self, rows: Tensor) -> Tensor:
        """Scaled windows to scaled outputs."""
        features = self.features(rows).tanh()  # (K, B, W, F) -> (K, B, W, features)
        states = self.hidden(features)  # (K, B, W, H)
        scores = self.score(self.attention(states).tanh())  # (K, B, W, 1)
        looked_back = (scores.softmax(dim=2) * states).sum(dim=2)  # (K, B, H)
        joined = torch.cat([states[:, :, -1], looked_back], dim=-1)  # (K, B, 2H)
        predicted: Tensor = self.output(self.dropout(joined))  # (K, B, N)
        return predicted


def build(options: ALSTM, shapes: Shapes) -> ALSTMNetwork:
    """K networks of these options; weights are not initialised yet."""
    return ALSTMNetwork(options, shapes)
