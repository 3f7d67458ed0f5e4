"""Scores the performance model on measured results, beside simpler models.

Usage: python benchmarks/accuracy.py [--all RESULTS.csv] [--write data/accuracy.csv] [--as-of DAY]

Without --all it scores data/benchmarks.csv. With it, the model fitted to data/benchmarks.csv answers for every sound
row of the file, each with its group left out, and the last table says what was left out and why. The simpler models
are fitted to all rows but the group. Interactivity is withheld; rows that give it are scored again with it, apart.
"""

import argparse
import datetime
import sys

import numpy as np
import pandas as pd

from gigafleet import accuracy, calibration, catalog, effects, performance, tables, workloads


def say(title: str, table: pd.DataFrame) -> None:
    """Print a table of errors; a group with too few rows says so."""
    shown = table.copy()
    for name in ("median_error", "within_1_5", "bias", "covered"):
        shown[name] = [f"{100 * v:.0f} %" if pd.notna(v) else "-" for v in table[name].astype(float)]
    shown["established"] = np.where(table["established"].astype(bool), "", "not established")
    print(f"\n{title}\n{shown.to_string()}")


def with_interactivity(every: pd.DataFrame, x: pd.DataFrame) -> pd.DataFrame:
    """Return the errors on rows that give an interactivity, with their load withheld; no group is left out."""
    given = every.loc[x.index][every.loc[x.index, "interactivity_tok_s_user"].gt(0)]
    found = performance.predict(given.assign(concurrency=np.nan), explain=True)
    residual = np.log(found["tokens_per_s"]) - x.loc[given.index, "measured"]
    end = found["low"].where(residual > 0, found["high"])
    width = np.abs(np.log(end / found["tokens_per_s"]))
    kind = x.loc[given.index, "disaggregated"].map({True: "disaggregated", False: "aggregated"})
    return accuracy.table(residual, kind, width)


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", help="a table of the same columns")
    parser.add_argument("--write", help="where to keep the summary")
    parser.add_argument("--as-of", default=datetime.date.today().isoformat(), help="day to write into it")
    options = parser.parse_args()
    results = catalog.benchmarks()
    every = results
    if options.all:
        every = pd.read_csv(options.all).set_index("row_id")
    inputs = workloads.from_results(every)
    x = calibration.usable(accuracy.sound(every))
    own = x.index.isin(results.index)
    known = calibration.load()
    vendor = np.where(x["vendor"].eq("AMD"), "AMD", "NVIDIA")
    kept = []
    for hold_out in accuracy.HOLD_OUT:
        residual = accuracy.held_out(x, hold_out, own)
        band = calibration.half_width(x, known, accuracy.BANDS[hold_out])
        kind = pd.Series(np.where(x["training"], "training", "inference"), index=x.index)
        views = {
            "kind": kind,
            "vendor": kind + ", " + vendor,
            "stratum": effects.stratum(x),
            "vendor and stratum": pd.Series(vendor, x.index) + ", " + effects.stratum(x),
            "accelerator": x["accelerator"],
            "generation": kind + ", " + x["generation"],
            "model": x["llm"],
            "source": every.loc[x.index, "source"],
        }
        for view, by in views.items():
            table = accuracy.table(residual, by, band)
            if view == "stratum":
                table["half_width"] = np.exp(band.groupby(by).first())
            say(f"left out: {hold_out}; by {view}", table)
            kept.append(table.rename_axis("group").reset_index().assign(held_out=hold_out, view=view))
        others = accuracy.baselines(x, accuracy.HOLD_OUT[hold_out](x))
        others = {"this model": residual} | others
        serves = ~x["training"]
        simpler = pd.DataFrame({name: accuracy.score(r[serves]) for name, r in others.items()}).T
        say(f"left out: {hold_out}; inference, simpler models", simpler)
        ratio = simpler.loc["this model", "median_error"] / simpler.loc["ridge regression", "median_error"]
        simpler.loc["this model over ridge regression", ["rows", "median_error"]] = int(serves.sum()), ratio
        kept.append(simpler.rename_axis("group").reset_index().assign(held_out=hold_out, view="simpler model"))
    given = with_interactivity(every, x)
    say("load withheld and interactivity given; no group is left out", given)
    kept.append(given.rename_axis("group").reset_index().assign(held_out="none", view="interactivity given"))
    print(f"\naims\n{accuracy.aims(pd.concat(kept)).to_string()}")
    why = inputs["unknown"].replace("", "no throughput").where(~inputs.index.isin(x.index))
    noted = ~every.index.isin(accuracy.sound(every).index)
    why = why.mask(noted & inputs["unknown"].eq(""), "its count of tokens or its own note makes it doubtful")
    print(f"\nleft out of {len(every)} rows\n{why.value_counts().to_string()}")
    if options.write:
        table = pd.concat(kept, ignore_index=True)
        missed = (
            why.value_counts().rename_axis("group").rename("rows").reset_index().assign(view="left out", held_out="any")
        )
        table = pd.concat([table, missed], ignore_index=True).assign(as_of=options.as_of)
        numbers = ["rows", "median_error", "within_1_5", "bias", "covered", "half_width"]
        table[numbers] = table[numbers].astype(float)
        table["data_hash"] = tables.resource("efficiencies")["data_hash"].iloc[0]
        columns = ["as_of", "data_hash", "held_out", "view", "group", *numbers]
        table[columns].to_csv(options.write, index=False, float_format="%.4f", lineterminator="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
