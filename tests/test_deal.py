"""The deal's chain: conservation, published counts, point estimate and samples in the same call, clear errors."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from gigafleet import (
    catalog,
    cost,
    deal,
    deal_views,
    earnings,
    fleet_inputs,
    operation,
    power,
    published,
    revenue,
    rollout,
    uncertainty,
    vendor_side,
)
from gigafleet.errors import UnknownNameError
from gigafleet.tell import number
from gigafleet.warrant import valuation
from gigafleet.warrant.contract import of_deal


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
        "running_busd_per_gw_year": n * (0.006 * capex + 70 * it_kw + mwh / n * 86.1) / 6e9,
        "energy_busd_per_gw_year": mwh * 86.1 / 6e9,
        "usd_per_accelerator_hour": yearly / 8760,
    }
    answers = deal.evaluate().iloc[0]
    assert answers[list(expected)].to_dict() == pytest.approx(expected, rel=1e-9)


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
    counted = ("capex_busd_per_gw", "tco_busd_per_gw_year", "system_busd_per_gw")
    counted += ("running_busd_per_gw_year", "energy_busd_per_gw_year")  # 0.9 and 0.6
    assert epoch["agrees"].to_dict() == dict.fromkeys(counted, "at the IT")
    lives = epoch.loc["tco_busd_per_gw_year"].set_index("condition")["it_median"]  # 3, 5 and 7 years: 12, 8.5, 7
    assert lives["life_3y"] > lives["life_5y"] > lives["life_7y"]
    assert (epoch["stands"] == "inside").all()
    assert epoch["facility_median"].isna().all()
    assert not table["condition"].isin(["mi500", "future"]).any()
    floor = table[table["condition"] == "announced_floor"].iloc[0]
    assert (floor["published_high"], floor["agrees"]) == (np.inf, "at the meter and at the IT")  # AMD: more than 10
    count = table[table["answer"] == "accelerators"].iloc[0]
    assert count["agrees"] == "neither"
    assert count["stands"] == f"{100 * (1 - 999_999 / count['facility_low']):.2g} % below"
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


# What a figure may be about, by its unit or its name: money, power, energy, carbon, accelerators, shares.
TOPICS = r"USD|W$|W/|Wh|CO2|shares"
NAMED = "accelerators_count|accelerators_per_gw|warrant|dilution|rebate|margin_cost|discount|site_cost"


@pytest.mark.parametrize("name", list(catalog.deals()))
def test_every_published_figure_is_compared_or_says_why_not(name):
    """Each figure on a deal, a gigawatt or what the deal buys that is no term of a deal has an answer, or a reason."""
    facts, terms = catalog.facts(), catalog.deal(name)
    subjects = [name, *published.SITES, terms["accelerator"], terms["system"]]
    topic = facts["unit"].str.contains(TOPICS) | facts["quantity"].str.contains(NAMED)
    about = facts["subject"].isin(subjects) & facts["kind"].ne("assumption") & topic
    whole = facts["subject"].isin([name, *published.SITES]) & facts["kind"].ne("assumption")  # whatever the topic
    rows = facts[(about | whole) & ~facts["quantity"].isin(published.TERMS)]
    keys = set(zip(rows["quantity"], rows["condition"], strict=True))
    assert keys <= {*published.PUBLISHED, *published.NOT_COMPARED}
    readings = {b: uncertainty.interval(deal.evaluate(n=64, deal=name, capacity_basis=b)) for b in power.BASES}
    compared = published.compare(name, readings, n=64)
    others = published.not_compared(name, compared)
    told = [*compared["source_id"], *others["source_id"]]
    for source, count in rows["source_id"].value_counts().items():
        assert told.count(source) >= count, source
    assert others["reason"].str.len().gt(10).all()


def test_every_deal_has_its_figures_on_the_list_and_no_figure_is_gone():
    facts = catalog.facts()
    every = set(zip(facts["quantity"], facts["condition"], strict=True))
    assert {*published.PUBLISHED, *published.NOT_COMPARED} <= every
    assert {held.answer for held in published.PUBLISHED.values()} <= set(deal.UNITS)
    assert set(published.INPUT_OF.values()) <= set(deal.INPUTS)
    table = published.not_compared("amd-openai")
    assert {"TD Cowen, through Industrial PC News", "SemiAnalysis"} <= set(table.index)
    assert table["reason"].str.contains("GB300|H100|NVIDIA, which").sum() == 3  # a gigawatt of other hardware
    assert not published.not_compared("nvidia-openai")["reason"].str.contains("NVIDIA, which").any()


def test_prices_of_what_a_deal_buys_stand_beside_ours():
    """BofA's price of an MI450 and the rumor lie on another basis than ours; what they are about is told, with ours."""
    table = published.not_compared("amd-openai")
    chip = table[table["figure"].str.startswith("MI455X: Purchase price")]
    assert chip["value"].tolist() == ["30,000 to 40,000", "40,000"]
    assert chip["reason"].str.contains("with its share of the rack we take 41,700 to 87,500 USD").all()  # 3 to 6.3 / 72
    assert "BofA takes a price above this" in chip.loc["BofA", "reason"]
    rack = table[table["figure"].str.startswith("Helios: Purchase price")]
    assert rack["reason"].str.contains("which we take as 3 to 6.3 million USD").all()
    assert len(rack) == 2
    known = published.not_compared("broadcom-openai")  # no price of a system
    assert not known["reason"].str.contains("we take .* USD$").any()


