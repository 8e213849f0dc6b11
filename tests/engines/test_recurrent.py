"""What holds for every recurrent engine: rows alone, networks side by side, dropout, and all weights learn."""

from typing import Literal

import pytest
import torch

import dlplugin as dl
from dlplugin.definition import EngineOptions, Shapes
from dlplugin.engines import Dropout, build_network, seed_networks
from dlplugin.engines.recurrent import in_one_piece
from dlplugin.errors import DefinitionError
from tests.engines.slow_recurrent import definition_of, network_of, windows

SMALL = [
    dl.LSTM(hidden=6),
    dl.LSTM(hidden=5, layers=3, normalisation="layer"),
    dl.GRU(hidden=6),
    dl.GRU(hidden=14, layers=2, normalisation="layer"),
    dl.ALSTM(features=4, hidden=6),
    dl.ALSTM(features=9, hidden=5, layers=2),
]
DROPPING = [
    dl.LSTM(hidden=6, layers=2, dropout=0.4, normalisation="layer"),
    dl.GRU(hidden=6, layers=2, dropout=0.4),
    dl.ALSTM(features=4, hidden=6, layers=2, dropout=0.4),
]
FIVE_QUANTILES = dl.Output("ROC(5)", look_ahead=5, quantiles=[0.1, 0.25, 0.5, 0.75, 0.9])


def name_of(engine: EngineOptions) -> str:
    return type(engine).__name__.lower()


@pytest.mark.parametrize("engine", [*SMALL, *DROPPING], ids=name_of)
def test_each_network_learns_as_many_numbers_as_its_options_say(engine: EngineOptions) -> None:
    definition = definition_of(engine)
    learned = sum(parameter.numel() for parameter in build_network(definition, 3).parameters())
    assert learned == 3 * engine.weights(definition.shapes(3))


@pytest.mark.parametrize("engine", SMALL, ids=name_of)
@pytest.mark.parametrize("depth", [2, 6])
def test_every_number_learns_from_the_first_step(engine: EngineOptions, depth: int) -> None:
    network = build_network(definition_of(engine, depth), 3).train()
    network(windows(depth=depth)).square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.shape[0] == 3, name
        assert parameter.grad is not None, name
        assert (parameter.grad != 0).all(), name
        assert parameter.grad.isfinite().all(), name


@pytest.mark.parametrize("engine", SMALL, ids=name_of)
def test_network_k_starts_alike_whatever_the_number_of_networks(engine: EngineOptions) -> None:
    one, three = (build_network(definition_of(engine), networks, seed=9).state_dict() for networks in (1, 3))
    for name, value in one.items():
        assert torch.equal(three[name][0], value[0]), name
        if "gain" not in name and value.any():
            assert not torch.equal(three[name][1], value[0]), name


@pytest.mark.parametrize("engine", SMALL, ids=name_of)
def test_network_k_is_what_it_would_be_alone_and_learns_alone(engine: EngineOptions) -> None:
    three = network_of(engine)
    rows = windows()
    given = three(rows)
    given[1].square().sum().backward()
    for k in range(3):
        one = network_of(engine, networks=1)
        one.load_state_dict({name: value[k : k + 1] for name, value in three.state_dict().items()})
        torch.testing.assert_close(one(rows[k : k + 1])[0], given[k], atol=1e-6, rtol=0)
        for parameter in three.parameters():
            assert parameter.grad is not None
            assert parameter.grad[k].any() == (k == 1)


@pytest.mark.parametrize("engine", [dl.LSTM(hidden=40, layers=2), dl.GRU(hidden=40, layers=2)], ids=name_of)
def test_initial_weights_fill_their_bounds_evenly(engine: EngineOptions) -> None:
    network = build_network(definition_of(engine), 2)
    bound = 40**-0.5
    for name, parameter in network.named_parameters():
        if name.startswith("hidden"):
            values = parameter.detach()
            assert 0.9 * bound < float(values.abs().max()) <= bound, name
            assert float(values.std()) == pytest.approx(bound / 3**0.5, rel=0.1), name


@pytest.mark.parametrize("engine", DROPPING, ids=name_of)
def test_dropout_changes_a_training_and_no_prediction(engine: EngineOptions) -> None:
    network = network_of(engine)
    plain = network_of(type(engine)(**(vars(engine) | {"dropout": 0.0})))
    plain.load_state_dict(dict(zip(plain.state_dict(), network.state_dict().values(), strict=True)))
    rows = windows()
    assert torch.equal(network(rows), plain(rows))
    trained = []
    for epoch in (1, 2, 1):
        seed_networks(network, 0, epoch, 50)
        trained.append(network.train()(rows))
    assert torch.equal(trained[0], trained[2])
    assert not torch.equal(trained[0], trained[1])
    assert torch.equal(network.eval()(rows), plain(rows))


