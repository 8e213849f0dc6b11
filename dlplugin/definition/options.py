"""How a model is trained: every hyperparameter, with the sentence that help, flags and forms show."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from dlplugin.definition.settings import settings
from dlplugin.definition.sharing import check_sharing
from dlplugin.errors import DefinitionError

__all__ = ["TrainingOptions"]

Optimizer = Literal[
    "adamw", "adam", "amsgrad", "nadam", "radam", "adamax", "sgd", "rmsprop", "adagrad", "adadelta", "rprop"
]
Schedule = Literal["constant", "step", "exponential", "cosine", "warm-restarts", "one-cycle", "on-plateau"]


def _listed(layers: object) -> object:
    """One layer is refused, and not read letter by letter."""
    if isinstance(layers, str):
        raise ValueError("must be a list of names, such as ['hidden']")
    return layers


def _finite_weights(weights: object) -> object:
    if isinstance(weights, tuple) and not any(weights):
        raise ValueError("must not all be 0")
    return weights


@settings
class TrainingOptions:
    """How the weights are found."""

    epochs: Annotated[
        int | None,
        Field(ge=1, description="Passes over all in-sample samples; none trains until it is stopped."),
    ] = 300
    auto_stop: Annotated[
        int | None,
        Field(
            ge=1,
            description="Stops after so many epochs without a better monitored value; none never does.",
        ),
    ] = 50
    min_delta: Annotated[
        float, Field(ge=0, description="The least improvement that auto_stop counts as one.")
    ] = 0.0
    auto_save: Annotated[
        int,
        Field(
            ge=1,
            description="Every so many epochs the save point moves if the monitored value is a new best.",
        ),
    ] = 1
    save_point: Annotated[
        Literal["best", "smoothed", "last"],
        Field(
            description="Which weights are kept: those of the best monitored value, of the best exponentially "
            "averaged one (single epochs are noisy), or the last."
        ),
    ] = "best"
    smoothing: Annotated[
        float,
        Field(gt=0, lt=1, description="Weight of the past in the averaged value; 0.9 is about ten epochs."),
    ] = 0.9
    monitor: Annotated[
        Literal["loss", "accuracy", "correlation"],
        Field(description="The out-of-sample value that picks the save point and stops the training."),
    ] = "loss"
    averaging: Annotated[
        float | None,
        Field(
            gt=0,
            lt=1,
            description="Decay of a moving average of the weights over the steps, which is then what is evaluated "
            "and kept; none keeps the weights themselves.",
        ),
    ] = None
    batch_size: Annotated[
        Annotated[int, Field(ge=1)] | Literal["full"],
        Field(description="Samples for each step of the weights; full takes all in one step."),
    ] = 256
    learning_rate: Annotated[float, Field(gt=0, description="Size of each step of the weights.")] = 0.001
    optimizer: Annotated[Optimizer, Field(description="How a gradient becomes a step of the weights.")] = (
        "adamw"
    )
    momentum: Annotated[
        float, Field(ge=0, lt=1, description="Share of the last step that goes on (sgd and rmsprop).")
    ] = 0.0
    nesterov: Annotated[bool, Field(description="Looks ahead along the momentum before each step (sgd).")] = (
        False
    )
    schedule: Annotated[
        Schedule,
        Field(
            description="How the learning rate changes while training goes on; rprop takes only its first step from it."
        ),
    ] = "constant"
    warm_up: Annotated[
        int,
        Field(ge=0, description="Epochs in which the learning rate rises from near 0; the schedule follows."),
    ] = 0
    schedule_epochs: Annotated[
        int | None,
        Field(
            ge=1,
            description="Epochs of a step or a cycle (step and warm-restarts need them), of the whole cosine or "
            "one-cycle (all epochs if none), or without an improvement before a plateau cuts the rate (10 if none).",
        ),
    ] = None
    schedule_factor: Annotated[
        float | None,
        Field(
            gt=0,
            lt=1,
            description="What the rate is multiplied by at each step or plateau (0.1 if none), or at each epoch "
            "(exponential, 0.99 if none).",
        ),
    ] = None
    minimum_rate: Annotated[
        float, Field(ge=0, description="The schedule takes the learning rate no lower than this.")
    ] = 0.0
    loss: Annotated[
        Literal["squared", "absolute", "huber", "log-cosh", "quantile"],
        Field(
            description="What outputs that are numbers are trained to make small; quantiles have their own."
        ),
    ] = "squared"
    huber_delta: Annotated[
        float,
        Field(gt=0, description="Scaled error beyond which the huber loss grows straight, not squared."),
    ] = 1.0
    quantile: Annotated[
        float,
        Field(gt=0, lt=1, description="The quantile that the quantile loss predicts; 0.5 is the median."),
    ] = 0.5
    class_loss: Annotated[
        Literal["cross-entropy", "hinge"],
        Field(description="What outputs in classes are trained with; hinge gives scores, not probabilities."),
    ] = "cross-entropy"
    class_weights: Annotated[
        Literal["none", "balanced"]
        | Annotated[
            Sequence[Annotated[float, Field(ge=0)]], AfterValidator(tuple), AfterValidator(_finite_weights)
        ],
        Field(
            description="What a sample of each class counts: none for all alike, balanced, or a number a class."
        ),
    ] = "none"
    l1: Annotated[
        float, Field(ge=0, description="Adds so much times the sum of the absolute weights to the loss.")
    ] = 0.0
    l2: Annotated[
        float, Field(ge=0, description="Adds so much times half the sum of the squared weights to the loss.")
    ] = 0.0
    penalty_on: Annotated[
        Literal["all", "output"],
        Field(description="Which weights l1 and l2 count: all, or the output layer's."),
    ] = "all"
    weight_decay: Annotated[
        float,
        Field(ge=0, description="Pulls all weights towards zero at each step (decoupled, as in AdamW)."),
    ] = 0.0
    clip_norm: Annotated[
        float | None,
        Field(
            gt=0, description="Gradients of a greater norm, over a network's weights, are shortened to it."
        ),
    ] = None
    clip_value: Annotated[
        float | None, Field(gt=0, description="Each number of a gradient is clipped to ± this.")
    ] = None
    input_noise: Annotated[
        float, Field(ge=0, description="Standard deviation of noise added to the scaled inputs in training.")
    ] = 0.0
    input_masking: Annotated[
        float,
        Field(
            ge=0,
            lt=1,
            description="Share of the inputs, with all their depths, set to 0 in each training row.",
        ),
    ] = 0.0
    input_magnitude: Annotated[
        float,
        Field(ge=0, description="Standard deviation of a factor around 1 that multiplies each training row."),
    ] = 0.0
    initialisation: Annotated[
        Literal["uniform", "xavier", "he", "orthogonal"],
        Field(
            description="How the weights of linear maps begin: uniform in ± 1/√inputs, or as Xavier, He or Saxe "
            "proposed."
        ),
    ] = "uniform"
    zero_biases: Annotated[bool, Field(description="Biases of linear maps begin at 0.")] = False
    sampling: Annotated[
        Literal["none", "over", "under"],
        Field(
            description="Evens classes out in each epoch: rare ones more often, or frequent ones less often."
        ),
    ] = "none"
    half_life: Annotated[
        float | None,
        Field(gt=0, description="Dates after which an older sample counts half; none lets all count alike."),
    ] = None
    uniqueness: Annotated[
        bool,
        Field(description="Lets a sample count less the more other look aheads overlap its own."),
    ] = False
    freeze: Annotated[
        Sequence[str],
        AfterValidator(tuple),
        BeforeValidator(_listed),
        Field(
            description="Layers that training leaves as they are, by name or its beginning; see start_from."
        ),
    ] = ()
    networks: Annotated[
        int,
        Field(ge=1, le=4096, description="Networks trained with different seeds; the mean of them predicts."),
    ] = 1
    seed: Annotated[
        int, Field(ge=0, lt=2**32, description="The same seed gives the same weights on the same machine.")
    ] = 0
    device: Annotated[
        Literal["auto", "cpu", "gpu", "cuda", "mps"],
        Field(
            description="Where it trains: a GPU when there is one, or the CPU; gpu, cuda (NVIDIA) and mps (Apple) "
            "insist on one."
        ),
    ] = "auto"
    devices: Annotated[
        Annotated[int, Field(ge=1)] | Literal["all"],
        Field(
            description="GPUs of each machine that share every batch; on a CPU processes, which only a large network "
            "is worth."
        ),
    ] = 1
    machines: Annotated[
        int,
        Field(
            ge=1,
            description="Machines with the store on a shared drive that share every batch; the first one tells what to "
            "type on the others, and listens at MASTER_ADDR and MASTER_PORT where these are set.",
        ),
    ] = 1
    precision: Annotated[
        Literal["fp32", "bf16", "fp16"],
        Field(
            description="Numbers that the network multiplies in training; weights, losses and predictions are fp32 "
            "always."
        ),
    ] = "fp32"

    def __post_init__(self) -> None:
        cycles = ("step", "cosine", "warm-restarts", "one-cycle", "on-plateau")
        for name, needed, suits in (
            ("momentum", "optimizer", ("sgd", "rmsprop")),
            ("nesterov", "optimizer", ("sgd",)),
            ("schedule_epochs", "schedule", cycles),
            ("schedule_factor", "schedule", ("step", "exponential", "on-plateau")),
            ("minimum_rate", "schedule", ("step", "exponential", *cycles[1:])),
            ("smoothing", "save_point", ("smoothed",)),
            ("huber_delta", "loss", ("huber",)),
            ("quantile", "loss", ("quantile",)),
            ("auto_save", "save_point", ("best", "smoothed")),
        ):
            self._refuse_unused(name, needed, suits)
        if self.min_delta and self.auto_stop is None:
            raise DefinitionError(
                f"min_delta is {self.min_delta:g}, but auto_stop is none; give it a number of epochs"
            )
        if self.nesterov and not self.momentum:
            raise DefinitionError("nesterov needs a momentum above 0, such as momentum=0.9")
        if self.penalty_on == "output" and not (self.l1 or self.l2):
            raise DefinitionError("penalty_on is 'output', but l1 and l2 are both 0; give one of them")
        if self.minimum_rate > self.learning_rate:
            raise DefinitionError(
                f"minimum_rate is {self.minimum_rate:g}, above the learning_rate {self.learning_rate:g}"
            )
        if self.schedule in ("cosine", "one-cycle") and not (self.epochs or self.schedule_epochs):
            raise DefinitionError(
                f"schedule {self.schedule!r} must know its end; give epochs or schedule_epochs"
            )
        check_sharing(self.device, self.devices, self.machines, self.batch_size)

    def _refuse_unused(self, name: str, needed: str, suits: tuple[str, ...]) -> None:
        """An option that would do nothing is a mistake, not a wish."""
        value, chosen = getattr(self, name), getattr(self, needed)
        if value != getattr(type(self), name) and chosen not in suits:
            listed = " or ".join(repr(choice) for choice in suits)
            raise DefinitionError(
                f"{name} is {value!r}, but {needed} {chosen!r} does not use it; use {needed}={listed}"
            )