def test_a_clouds_capital_counts_by_the_power_that_it_is_for(samples):
    """CoreWeave: 35 to 39 billion USD for 1.85 GW."""
    readings = {basis: uncertainty.interval(x) for basis, x in samples.items()}
    table = published.compare("amd-openai", readings)
    cloud = table[table["source"].str.endswith("on CoreWeave")].iloc[0]
    assert cloud["answer"] == "capex_busd_per_gw"
    assert cloud[["published_low", "published_high"]].tolist() == pytest.approx([35 / 1.85, 39 / 1.85])
    assert cloud["note"].startswith("35 to 39 billion USD over 1.85 GW. ")
    assert cloud["stands"].endswith("below")
    beside = published.beside("capex_busd_per_gw", table, readings)
    assert beside["value"].between(beside["low"].fillna(0), beside["high"].fillna(np.inf)).all()
    assert beside.filter(like="NVIDIA", axis=0)["value"].tolist() == [55]  # NVIDIA named 50, and 50 to 60


def test_a_cost_of_an_hour_is_compared_where_one_is_published():
    readings = {
        b: uncertainty.interval(deal.evaluate(n=64, deal="nvidia-openai", capacity_basis=b)) for b in power.BASES
    }
    table = published.compare("nvidia-openai", readings, n=64).set_index("answer")
    assert table.loc["usd_per_accelerator_hour", "published"].tolist() == [3.57, 3.61]


def test_reasons_name_the_input_that_would_reach_the_figure(samples):
    """A figure outside is reached by the input named, at the value named, with all others at their values."""
    table = published.compare("amd-openai", {basis: uncertainty.interval(x) for basis, x in samples.items()})
    inside = table["stands"].eq("inside")
    told = pd.Series(published.reasons(table, "amd-openai"), table.index)
    assert (told.eq("") == inside).all()
    assert told[~inside].str.contains("would take|no one input").all()
    assert 0 < inside.sum() < len(table)
    (most,) = told[table["source"].str.startswith("UBS") & table["answer"].eq("warrant_latest_busd")]
    now = deal.evaluate().loc[0, "warrant_latest_busd"]
    assert most == f"no one input brings it nearer than {number(now)}, with all at their values"
    dear = table[table["answer"].eq("capex_busd_per_gw") & table["published_low"].eq(50)].iloc[[0]]
    dear = dear.assign(published_low=0.0, published_high=27.0, it_low=30.0, it_high=35.0, facility_low=np.nan)
    reason = published.reasons(dear, "amd-openai")[0]
    assert reason.startswith("would take a price of the system of ")
    price = float(reason.split(" of ")[2].split(" million")[0]) * 1e6
    at = deal.evaluate(pd.DataFrame({"system_price_usd": [price]}), capacity_basis="it")["capex_busd_per_gw"].iloc[0]
    assert at == pytest.approx(27.0, rel=0.01)


