"""Measured results side by side."""

import numpy as np
import pandas as pd
import pytest

from gigafleet import catalog, measured, tables
from gigafleet.errors import UnknownNameError


def test_results_of_one_setting_stand_beside_predictions():
    found = measured.side_by_side(["MI355X", "B200", "GB300", "MI455X"], "llama2-70b")
    assert found["measured"].is_monotonic_decreasing
    assert "MI455X" not in found.index
    assert found["source"].str.startswith("MLPerf Inference").all()
    b200 = found.loc["B200"]
    it_kw = catalog.accelerators().loc["B200", "all_in_kw"]
    assert b200["per_it_kw"] == pytest.approx(b200["measured"] / it_kw)
    assert (found["low"] < found["predicted"]).all()
    best = measured.leaders(found)
    assert best["amd"] == "MI355X"
    low, high = (catalog.accelerators(case)["all_in_kw"] for case in ("low", "high"))
    near, far = (best["measured"] * kw[best["nvidia"]] / other["MI355X"] for kw, other in ((low, high), (high, low)))
    assert near < best["per_it_kw_low"] < best["per_it_kw"] < best["per_it_kw_high"] < far  # corners are rarer
    assert (found["per_it_kw_low"] < found["per_it_kw"]).all()
    assert found["per_it_kw_low"]["B200"] == pytest.approx(b200["measured"] / high["B200"], rel=0.02)
    assert best["measured"] == pytest.approx(found.loc["MI355X", "measured"] / found.loc[best["nvidia"], "measured"])


def test_a_model_without_results_gives_an_empty_table():
    found = measured.side_by_side(["MI355X", "B200"], "kimi-k2")
    assert found.empty
    assert measured.leaders(found)["amd"] == ""
    assert np.isnan(measured.leaders(found)["per_usd"])
    with pytest.raises(UnknownNameError, match="unknown scenario 'ofline'; did you mean 'offline'"):
        measured.side_by_side(["B200"], "llama2-70b", "ofline")


def test_training_uses_less_than_the_paper_peak():
    """Published model FLOP utilization of large runs: 0.36 to 0.43 on H100 and 0.46 on H200 (MLPerf)."""
    found = measured.paper_shares()
    assert found["value"].between(0.01, 0.6).all()
    assert found["high"].max() < 0.75
    assert 0.25 < found.loc[("H100", "training"), "value"] < 0.45
    assert found.loc[("H200", "training"), "value"] == pytest.approx(0.42, abs=0.07)
    assert (found["rows"] >= measured.FEWEST).all()


def test_rounds_hold_the_medians_of_their_submissions():
    """MLPerf Inference v6.0, llama2-70b Offline: medians 12,484 on MI355X and 12,691 on B200 tokens/s."""
    found = measured.rounds(["MI355X"], ["B200"]).set_index(["model", "round"])
    row = found.loc[("llama2-70b", "v6.0")]
    assert row["value"] == pytest.approx(12484 / 12691, abs=1e-3)
    assert row["low"] <= row["value"] <= row["high"]
    assert measured.peers(found.reset_index()) == ("MI355X", "B200")
    assert measured.peers(pd.DataFrame()) == ("", "")


def test_a_change_lies_beyond_the_range_of_a_round():
    columns = ["model", "value", "low", "high"]
    rows = [("up", 1.0, 0.9, 1.1), ("up", 1.3, 1.2, 1.4), ("down", 1.0, 0.9, 1.1), ("down", 0.8, 0.8, 0.8)]
    rows += [("held", 1.0, 0.9, 1.1), ("held", 2.0, 2.0, 2.0), ("held", 1.05, 1.0, 1.5), ("bare", 1.0, 1.0, 1.0)]
    rows += [("bare", 2.0, 2.0, 2.0), ("once", 1.0, 0.9, 1.1)]
    found = measured.changes(pd.DataFrame(rows, columns=columns))
    assert found.to_dict() == {"up": "up", "down": "down", "held": "within", "bare": "within"}


def test_the_table_of_rounds_holds_the_rows_of_the_benchmarks():
    """Every MLPerf result that the fit uses lies between the lowest and the highest of its round."""
    table = tables.resource("rounds").set_index(["round", "model", "scenario", "accelerator"])
    rows = catalog.benchmarks()
    rows = rows[rows["source"].str.startswith("MLPerf Inference")]
    found = 0
    for _, row in rows.iterrows():
        name = (row["source"].split()[-1], row["model"], row["scenario"].lower(), catalog.find(row["accelerator"]))
        if name in table.index:
            found += 1
            assert table.loc[name, "low"] - 0.01 <= row["tokens_per_s_per_gpu"] <= table.loc[name, "high"] + 0.01
    assert found > 80
