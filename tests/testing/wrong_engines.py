"""A good engine, and for everything that check_engine checks one that does it wrong."""

import threading
from typing import Annotated, Any

import torch
from pydantic import AfterValidator, Field
from torch import Tensor, nn

from dlplugin.definition import EngineSpec, Shapes, linear_weights, settings
from dlplugin.engines import Linear

HIDDEN = 6
Share = Annotated[float, Field(ge=0, lt=1, description="Share of hidden values switched off.")]


@settings
class Small:
    """One hidden layer."""

    dropout: Share = 0.0

    def weights(self, shapes: Shapes) -> int:
        return linear_weights(shapes.row[0], HIDDEN) + linear_weights(HIDDEN, shapes.outputs)


class Good(nn.Module):
    """Does everything right; what is wrong overrides one step of it."""

    def __init__(self, options: Any, shapes: Shapes) -> None:
        super().__init__()
        self.hidden = Linear(shapes.networks, shapes.row[0], HIDDEN)
        self.output = Linear(shapes.networks, HIDDEN, shapes.outputs)

    def change(self, values: Tensor) -> Tensor:  # (K, B, H)
        return values

    def forward(self, rows: Tensor) -> Any:
        return self.output(self.change(torch.tanh(self.hidden(rows))))


def spec(network: str = "Good", options: Any = Small, **changes: Any) -> EngineSpec:
    whole = {"name": "wrong", "layout": "flat", "chunk": 32, "build": f"{__name__}:{network}"}
    return EngineSpec(options=options, **(whole | changes))


SPEC: object = spec()  # what the entry point of "wrong" points to; tests put others there


class Casts(Good):
    """Makes float32 numbers of whatever it is given."""

    def forward(self, rows: Tensor) -> Tensor:
        return super().forward(rows.float())


class StartsAtNothing(Good):
    """Its output begins at 0, as ReZero and many residual blocks do; nothing before it learns in the first step."""

    def __init__(self, options: Any, shapes: Shapes) -> None:
        super().__init__(options, shapes)
        self.output.initialise = lambda *_: self._clear()  # type: ignore[method-assign]

    def _clear(self) -> None:
        with torch.no_grad():
            self.output.weight.zero_()
            self.output.bias.zero_()  # type: ignore[union-attr]


# registration


class Plain:
    """No settings class."""

    def weights(self, shapes: Shapes) -> int:
        return 0


@settings
class Unexplained:
    """An option says nothing of itself."""

    dropout: float = 0.0

    def weights(self, shapes: Shapes) -> int:
        return Small().weights(shapes)


@settings
class Weightless:
    """Does not say how much it learns."""


@settings
class Forgetful:
    """What comes back from plain text is another value."""

    size: Annotated[int, AfterValidator(lambda size: size + 1), Field(description="A size.")] = 3

    def weights(self, shapes: Shapes) -> int:
        return Small().weights(shapes)


# parameters


@settings
class Miscounted:
    """Forgets the biases of the output."""

    def weights(self, shapes: Shapes) -> int:
        return Small().weights(shapes) - shapes.outputs


@settings
class Failing:
    """Divides by nothing."""

    def weights(self, shapes: Shapes) -> int:
        return 1 // 0


@settings
class Fraction:
    """Gives no whole number."""

    def weights(self, shapes: Shapes) -> Any:
        return Small().weights(shapes) / 1


class Raises(Good):
    def __init__(self, options: Any, shapes: Shapes) -> None:
        raise IndexError("no such\n  layer")


def no_module(options: Any, shapes: Shapes) -> Any:
    return "network"


class TorchLinear(Good):
    """A layer of torch's own, without the K networks."""

    def __init__(self, options: Any, shapes: Shapes) -> None:
        super().__init__(options, shapes)
        self.output = nn.Linear(HIDDEN, shapes.outputs)  # type: ignore[assignment]


class Persistent(Good):
    """Stores what is not a network's."""

    def __init__(self, options: Any, shapes: Shapes) -> None:
        super().__init__(options, shapes)
        self.register_buffer("waves", torch.ones(7, 2))


class Double(Good):
    def __init__(self, options: Any, shapes: Shapes) -> None:
        super().__init__(options, shapes)
        self.double()


class Talkative(Good):
    """Stores words."""

    def get_extra_state(self) -> object:
        return "more"

    def set_extra_state(self, state: object) -> None: ...


class BrokenLayer(nn.Module):
    def initialise(self) -> None:  # takes no generators
        ...


class BadlyInitialised(Good):
    def __init__(self, options: Any, shapes: Shapes) -> None:
        super().__init__(options, shapes)
        self.layer = BrokenLayer()