def test_vendor_and_warrant_by_hand():
    """The point estimate of what AMD earns and OpenAI gets, from the quarterly and per-share models with their own
    tests: revenue within the error of a year as one step, warrant and income from their parts."""
    answers, known = deal.evaluate().iloc[0], deal.draw().iloc[0]
    one = deal.draw().iloc[[0]]
    shipped = rollout.between(one, np.array([[6.0]]), vendor_side.EDGES)[0]
    middles = vendor_side.MIDDLES
    fall, later = 1 - known["erosion_share_per_year"], known["next_generation_years"] + known["delay_years"]
    gross = shipped[:, 0] * known["content_mi455x_busd_per_gw"] * fall**middles
    gross += shipped[:, 1] * known["content_mi500_busd_per_gw"] * fall ** np.maximum(middles - later, 0)
    assert shipped.sum() == pytest.approx(6.0)
    assert answers["gross_revenue_busd"] == pytest.approx(gross.sum(), rel=1e-9)
    assert answers["best_year_busd"] == pytest.approx(gross.max(), rel=1e-9)
    path = np.clip(middles / known["margin_maturity_years"], 0, 1)
    margin = known["first_margin_share"] + path * (known["mature_margin_share"] - known["first_margin_share"])
    profit = (gross * margin).sum() - answers["warrant_grant_busd"]
    assert answers["contra_busd"] == pytest.approx(answers["warrant_grant_busd"], rel=1e-9)  # all six are shipped
    assert answers["gross_profit_busd"] == pytest.approx(profit, rel=1e-9)
    net = (profit - gross.sum() * known["deal_opex_share"]) * (1 - known["tax_share"])
    assert answers["net_income_busd"] == pytest.approx(net, rel=1e-9)
    year = vendor_side.YEARS.index(vendor_side.EPS_YEAR)
    part = gross[year] * (margin[year] - known["deal_opex_share"])  # before what the warrant takes off that year
    bound = part * (1 - known["tax_share"]) / revenue.diluted_shares_m(0.0) * 1e3
    assert 0.5 * bound < answers["eps_2028_usd"] < bound
    assert answers["rebate_percent"] == pytest.approx(100 * answers["warrant_grant_busd"] / gross.sum(), rel=1e-9)
    assert answers["rebate_busd_per_gw"] == pytest.approx(answers["warrant_grant_busd"] / 6, rel=1e-9)


def test_tokens_by_hand():
    """Tokens a day are accelerators x throughput of each kind of work x its share of busy time."""
    answers, known = deal.evaluate().iloc[0], deal.draw()
    shares, rates = fleet_inputs.drawn_shares(known), fleet_inputs.of_default_work("MI455X")["tokens_per_s"]
    busy = known["busy_share"].iloc[0]
    tokens = sum(float(share.iloc[0]) * rates.sel(workload=name).item() for name, share in shares.items()) * busy
    assert answers["tokens_tn_per_day"] == pytest.approx(answers["accelerators"] * tokens * 86_400 / 1e12, rel=1e-9)
    chat = rates.sel(workload=deal.CHAT).item() * busy
    assert answers["usd_per_million_tokens"] == pytest.approx(
        answers["usd_per_accelerator_hour"] / (3600 * chat) * 1e6, rel=1e-9
    )


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
    means = shares.xs("value", axis=1, level=1)
    assert means.sum().tolist() == pytest.approx([1, 1])
    assert means.loc["system", "capex_share"] == pytest.approx(0.56, abs=0.03)
    assert means.loc["energy", "cost_share"] == pytest.approx(0.6 / 8.5, abs=0.02)
    assert means.loc[list(cost.RUNNING), "capex_share"].isna().all()


@pytest.mark.parametrize("basis", power.BASES)
def test_intervals_of_shares_are_those_of_the_parts(basis):
    """The share of energy sample by sample, from the answers; a point has no width."""
    shares, answers = deal.breakdown(n=512, capacity_basis=basis), deal.evaluate(n=512, capacity_basis=basis)
    of_energy = answers["energy_busd_per_gw_year"] / answers["tco_busd_per_gw_year"]
    row = shares.loc["energy", "cost_share"]
    assert row[["low", "high"]].tolist() == pytest.approx(uncertainty.interval(of_energy)[["low", "high"]].tolist())
    assert row["value"] == pytest.approx(of_energy.mean())
    of_system = answers["system_busd_per_gw"] / answers["capex_busd_per_gw"]
    row = shares.loc["system", "capex_share"]
    assert row[["low", "high"]].tolist() == pytest.approx(uncertainty.interval(of_system)[["low", "high"]].tolist())
    for name in ("capex_share", "cost_share"):
        known = shares[name].dropna()
        assert (known["low"] < known["value"]).all()
        assert (known["value"] < known["high"]).all()
        assert known["low"].sum() < 1 < known["high"].sum()
    point = deal.breakdown(n=1)["cost_share"]
    assert point["low"].tolist() == pytest.approx(point["high"].tolist())


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
    assert table["answer"].isin(["energy_busd_per_gw_year"]).all() == (name == "broadcom-openai")  # it has no price
    assert len(published.beside("capex_busd_per_gw", table, readings)) >= 2


