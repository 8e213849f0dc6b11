"""Predicting 5,000 bars in chunks of one size, against one batched forward pass; and one live bar."""

import tempfile

import torch
from measure import medians

import dlplugin as dl
from dlplugin.samples import input_matrix, known_inputs


def measure(quick: bool) -> dict[str, float]:
    """Name of the comparison to our time over the other's."""
    dataset = dl.DataSet.bundled("sp500")
    bars = dataset["SP500"]
    with tempfile.TemporaryDirectory() as store:
        model = dl.Model(
            "speed",
            inputs=[
                dl.Input(text, depth=2)
                for text in ("RSI(14)", "ROC(5)", "ATR(14) / close", "zscore(close, 20)")
            ],
            outputs=[dl.Output("ROC(5)", look_ahead=5)],
            engine=dl.MLP(hidden=[64, 32]),
            store=store,
        )
        model.train(dataset, options=dl.TrainingOptions(epochs=1))
        predictor = model.predictor
    raw = input_matrix(model.definition, bars)
    matrix = predictor._input_scaling.of(None).apply(raw)
    rows = known_inputs(model.definition, raw).nonzero()[0]
    cells = torch.from_numpy(matrix)
    live = predictor.live()
    records = [{str(name): value for name, value in row.items()} for row in bars.to_dict("records")]

    def one_forward() -> None:
        torch.set_num_threads(1)
        with torch.inference_mode():
            predictor._network(predictor._reader(cells, torch.from_numpy(rows))[None])

    def bar_by_bar() -> None:
        for time, row in zip(bars.index[:500], records[:500], strict=True):
            live.update(row, time)

    contenders = {
        "chunks": lambda: predictor.predict_rows(matrix, rows),
        "one forward": one_forward,
        "live": bar_by_bar,
    }
    seconds = medians(contenders, 20 if quick else 100)
    return {
        f"predict {len(rows):,} bars / one batched forward": seconds["chunks"] / seconds["one forward"],
        "milliseconds a live bar": seconds["live"] / 500 * 1000,
    }
