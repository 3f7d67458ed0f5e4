"""Sums up a larger table of measured results in two small ones: throughput by MLPerf round, and power under load.

Usage: python benchmarks/summaries.py ALL_RESULTS.csv [data [DAY]]

It writes rounds.csv and power_shares.csv into the folder. Results that their own notes call inconsistent, unverified
or from a model's first day are left out, and so are accelerators that the catalog does not hold.
"""

import datetime
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from gigafleet import accuracy, calibration, catalog

LOADS = (0, 1, 4, 16, 64, 256, np.inf)  # requests per accelerator at which classes of load end


def rounds(results: pd.DataFrame, x: pd.DataFrame) -> pd.DataFrame:
    """Return lowest, median and highest throughput of submissions to MLPerf Inference by round."""
    source = results.loc[x.index, "source"]
    kept = x[source.str.startswith("MLPerf Inference")]
    number = source[kept.index].str.removeprefix("MLPerf Inference ")
    keys = {"round": number, "model": kept["model"], "scenario": kept["scenario"], "accelerator": kept["accelerator"]}
    groups = np.exp(kept["measured"]).groupby(list(keys.values()))
    table = groups.agg(rows="size", low="min", value="median", high="max").rename_axis(list(keys)).reset_index()
    table["source_id"] = "mlperf-inference-" + table["round"].str.replace(".", "-")
    return table.round({"low": 2, "value": 2, "high": 2})


def power_shares(results: pd.DataFrame, x: pd.DataFrame) -> pd.DataFrame:
    """Return what chips drew over their TDP, by kind of model and load."""
    power_w = pd.to_numeric(results.loc[x.index, "measured_power_w"], errors="coerce")
    chips = results.loc[x.index, "power_scope"].fillna("").str.contains("sum of GPUs", regex=False)
    kept = x[chips & power_w.notna() & x["requests"].notna()]
    tdp = catalog.accelerators()["tdp_w"].reindex(kept["accelerator"]).to_numpy()
    share = power_w[kept.index] / kept["pool"] / tdp
    load = pd.cut(kept["requests"] / kept["pool"], LOADS, labels=False)
    kind = pd.Series(np.where(kept["experts"] > 0, "experts", "dense"), index=kept.index)
    groups = share.groupby([kind, load])
    table = groups.quantile([0.05, 0.5, 0.95]).unstack().set_axis(["low", "value", "high"], axis=1)
    table.insert(0, "rows", groups.size())
    chips = kept["accelerator"].groupby([kind, load]).agg(lambda names: ";".join(sorted(set(names))))
    table = table.assign(accelerators=chips).rename_axis(["kind", "class"]).reset_index()
    table.insert(1, "from_requests", [LOADS[int(i)] for i in table["class"]])
    table.insert(2, "to_requests", [LOADS[int(i) + 1] for i in table["class"]])
    return table.drop(columns="class").replace(np.inf, np.nan).round({"low": 3, "value": 3, "high": 3})


def main(arguments: list[str]) -> int:
    """Write the tables; 2 without an input."""
    if len(arguments) not in (1, 2, 3):
        print(__doc__.split("\n\n")[1], file=sys.stderr)
        return 2
    results = pd.read_csv(arguments[0]).set_index("row_id")
    x = calibration.usable(accuracy.sound(results))
    folder = Path(arguments[1] if len(arguments) > 1 else "data")
    today = arguments[2] if len(arguments) > 2 else datetime.date.today().isoformat()
    for name, table in (("rounds", rounds(results, x)), ("power_shares", power_shares(results, x))):
        table.assign(as_of=today).to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
        print(f"{name}: {len(table)} rows from {int(table['rows'].sum())} results")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