@pytest.mark.parametrize("name", list(catalog.deals()))
def test_every_deal_answers_what_its_figures_allow(name):
    answers = deal.evaluate(deal=name).iloc[0]
    assert answers["accelerators"] > 0
    assert answers["twh_per_year"] > 0
    assert np.isnan(answers["capex_busd"]) == (name == "broadcom-openai")  # no price of Jalapeno is known
    assert deal.breakdown(name, n=64)["capex_share"].isna().all(axis=None) == (name == "broadcom-openai")


def test_levels_count_fewer_accelerators_the_more_they_include():
    levels = deal_views.by_level(n=256)
    assert list(levels.index) == ["chip", "rack", "it", "facility"]
    assert levels["value"].is_monotonic_decreasing
    assert (levels["low"] <= levels["value"]).all()
    assert (levels["value"] <= levels["high"]).all()


def test_the_bill_of_a_region_has_the_range_of_its_price(samples):
    """Virginia's price is that of the United States with a wider range, and so is its bill."""
    bills = deal_views.bills("amd-openai", 1024, capacity_gw=3.0)
    table = deal_views.by_region(samples["facility"] / 2, catalog.regions(), bills)
    found = uncertainty.interval(
        3 * deal.evaluate(n=1024, capacity_gw=3.0, region="virginia")["energy_busd_per_gw_year"]
    )
    ends = table.filter(like="electricity_busd").rename(columns=lambda name: name.rpartition("busd_")[2])
    assert ends.loc["virginia"].to_numpy() == pytest.approx(found[["median", "low", "high"]].to_numpy())
    width = np.log(ends["high"] / ends["low"])
    mwh = uncertainty.interval(samples["facility"]["twh_per_year"])
    assert width["virginia"] > 1.1 * width["us"] > 1.1 * np.log(mwh["high"] / mwh["low"])
    priced = ["us", "texas", "virginia"]
    assert ends["high"].dropna().index.tolist() == priced
    assert deal_views.by_region(samples["facility"], catalog.regions())["electricity_busd"].isna().all()


@pytest.mark.parametrize("name", ["nvidia-openai", "broadcom-openai"])
def test_matrices_hold_no_rows_of_nothing_and_no_dust(name):
    matrix = deal_views.swing_matrix(deal_views.swings(name))
    columns = [column for column in ("capex_busd", "twh_per_year") if column in deal_views.swings(name)]
    shares = deal_views.cause_matrix(deal_views.causes(name, columns, n=16))
    for table in (matrix, shares):
        assert table.gt(0).any(axis=1).all()
        assert table.stack()[lambda x: x > 0].min() >= 1e-6
    assert len(matrix) >= 4


def test_who_says_what_is_read_from_the_sources():
    kinds = pd.Series({"a": "press", "b": "assumption", "c": "analyst", "d": "press"})
    assert deal_views.by_kind(kinds) == "c: analysts; a and d: press; b: assumptions"
    assert deal_views.by_kind(kinds, ("analyst", "assumption")) == "a and d: press; the rest: analysts and assumptions"
    levels = deal_views.level_kinds("amd-openai")
    assert levels[levels != "assumption"].to_dict() == {"power of the rack": "press"}
    costs = {name: deal_views.cost_kinds(name) for name in catalog.deals()}
    assert costs["amd-openai"]["price of electricity"] == "press"
    assert "network per kW" in costs["nvidia-openai"].index
    assert "network per kW" not in costs["amd-openai"].index
    assert {kind for one in costs.values() for kind in one} <= set(deal_views.KINDS)


