"""The commands about prices: dlplugin data ..."""

import json as json_module
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

if TYPE_CHECKING:
    import pandas as pd

    from dlplugin.actions import CheckResult

__all__ = ["data"]

data = App(name="data", help="Prices: fetch them, and see whether they can be used.")


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


@data.command
def check(
    data: Annotated[
        str | None, Parameter(help="A folder of CSV or Parquet files, or a bundled set such as us-stocks.")
    ] = None,
    /,
    *,
    strict: Annotated[bool, Parameter(help="Refuse what would be mended.", negative="")] = False,
    date_format: Annotated[
        str | None, Parameter(help="How dates are written where they are not ISO dates, such as %d/%m/%Y.")
    ] = None,
    grades: Annotated[bool, Parameter(help="Print what is looked for instead.", negative="")] = False,
    json: Annotated[bool, Parameter(help="Print as JSON.", negative="")] = False,
) -> int:
    """Check bars: what is mended, warned about or refused; exit code 1 when something is refused."""
    from dlplugin import actions
    from dlplugin.bars import grades_table
    from dlplugin.errors import BarsError

    if grades:
        table = grades_table()
        print(table.to_json(orient="records", indent=2) if json else grades_text(table))
        return 0
    if data is None:
        raise BarsError("name a folder or a bundled set, such as: dlplugin data check us-stocks")
    result = actions.check_data(data, strict, date_format)
    print(json_module.dumps(result.to_dict(), indent=2) if json else check_text(result))
    return 0 if result.passed else 1


def check_text(result: "CheckResult") -> str:
    """A line a finding, under the worst first, and a line that counts."""
    lines = []
    for grade in ("refused", "warned", "mended"):
        found = [finding for finding in result.findings if finding.grade == grade]
        if found:
            width = max(len(finding.trouble) for finding in found)
            lines += ["", grade, *(f"  {finding.trouble:{width}}  {finding.text}" for finding in found)]
    usable, left_out = len(result.bars), len(result.left_out)
    total = f"{usable} of {usable + left_out} symbols can be used"
    bars = f", {sum(result.bars.values()):,} bars of {result.interval}" if usable else ""
    silent = "" if result.findings else "; nothing was found"
    return "\n".join([*lines[1:], *([""] if lines else []), f"{result.name}: {total}{bars}{silent}"])


def grades_text(table: "pd.DataFrame") -> str:
    """The table of grades, a paragraph a trouble; docs/bars.md holds it as it is printed."""
    paragraphs = [
        f"{trouble}: {grade}\n{fill(f'{when}; {done}', 100, initial_indent='    ', subsequent_indent='    ')}"
        for trouble, grade, when, done in table.itertuples(index=False)
    ]
    return "\n".join(paragraphs)