@pytest.mark.parametrize("engine", DROPPING[:2], ids=name_of)
def test_dropout_is_between_the_layers_and_on_the_newest_state(engine: EngineOptions) -> None:
    network = network_of(engine)
    seen: list[tuple[int, ...]] = []
    for layer in network.modules():
        if isinstance(layer, Dropout):
            layer.register_forward_hook(lambda layer, given, made: seen.append(tuple(made.shape)))
    network(windows())
    assert seen == [(3, 5, 6, 6), (3, 5, 6)]


def assert_same_bits_anywhere(engine: EngineOptions, networks: int) -> None:
    """A row of a chunk of 32: elsewhere in it, among others, among copies of itself, with two threads."""
    network = network_of(engine, networks, outputs=[FIVE_QUANTILES, dl.Output("ROC(1)", look_ahead=1)])
    generator = torch.Generator().manual_seed(0)
    rows = windows(1, 32)[0]
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        with torch.inference_mode():
            given = network(rows.expand(networks, *rows.shape))
            order = torch.randperm(32, generator=generator)
            assert torch.equal(network(rows[order].expand(networks, *rows.shape)), given[:, order])
            for place in (0, 13, 31):
                junk = torch.randn(rows.shape, generator=generator) * 50
                junk[place] = rows[7]
                assert torch.equal(network(junk.expand(networks, *rows.shape))[:, place], given[:, 7])
            padded = network(rows[7].expand(networks, *rows.shape))
            assert torch.equal(padded, given[:, 7:8].expand(padded.shape))
            torch.set_num_threads(2)
            assert torch.equal(network(rows.expand(networks, *rows.shape)), given)
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize(
    "engine", [*SMALL, dl.GRU(10), dl.LSTM(33), dl.GRU(33), dl.ALSTM(33, 33)], ids=name_of
)
@pytest.mark.parametrize("networks", [1, 3])
def test_a_row_has_the_same_bits_anywhere_in_a_chunk(engine: EngineOptions, networks: int) -> None:
    assert_same_bits_anywhere(engine, networks)


@pytest.mark.slow
@pytest.mark.parametrize("hidden", [*range(1, 18), 24, 31, 33, 48, 65, 100])
@pytest.mark.parametrize("networks", [1, 4])
def test_a_row_has_the_same_bits_anywhere_in_a_chunk_at_every_size(hidden: int, networks: int) -> None:
    normalisation: Literal["none", "layer"] = "layer" if hidden > 1 else "none"
    assert_same_bits_anywhere(dl.LSTM(hidden, layers=2, normalisation=normalisation), networks)
    assert_same_bits_anywhere(dl.GRU(hidden, layers=2, normalisation=normalisation), networks)
    assert_same_bits_anywhere(dl.ALSTM(hidden, hidden, layers=2), networks)


@pytest.mark.parametrize("engine", [dl.LSTM(), dl.GRU(), dl.ALSTM()], ids=name_of)
def test_a_window_of_one_bar_is_refused(engine: EngineOptions) -> None:
    message = (
        f"engine '{name_of(engine)}' reads windows of 2 bars or more, but the inputs have a depth of 1 bar; "
        "give each a greater depth, such as dl.Input('RSI(14)', depth=16)"
    )
    for refused in (lambda: definition_of(engine, depth=1), lambda: engine.weights(Shapes(1, (1, 3), 2))):
        with pytest.raises(DefinitionError) as error:
            refused()
        assert str(error.value) == message


def test_weights_in_one_piece_lie_one_after_another_and_are_the_same() -> None:
    weights = [torch.randn(3, 4).T, torch.randn(2, 4), torch.randn(4)]
    for weight in weights:
        weight.requires_grad_()
    parts = in_one_piece(weights)
    assert all(torch.equal(part, weight) for part, weight in zip(parts, weights, strict=True))
    assert all(part.is_contiguous() for part in parts)
    assert [part.data_ptr() - parts[0].data_ptr() for part in parts] == [0, 12 * 4, 20 * 4]
    (parts[0].sum() + 2 * parts[1].sum() + 3 * parts[2].sum()).backward()
    assert [weight.grad.unique().tolist() for weight in weights] == [[1], [2], [3]]  # type: ignore[union-attr]
