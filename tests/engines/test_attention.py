"""Attention and the encoder's block against loops in NumPy and against PyTorch's own layers."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import dlplugin as dl
from dlplugin.engines import Purpose, streams
from dlplugin.engines.attention import Attention, Encoder, EncoderBlock, LearnedPositions, SinusoidalPositions
from tests.engines.slow_encoder import slow_attention, slow_waves
from tests.engines.windows import weights_of

SIZES = [(8, 2), (15, 3), (12, 1), (6, 6)]


def drawn(layer: nn.Module, networks: int = 3) -> nn.Module:
    """With weights, gains and biases that all differ."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for value in layer.parameters():
            assert len(value) == networks
            value.copy_(torch.randn(value.shape, generator=generator) * 0.4)
    return layer


def places(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def pytorchs_attention(ours: Attention, k: int, width: int, heads: int) -> nn.MultiheadAttention:
    """PyTorch's, with network k's weights and keys' biases of 0."""
    theirs = nn.MultiheadAttention(width, heads, batch_first=True)
    fill_attention(theirs, ours, k)
    return theirs


def fill_attention(theirs: nn.MultiheadAttention, ours: Attention, k: int) -> None:
    parts = (ours.query, ours.key, ours.value)
    biases = [
        torch.zeros_like(ours.query.bias[k, 0]) if each.bias is None else each.bias[k, 0] for each in parts
    ]  # type: ignore[index]
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([each.weight[k].T for each in parts]))
        theirs.in_proj_bias.copy_(torch.cat(biases))
        fill_linear(theirs.out_proj, ours.join, k)


def fill_linear(theirs: nn.Module, ours: nn.Module, k: int) -> None:
    with torch.no_grad():
        theirs.weight.copy_(ours.weight[k].T)  # type: ignore[operator, index]
        theirs.bias.copy_(ours.bias[k, 0])  # type: ignore[operator, index]


def fill_norm(theirs: nn.LayerNorm, ours: nn.Module, k: int) -> None:
    with torch.no_grad():
        theirs.weight.copy_(ours.gain[k, 0])  # type: ignore[index]
        theirs.bias.copy_(ours.bias[k, 0])  # type: ignore[index]


@pytest.mark.parametrize(("width", "heads"), SIZES)
def test_attention_equals_loops_in_numpy(width: int, heads: int) -> None:
    made = drawn(Attention(3, width, heads))
    given = places(3, 2, 5, width)
    found = made(given, given).detach().numpy()
    for k in range(3):
        weights = {f"a.{name}": value for name, value in weights_of(made, k).items()}
        for row in range(2):
            wanted = slow_attention(weights, "a", given[k, row].numpy().astype(np.float64), heads)
            np.testing.assert_allclose(found[k, row], wanted, atol=3e-6)


@pytest.mark.parametrize(("width", "heads"), SIZES)
def test_attention_equals_pytorchs_own(width: int, heads: int) -> None:
    made = drawn(Attention(3, width, heads))
    asking, answering = places(3, 4, 2, width), 2 * places(3, 4, 7, width)
    found = made(asking, answering)
    for k in range(3):
        wanted, _ = pytorchs_attention(made, k, width, heads)(asking[k], answering[k], answering[k])
        torch.testing.assert_close(found[k], wanted, atol=3e-6, rtol=1e-5)


@pytest.mark.parametrize("activation", ["gelu", "relu"])
@pytest.mark.parametrize(("width", "heads"), [(8, 2), (15, 3)])
def test_a_block_equals_pytorchs_own_that_normalises_first(width: int, heads: int, activation) -> None:
    options = dl.Transformer(width, heads, feed_forward=11, activation=activation)
    made = drawn(EncoderBlock(options, 3)).eval()
    given = places(3, 4, 6, width)
    found = made(given, 6)
    for k in range(3):
        theirs = nn.TransformerEncoderLayer(
            width, heads, 11, 0.0, activation, batch_first=True, norm_first=True
        )
        fill_attention(theirs.self_attn, made.attention, k)  # type: ignore[arg-type]
        fill_norm(theirs.norm1, made.attention_norm, k)  # type: ignore[arg-type]
        fill_norm(theirs.norm2, made.forward_norm, k)  # type: ignore[arg-type]
        fill_linear(theirs.linear1, made.feed_forward[0], k)  # type: ignore[index, arg-type]
        fill_linear(theirs.linear2, made.feed_forward[2], k)  # type: ignore[index, arg-type]
        torch.testing.assert_close(found[k], theirs(given[k]), atol=5e-6, rtol=1e-5)