class Empty(nn.Module):
    """Learns nothing."""

    def __init__(self, options: Any, shapes: Shapes) -> None:
        super().__init__()
        self.outputs = shapes.outputs

    def forward(self, rows: Tensor) -> Tensor:
        return rows[..., : self.outputs]


@settings
class NoWeights:
    """Nothing to learn."""

    def weights(self, shapes: Shapes) -> int:
        return 0


# shapes


class Precise(Good):
    """Gives another type of numbers."""

    def forward(self, rows: Tensor) -> Tensor:
        return super().forward(rows).double()


class Transposed(Good):
    def forward(self, rows: Tensor) -> Tensor:
        return super().forward(rows).transpose(1, 2)


class Squeezed(Good):
    """Loses the rows' dimension when there is one row."""

    def forward(self, rows: Tensor) -> Tensor:
        return super().forward(rows).squeeze(1)


class Pair(Good):
    """Gives its state, too."""

    def forward(self, rows: Tensor) -> Any:
        return super().forward(rows), rows


# determinism


class Shift(nn.Module):
    """A bias; nobody gives it initial values."""

    def __init__(self, networks: int, outputs: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.empty(networks, 1, outputs))


class Uninitialised(Good):
    def __init__(self, options: Any, shapes: Shapes) -> None:
        super().__init__(options, shapes)
        self.output = Linear(shapes.networks, HIDDEN, shapes.outputs, biases=False)
        self.shift = Shift(shapes.networks, shapes.outputs)

    def forward(self, rows: Tensor) -> Tensor:
        return super().forward(rows) + self.shift.bias


class RandomConstructor(Uninitialised):
    """Draws from the generator that all the program shares."""

    def __init__(self, options: Any, shapes: Shapes) -> None:
        super().__init__(options, shapes)
        self.shift.bias = nn.Parameter(torch.randn(shapes.networks, 1, shapes.outputs))


class TorchDropout(Good):
    def __init__(self, options: Small, shapes: Shapes) -> None:
        super().__init__(options, shapes)
        self.dropout = nn.Dropout(options.dropout)

    def change(self, values: Tensor) -> Tensor:
        dropped: Tensor = self.dropout(values)
        return dropped


class Remembers(Good):
    """Adds something of the rows before."""

    before: Tensor | float = 0.0

    def change(self, values: Tensor) -> Tensor:
        given, self.before = values + self.before, values.mean().detach()
        return given


# networks


class ShiftOfOneGenerator(Shift):
    """Draws all networks' values from the first one's generator."""

    def initialise(self, generators: list[torch.Generator]) -> None:
        with torch.no_grad():
            for column in range(self.bias.shape[-1]):
                self.bias[..., column] = torch.randn(len(generators), 1, generator=generators[0])


class OneGenerator(Uninitialised):
    def __init__(self, options: Any, shapes: Shapes) -> None:
        super().__init__(options, shapes)
        self.shift = ShiftOfOneGenerator(shapes.networks, shapes.outputs)


class Shared(Good):
    """All networks use the mean of their weights."""

    def forward(self, rows: Tensor) -> Tensor:
        hidden = torch.tanh(rows @ self.hidden.weight.mean(0) + self.hidden.bias)
        return self.output(hidden)


class Exchanges(Good):
    """Looks at the other networks' values, and only while it predicts."""

    def change(self, values: Tensor) -> Tensor:
        return values if self.training else values + values.mean(0)


class LooksAtTheFirst(Good):
    """The first network's values go into all others."""

    def change(self, values: Tensor) -> Tensor:
        return values + values[:1].detach()


class SharesGradients(Good):
    """Its values are its own, but a gradient reaches the others."""

    def change(self, values: Tensor) -> Tensor:
        mean = values.mean(0)
        return values + mean - mean.detach()


# rows


class BatchNormal(Good):
    """Normalises by the batch in training, by what it has seen otherwise."""

    def __init__(self, options: Any, shapes: Shapes) -> None:
        super().__init__(options, shapes)
        self.register_buffer("center", torch.zeros(shapes.networks, 1, HIDDEN))

    def change(self, values: Tensor) -> Tensor:
        if self.training:
            mean = values.mean(1, keepdim=True)
            self.center = 0.9 * self.center + 0.1 * mean.detach()
            return values - mean
        return values - self.center


class CenteredInPrediction(Good):
    def change(self, values: Tensor) -> Tensor:
        return values if self.training else values - values.mean(1, keepdim=True)


class ReadsThePlace(Good):
    def change(self, values: Tensor) -> Tensor:
        return values + torch.arange(values.shape[1]).view(1, -1, 1) / 100


class ReadsTheCount(Good):
    def change(self, values: Tensor) -> Tensor:
        return values + values.shape[1] / 100


# bits


