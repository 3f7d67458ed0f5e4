"""The deal's chain: conservation, published counts, point estimate and samples in the same call, clear errors."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from gigafleet import catalog, cost, deal, power, published, uncertainty
from gigafleet.errors import UnknownNameError


@pytest.fixture(scope="module")
def samples() -> dict[str, pd.DataFrame]:
    return {basis: deal.evaluate(n=1024, capacity_basis=basis) for basis in power.BASES}


def test_accelerators_of_six_gigawatts(samples):
    """Helios at 3.13 to 3.40 kW feeds 1.76 to 1.92 million from 6 GW of racks; with 2 to 8 % of network that is 1.65
    to 1.87."""
    it, facility = (uncertainty.interval(samples[basis]).loc["accelerators"] for basis in ("it", "facility"))
    assert it["low"] == pytest.approx(1.76e6 / 1.07, rel=0.02)
    assert it["high"] == pytest.approx(1.92e6 / 1.025, rel=0.02)
    assert facility["low"] < it["low"] / 1.2 < facility["high"] < it["high"]


def test_every_answer_by_hand():
    """The point estimate of 6 GW at the meter, written out from the rows: MI455X in Helios, United States."""
    it_kw, peak, annual, busy, idle = 3.391, 1.2, 1.14, 0.8, 0.22
    n = 6e6 / (it_kw * peak)
    active = (0.35 * 0.76 + 0.2 * 0.73 + 0.45 * 0.60) / 1.0
    mwh = n * it_kw * (idle + (active - idle) * busy) * annual * 8760 / 1000
    system, network, storage, facility = 5.2e6 / 72, 8000.0, it_kw * 500, it_kw * 11_600
    it_factor, facility_factor = 0.065 / (1 - 1.065**-5), 0.065 / (1 - 1.065**-14)
    capex = system + network + storage + facility
    yearly = (
        (system + network + storage) * it_factor
        + facility * facility_factor
        + 0.006 * capex
        + 70 * it_kw
        + mwh / n * 86.1
    )
    expected = {
        "capacity_gw": 6,
        "accelerators": n,
        "racks": n / 72,
        "bf16_eflops": n * 5033 / 1e6,
        "fp8_eflops": n * 20_133 / 1e6,
        "fp4_eflops": n * 40_265 / 1e6,
        "memory_pb": n * 432 / 1e6,
        "it_gw": 5,
        "facility_gw": 6,
        "average_gw": mwh / 8760 / 1000,
        "twh_per_year": mwh / 1e6,
        "mt_co2_per_year": mwh * 350 / 1e9,
        "capex_busd": n * capex / 1e9,
        "capex_busd_per_gw": n * capex / 6e9,
        "system_busd_per_gw": n * system / 6e9,
        "cost_busd_per_year": n * yearly / 1e9,
        "tco_busd_per_gw_year": n * yearly / 6e9,
        "usd_per_accelerator_hour": yearly / 8760,
    }
    assert deal.evaluate().iloc[0].to_dict() == pytest.approx(expected, rel=1e-9)


def test_inputs_are_drawn_with_their_correlation():
    drawn = deal.draw(n=4096)
    assert spearmanr(drawn["annual_pue"], drawn["peak_pue"]).statistic == pytest.approx(0.98, abs=0.02)
    assert (drawn["annual_pue"] > drawn["peak_pue"]).mean() < 0.02
    pd.testing.assert_frame_equal(deal.evaluate(drawn), deal.evaluate(n=4096))


def test_the_press_count_fits_one_gigawatt_only(samples):
    low, high = published.press_count("amd-openai", 6.0)
    assert (low, high) == (100_000, 999_999)
    assert (samples["facility"]["accelerators"] > high).mean() > 0.99
    assert (samples["facility"]["accelerators"] / 6).between(low, high).all()
    assert published.press_count("amd-openai", 5.0) is None


def test_published_figures_are_compared_at_their_own_level(samples):
    """Epoch AI counts per GW of IT: 37.9 billion USD to build, 8.5 a year. Other lives, generations and years are not
    compared."""
    table = published.compare("amd-openai", {basis: uncertainty.interval(x) for basis, x in samples.items()})
    epoch = table[table["source"] == "Epoch AI"].set_index("answer")
    assert epoch["agrees"].to_dict() == {"capex_busd_per_gw": "at the IT", "tco_busd_per_gw_year": "at the IT"}
    assert epoch["facility_median"].isna().all()
    assert not table["condition"].isin(["life_3y", "life_7y", "mi500", "future"]).any()
    floor = table[table["condition"] == "announced_floor"].iloc[0]
    assert (floor["published_high"], floor["agrees"]) == (np.inf, "at the meter and at the IT")  # AMD: more than 10
    assert table[table["answer"] == "accelerators"]["agrees"].tolist() == ["neither"]
    nvidia = {
        basis: uncertainty.interval(deal.evaluate(n=64, deal="nvidia-openai", capacity_basis=basis))
        for basis in samples
    }
    assert (
        35 in published.compare("nvidia-openai", nvidia)["published_low"].tolist()
    )  # NVIDIA's content by its own word
    other = {
        basis: uncertainty.interval(deal.evaluate(n=64, capacity_gw=1.0, capacity_basis=basis)) for basis in samples
    }
    assert "accelerators" not in set(published.compare("amd-openai", other)["answer"])


def test_racks_of_a_gigawatt_beside_amds_content(samples):
    """BofA after a call with AMD: 15 to 20 billion USD of components per GW; our racks at the rumored price lie
    around it."""
    table = published.compare("amd-openai", {basis: uncertainty.interval(x) for basis, x in samples.items()})
    content = table[(table["answer"] == "system_busd_per_gw") & (table["source"] == "BofA")].iloc[0]
    assert (content["published_low"], content["published_high"]) == (15, 20)
    assert "at the meter" in content["agrees"]
    shares = samples["it"]["system_busd_per_gw"] / samples["it"]["capex_busd_per_gw"]
    assert shares.between(0.2, 0.8).all()


@pytest.mark.parametrize("basis", power.BASES)
def test_what_is_conserved(samples, basis):
    """Power, energy, carbon and money of the whole are those of its accelerators, in every sample."""
    x = samples[basis]
    np.testing.assert_allclose(x[f"{basis}_gw"], x["capacity_gw"], rtol=1e-12)
    np.testing.assert_allclose(x["twh_per_year"], x["average_gw"] * 8.76, rtol=1e-12)
    np.testing.assert_allclose(x["racks"] * 72, x["accelerators"], rtol=1e-12)
    np.testing.assert_allclose(
        x["cost_busd_per_year"], x["accelerators"] * x["usd_per_accelerator_hour"] * 8760 / 1e9, rtol=1e-12
    )
    np.testing.assert_allclose(x["capex_busd_per_gw"] * x["capacity_gw"], x["capex_busd"], rtol=1e-12)
    assert (x["average_gw"] < x["facility_gw"]).all()
    assert (x["it_gw"] < x["facility_gw"]).all()


def test_breakdown_adds_up():
    """Epoch's shares for a GB200 site: servers 56 %, network 13 %, facility 31 %; ours differ by the network of
    MI455X."""
    shares = deal.breakdown(n=1024)
    assert list(shares.index) == list(cost.PARTS)
    assert shares.sum().tolist() == pytest.approx([1, 1])
    assert shares.loc["system", "capex_share"] == pytest.approx(0.56, abs=0.03)
    assert shares.loc["energy", "cost_share"] == pytest.approx(0.6 / 8.5, abs=0.02)


def test_a_point_is_the_same_call_as_samples():
    """One row of inputs at their values is the point estimate; the median of samples lies near it."""
    point = deal.evaluate()
    assert len(point) == 1
    given_inputs = uncertainty.prepare(deal.ranges())[["value"]].T.reset_index(drop=True)
    pd.testing.assert_frame_equal(deal.evaluate(given_inputs), point)
    capacities = deal.evaluate(pd.DataFrame({"capacity_gw": [1.0, 6.0]}))
    assert (capacities["accelerators"] / capacities["capacity_gw"]).round(6).nunique() == 1
    sweep = deal.evaluate(pd.DataFrame({"peak_pue": [1.1, 1.2, 1.3]}))
    pd.testing.assert_series_equal(sweep.iloc[1], point.iloc[0], check_names=False)
    assert sweep["accelerators"].is_monotonic_decreasing
    median = deal.evaluate(n=4096).median()
    np.testing.assert_allclose(
        median[["accelerators", "twh_per_year"]], point.iloc[0][["accelerators", "twh_per_year"]], rtol=0.02
    )


def test_the_same_seed_gives_the_same_numbers():
    pd.testing.assert_frame_equal(deal.evaluate(n=64, seed=7), deal.evaluate(n=64, seed=7))
    assert not deal.evaluate(n=64, seed=7).equals(deal.evaluate(n=64, seed=8))


@settings(max_examples=25)
@given(capacity_gw=st.floats(0.01, 50), factor=st.floats(1.1, 4))
def test_answers_scale_with_capacity(capacity_gw, factor):
    one = deal.evaluate(capacity_gw=capacity_gw).iloc[0]
    more = deal.evaluate(capacity_gw=capacity_gw * factor).iloc[0]
    for answer in ("accelerators", "fp8_eflops", "twh_per_year", "capex_busd", "cost_busd_per_year"):
        assert more[answer] == pytest.approx(factor * one[answer])
    assert more["usd_per_accelerator_hour"] == pytest.approx(one["usd_per_accelerator_hour"])


@pytest.mark.parametrize("name", list(catalog.deals()))
def test_every_deal_is_compared_with_what_is_published(name):
    readings = {
        basis: uncertainty.interval(deal.evaluate(n=64, deal=name, capacity_basis=basis)) for basis in power.BASES
    }
    table = published.compare(name, readings)
    assert set(table["agrees"]) <= {"at the meter and at the IT", "at the meter", "at the IT", "neither"}
    assert table.empty == (name == "broadcom-openai")
    assert len(published.beside("capex_busd_per_gw", table, readings)) >= 2


@pytest.mark.parametrize("name", list(catalog.deals()))
def test_every_deal_answers_what_its_figures_allow(name):
    answers = deal.evaluate(deal=name).iloc[0]
    assert answers["accelerators"] > 0
    assert answers["twh_per_year"] > 0
    assert np.isnan(answers["capex_busd"]) == (name == "broadcom-openai")  # no price of Jalapeno is known
    assert deal.breakdown(name, n=64)["capex_share"].isna().all() == (name == "broadcom-openai")


def test_levels_count_fewer_accelerators_the_more_they_include():
    levels = deal.by_level(n=256)
    assert list(levels.index) == ["chip", "rack", "it", "facility"]
    assert levels["value"].is_monotonic_decreasing
    assert (levels["low"] <= levels["value"]).all()
    assert (levels["value"] <= levels["high"]).all()


def test_carbon_by_region_is_the_energy_times_the_intensity(samples):
    table = deal.by_region(samples["facility"], catalog.regions())
    twh = samples["facility"]["twh_per_year"].median()
    assert table.loc["texas", "mt_co2"] == pytest.approx(twh * 0.333, rel=1e-9)
    assert table.loc["texas", "mt_co2_marginal"] == pytest.approx(twh * 0.564, rel=1e-9)
    assert np.isnan(table.loc["eu", "mt_co2"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"deal": "amd-openia"}, "unknown deal 'amd-openia'; did you mean 'amd-openai'"),
        ({"region": "texsa"}, "unknown region 'texsa'; did you mean 'texas'"),
        ({"capacity_basis": "meter"}, "unknown capacity_basis 'meter'"),
        ({"inputs": pd.DataFrame({"it_kW": [3.0]})}, "unknown input 'it_kW'; did you mean 'it_kw'"),
    ],
)
def test_unknown_names_suggest_the_nearest(arguments, message):
    with pytest.raises(UnknownNameError, match=message):
        deal.evaluate(**arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"capacity_gw": -6.0}, "capacity_gw must be above 0, not -6.0"),
        ({"inputs": pd.DataFrame({"peak_pue": [1.2, 0.8]})}, "pue must be at least 1, not 0.8"),
        ({"inputs": pd.DataFrame({"it_kw": [3.4, np.nan]})}, r"input it_kw must be a number, not nan \(row 1\)"),
        ({"region": "eu"}, "region 'eu' lacks a price .* complete are: us, texas, virginia"),
        ({"n": 1000}, "n must be a power of two"),
    ],
)
def test_figures_out_of_bounds_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        deal.evaluate(**arguments)


def test_finance_of_a_deal():
    """The financial half: BofA's 15 to 20 billion USD per GW make 90 to 120; the warrant weighted is worth less."""
    answers = deal.finance("amd-openai", 256)
    assert list(answers.columns) == list(deal.FINANCE_UNITS) == list(deal.FINANCE_NAMES)
    assert 90 < answers["gross_revenue_busd"].median() < 140
    assert (answers["expected_revenue_busd"] < answers["gross_revenue_busd"]).all()
    assert (answers["warrant_weighted_busd"] < answers["warrant_latest_busd"]).all()
    rebate = 100 * answers["warrant_grant_busd"] / answers["gross_revenue_busd"]
    assert answers["rebate_percent"].to_numpy() == pytest.approx(rebate)
    assert answers["dilution_percent"].iloc[0] == pytest.approx(100 * 160 / (1632.475042 + 160))
    pd.testing.assert_frame_equal(answers, deal.finance("amd-openai", 256))


def test_finance_without_a_warrant_or_a_rollout():
    answers = deal.finance("amd-anthropic", 64)
    assert answers["gross_revenue_busd"].gt(0).all()
    assert answers[["warrant_grant_busd", "rebate_percent", "dilution_percent"]].isna().all(axis=None)
    with pytest.raises(UnknownNameError, match="unknown deal with a roll-out 'nvidia-openai'"):
        deal.finance("nvidia-openai", 64)
