"""Marks the columns of HTML tables by what stands in them: figures go to the right, long text gets room."""

import html
import re

WORDS = "million|billion|trillion|to|and|of|x|k|M|B"
FIGURE = re.compile(rf"[-−+~<>$]*\d[\d.,]*(?:\s|%|[-−–/()$+×\d.,]|\b(?:{WORDS})\b)*")
ABSENT = ("", "-", "–", "—", "NaN", "nan", "None", "<NA>", "not established")
LONG = 60
_TABLE = re.compile(r"<table\b.*?</table>", re.S)
_ROW = re.compile(r"<tr\b[^>]*>.*?</tr>", re.S)
_CELL = re.compile(r"<(t[hd])\b([^>]*)>(.*?)</\1>", re.S)


def _text(markup: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", markup)).strip()


def _kinds(rows: list[list[tuple[str, str, str]]]) -> list[str]:
    """Say of each column whether it holds figures only, absent ones apart, or long text, or neither."""
    width = max(map(len, rows))
    kinds = []
    for column in range(width):
        cells = [_text(row[column][2]) for row in rows if len(row) == width and row[column][0] == "td"]
        known = [cell for cell in cells if cell not in ABSENT]
        if known and all(map(FIGURE.fullmatch, known)):
            kinds.append("figure")
        else:
            kinds.append("long" if any(len(cell) > LONG for cell in known) else "")
    return kinds


def _marked(match: re.Match) -> str:
    table = match[0]
    rows = [_CELL.findall(row) for row in _ROW.findall(table)]
    if not any(rows) or "rowspan" in table:
        return table
    kinds = _kinds(rows)

    def row(found: re.Match) -> str:
        if "colspan" in found[0]:  # a heading over several columns stays where it is
            return found[0]
        columns = iter(kinds)

        def cell(one: re.Match) -> str:
            kind = next(columns, "")
            mark = f' class="{kind}"' if kind and "class=" not in one[2] else ""
            return f"<{one[1]}{one[2]}{mark}>{one[3]}</{one[1]}>"

        return _CELL.sub(cell, found[0])

    return _ROW.sub(row, table)


def align(page: str) -> str:
    """Return HTML whose simple tables mark the cells of their columns: ``figure`` if numeric, ``long`` if wordy.

    >>> align("<table><tr><th>GPU</th><th>W</th></tr><tr><td>MI300X</td><td>750</td></tr></table>")
    '<table><tr><th>GPU</th><th class="figure">W</th></tr><tr><td>MI300X</td><td class="figure">750</td></tr></table>'
    """
    return _TABLE.sub(_marked, page)