class SumsUp(Good):
    """Adds all rows up and takes the others away again: right but for the last bits."""

    def change(self, values: Tensor) -> Tensor:
        total = values.sum(1, keepdim=True)
        return (values + total) - total


class NearlyAlike(Good):
    """Each place has a little of its own."""

    def change(self, values: Tensor) -> Tensor:
        return values * (1 + 1e-6 * torch.arange(values.shape[1]).view(1, -1, 1))


class SeesPadding(Good):
    """Knows when all rows are one, as they are when one bar is predicted live."""

    def change(self, values: Tensor) -> Tensor:
        return values * 1.000001 if (values == values[:, :1]).all() else values


class Unsaved(Good):
    """What it has learned beside its weights is not stored."""

    center: Tensor | float = 0.0

    def change(self, values: Tensor) -> Tensor:
        if self.training and torch.is_grad_enabled():
            self.center = 0.1 * values.detach().mean((1, 2), keepdim=True)
        return values - self.center


class ThreadsTell(Good):
    """A sum that depends on how many threads share it."""

    def change(self, values: Tensor) -> Tensor:
        return values * (1 + 1e-6 * torch.get_num_threads())


# gradients


class Idle(Good):
    """A layer whose result counts nothing."""

    def forward(self, rows: Tensor) -> Tensor:
        return 0 * super().forward(rows) + self.hidden(rows).sum(-1, keepdim=True)


@settings
class OneMore:
    """Learns one number more."""

    def weights(self, shapes: Shapes) -> int:
        return Small().weights(shapes) + 1


class Cancels(Good):
    """One number more, which a softmax takes away again: rounding alone gives it a gradient."""

    def __init__(self, options: Any, shapes: Shapes) -> None:
        super().__init__(options, shapes)
        self.key = nn.Parameter(torch.full((shapes.networks, 1, 1), 0.3))

    def change(self, values: Tensor) -> Tensor:
        return values + torch.softmax(values + self.key, dim=-1)


class HalfIdle(Good):
    """One of its neurons counts nothing."""

    def change(self, values: Tensor) -> Tensor:
        return torch.cat([values[..., :-1], 0 * values[..., -1:]], dim=-1)


# finite


class Divides(Good):
    """By a spread that is 0 where nothing changes."""

    def forward(self, rows: Tensor) -> Tensor:
        return super().forward(rows / rows.std(-1, keepdim=True))


class Explodes(Good):
    def forward(self, rows: Tensor) -> Tensor:
        return self.output(self.hidden(rows).exp().clamp(max=3.4e38).log1p())


class Rooted(Good):
    """The root has no slope at 0."""

    def forward(self, rows: Tensor) -> Tensor:
        return super().forward(rows) * (
            1 + self.hidden(rows).sub(self.hidden.bias).square().sum(-1, True).sqrt()
        )


# devices


class ForgetsTensors(Good):
    """A tensor that is neither learned nor registered stays where it is."""

    def __init__(self, options: Any, shapes: Shapes) -> None:
        super().__init__(options, shapes)
        self.mixing = torch.eye(HIDDEN).expand(shapes.networks, HIDDEN, HIDDEN)

    def change(self, values: Tensor) -> Tensor:
        return values @ self.mixing


class MakesTensors(Good):
    """What it makes while it is asked is on the CPU."""

    def change(self, values: Tensor) -> Tensor:
        return torch.cat([values[..., 1:], torch.zeros(*values.shape[:2], 1)], dim=-1) + values


# training


class _Backwards(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, values: Tensor) -> Tensor:
        return values.clone()

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        return -gradient


class LearnsBackwards(Good):
    def forward(self, rows: Tensor) -> Tensor:
        return _Backwards.apply(super().forward(rows))  # type: ignore[no-any-return]


class Uncopied(Good):
    """Cannot be copied, as averaging does."""

    def __init__(self, options: Any, shapes: Shapes) -> None:
        super().__init__(options, shapes)
        self.lock = threading.Lock()


# storage


class Anneals(Good):
    """Counts its steps, and changes after some; a training that goes on counts from 0 again."""

    steps = 0

    def change(self, values: Tensor) -> Tensor:
        self.steps += self.training
        return values if self.steps < 13 else values / 2


# what a diagnosis cannot watch, but has to live with


class Turned(Good):
    """Its activations have the rows last, and the networks first, or not even that."""

    def __init__(self, options: Any, shapes: Shapes) -> None:
        super().__init__(options, shapes)
        self.turned, self.mixed = nn.ReLU(), nn.SiLU()

    def change(self, values: Tensor) -> Tensor:
        turned = self.turned(values.transpose(1, 2)).transpose(1, 2)
        return values + turned + self.mixed(values.flatten(0, 1)).view(values.shape)
