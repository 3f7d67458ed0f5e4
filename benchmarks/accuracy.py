"""Scores the performance model on measured results, beside simpler models.

Usage: python benchmarks/accuracy.py [--all RESULTS.csv] [--write data/accuracy.csv]

Without --all it scores data/benchmarks.csv. With it, the model fitted to data/benchmarks.csv answers for every row of
the file, each with its group left out, and the last table says what was left out and why. Interactivity is withheld.
"""

import argparse
import datetime
import sys

import numpy as np
import pandas as pd

from gigafleet import accuracy, calibration, catalog, effects, workloads

TARGETS = {("pair", "inference"): (0.16, 0.87), ("pair", "training"): (0.11, 0.94)}
TARGETS[("generation and architecture", "inference")] = (0.23, 0.75)


def say(title: str, table: pd.DataFrame) -> None:
    """Print a table of errors; a group with too few rows says so."""
    shown = table.copy()
    for name in ("median_error", "within_1_5", "bias", "covered"):
        shown[name] = [f"{100 * v:.0f} %" if pd.notna(v) else "-" for v in table[name].astype(float)]
    shown["established"] = np.where(table["established"].astype(bool), "", "not established")
    print(f"\n{title}\n{shown.to_string()}")


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", help="a table of the same columns")
    parser.add_argument("--write", help="where to keep the summary")
    options = parser.parse_args()
    results = catalog.benchmarks()
    every = results
    if options.all:
        every = pd.read_csv(options.all).set_index("row_id")
    inputs = workloads.from_results(every)
    x = calibration.usable(accuracy.sound(every))
    own = x.index.isin(results.index)
    band = accuracy.widths(x, calibration.load().widths)
    vendor = np.where(x["vendor"].eq("AMD"), "AMD", "NVIDIA")
    kept = []
    for hold_out in accuracy.HOLD_OUT:
        residual = accuracy.held_out(x, hold_out, own)
        kind = pd.Series(np.where(x["training"], "training", "inference"), index=x.index)
        views = {
            "kind": kind,
            "vendor": kind + ", " + vendor,
            "stratum": effects.stratum(x),
            "accelerator": x["accelerator"],
            "model": x["llm"],
            "source": every.loc[x.index, "source"],
        }
        for view, by in views.items():
            table = accuracy.table(residual, by, band)
            say(f"left out: {hold_out}; by {view}", table)
            kept.append(table.rename_axis("group").reset_index().assign(held_out=hold_out, view=view))
        for (name, group), (median, within) in TARGETS.items():
            if name == hold_out:
                print(f"target for {group}: median {100 * median:.0f} %, within a factor of 1.5 {100 * within:.0f} %")
        others = accuracy.baselines(x, accuracy.HOLD_OUT[hold_out](x))
        others = {"this model": residual} | others
        serves = ~x["training"]
        say(
            f"left out: {hold_out}; inference, simpler models",
            pd.DataFrame({name: accuracy.score(r[serves]) for name, r in others.items()}).T,
        )
    why = inputs["unknown"].replace("", "no throughput").where(~inputs.index.isin(x.index))
    noted = ~every.index.isin(accuracy.sound(every).index)
    why = why.mask(noted & inputs["unknown"].eq(""), "its own note says inconsistent, unverified or day 0")
    print(f"\nleft out of {len(every)} rows\n{why.value_counts().to_string()}")
    if options.write:
        table = pd.concat(kept, ignore_index=True)
        missed = (
            why.value_counts().rename_axis("group").rename("rows").reset_index().assign(view="left out", held_out="any")
        )
        table = pd.concat([table, missed], ignore_index=True).assign(as_of=datetime.date.today().isoformat())
        columns = ["as_of", "held_out", "view", "group", "rows", "median_error", "within_1_5", "bias", "covered"]
        table[columns].to_csv(options.write, index=False, float_format="%.3f", lineterminator="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
