"""The conformance check of engines: ours pass, and a wrong engine for each thing it checks does not."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

import dlplugin as dl
from dlplugin.definition import engines
from dlplugin.errors import DefinitionError, EngineError, RegistryError, UnknownNameError
from dlplugin.registry import Entry
from dlplugin.testing import check_engine
from dlplugin.testing.engine import CHECKS
from tests.testing import wrong_engines
from tests.testing.wrong_engines import spec

HOME = "tests.testing.wrong_engines"
BUILT_IN = [name for name in engines if not engines.entry(name).package]


@pytest.fixture
def announce(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Announces an engine as an installed package would."""
    monkeypatch.setitem(engines._entries, "wrong", Entry("wrong", f"{HOME}:SPEC", "", "some-package"))

    def announce(found: object) -> None:
        monkeypatch.setattr(wrong_engines, "SPEC", found)

    return announce


@pytest.mark.parametrize("name", BUILT_IN)
def test_our_engines_keep_what_every_engine_promises(name: str) -> None:
    before = torch.get_rng_state(), torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    check_engine(name)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == before[1:]


INTERESTING = [  # narrow layers of 5 to 11 are those whose products need care
    (dl.MLP([]), 5),
    (dl.MLP([7, 10, 10], "gelu", blocks="residual", normalisation="layer"), 16),
    (dl.MLP([9, 9], "silu", blocks="gated", dropout=0.3), 33),
    (dl.DLinear(kernel=6), 33),
    (dl.TSMixer(blocks=3, hidden=6, activation="gelu", dropout=0.2, normalisation="none"), 7),
    (dl.LSTM(hidden=6, layers=3, dropout=0.2, normalisation="layer"), 33),
    (dl.LSTM(hidden=5), 2),
    (dl.GRU(hidden=7, layers=2, dropout=0.2, normalisation="layer"), 33),
    (dl.GRU(hidden=11), 2),
    (dl.ALSTM(features=6, hidden=9, layers=2, dropout=0.2), 33),
    (dl.TCN(channels=[5, 7, 7, 6], kernel=3, activation="silu", dropout=0.2, normalisation="layer"), 33),
    (dl.TCN(channels=[9], kernel=5), 9),
    (dl.Transformer(width=10, heads=2, layers=1, feed_forward=7, positions="learned", pooling="mean"), 33),
    (dl.Transformer(width=6, heads=1, layers=3, feed_forward=11, activation="relu", dropout=0.0), 7),
    (dl.PatchTST(patch=5, stride=3, width=9, heads=3, layers=1, feed_forward=10, dropout=0.0), 33),
    (dl.PatchTST(patch=2, stride=2, width=6, heads=2, positions="sinusoidal"), 9),
]


@pytest.mark.slow
@pytest.mark.parametrize(("options", "depth"), INTERESTING, ids=str)
def test_our_engines_keep_it_with_other_options(options: Any, depth: int) -> None:
    check_engine(options, depth)


def test_a_good_engine_of_somebody_else_passes(announce: Any) -> None:
    announce(spec())
    check_engine("wrong")
    check_engine(wrong_engines.Small(dropout=0.5), depth=1)
    for network in ("Casts", "StartsAtNothing"):
        announce(spec(network, chunk=1))
        check_engine("wrong")


