"""How notebooks say things: numbers as text, tables, headline tiles, sentences built from results."""

import html
import math
from collections.abc import Iterable

import numpy as np
import pandas as pd
from IPython.display import Markdown, display

from gigafleet import catalog

HEADLINE_MIME = "application/vnd.gigafleet.headline+json"
INPUT_NAMES = {
    "start_years": "start of the ramp",
    "first_gw_years": "time to the first gigawatt",
    "later_gw_years": "time from the first to the last gigawatt",
    "ramp_shape_ratio": "shape of the ramp",
    "delay_years": "delay",
    "slip_share": "slip after the first gigawatt",
    "next_generation_years": "date of MI500",
    "handover_years": "handover to MI500",
    "delivery_lag_years": "lag from shipment to delivery",
    "energized_lag_years": "lag from delivery to service",
    "go_on_share": "chance of each next gigawatt",
    "content_mi455x_busd_per_gw": "content per gigawatt, MI455X",
    "content_mi500_busd_per_gw": "content per gigawatt, MI500",
    "erosion_share_per_year": "erosion of price",
    "first_margin_share": "gross margin at first",
    "mature_margin_share": "gross margin when mature",
    "margin_maturity_years": "time until the margin is mature",
    "deal_opex_share": "operating cost of the deals",
    "base_revenue_busd": "revenue of the base business in 2026Q3",
    "base_growth_share_per_year": "growth of the base business",
    "base_margin_share": "gross margin of the base business",
    "base_opex_growth_share_per_year": "growth of operating cost, base business",
    "tax_share": "tax rate",
    "volatility": "volatility of the share",
    "rate": "risk-free rate",
    "rate_grant": "risk-free rate at the grant",
    "rate_latest": "risk-free rate now",
    "throughput_error": "error of predicted throughput",
    "it_kw": "IT power of an accelerator",
    "tflops": "dense throughput",
    "memory_gb": "memory",
    "memory_tb_s": "memory bandwidth",
    "peak_pue": "PUE in the hottest hour",
    "annual_pue": "PUE of the year",
    "busy_share": "share of time under load",
    "idle_share": "draw when idle",
    "it_life_years": "life of accelerators",
    "facility_life_years": "life of the facility",
    "facility_usd_per_kw": "cost of the facility",
    "network_usd": "network of an accelerator",
    "network_usd_per_kw": "network per kW",
    "storage_usd_per_kw": "storage",
    "maintenance_share": "maintenance",
    "staff_usd_per_kw_year": "staff",
    "system_price_usd": "price of the system",
    "price_usd": "price of an accelerator",
    "usd_per_mwh": "price of electricity",
    "g_co2_per_kwh": "carbon intensity of the grid",
    "time_share_training": "share of training in the work",
    "time_share_prefill": "share of reading in the work",
    "time_share_decode": "share of writing in the work",
    "active_share_training": "draw in training",
    "active_share_prefill": "draw in reading prompts",
    "active_share_decode": "draw in writing answers",
    "work_per_kw_ratio": "work per kW of MI500",
    "it_kw_ratio": "IT power of MI500",
    "grid_decline_share_per_year": "fall of the grid's carbon",
}
STEPS = ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"))


def number(value: float, digits: int = 3) -> str:
    """Return a number with so many significant digits, in words where it is large; a dash for NaN.

    A figure that has fewer digits, such as 8.0, is shown without zeros behind the point.

    >>> number(1743210.0), number(0.04213), number(float("nan")), number(52341.0), number(8.0), number(8.001)
    ('1.74 million', '0.0421', '–', '52,300', '8', '8.00')
    """
    if value is None or not math.isfinite(value):
        return "–"
    for step, word in STEPS:
        if float(f"{abs(value):.{digits - 1}e}") >= step:
            return f"{number(value / step, digits)} {word}"
    if value == 0:
        return "0"
    rounded = float(f"{value:.{digits - 1}e}")
    decimals = digits - 1 - math.floor(math.log10(abs(rounded)))
    text = f"{round(rounded, decimals):,.{max(decimals, 0)}f}"
    exact = decimals > 0 and math.isclose(float(text.replace(",", "")), value, rel_tol=1e-12)
    return text.rstrip("0").rstrip(".") if exact else text


def count(number_of: int, thing: str) -> str:
    """Return a count with its noun, in the plural where it is not one.

    >>> count(1, "row"), count(2, "source")
    ('1 row', '2 sources')
    """
    return f"{number_of:,} {thing}{'' if number_of == 1 else 's'}"


def between(low: float, high: float, digits: int = 3) -> str:
    """Return an interval as text: "1.6 to 1.9 million" shares the word of its ends; an infinite end is "or more".

    >>> between(1.61e6, 1.93e6), between(4.0, 6.5, 2), between(10.0, float("inf"))
    ('1.61 to 1.93 million', '4 to 6.5', '10 or more')
    """
    first, last = number(low, digits), number(high, digits)
    if high == math.inf:
        return f"{first} or more"
    if first == last:
        return first
    for _, word in STEPS:
        if first.endswith(word) and last.endswith(word):
            first = first.removesuffix(word).strip()
    return f"{first} to {last}"


