"""Serving at a speed that users ask for, speculation, and what a token takes."""

import numpy as np
import pandas as pd
import pytest

from gigafleet import active_power, catalog, performance, serving
from gigafleet.errors import UnknownNameError


def test_the_frontier_trades_throughput_for_interactivity():
    found = serving.frontier("MI355X", "llama3.1-70b")
    assert found["tokens_per_s_user"].is_monotonic_decreasing
    assert found["tokens_per_s"].is_monotonic_increasing
    assert (found["low"] < found["tokens_per_s"]).all()


def test_no_size_of_instance_is_better_than_the_frontier():
    found = serving.frontier("MI355X", "deepseek-r1", number_format="fp4")
    for size in (2, 4, 8):
        one = serving.frontier("MI355X", "deepseek-r1", number_format="fp4", accelerators_per_instance=size)
        assert one["tokens_per_s_user"].max() <= found["tokens_per_s_user"].max() * (1 + 1e-9)
        assert one["tokens_per_s"].max() <= found["tokens_per_s"].max() * (1 + 1e-9)
    assert serving.frontier("A100", "llama3.1-70b", number_format="fp4")["tokens_per_s"].gt(0).all()
    assert serving.frontier("MI500", "llama3.1-70b").empty


def test_a_faster_user_costs_throughput_and_may_be_out_of_reach():
    found = serving.at_interactivity(["B200", "MI300X"], "llama3.1-70b", [10, 40, 5000])
    b200 = found["tokens_per_s"].sel(accelerator="B200").to_numpy()
    assert b200[0] > b200[1]
    assert np.isnan(b200[2])
    assert found["low"].sel(accelerator="B200").to_numpy()[2] == 0
    assert (found["low"][:, 0] <= found["tokens_per_s"][:, 0]).all()
    assert (found["high"][:, 0] >= found["tokens_per_s"][:, 0]).all()


def test_the_operating_point_gives_the_user_what_was_asked():
    """Throughput at the load that is returned, asked anew, gives each user the interactivity."""
    point = serving.at_interactivity(["B200"], "llama3.1-70b", 25.0).isel(accelerator=0, interactivity=0)
    size, requests = float(point["instance"]), float(point["requests"])
    again = performance.throughput(["B200"], ["llama3.1-70b"], requests, accelerators_per_instance=size)
    assert again["tokens_per_s_user"].item() == pytest.approx(25, rel=0.03)
    assert again["tokens_per_s"].item() == pytest.approx(point["tokens_per_s"].item(), rel=0.03)


def test_facility_energy_lies_above_measured_chip_energy():
    """ML.ENERGY v3 measures chips only. The model's chip energy is near it, that of the facility above."""
    rows = catalog.benchmarks()
    rows = rows[rows["source"].str.startswith("ML.ENERGY") & rows["measured_power_w"].gt(0)]
    chip_j = rows["measured_power_w"] / (rows["tokens_per_s_per_gpu"] * rows["n_accelerators"])
    experts = ~rows["model"].str.startswith("llama")
    load = rows["concurrency"] / rows["n_accelerators"]
    drawn = pd.concat(
        [
            active_power.draws([name], "serving", at, moe)
            for name, at, moe in zip(rows["accelerator"], load, experts, strict=True)
        ]
    )
    found = serving.per_token(
        performance.predict(rows).to_numpy(),
        it_kw=drawn["it_kw"].to_numpy(),
        annual_pue=1.2,
        chip_kw=drawn["chip_kw"].to_numpy(),
    )
    ratio = pd.Series(found["chip_j"] / chip_j.to_numpy())
    assert len(ratio) > 10
    assert 0.85 < ratio.median() < 1.2
    assert ratio.between(0.5, 2).mean() > 0.9
    assert (found["chip_j"] < found["it_j"]).all()
    assert (found["it_j"] < found["facility_j"]).all()


def test_unit_economics_of_a_token():
    """InferenceX: 2.8 USD/h at 1,000 tokens/s is 0.777778 USD per million."""
    found = serving.per_token(1000.0, it_kw=2.0, annual_pue=1.25, usd_per_h=2.8)
    assert found["usd_per_million"] == pytest.approx(0.777778, abs=1e-6)
    assert found["it_j"] == pytest.approx(2.0)
    assert found["facility_j"] == pytest.approx(2.5)
    assert "chip_j" not in found


def test_speculation_is_a_factor_with_its_range():
    gain = serving.speculation_gain()
    assert 1 < gain["low"] < gain["value"] < gain["high"] < 2.5
    plain, fast = (
        performance.throughput(["B200"], ["deepseek-r1"], 8, speculative=flag).isel(accelerator=0, llm=0, batch=0)
        for flag in (False, True)
    )
    assert fast["tokens_per_s"] / plain["tokens_per_s"] == pytest.approx(gain["value"])
    assert fast["high"] / fast["low"] > plain["high"] / plain["low"]


