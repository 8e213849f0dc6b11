"""The commands about prices: dlplugin data ..."""

import json as json_module
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

__all__ = ["data"]

data = App(name="data", help="Fetch prices.")


@data.command
def fetch(
    *symbols: Annotated[str, Parameter(help="As Yahoo writes them, such as AAPL, ^GSPC, SAP.DE, EURUSD=X.")],
    out: Annotated[Path, Parameter(help="Folder for one CSV a symbol.")] = Path("prices"),
    start: Annotated[str | None, Parameter(help="Date of the first bar, such as 2015-01-01.")] = None,
    end: Annotated[str | None, Parameter(help="Date of the last bar; the latest when not given.")] = None,
    interval: Annotated[
        str, Parameter(help="1d, 1w, 1mo, 3mo, or within a day 1m to 90m and 1h, in UTC.")
    ] = "1d",
    json: Annotated[bool, Parameter(help="Print as JSON.", negative="")] = False,
) -> None:
    """Fetch prices from Yahoo, adjusted for splits and dividends, into a folder of CSV files.

    What has been fetched before is cached, and only what is missing is asked for.
    """
    from dlplugin import actions

    result = actions.fetch_prices(symbols, out, start, end, interval)
    print(json_module.dumps(result.to_dict(), indent=2) if json else result)