def test_the_point_that_lies_furthest_from_its_median(samples):
    """EPS: a delay and a slip stand at none, and can only add."""
    tables, ends = deal_views.swings("amd-openai"), uncertainty.interval(samples["facility"])
    name, point, one_sided = deal_views.off_median("amd-openai", tables, ends)
    assert (name, one_sided) == ("eps_2028_usd", "delay and slip after the first gigawatt")
    assert point == pytest.approx(deal.evaluate()["eps_2028_usd"].iloc[0])
    assert point > 1.2 * ends.loc[name, "median"]
    other = uncertainty.interval(deal.evaluate(deal="broadcom-openai", n=64))
    assert deal_views.off_median("broadcom-openai", deal_views.swings("broadcom-openai"), other)[2] == ""


def test_carbon_by_region_is_the_energy_times_the_intensity(samples):
    table = deal_views.by_region(samples["facility"], catalog.regions())
    twh = samples["facility"]["twh_per_year"].median()
    assert table.loc["texas", "mt_co2"] == pytest.approx(twh * 0.333, rel=1e-9)
    assert table.loc["texas", "mt_co2_marginal"] == pytest.approx(twh * 0.564, rel=1e-9)
    ends = deal_views.ends_of(table, ["mt_co2", "mt_co2_marginal", "electricity_busd"])
    twh = uncertainty.interval(samples["facility"]["twh_per_year"])
    for end in ("low", "median", "high"):
        assert ends[end].loc["texas", "mt_co2_marginal"] == pytest.approx(twh[end] * 0.564, rel=1e-9)
        assert (ends[end]["mt_co2"] / ends["median"]["mt_co2"]).dropna().to_numpy() == pytest.approx(
            twh[end] / twh["median"]
        )
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
        ({"inputs": pd.DataFrame({"busy_share": [0.0]})}, "busy_share must be above 0 and at most 1, not 0"),
        (  # a deal with a roll-out and no warrant
            {"deal": "amd-anthropic", "inputs": pd.DataFrame({"go_on_share": [2.0]})},
            "go_on_share must be at least 0 and at most 1, not 2",
        ),
        (
            {"deal": "amd-anthropic", "inputs": pd.DataFrame({"delivery_lag_years": [-1.0]})},
            "delivery_lag_years must be at least 0 and at most 100, not -1",
        ),
    ],
)
def test_figures_out_of_bounds_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        deal.evaluate(**arguments)


def test_the_yearly_chain_agrees_with_the_quarterly_one():
    """Sample by sample, revenue, contra-revenue and income are those of gigafleet.earnings, which goes by quarters."""
    drawn = deal.draw(n=256)
    own = {name: f"amd-openai {name}" for name, (subject, _) in rollout.INPUTS.items() if subject is None}
    inputs = earnings.draw("amd-openai", 256)
    inputs = inputs.assign(**{c: drawn[k] for k, c in own.items()})
    inputs = inputs.assign(**{c: drawn[c] for c in inputs if c in drawn})
    answers, found = deal.evaluate(drawn), earnings.evaluate(inputs, deals="amd-openai")
    whole = earnings.whole(found)
    for name, within in (("gross_revenue_busd", 0.01), ("gross_profit_busd", 0.03), ("net_income_busd", 0.03)):
        ratio = answers[name].to_numpy() / whole[name].to_numpy()
        assert ratio == pytest.approx(1, abs=within), name
        assert np.median(ratio) == pytest.approx(1, abs=0.003), name
    eps = earnings.by_year(found)["eps_increment_usd"].sel(year=2028).to_numpy()
    assert answers["eps_2028_usd"].to_numpy() == pytest.approx(eps, abs=0.25)
    expected = earnings.whole(earnings.evaluate(inputs, deals="amd-openai", weighted=True))["gross_revenue_busd"]
    assert np.median(answers["expected_revenue_busd"] / expected.to_numpy()) == pytest.approx(1, abs=0.005)


def test_the_warrant_is_that_of_its_own_notebook():
    """At one volatility and rate, with all tranches in time, the grant's value is that of warrant.value."""
    quick = {"start_years": 0.0, "first_gw_years": 0.5, "later_gw_years": 1.0, "delay_years": 0.0, "slip_share": 0.0}
    day, terms = valuation.market("amd-openai", "grant"), of_deal("amd-openai")
    one = deal.evaluate(pd.DataFrame({**quick, "volatility": day.volatility, "rate_grant": day.rate}, index=[0])).iloc[
        0
    ]
    value = valuation.value(terms, day, np.zeros(6))["value_busd"].sum()
    assert one["warrant_grant_busd"] == pytest.approx(value, rel=1e-9)
    assert one["dilution_percent"] == pytest.approx(100 * 160 / (1632.475042 + 160))
    assert one["rebate_busd_per_gw"] == pytest.approx(value / 6)
    assert one["contra_busd"] == pytest.approx(value)