def test_racks_carry_the_error_of_the_model_and_of_their_power():
    found = serving.racks(["MI455X", "VR200", "GB300"], "llama3.1-70b")
    assert found["value"].is_monotonic_decreasing
    model = performance.throughput(["MI455X"], ["llama3.1-70b"], 64).isel(accelerator=0, llm=0, batch=0)
    assert found.loc["Helios", "spread"] > np.log(model["high"] / model["tokens_per_s"]).item()
    ratios = serving.ratios(found, "Helios", ["VR-NVL72-MaxQ"]).loc["VR-NVL72-MaxQ"]
    assert ratios["value"] == pytest.approx(found.loc["Helios", "value"] / found.loc["VR-NVL72-MaxQ", "value"])
    assert ratios["low"] < ratios["value"] < ratios["high"]
    with pytest.raises(UnknownNameError, match="unknown rack 'Helois'; did you mean 'Helios'"):
        serving.ratios(found, "Helois", ["VR-NVL72-MaxQ"])


def test_accelerators_at_one_speed_have_power_and_cost():
    found = serving.at_speed(["MI355X", "B200", "MI455X"], "llama3.1-70b", 20)
    assert (found["chip_j"] < found["it_j"]).all()
    assert (found["it_j"] < found["facility_j"]).all()
    assert np.isnan(found.loc["MI455X", "usd_per_million"])  # nobody publishes a cost of ownership
    hour = catalog.accelerators().loc["B200", "owner_cost_usd_per_h"]
    assert found.loc["B200", "usd_per_million"] == pytest.approx(hour / 3600 / found.loc["B200", "tokens_per_s"] * 1e6)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: serving.at_interactivity(["B200"], "llama3.1-70b", 20, batch=3), "unknown setting 'batch'"),
        (lambda: serving.at_interactivity(["B200"], "llama3.1-70b", 20, phase="prefill"), "unknown phase with users"),
        (lambda: serving.at_interactivity(["B200"], "llama3.1-70b", [[20]]), "not of shape (1, 1)"),
        (lambda: serving.frontier("B200", "llama3.1-70b", phase="decode"), "unknown setting 'phase'"),
        (lambda: serving.racks(["MI300X"], "llama3.1-70b"), "no rack in the data holds any of MI300X"),
        (lambda: serving.racks(["GB300"], "llama3.1-70b", 1e6), "fit in none of the racks"),
        (lambda: serving.racks(["GB300"], "llama3.1-70b", 0), "requests_per_accelerator must be above 0, not 0"),
        (lambda: serving.per_token(1.0, it_kw=-1.0, annual_pue=1.2), "it_kw must be above 0, not -1"),
    ],
)
def test_bad_input_is_named(ask, message):
    with pytest.raises((ValueError, UnknownNameError)) as caught:
        ask()
    assert message in str(caught.value)


def test_one_name_is_enough_and_an_unknown_figure_is_absent():
    found = serving.at_interactivity("B200", "llama3.1-70b", 20)
    assert found["tokens_per_s"].item() > 0
    assert np.isnan(serving.at_interactivity(["MI500"], "llama3.1-70b", 20)["tokens_per_s"].item())


def test_racks_at_several_loads_stand_under_one_another():
    found = serving.by_load(["MI455X", "GB300"], "llama3.1-70b", (16, 64))
    pd.testing.assert_frame_equal(
        found.loc[16], serving.racks(["MI455X", "GB300"], "llama3.1-70b", 16), check_names=False
    )
    assert found["tokens_per_s_user"].unstack(0).pipe(lambda each: each[16] > each[64]).all()


def test_energy_and_cost_have_the_band_of_the_throughput_and_the_range_of_power():
    """Cost has the band alone, as the published cost has no range; energy joins the ranges of power as squares."""
    table = serving.at_speed(["MI355X", "B200"], "llama3.1-70b", 20)
    for name in ("chip_j", "it_j", "facility_j", "usd_per_million", "tokens_per_s_per_mw"):
        assert (table[f"{name}_low"] < table[name]).all()
        assert (table[name] < table[f"{name}_high"]).all()
    usd = table["usd_per_million"] * table["tokens_per_s"]
    np.testing.assert_allclose(table["usd_per_million_low"] * table["high"], usd)
    np.testing.assert_allclose(table["usd_per_million_high"] * table["low"], usd)
    low, high = (catalog.accelerators(case).loc[table.index, "all_in_kw"] for case in ("low", "high"))
    own = np.log(high / low) / 2
    wide = np.log(table["it_j_high"] / table["it_j"])
    np.testing.assert_allclose(wide**2, np.log(table["tokens_per_s"] / table["low"]) ** 2 + own**2)
    for one, other in (("it_j", "facility_j"), ("usd_per_million", "it_j")):  # each has what the one before it has
        assert (table[f"{one}_high"] / table[one] < table[f"{other}_high"] / table[other]).all()


def test_a_speed_that_may_not_be_reached_has_no_upper_end_of_energy():
    table = serving.at_speed(["B200"], "llama2-70b", 112, number_format="fp8")
    assert table["low"].item() == 0
    assert np.isinf(table["it_j_high"].item())
    assert table["tokens_per_s_per_mw_low"].item() == 0
