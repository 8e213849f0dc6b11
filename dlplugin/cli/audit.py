"""The command that audits: dlplugin audit."""

import json as json_module
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

__all__ = ["audit"]


def audit(
    name: Annotated[str, Parameter(help="A stored model's name, with a version or without.")],
    /,
    *,
    data: Annotated[
        str | None,
        Parameter(help="A bundled set such as us-stocks, or a folder; what it was trained on otherwise."),
    ] = None,
    validation: Annotated[
        str | None, Parameter(help="Likewise, where another set's samples were out of sample.")
    ] = None,
    store: Annotated[
        Path | None, Parameter(help="The store's folder; DLPLUGIN_STORE or ./models otherwise.")
    ] = None,
    json: Annotated[bool, Parameter(help="Print as JSON.", negative="")] = False,
) -> int:
    """Look for the future in what a model sees, was fitted on and was picked by; exit 1 on a leak or an alarm.

    Bars are cut off and altered, scaling and samples made anew, boundaries checked date by date, the network
    trained on outputs that were moved away, and results held against what causal rules reach. The
    holdout stays closed.
    """
    from rich.console import Console

    from dlplugin import actions

    found = actions.audit(name, data, validation, store)
    if json:
        print(json_module.dumps(found.to_dict(), indent=2, ensure_ascii=False))
    else:
        console = Console()
        if console.is_terminal:
            console.print(found)
        else:
            print(found)
    return 0 if found.passed else 1