def test_what_a_deal_has_not_is_absent():
    anthropic, nvidia = deal.evaluate(deal="amd-anthropic", n=64), deal.evaluate(deal="nvidia-openai", n=64)
    assert anthropic["gross_revenue_busd"].gt(0).all()
    assert anthropic[["warrant_grant_busd", "rebate_percent", "dilution_percent"]].isna().all(axis=None)
    assert nvidia[list(vendor_side.UNITS)].isna().all(axis=None)
    assert nvidia["tokens_tn_per_day"].gt(0).all()
    assert list(nvidia.columns) == list(deal.UNITS) == list(deal.NAMES)


def test_profit_is_what_revenue_leaves(samples):
    """In every sample: income is below profit, profit below revenue, and the chance of stopping only lowers revenue."""
    x = samples["facility"]
    assert (x["expected_revenue_busd"] <= x["gross_revenue_busd"] + 1e-9).all()
    assert (x["gross_profit_busd"] < x["gross_revenue_busd"] - x["contra_busd"]).all()
    assert (x["net_income_busd"] < x["gross_profit_busd"]).all()
    assert (x["warrant_weighted_busd"] <= x["warrant_latest_busd"] + 1e-9).all()


def test_tokens_and_their_cost_agree_with_the_rollout():
    """With all in service for a year, tokens a day and the cost of answers are those of operation."""
    at_once = {"start_years": 0.0, "first_gw_years": 0.1, "later_gw_years": 0.1, "delay_years": 0.0, "slip_share": 0.0}
    lags = {"delivery_lag_years": 0.0, "energized_lag_years": 0.0, "next_generation_years": 10.0}
    found = operation.evaluate(operation.draw(n=1, it_life_years=8.0, **at_once, **lags))
    year = rollout.by_year(found[["tokens_tn"]]).sel(year=2028)["tokens_tn"].sum().item()
    one = deal.evaluate(pd.DataFrame({"it_life_years": [8.0]})).iloc[0]
    assert one["tokens_tn_per_day"] * 365 == pytest.approx(year, rel=1e-9)
    usd = found["usd_per_million_tokens"].sel(workload="decode-chat", quarter="2028Q2").item()
    assert one["usd_per_million_tokens"] == pytest.approx(usd, rel=1e-9)


def test_the_mix_of_work_moves_tokens_and_energy_together():
    """More training: other tokens, and the same shares in both."""
    inputs = pd.DataFrame({"time_share_training": [0.35, 0.7]})
    found = deal.evaluate(inputs)
    assert found["tokens_tn_per_day"].nunique() == 2
    shares = fleet_inputs.drawn_shares(deal.draw(n=64))
    np.testing.assert_allclose(sum(shares.values()), 1)


def test_inputs_that_are_not_finite_are_named():
    with pytest.raises(ValueError, match="input it_kw must be finite, not inf"):
        deal.evaluate(pd.DataFrame({"it_kw": [np.inf]}))
    with pytest.raises(ValueError, match="accelerators_per_system must be above 0"):
        deal.evaluate(pd.DataFrame({"accelerators_per_system": [0.0]}))


def test_inputs_that_no_source_gives_are_columns_of_their_own():
    drawn = deal.draw("broadcom-openai", n=4)
    absent = drawn.columns[drawn.isna().all()]
    assert len(absent) > 1
    drawn.loc[0, absent[0]] = 5.0
    assert drawn[absent[1:]].isna().all(axis=None)


def test_samples_in_pieces_are_the_samples(monkeypatch):
    """Threads and the size of pieces change nothing."""
    whole = deal.evaluate(n=1024)
    given = deal.evaluate(deal.draw(n=1024).set_index(pd.RangeIndex(5, 1029)))
    monkeypatch.setattr(uncertainty, "CHUNK", 64)
    monkeypatch.setattr(deal, "WORKERS", 3)
    pd.testing.assert_frame_equal(deal.evaluate(n=1024), whole, rtol=1e-12)
    pd.testing.assert_frame_equal(deal.evaluate(deal.draw(n=1024).set_index(given.index)), given, rtol=1e-12)
    np.testing.assert_array_equal(given.to_numpy(), whole.to_numpy())


