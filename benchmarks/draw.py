"""Draws data/benchmarks.csv from a larger table of measured results, by a rule that looks at no measured value.

Usage: python benchmarks/draw.py ALL_RESULTS.csv [data/benchmarks.csv]

The rule, fixed before anything was fitted:

1. Left out are results whose count of tokens is not stated or which are derived from a training report's totals,
   results that their own notes call inconsistent, unverified or from day 0 of a model, and results on accelerators
   that the catalog does not hold.
2. The rest is grouped by accelerator, model, number format and scenario. From each group comes one result: in the
   order of date, then concurrency, then row_id, the one in the middle (the later one of two).

So every accelerator, model, format and scenario that was measured is there once, whatever it reached, and dates and
loads are spread.
"""

import sys

import pandas as pd

from gigafleet import accuracy, catalog
from gigafleet.errors import UnknownNameError

GROUP = ["accelerator", "model", "precision", "scenario"]


def held(accelerator: str) -> bool:
    """Return whether the catalog holds an accelerator."""
    try:
        return bool(catalog.find(accelerator))
    except UnknownNameError:
        return False


def draw(results: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that the rule takes, in the order of the table."""
    known = accuracy.sound(results)
    known = known[known["accelerator"].map(held).astype(bool) & known["tokens_per_s_per_gpu"].ne("")]
    load = pd.to_numeric(known["concurrency"], errors="coerce").fillna(0)
    ordered = known.assign(load=load).sort_values(["date", "load", "row_id"])
    middle = ordered.groupby(GROUP, sort=False)["row_id"].agg(lambda ids: ids.iloc[len(ids) // 2])
    return known[known["row_id"].isin(middle)]


def main(arguments: list[str]) -> int:
    """Write the table; 2 without an input."""
    if len(arguments) not in (1, 2):
        print(__doc__.split("\n\n")[1], file=sys.stderr)
        return 2
    results = pd.read_csv(arguments[0], dtype=str, keep_default_na=False)
    drawn = draw(results)
    drawn.to_csv(arguments[1] if len(arguments) == 2 else "data/benchmarks.csv", index=False, lineterminator="\n")
    print(f"{len(drawn)} of {len(results)} results")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
