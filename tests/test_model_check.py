"""The tables of the model check, and the chart of predicted against measured."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from gigafleet import accuracy, model_check, plots, tables


@pytest.fixture(scope="module")
def rows():
    return model_check.checked()


def test_every_row_is_predicted_without_its_pair(rows):
    assert rows["residual"].notna().all()
    assert np.allclose(np.log(rows["predicted"] / rows["measured"]), rows["residual"])
    assert len(model_check.checked(work="training")) + len(model_check.checked(work="inference")) == len(rows)


def test_errors_of_few_rows_are_not_established(rows):
    found = model_check.errors(rows, "accelerator")
    few = found["rows"].str.replace(",", "").astype(int) < 10
    assert few.any()
    assert (found.loc[few, "bias [%]"] == "not established").all()
    assert (found.loc[~few, "bias [%]"] != "not established").all()
    assert not any(name.startswith(tuple(found.index[few])) for name in model_check.ratios(rows, "accelerator").index)


def test_coverage_counts_the_rows_inside():
    made = pd.DataFrame({"stratum": "offline", "residual": [0.1] * 15 + [0.5] * 5, "width": 0.2})
    found = model_check.coverage(made).loc["offline"]
    assert found["value"] == 0.75
    assert found["low"] < 0.75 < found["high"]
    assert found["half_width"] == pytest.approx(np.exp(0.2))


def test_the_worst_misses_come_first_with_a_reason(rows):
    found = model_check.worst(rows, 5)
    off = np.abs(np.log(found["ratio"]))
    assert off.is_monotonic_decreasing
    assert off.iloc[0] == pytest.approx(rows["residual"].abs().max())
    assert found["why"].ne("").all()


def test_this_model_beats_simpler_ones():
    found = model_check.simpler()["median error [%]"]
    assert found["this model"] < 0.75 * found.drop("this model").min()


def test_the_kept_errors_on_a_larger_table_are_those_of_this_fit():
    """data/accuracy.csv comes from benchmarks/accuracy.py and more results than the project holds."""
    kept = tables.resource("accuracy")
    assert kept["data_hash"].eq(tables.resource("efficiencies")["data_hash"].iloc[0]).all()
    assert model_check.larger("pair", "kind").loc["inference", "rows"] > 1000
    assert model_check.larger("any", "left out")["rows"].sum() > 50


def test_aims_stand_beside_what_is_reached():
    found = accuracy.aims(tables.resource("accuracy"))
    assert found["rows"].gt(0).all()  # none is without a row
    assert len(found) == len(accuracy.AIMS)
    missed = found.loc[~found["met"], ["held_out", "group", "measure"]]
    blind = "generation and its ceiling"  # predicted from another generation's: CDNA 3 from the next, Blackwell's FP4
    known = [(blind, group, "bias") for group in ("inference, CDNA 3", "training, CDNA 3", "training, Blackwell")]
    assert list(missed.itertuples(index=False, name=None)) == known
    missed = tables.resource("accuracy").assign(median_error=0.8)
    assert not accuracy.aims(missed).query("measure == 'median_error'")["met"].any()


def test_the_aim_of_bands_is_that_of_the_aims():
    found = accuracy.aims(tables.resource("accuracy")).query("measure == 'covered'")
    low, high = (100 * found["aim"].str.rsplit(" ", n=1).str[-1].astype(float).agg(end) for end in ("min", "max"))
    assert model_check.aim_of_bands() == pytest.approx((low, high)) == (85, 95)


def test_against_shows_each_vendor_and_nothing_without_rows(rows):
    words = {"title": "t", "xlabel": "x", "ylabel": "y", "source": "s"}
    figure = plots.against(rows, **words)
    drawn = [len(line.get_xdata()) for line in figure.axes[0].lines]
    plt.close(figure)
    assert sorted(drawn[:2]) == sorted(rows["vendor"].value_counts())
    assert plots.against(rows.iloc[:0], **words) is None


def test_errors_of_all_results_have_the_interval_of_their_pairs(rows):
    found = model_check.overall(rows, n=400)
    assert (found["low"] < found["value"]).all()
    assert (found["value"] < found["high"]).all()
    whole = accuracy.score(rows["residual"], rows["width"])
    assert found["value"].to_dict() == {name: whole[name] for name in found.index}
    # Results of a pair go together, so the interval is wider than if all 261 were drawn one by one (Wilson: 3 %).
    assert 0.03 < (found.loc["covered", "high"] - found.loc["covered", "low"]) / 2 < 0.08
    one = rows[rows["accelerator"].eq("B200") & rows["llm"].eq("deepseek-v3")]
    assert model_check.overall(one, n=10).eval("low == high").all()  # one pair says nothing of others