NUMBER = "[0-9.e+-]+"
BY = f"they differ by {NUMBER} of their scale, "
LIST = rf"\[{NUMBER}(, {NUMBER})+\]"
SOME = BY + "more than 1e-05"
BITS = BY + "and must not in a bit"
W = "Shapes\\(networks=1, row=\\(48,\\), outputs=2\\)"
STRAY = "it calculates with a tensor of shape"
STAYS = (
    r"that stays on the CPU when the network is on a GPU; keep it with register_buffer\(..., persistent=False\), or make "
    "it with device=rows.device"
)
WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("registration", {"name": "right"}, "WHO calls itself 'right' in its EngineSpec; use one name for both"),
    ("registration", {"chunk": 0}, "WHO has chunk 0, but must be a number of rows, such as 64"),
    ("registration", {"layout": "rows"}, "WHO has layout 'rows', but must be 'flat' or 'window'"),
    ("registration", {"build": "nowhere"}, "WHO has build 'nowhere', but must be 'module:function'"),
    ("registration", {"build": f"{HOME}:Nothing"},
     f"WHO cannot be loaded from '{HOME}:Nothing': AttributeError: module '{HOME}' has no attribute 'Nothing'"),
    ("registration", {"options": wrong_engines.Plain},
     f"WHO has options <class '{HOME}.Plain'>; write a class and decorate it with @dlplugin.definition.settings"),
    ("registration", {"options": wrong_engines.Weightless},
     r"WHO has options Weightless without weights; add: def weights\(self, shapes: Shapes\) -> int"),
    ("registration", {"options": wrong_engines.Unexplained},
     r"its option 'dropout' has no description; write Annotated\[..., Field\(description='One sentence.'\)\]"),
    ("registration", {"options": wrong_engines.Forgetful},
     r"its options Forgetful\(size=3\) come back from plain text as Forgetful\(size=4\)"),
    ("parameters", {"options": wrong_engines.Miscounted},
     f"WHO learns 308 numbers with {W}, but Miscounted.weights says 306 for these networks; correct the one or the "
     "other"),
    ("parameters", {"options": wrong_engines.Failing},
     f"Failing.weights fails for {W}: ZeroDivisionError: integer division or modulo by zero"),
    ("parameters", {"options": wrong_engines.Fraction},
     f"Fraction.weights gives 308.0 for {W}, but must give a whole number"),
    ("parameters", {"network": "Raises"}, f"WHO fails in {HOME}:Raises with {W}: IndexError: no such layer"),
    ("parameters", {"network": "no_module"},
     f"{HOME}:no_module gives 'network', but must give a torch.nn.Module"),
    ("parameters", {"network": "TorchLinear"},
     r"WHO has a weight 'output.weight' of shape \(2, 6\), but the first dimension is the 1 networks; build it of the "
     "layers in dlplugin.engines"),
    ("parameters", {"network": "Persistent"},
     r"it stores 'waves' of shape \(7, 2\), but the first dimension of all that is stored is the 1 networks; register "
     "what is not learned with persistent=False"),
    ("parameters", {"network": "Double"},
     "it stores 'hidden.weight' as torch.float64, but weights are torch.float32"),
    ("parameters", {"network": "Talkative"}, "its state has '_extra_state', a str, but only tensors are stored"),
    ("parameters", {"network": "Empty", "options": wrong_engines.NoWeights},
     "it learns nothing; give it weights: dlplugin.engines.Linear"),
    ("parameters", {"network": "BadlyInitialised"},
     r"WHO fails in layer.initialise: TypeError: BrokenLayer.initialise\(\) takes 1 positional argument but 2 were "
     "given"),
    ("shapes", {"network": "Transposed"},
     r"it gives \(1, 2, 1\) torch.float32 for rows of shape \(1, 1, 48\), but must give \(1, 1, 2\) torch.float32"),
    ("shapes", {"network": "Squeezed"},
     r"it gives \(1, 2\) torch.float32 for rows of shape \(1, 1, 48\), but must give \(1, 1, 2\) torch.float32"),
    ("shapes", {"network": "Precise"},
     r"it gives \(1, 1, 2\) torch.float64 for rows of shape \(1, 1, 48\), but must give \(1, 1, 2\) torch.float32"),
    ("shapes", {"network": "Pair"}, r"it gives a tuple for rows of shape \(1, 1, 48\), not a tensor"),
    ("determinism", {"network": "Uninitialised"},
     r"its weight 'shift.bias' has no initial values; draw them in initialise\(generators\)"),
    ("determinism", {"network": "RandomConstructor"},
     r"its initial 'shift.bias' are two different ones with one seed; draw in initialise\(generators\), from generator "
     f"k for network k: {BITS}"),
    ("determinism", {"network": "TorchDropout"},
     "in training it gives two outputs for the same rows, seed and epoch; drop out with dlplugin.engines.Dropout "
     f"only: {BITS}"),
    ("determinism", {"network": "Remembers"},
     f"it gives two outputs for the same rows, with others between them: {BITS}"),
    ("networks", {"network": "OneGenerator"},
     "its initial 'shift.bias' differ between 1 and 3 networks; draw those of network k from generator k, one network "
     f"after the other: {BITS}"),
    ("networks", {"network": "Shared"}, f"two networks give other outputs beside a third one: {SOME}"),
    ("networks", {"network": "Exchanges"}, f"two networks give other outputs beside a third one: {SOME}"),
    ("networks", {"network": "LooksAtTheFirst"},
     f"the rows of one network change the outputs of the others: {SOME}"),
    ("networks", {"network": "SharesGradients"},
     "the loss of one network has a gradient for the 'hidden.weight' of another"),
    ("rows", {"network": "BatchNormal"},
     "a row's output changes with the other rows in training; normalise each row by itself, as "
     f"dlplugin.engines.LayerNorm does: {SOME}"),
    ("rows", {"network": "CenteredInPrediction"},
     "a row's output changes with the other rows in prediction; normalise each row by itself, as "
     f"dlplugin.engines.LayerNorm does: {SOME}"),
    ("rows", {"network": "ReadsThePlace"}, f"a row's output changes with its place among the others: {SOME}"),
    ("rows", {"network": "ReadsTheCount"}, f"a row alone gives another output than among others: {SOME}"),
    ("bits", {"network": "ThreadsTell"}, f"2 threads give other outputs than one: {BITS}"),
    ("bits", {"network": "SumsUp"}, f"a row's output changes with the padding of its chunk: {BITS}"),
    ("bits", {"network": "NearlyAlike"}, f"a row's output changes with its place in the chunk: {BITS}"),
    ("bits", {"network": "SeesPadding"}, rf"bar by bar it predicts {LIST}, but in batch {LIST}"),
    ("bits", {"network": "Unsaved"},
     "its weights in a new network give other outputs; register what training changes as a buffer, K first: "
     f"{BITS}"),
    ("gradients", {"network": "Idle"},
     "12 of the 12 numbers of its weight 'output.weight' have no gradient with any of 10 seeds; they would never "
     "learn: leave them out"),
    ("gradients", {"network": "HalfIdle"},
     "48 of the 288 numbers of its weight 'hidden.weight' have no gradient with any of 10 seeds; they would never "
     "learn: leave them out"),
    ("gradients", {"network": "Cancels", "options": wrong_engines.OneMore},
     "1 of the 1 numbers of its weight 'key' have no gradient with any of 10 seeds; they would never learn: leave "
     "them out"),
    ("finite", {"network": "Divides"}, "it gives nan for rows of zeros"),
    ("finite", {"network": "Explodes"}, "the gradient of 'hidden.weight' is (nan|inf) for values of ± 1000"),
    ("finite", {"network": "Rooted"}, "the gradient of 'hidden.weight' is nan for rows of zeros"),
    ("devices", {"network": "ForgetsTensors"}, rf"{STRAY} \(2, 6, 6\) {STAYS}"),
    ("devices", {"network": "MakesTensors"}, rf"{STRAY} \(2, 5, 1\) {STAYS}"),
    ("training", {"network": "LearnsBackwards"},
     "trained with loss='squared', class_loss='cross-entropy', its loss does not fall: "
     f"{NUMBER}, {NUMBER}, {NUMBER}"),
    ("training", {"network": "Uncopied"}, "TypeError: cannot pickle '_thread.lock' object"),
    ("storage", {"network": "Anneals"},
     "after a stop it does not train on as without one; register what training changes as a "
     "buffer, K first"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("check", "changes", "message"),
    WRONG,
    ids=[f"{check}-{changes.get('network', changes)}" for check, changes, _ in WRONG],
)
def test_a_wrong_engine_is_caught_by_the_check_it_fails(
    announce: Any, check: str, changes: dict[str, Any], message: str
) -> None:
    announce(spec(**changes))
    who = "engine 'wrong' of the package some-package"
    with pytest.raises(
        EngineError, match=f"^{who} fails the check of {check}: {message.replace('WHO', 'it')}$"
    ):
        check_engine("wrong")