def test_content_and_racks_clash_where_they_do(samples):
    share = deal_views.clash("amd-openai", samples["facility"], 1024)
    content = deal.draw(n=1024)["content_mi455x_busd_per_gw"]
    assert share == (content > samples["facility"]["system_busd_per_gw"]).mean()
    assert 0 < deal_views.clash("amd-openai", samples["it"], 1024) < share  # more racks in a gigawatt of IT
    assert deal_views.clash("broadcom-openai", deal.evaluate(deal="broadcom-openai", n=64), 64) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"capacity_gw": [6.0, 7.0]}, "capacity_gw must be one number"),
        ({"capacity_gw": "six"}, "capacity_gw must be a number, not 'six'"),
        ({"inputs": {"it_kw": [3.4]}}, "inputs must be a DataFrame, one row a sample, not dict"),
        ({"inputs": pd.DataFrame([[3.4, 3.5]], columns=["it_kw", "it_kw"])}, "inputs have the column 'it_kw' twice"),
        ({"inputs": pd.DataFrame({"bf16_tflops": [-1.0]})}, "bf16_tflops must be at least 0, not -1"),
        ({"inputs": pd.DataFrame({"system_price_usd": [-1.0]})}, "system_price_usd must be above 0, not -1"),
        ({"inputs": pd.DataFrame({"system_price_usd": [0.0]})}, "system_price_usd must be above 0, not 0"),
        ({"capacity_gw": np.inf}, "capacity_gw must be at most 10000, not inf"),
        ({"capacity_gw": np.inf, "deal": "nvidia-openai"}, "capacity_gw must be at most 10000, not inf"),
        ({"inputs": pd.DataFrame({"capacity_gw": [0.0]})}, "capacity_gw must be above 0 and at most 10000, not 0"),
        ({"inputs": pd.DataFrame({"it_kw": ["3.4"]})}, r"input it_kw must be a number, not '3.4' \(row 0\)"),
        ({"inputs": pd.DataFrame({"it_kw": [True]})}, r"input it_kw must be a number, not True \(row 0\)"),
        ({"inputs": pd.DataFrame({"rate_grant": [-1.0]})}, "rate_grant must be at least -0.5 and at most 1, not -1"),
        ({"inputs": pd.DataFrame({"rate_latest": [2.0]})}, "rate_latest must be at least -0.5 and at most 1, not 2"),
        ({"inputs": pd.DataFrame({"volatility": [-0.1]})}, "volatility must be at least 0 and at most 10, not -0.1"),
        (
            {"inputs": pd.DataFrame({deal.ERROR: [1e9]})},
            "throughput_error must be at least -7 and at most 7, not 1000000000",
        ),
        ({"deal": ["amd-openai"]}, "unknown deal"),
        ({"inputs": pd.DataFrame({"it_kw": [3.4]}), "region": ["us"]}, "unknown region"),
    ],
)
def test_odd_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        deal.evaluate(**arguments)


def test_numbers_of_any_kind_are_taken():
    given = {"it_kw": [3, 4], "peak_pue": pd.array([1.2, 1.3], dtype="Float64"), "rate": np.array([0, 1], dtype=object)}
    found = deal.evaluate(pd.DataFrame(given))
    pd.testing.assert_frame_equal(found, deal.evaluate(pd.DataFrame(given).astype(float)))


def test_a_network_that_no_source_gives_follows_the_site():
    """Without an accelerator's own network, that of the site per kW stands in, whatever the inputs."""
    name, known = "nvidia-openai", deal.ranges("nvidia-openai")
    assert "network_usd" not in known.index
    moved = pd.DataFrame({"network_usd_per_kw": [3000.0, 6000.0]})
    capex = deal.evaluate(moved, name)["capex_busd"]
    it_kw = known.loc["it_kw", "value"]
    assert np.diff(capex)[0] == pytest.approx(deal.evaluate(deal=name)["accelerators"].iloc[0] * 3000 * it_kw / 1e9)
    per_gw = deal.evaluate(pd.DataFrame({"it_kw": [it_kw, 2 * it_kw]}), name)
    parts = per_gw["capex_busd"] - per_gw["system_busd_per_gw"] * per_gw["capacity_gw"]
    assert np.ptp(parts) == pytest.approx(0, abs=1e-9)  # facility, storage and network go by the kW
    own = deal.evaluate(pd.DataFrame({"network_usd": [1000.0, np.nan], "network_usd_per_kw": 3000.0}), name)
    assert own["capex_busd"].iloc[1] == pytest.approx(capex[0])
    assert own["capex_busd"].iloc[0] < capex[0]
    pd.testing.assert_frame_equal(deal.evaluate(deal.draw(name, 64), name), deal.evaluate(deal=name, n=64))
    assert deal_views.swings(name)["capex_busd"].loc["network_usd_per_kw", "swing"] > 10
    assert deal.evaluate(moved)["capex_busd"].nunique() == 1  # MI455X has its own


