"""Long short-term memory."""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn

from dlplugin.definition import LSTM, Shapes
from dlplugin.engines.recurrent import RecurrentNetwork, draw_evenly, in_one_piece

__all__ = ["LSTMLayer", "build"]


class LSTMLayer(nn.Module):
    """K layers of long short-term memory side by side.

    With the bars x_t, the states h_t and the memories c_t, which begin as h_0 = c_0 = 0, it is

        i_t, f_t, o_t = σ(W x_t + R h_(t-1) + b), each gate with a quarter of the rows of W, R and b
        g_t = tanh(W x_t + R h_(t-1) + b), with the last quarter
        c_t = f_t c_(t-1) + i_t g_t
        h_t = o_t tanh(c_t)

    (Hochreiter and Schmidhuber, 1997; the forget gate f: Gers, Schmidhuber and Cummins, 2000). The
    quarters lie in memory as PyTorch has them: i, f, g, o. The networks run one after another: PyTorch's
    own loop over the bars is faster than one over all networks at once, also with eight of them.
    """

    def __init__(self, networks: int, inputs: int, hidden: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(networks, 4 * hidden, inputs))
        self.recurrent = nn.Parameter(torch.empty(networks, 4 * hidden, hidden))
        self.bias = nn.Parameter(torch.empty(networks, 4 * hidden))

    def initialise(self, generators: list[torch.Generator]) -> None:
        """Draws the weights of network k from generator k, uniform in ± 1/√H."""
        draw_evenly([self.weight, self.recurrent, self.bias], self.recurrent.shape[2], generators)

    def forward(self, rows: Tensor) -> Tensor:
        """The states after each bar."""
        networks, batch, _, _ = rows.shape
        plain: AbstractContextManager[object] = nullcontext()
        if _is_fp16_on_cpu(rows):  # many processors have no such LSTM, and oneDNN raises: float32 instead
            rows, plain = rows.float(), torch.autocast("cpu", enabled=False)
        begin = rows.new_zeros(1, batch, self.recurrent.shape[2])
        second_bias = torch.zeros_like(self.bias[0])  # PyTorch adds two; one is enough to learn
        states = []
        for k in range(networks):
            weights = [self.weight[k], self.recurrent[k], self.bias[k], second_bias]
            if rows.is_cuda:
                weights = in_one_piece(weights)
            learns = torch.is_grad_enabled()
            with plain:
                given = torch.lstm(rows[k], (begin, begin), weights, True, 1, 0.0, learns, False, True)
            states.append(given[0])  # (B, W, F) -> (B, W, H)
        return torch.stack(states)  # (K, B, W, H)


def _is_fp16_on_cpu(rows: Tensor) -> bool:
    return rows.device.type == "cpu" and torch.get_autocast_dtype("cpu") == torch.float16


def build(options: LSTM, shapes: Shapes) -> RecurrentNetwork:
    """K networks of LSTM layers of these options; weights are not initialised yet."""
    return RecurrentNetwork(LSTMLayer, options, shapes)
