"""The gated recurrent unit."""

import torch
from torch import Tensor, nn

from dlplugin.definition import GRU, Shapes
from dlplugin.engines.layers import spare_columns
from dlplugin.engines.recurrent import RecurrentNetwork, draw_evenly, in_one_piece

__all__ = ["GRULayer", "build"]


class GRULayer(nn.Module):
    """K layers of gated recurrent units side by side.

    With the bars x_t and the states h_t, which begin as h_0 = 0, it is

        r_t, z_t = σ(W x_t + R h_(t-1) + b), each gate with a third of the columns of W, R and b
        n_t = tanh(W x_t + b + r_t (R h_(t-1) + q)), with the last third and a second bias q
        h_t = (1 - z_t) n_t + z_t h_(t-1)

    (Cho et al., 2014, with r_t behind the product with R, as cuDNN and PyTorch have it, so that one
    product serves all gates).
    """

    def __init__(self, networks: int, inputs: int, hidden: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(networks, inputs, 3 * hidden))
        self.recurrent = nn.Parameter(torch.empty(networks, hidden, 3 * hidden))
        self.bias = nn.Parameter(torch.empty(networks, 1, 3 * hidden))
        self.recurrent_bias = nn.Parameter(torch.empty(networks, 1, hidden))

    def initialise(self, generators: list[torch.Generator]) -> None:
        """Draws the weights of network k from generator k, uniform in ± 1/√H."""
        weights = [self.weight, self.recurrent, self.bias, self.recurrent_bias]
        draw_evenly(weights, self.recurrent.shape[1], generators)

    def forward(self, rows: Tensor) -> Tensor:
        """The states after each bar: (K, B, W, inputs) to (K, B, W, H)."""
        return self.in_turn(rows) if rows.is_cuda else self.side_by_side(rows)

    def side_by_side(self, rows: Tensor) -> Tensor:
        """All networks in one loop over the bars, which is faster on a CPU.

        A few hidden numbers get others beside them that have no weights and stay 0; see `spare_columns`.
        """
        networks, batch, _, _ = rows.shape
        hidden = self.recurrent.shape[1]
        spare = spare_columns(hidden)
        width = hidden + spare
        weight, bias = _widen(self.weight, 3, spare), _widen(self.bias, 3, spare)
        recurrent = nn.functional.pad(_widen(self.recurrent, 3, spare), (0, 0, 0, spare))
        recurrent_bias = _widen(self.recurrent_bias, 1, spare)
        of_gates, of_new = torch.split(recurrent, [2 * width, width], dim=-1)
        state = rows.new_zeros(networks, batch, width)
        states = []
        for bar in rows.unbind(2):
            gates, new = torch.split(torch.baddbmm(bias, bar, weight), [2 * width, width], dim=-1)
            reset, keep = torch.baddbmm(gates, state, of_gates).sigmoid().chunk(2, dim=-1)
            remembered = torch.baddbmm(recurrent_bias, state, of_new)
            new = torch.addcmul(new, reset, remembered).tanh()
            # with products in half precision the state is float32 all the same
            state = torch.lerp(new.to(state.dtype), state, keep.to(state.dtype))  # (K, B, H)
            states.append(state)
        return torch.stack(states, dim=2)[..., :hidden]  # (K, B, W, H)

    def in_turn(self, rows: Tensor) -> Tensor:
        """One network after another by PyTorch's own GRU, which is faster on a GPU."""
        networks, batch, _, _ = rows.shape
        hidden = self.recurrent.shape[1]
        begin = rows.new_zeros(1, batch, hidden)
        states = []
        for k in range(networks):
            second_bias = nn.functional.pad(self.recurrent_bias[k, 0], (2 * hidden, 0))
            weights = [self.weight[k].T, self.recurrent[k].T, self.bias[k, 0], second_bias]
            learns = torch.is_grad_enabled()
            given = torch.gru(rows[k], begin, in_one_piece(weights), True, 1, 0.0, learns, False, True)
            states.append(given[0])  # (B, W, F) -> (B, W, H)
        return torch.stack(states)  # (K, B, W, H)


def _widen(weights: Tensor, gates: int, spare: int) -> Tensor:
    """(K, n, gates · H) to (K, n, gates · (H + spare)), with zeros behind each gate's own columns."""
    if not spare:
        return weights
    by_gate = weights.reshape(*weights.shape[:2], gates, -1)
    return nn.functional.pad(by_gate, (0, spare)).flatten(-2)


def build(options: GRU, shapes: Shapes) -> RecurrentNetwork:
    """K networks of GRU layers of these options; weights are not initialised yet."""
    return RecurrentNetwork(GRULayer, options, shapes)
