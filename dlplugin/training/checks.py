"""What a training's options ask of its definition, looked at before anything is written."""

from dlplugin.definition import Definition, TrainingOptions
from dlplugin.errors import DefinitionError, TrainingError
from dlplugin.samples import row_layout
from dlplugin.training.devices.found import choose_devices

__all__ = ["check_options", "sampled_output"]


def check_options(definition: Definition, options: TrainingOptions, out_of_sample: bool = True) -> None:
    """Refuses options that this definition cannot be trained with, or that would do nothing with it.

    Args:
        definition: What is to be trained.
        options: How.
        out_of_sample: Whether there are out-of-sample samples.

    Raises:
        DefinitionError: The first thing that is wrong, in one line.
        TrainingError: There is no such device.
    """
    _check_outputs(definition, options)
    _check_class_weights(definition, options)
    if options.sampling != "none":
        sampled_output(definition)
    _check_inputs(definition, options)
    _check_schedule(options, out_of_sample)
    if options.device not in ("auto", "cpu") or options.devices != 1 or options.machines > 1:
        choose_devices(options)  # torch, which only this check needs
    if options.precision != "fp32" and choose_devices(options).kind == "cpu":
        _try_on_the_cpu(definition, options.precision)
    if options.freeze:
        from dlplugin.engines import build_network  # torch, which only this check needs
        from dlplugin.training.steps.freezing import freeze

        freeze(build_network(definition, 1), options.freeze)


def _try_on_the_cpu(definition: Definition, precision: str) -> None:
    """One row, as not every CPU has every operation of an engine in every precision.

    Raises:
        TrainingError: This one has not.
    """
    import torch

    from dlplugin.engines import build_network

    kind = torch.bfloat16 if precision == "bf16" else torch.float16
    try:
        with torch.autocast("cpu", dtype=kind):
            build_network(definition, 1)(torch.zeros(1, 1, *row_layout(definition).shape))
    except RuntimeError as error:
        if "primitive" not in str(error):
            raise
        raise TrainingError(
            f"precision is {precision!r}, but this device cannot do that with this engine; use 'fp32'"
        ) from error


def sampled_output(definition: Definition) -> int:
    """The index of the one output with classes, which sampling evens out.

    Raises:
        DefinitionError: There is none, or more than one.
    """
    found = [index for index, head in enumerate(definition.heads) if head.kind == "classes"]
    if len(found) == 1:
        return found[0]
    names = ", ".join(repr(definition.outputs[index].name) for index in found)
    raise DefinitionError(
        f"sampling evens out the classes of one output, but {definition.name!r} has "
        f"{f'{len(found)} with classes: {names}' if found else 'none with classes'}; use sampling='none'"
    )


def _check_outputs(definition: Definition, options: TrainingOptions) -> None:
    kinds = {head.kind for head in definition.heads}
    for field, default, needed, fix in (
        ("loss", "squared", {"number"}, "an output that is a number"),
        ("class_loss", "cross-entropy", {"classes"}, "an output with classes="),
        ("class_weights", "none", {"classes"}, "an output with classes="),
    ):
        value = getattr(options, field)
        if value != default and not kinds & needed:
            raise DefinitionError(
                f"{field} is {value!r}, but {definition.name!r} has no output that uses it; give {fix}"
            )
    for monitor, needed, words in (
        ("accuracy", {"classes"}, "no output with classes; use monitor='loss' or 'correlation'"),
        ("correlation", {"number", "quantiles"}, "classes only; use monitor='loss' or 'accuracy'"),
    ):
        if options.monitor == monitor and not kinds & needed:
            raise DefinitionError(f"monitor is {monitor!r}, but {definition.name!r} has {words}")


def _check_class_weights(definition: Definition, options: TrainingOptions) -> None:
    if isinstance(options.class_weights, str):
        return
    given = list(options.class_weights)
    for output in definition.outputs:
        if output.labels and len(output.labels) != len(given):
            raise DefinitionError(
                f"class_weights is {given!r}, but {output.name!r} has {len(output.labels)} classes: "
                f"{', '.join(output.labels)}; give a number for each"
            )


def _check_inputs(definition: Definition, options: TrainingOptions) -> None:
    if any(item.categories is None for item in definition.inputs):
        return
    for field in ("input_noise", "input_masking", "input_magnitude"):
        if value := getattr(options, field):
            raise DefinitionError(
                f"{field} is {value:g}, but all inputs of {definition.name!r} are categories, which it leaves as "
                f"they are; use {field}=0"
            )


def _check_schedule(options: TrainingOptions, out_of_sample: bool) -> None:
    if options.schedule in ("step", "warm-restarts") and options.schedule_epochs is None:
        raise DefinitionError(
            f"schedule {options.schedule!r} must know its length; give schedule_epochs, such as schedule_epochs=50"
        )
    if options.schedule == "on-plateau" and not out_of_sample:
        raise DefinitionError(
            "schedule 'on-plateau' follows the out-of-sample samples, but there are none; use another schedule"
        )
    if options.epochs is not None and options.warm_up >= options.epochs:
        raise DefinitionError(
            f"warm_up is {options.warm_up} epochs of {options.epochs}, which leaves none at the full rate; give more "
            "epochs or a shorter warm_up"
        )
    if not out_of_sample:
        for name, default in (("monitor", "loss"), ("save_point", "best"), ("min_delta", 0.0)):
            value = getattr(options, name)
            if value not in (default, "last"):
                raise DefinitionError(
                    f"{name} is {value!r}, but there are no out-of-sample samples; leave it out, or give out_of_sample="
                )
