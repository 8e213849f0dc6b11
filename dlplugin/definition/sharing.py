"""What options of devices and batches have to do with each other, on whatever machine."""

from dlplugin.errors import DefinitionError

__all__ = ["check_sharing", "refuse_fewer"]


def check_sharing(device: str, devices: int | str, machines: int, batch_size: int | str) -> None:
    """Refuses what no machine could do.

    Args:
        device: As in `TrainingOptions`, like the others.
        devices: "all" is known only where it trains.
        machines: How many.
        batch_size: "full" is as many as there are.

    Raises:
        DefinitionError: It cannot be meant.
    """
    if device == "mps" and (machines > 1 or devices not in (1, "all")):
        name, value = ("machines", machines) if machines > 1 else ("devices", devices)
        raise DefinitionError(
            f"{name} is {value}, but device 'mps' is one GPU that shares with no other; use {name}=1"
        )
    if isinstance(devices, int) and isinstance(batch_size, int):
        refuse_fewer(batch_size, devices * machines)


def refuse_fewer(batch_size: int, processes: int) -> None:
    """Every process takes a part of every batch.

    Raises:
        DefinitionError: There are more processes than samples in a batch.
    """
    if batch_size < processes:
        raise DefinitionError(
            f"batch_size is {batch_size}, but {processes} processes share each batch; give at least "
            f"batch_size={processes}"
        )