def more_or_less(percent: float) -> str:
    """Return how an amount stands to another, from the difference in percent.

    >>> more_or_less(29.3), more_or_less(-5.0), more_or_less(0.004)
    ('29 % above', '5 % below', 'the same as')
    """
    if not math.isfinite(percent):
        return "not comparable with"
    if abs(percent) < 0.05:
        return "the same as"
    return f"{number(abs(percent), 2)} % {'above' if percent > 0 else 'below'}"


def span(answer: str, *tables: pd.DataFrame, digits: int = 3) -> str:
    """Return the interval of one answer as text; across several tables, from the lowest low to the highest high.

    >>> one = pd.DataFrame({"low": 1.0, "high": 2.0}, ["racks"])
    >>> span("racks", one), span("racks", one, one + 1)
    ('1 to 2', '1 to 3')
    """
    return between(min(t.loc[answer, "low"] for t in tables), max(t.loc[answer, "high"] for t in tables), digits)


def spans(low: pd.Series, high: pd.Series, digits: int = 3) -> pd.Series:
    """Return intervals as text, row by row. See :func:`between`.

    >>> spans(pd.Series([1.5, 2.0]), pd.Series([3.0, 2.0])).tolist()
    ['1.5 to 3', '2']
    """
    return pd.Series([between(a, b, digits) for a, b in zip(low, high, strict=True)], index=low.index, dtype=str)


def ranged(mid: pd.DataFrame, low: pd.DataFrame, high: pd.DataFrame, digits: int = 3) -> pd.DataFrame:
    """Return a table of text: the figure, with its range in brackets where it has one.

    Parameters
    ----------
    mid, low, high
        Tables of one shape, such as those of :func:`gigafleet.catalog.accelerators` by case. Cells that
        ``mid.attrs["midpoints"]`` lists as (row, column) have no figure of their own, and show their range only.
    digits
        Significant digits.
    """
    midpoints = set(mid.attrs.get("midpoints", ()))

    def cell(row: object, column: object) -> str:
        m, lo, hi = (frame.loc[row, column] for frame in (mid, low, high))
        if not lo < hi:
            return number(m, digits)
        return (
            between(lo, hi, digits)
            if (row, column) in midpoints
            else f"{number(m, digits)} ({between(lo, hi, digits)})"
        )

    return pd.DataFrame({column: [cell(row, column) for row in mid.index] for column in mid}, index=mid.index)


def within(interval: pd.Series, digits: int = 2) -> str:
    """Return a median with its interval, from :func:`gigafleet.uncertainty.interval`.

    >>> within(pd.Series({"low": 1.2, "median": 2.0, "high": 3.0}))
    '2 (1.2 to 3)'
    """
    return f"{number(interval['median'], digits)} ({between(interval['low'], interval['high'], digits)})"


def with_ends(
    table: pd.DataFrame, names: Iterable[str], low: str = "{}_low", high: str = "{}_high", digits: int = 3
) -> pd.DataFrame:
    """Return columns of a table as text, with the ranges that stand in columns of their own. See :func:`ranged`.

    >>> one = pd.DataFrame({"power": [2.0], "power_low": [1.0], "power_high": [4.0]}, ["MI355X"])
    >>> with_ends(one, ["power"]).loc["MI355X", "power"]
    '2 (1 to 4)'
    """
    names = list(names)
    ends = [table[[key.format(name) for name in names]].set_axis(names, axis=1) for key in (low, high)]
    return ranged(table[names], *ends, digits=digits)


def when(year: float) -> str:
    """Return a point in time as a quarter.

    >>> when(2027.6), when(2030.0), when(float("inf"))
    ('2027Q3', '2030Q1', 'never')
    """
    return f"{int(year)}Q{int(4 * (year % 1)) + 1}" if math.isfinite(year) else "never"


def input_name(name: str) -> str:
    """Return the name of an input in words, with the deal that it belongs to.

    >>> input_name("amd-openai first_gw_years"), input_name("tax_share")
    ('time to the first gigawatt, OpenAI', 'tax rate')
    """
    deal, _, plain = name.rpartition(" ")
    buyer = f", {catalog.deal(deal)['buyer']}" if deal else ""
    return INPUT_NAMES.get(plain, plain.replace("_", " ")) + buyer