def test_every_check_has_a_wrong_engine() -> None:
    assert list(CHECKS) == list(dict.fromkeys(check for check, *_ in WRONG))


def test_what_is_no_engine_at_all_is_told_from_one(announce: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    announce([1])
    with pytest.raises(EngineError) as refusal:
        check_engine("wrong")
    assert str(refusal.value) == (
        "engine 'wrong' of the package some-package fails the check of registration: engine 'wrong' cannot be loaded: "
        f"{HOME}:SPEC is [1], but must be an instance of EngineSpec"
    )
    with pytest.raises(UnknownNameError, match=r"^unknown engine 'lsmt'; did you mean 'lstm'"):
        check_engine("lsmt")
    with pytest.raises(DefinitionError, match=r"^engine is 3, but it must be a name or the options of: "):
        check_engine(3)  # type: ignore[arg-type]


def test_a_depth_that_does_not_suit_is_no_fault_of_the_engine() -> None:
    with pytest.raises(DefinitionError, match=r"^engine 'nlinear' reads windows of 2 bars or more"):
        check_engine("nlinear", depth=1)


def test_a_broken_package_leaves_the_other_engines_alone(
    announce: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, describe: Any
) -> None:
    announce([1])
    assert describe(".").definition.spec.name == "mlp"
    (tmp_path / "broken_package.py").write_text("raise ValueError('not on\\n this machine')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(engines._entries, "wrong", Entry("wrong", "broken_package:SPEC", "", "some-package"))
    assert describe(".").definition.spec.name == "mlp"
    with pytest.raises(RegistryError) as refusal:
        describe(".", engine="wrong")
    assert str(refusal.value) == "engine 'wrong' cannot be loaded: ValueError: not on this machine"


@pytest.mark.slow
def test_checking_indicators_loads_no_torch() -> None:
    code = "import sys; from dlplugin.testing import check_indicator; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_options_can_be_given_as_plain_text_has_them() -> None:
    check_engine({"name": "linear"}, depth=2)
    with pytest.raises(
        dl.DLPluginError, match="check of registration: MLP has no field 'hiden'; did you mean"
    ):
        check_engine({"name": "mlp", "hiden": [3]})
    with pytest.raises(dl.DLPluginError, match="engine has no name"):
        check_engine({"hidden": [3]})
