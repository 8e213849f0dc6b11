"""The commands about the cache on disk: dlplugin cache ..."""

import json as json_module
from typing import Annotated

from cyclopts import App, Parameter

__all__ = ["cache"]

cache = App(name="cache", help="Show what is cached on disk: where, how many entries, how many bytes.")

Json = Annotated[bool, Parameter(help="Print as JSON.", negative="")]


@cache.default
def show(*, json: Json = False) -> None:
    """Show what is cached on disk: where, how many entries, how many bytes."""
    from dlplugin import actions

    result = actions.cache()
    print(json_module.dumps(result.to_dict(), indent=2) if json else result)


@cache.command
def clear(
    *kinds: Annotated[str, Parameter(help="bars, inputs or yahoo; bars and inputs when not given.")],
    json: Json = False,
) -> None:
    """Clear the cache: parsed files and slow indicators; prices from Yahoo only where `yahoo` is named."""
    from dlplugin import actions

    result = actions.clear_cache(kinds) if kinds else actions.clear_cache()
    if json:
        print(json_module.dumps(result.to_dict(), indent=2))
        return
    print(f"removed from {result}")
    if "yahoo" not in result.entries:
        print("prices from Yahoo are kept; remove them, too, with: dlplugin cache clear yahoo")