def test_asking_for_the_newest_places_gives_what_asking_for_all_gives_there() -> None:
    made = drawn(Encoder(dl.Transformer(8, 2, 2), 3, 6)).eval()
    given = places(3, 4, 6, 8)
    for newest in (1, 2):
        torch.testing.assert_close(made(given, newest), made(given, 6)[:, :, -newest:], atol=3e-6, rtol=1e-5)


def test_more_axes_than_the_batch_are_as_good_as_one() -> None:
    made = drawn(Encoder(dl.PatchTST(width=8, heads=2), 3, 5)).eval()
    given = places(3, 2, 4, 5, 8)
    apart = torch.stack([made(given[:, :, index], 5) for index in range(4)], dim=2)
    torch.testing.assert_close(made(given, 5), apart, atol=3e-6, rtol=1e-5)


@pytest.mark.parametrize("silent", ["attention.join", "feed_forward.2"])
def test_dropout_acts_on_what_attention_and_feed_forward_add(silent: str) -> None:
    made = drawn(EncoderBlock(dl.Transformer(8, 2, dropout=0.25), 1), 1)
    with torch.no_grad():
        for value in made.get_submodule(silent).parameters():
            value.zero_()  # the other one alone adds
    for name, layer in made.named_modules():
        if name.endswith("dropout"):
            layer.generators = [torch.Generator().manual_seed(0)]  # type: ignore[assignment]
    given = places(1, 40, 6, 8)
    added = made.eval()(given, 6) - given
    dropped = made.train()(given, 6) - given
    kept = dropped != 0
    assert float(kept.float().mean()) == pytest.approx(0.75, abs=0.03)
    torch.testing.assert_close(dropped[kept], added[kept] / 0.75, atol=5e-6, rtol=1e-4)


@pytest.mark.parametrize("width", [8, 7, 1])
def test_waves_are_those_of_the_formula_and_weigh_nothing(width: int) -> None:
    made = SinusoidalPositions(30, width)
    np.testing.assert_allclose(made(torch.zeros(1, 1, 30, width))[0, 0], slow_waves(30, width), atol=1e-7)
    assert made.state_dict() == {}


def test_learned_positions_are_added_to_every_row_and_begin_small() -> None:
    made = LearnedPositions(2, 50, 30)
    made.initialise(streams(0, 2, 0, Purpose.ORDER))
    weight = made.weight.detach()
    assert float(weight.std()) == pytest.approx(0.02, rel=0.05)
    assert float(weight.mean()) == pytest.approx(0, abs=0.002)
    alone = LearnedPositions(1, 50, 30)
    alone.initialise(streams(0, 1, 0, Purpose.ORDER))
    assert torch.equal(alone.weight[0], made.weight[0])
    for shape in ((2, 3, 50, 30), (2, 3, 4, 50, 30)):
        added = made(torch.zeros(shape))
        for k in range(2):
            assert torch.equal(added[k], made.weight[k].expand(shape[1:]))


@pytest.mark.parametrize(("width", "heads"), [(32, 2), (56, 7), (10, 2)])
def test_attention_gives_a_row_the_same_bits_at_every_place(width: int, heads: int) -> None:
    made = drawn(Attention(2, width, heads), networks=2).eval()
    with torch.inference_mode():
        for count in (9, 63):
            rows = places(2, 32, count, width)
            for asking in (1, count):
                given = made(rows[:, :, -asking:], rows)
                for moved in (1, 2, 3):
                    other = rows.roll(moved, dims=1)
                    assert torch.equal(made(other[:, :, -asking:], other).roll(-moved, dims=1), given)