def table(
    frame: pd.DataFrame, names: dict[str, str] | None = None, digits: int = 3, caption: str = "", when: bool = True
) -> None:
    """Show a table: numbers with significant digits, absent figures as a dash, columns under readable names with
    their unit. Nothing unless ``when``."""
    if not when:
        return
    if frame.empty:
        say("*No table: no figure is known for this choice.*")
        return
    shown = frame.copy()
    for column in shown:
        if pd.api.types.is_numeric_dtype(shown[column]) and shown[column].dtype != bool:
            shown[column] = [number(x, digits) for x in shown[column].astype(float)]
    shown = shown.rename(columns=names or {}).fillna("–")
    text = shown.to_html(border=0, classes="gigafleet", escape=True, index_names=False)
    if caption:
        text = text.replace(">", f"><caption>{html.escape(caption)}</caption>", 1)
    display({"text/html": text, "text/plain": shown.to_string()}, raw=True)


def intervals(answers: pd.DataFrame, units: dict[str, str], names: dict[str, str]) -> pd.DataFrame:
    """Return median and 90 % interval as text, one row an answer; answers that are not known are left out.

    Parameters
    ----------
    answers
        From :func:`gigafleet.uncertainty.interval` of samples: columns low, median, high.
    units, names
        Answer -> unit; answer -> readable name, in the order of the table.
    """
    known = [name for name in names if np.isfinite(answers.loc[name, "median"])]
    rows = [
        [names[n], number(answers.loc[n, "median"]), between(answers.loc[n, "low"], answers.loc[n, "high"]), units[n]]
        for n in known
    ]
    return pd.DataFrame(rows, columns=["answer", "median", "90 % interval", "unit"]).set_index("answer")


def tiles(*rows: tuple[str, float, float, float, str], digits: int = 3) -> pd.DataFrame:
    """Return rows for :func:`headline` from (label, value, low, high, unit); NaN ends for a figure without a range.

    >>> tiles(("racks", 20480.0, 17700.0, 23400.0, "racks")).iloc[0].tolist()
    ['20,500', '17,700 to 23,400', 'racks']
    """
    text = [
        [label, number(value, digits), between(low, high, digits) if number(low) != number(high) else "", unit]
        for label, value, low, high, unit in rows
    ]
    return pd.DataFrame(text, columns=["answer", "median", "90 % interval", "unit"]).set_index("answer")


def interval_tiles(rows: dict[str, pd.Series], unit: str) -> pd.DataFrame:
    """Return rows for :func:`headline` from label -> interval (``low``, ``median``, ``high``), all in one unit."""
    return tiles(*[(label, x["median"], x["low"], x["high"], unit) for label, x in rows.items()])


def listed(names: Iterable[str]) -> str:
    """Return names as text.

    >>> listed([]), listed(["A"]), listed(["A", "B", "C"])
    ('none', 'A', 'A, B and C')
    """
    names = list(names)
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names) or "none"


def headline(rows: pd.DataFrame) -> None:
    """Show headline numbers as tiles, which the index of a batch of reports repeats.

    Parameters
    ----------
    rows
        As :func:`intervals` or :func:`tiles` gives it.
    """
    tiles = [
        {"label": str(label), "value": row["median"], "unit": row["unit"], "interval": row["90 % interval"]}
        for label, row in rows.iterrows()
    ]
    style = "display:inline-block;margin:0 1.8em .8em 0;vertical-align:top"
    text = "".join(
        f'<div style="{style}"><div style="font-size:1.6em;font-weight:600">{html.escape(t["value"])}'
        f'<span style="font-size:.6em;font-weight:400"> {html.escape(t["unit"])}</span></div>'
        f"<div>{html.escape(t['label'])}</div>"
        f'<div style="color:#666;font-size:.9em">{html.escape(t["interval"])}</div></div>'
        for t in tiles
    )
    plain = "\n".join(f"{t['label']}: {t['value']} {t['unit']} ({t['interval'] or 'no range'})" for t in tiles)
    display({"text/html": text, "text/plain": plain, HEADLINE_MIME: tiles}, raw=True)


def sources(table: pd.DataFrame) -> None:
    """Show sources as a list that opens on a click: title, publisher, date, address, how they reached us.

    Parameters
    ----------
    table
        Rows of :func:`gigafleet.catalog.sources`.
    """
    items, lines = [], []
    for _, row in table.iterrows():
        about = ", ".join(text for text in (row["publisher"], row["published"], row["access"]) if text)
        title = html.escape(row["title"])
        link = f'<a href="{html.escape(row["url"])}">{title}</a>' if row["url"] else title
        items.append(f"<li>{link} ({html.escape(about)})</li>")
        lines.append(f"{row['title']} ({about}) {row['url']}".strip())
    text = f"<details><summary>{len(items)} sources</summary><ul>{''.join(items)}</ul></details>"
    display({"text/html": text, "text/plain": "\n".join(lines)}, raw=True)


def say(text: str, when: bool = True) -> None:
    """Show a sentence built from results, as Markdown; nothing unless ``when``."""
    if when:
        display(Markdown(text))