def test_values_are_kept_until_the_data_are_read_anew():
    deal.evaluate(pd.DataFrame({"it_kw": [3.4]}))
    kept = deal._values("amd-openai", "us")
    assert deal._values("amd-openai", "us") is kept
    catalog.reload()
    assert deal._values("amd-openai", "us") is not kept
    pd.testing.assert_series_equal(deal._values("amd-openai", "us"), kept)


@pytest.mark.parametrize("name", ["amd-openai", "amd-meta"])
@pytest.mark.parametrize("day", vendor_side.DAYS)
def test_the_quick_value_of_a_share_is_the_closed_form(name, day):
    """Over plausible and odd markets, a share of each tranche is worth what warrant.per_share gives."""
    drawn = deal.draw(name, 256)
    terms, market, odd = of_deal(name), valuation.market(name, day), [1e-9, 0.01, 3.0, 9.0]
    given = {"volatility": np.r_[drawn["volatility"], odd], "rate": np.r_[drawn[f"rate_{day}"], -0.4, 0.0, 0.9, 0.04]}
    worth, which = vendor_side._vesting(name).days[day]
    quick = vendor_side._usd_per_share(**worth, **given)[which].T
    columns = {key: values[:, None] for key, values in given.items()}
    np.testing.assert_allclose(quick, valuation.per_share(terms, market, np.zeros((1, 6)), **columns), rtol=1e-11)
    kept = {key: values[:-4] for key, values in given.items()}
    quick = vendor_side._usd_per_share(**worth, **kept)[which].T
    columns = {key: values[:, None] for key, values in kept.items()}
    np.testing.assert_allclose(quick, valuation.per_share(terms, market, np.zeros((1, 6)), **columns), rtol=1e-11)


def test_a_capacity_written_as_text_is_a_number():
    pd.testing.assert_frame_equal(deal.evaluate(capacity_gw="6"), deal.evaluate(capacity_gw=6.0))


def test_every_figure_of_every_deal_stands_in_one_of_the_two_tables():
    for name in catalog.deals():
        for capacity in (None, 1.5):
            readings = {
                basis: uncertainty.interval(deal.evaluate(n=64, deal=name, capacity_basis=basis, capacity_gw=capacity))
                for basis in power.BASES
            }
            table = published.compare(name, readings, n=64)
            others = published.not_compared(name, table)
            every = len(published.not_compared(name)) + len(
                published._about(catalog.deal(name), published.PUBLISHED)[0]
            )
            assert len(table) + len(others) == every


def test_the_reason_of_a_figure_with_its_own_life_holds_at_that_life():
    readings = {
        b: uncertainty.interval(deal.evaluate(n=256, deal="nvidia-openai", capacity_basis=b)) for b in power.BASES
    }
    table = published.compare("nvidia-openai", readings).query("condition == 'life_3y'")
    told = published.reasons(table, "nvidia-openai")[0]
    assert "life" not in told
    moved = table.assign(published_low=table["it_high"] * 1.02, published_high=np.inf)
    assert "life" not in published.reasons(moved, "nvidia-openai")[0]


def test_draws_of_throughput_reach_both_ends_of_the_band():
    one = deal.draw()
    ends = pd.concat([one] * 3, ignore_index=True).assign(**{deal.ERROR: [-1.645, 0.0, 1.645]})
    found = deal.evaluate(ends)["usd_per_million_tokens"]
    band = fleet_inputs.of_default_work("MI455X").sel(workload=deal.CHAT)
    low, value, high = (band[key].item() for key in ("low", "tokens_per_s", "high"))
    np.testing.assert_allclose((found[1] / found).to_numpy(), [low / value, 1, high / value])
