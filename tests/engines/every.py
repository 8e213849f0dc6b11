"""Every engine that comes with the house, the three kinds of MLP too, in a size for tests."""

import dlplugin as dl

SMALL = {
    "linear": dl.Linear(),
    "nlinear": dl.NLinear(),
    "dlinear": dl.DLinear(kernel=4),
    "mlp": dl.MLP([8, 4], "tanh"),
    "mlp-residual": dl.MLP([8, 8], "elu", normalisation="layer", blocks="residual"),
    "mlp-gated": dl.MLP([8, 4], "silu", blocks="gated"),
    "lstm": dl.LSTM(8, layers=2),
    "gru": dl.GRU(8, layers=2, normalisation="layer"),
    "alstm": dl.ALSTM(6, hidden=8),
    "tcn": dl.TCN([6, 6, 6], kernel=2),
    "transformer": dl.Transformer(8, heads=2, feed_forward=12, dropout=0.0),
    "patchtst": dl.PatchTST(patch=4, stride=2, width=8, heads=2, feed_forward=12, dropout=0.0),
    "tsmixer": dl.TSMixer(hidden=6, activation="gelu"),
}
DEPTH = 9  # an odd one: patches reach beyond the oldest bar
