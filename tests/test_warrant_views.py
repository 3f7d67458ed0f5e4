"""The warrant's tables for notebook 06."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr

from gigafleet import catalog, uncertainty, warrant
from gigafleet import warrant_views as views
from gigafleet.warrant import valuation
from gigafleet.warrant.contract import years_between


@pytest.fixture(scope="module")
def what() -> valuation.Setting:
    return warrant.setting("amd-openai", 256)


@pytest.fixture(scope="module")
def grant() -> warrant.Market:
    return warrant.market("amd-openai", "grant")


@pytest.fixture(scope="module")
def latest() -> warrant.Market:
    return warrant.market("amd-openai", "latest")


def test_what_is_public_is_told_apart_from_what_is_assumed():
    """Filing: 160 million shares at 0.01 USD, the last target 600; the table between is blacked out."""
    table = views.known_and_redacted(warrant.of_deal("amd-openai"))
    assert table.loc["shares", "what"] == "160 million"
    assert table.loc["last price target"].tolist() == ["600 USD", "public"]
    assert table.loc["price targets"].tolist() == ["225, 300, 375, 450, 525, 600 USD", "assumed but for the last"]
    assert table.loc["how the price is measured", "status"] == "redacted"
    assert "shipped" in views.known_and_redacted(warrant.of_deal("amd-meta")).loc["first vesting", "what"]
    other = warrant.of_deal("amd-openai", views.tranches("amd-openai", 3, 300))
    assert views.known_and_redacted(other).loc["price targets", "what"] == "300, 450, 600 USD"


def test_other_tranches_keep_shares_milestone_and_last_target():
    assert views.tranches("amd-openai", None, None) is None
    few = views.tranches("amd-openai", 3, None)
    assert [t.milestone_gw for t in few] == [1, 3.5, 6]  # public: the first gigawatt vests first
    assert (few[0].target_usd, few[-1].target_usd) == (225, 600)
    assert sum(t.shares for t in few) == pytest.approx(160e6)
    assert views.tranches("amd-openai", None, 300)[0].target_usd == 300


def test_totals_by_reading(what, grant, latest):
    table = views.totals(what, {"grant": grant, "latest": latest}, "close")
    assert list(table.columns) == [f"tranche {i}" for i in range(1, 7)]
    assert table.loc["grant: target counts at any time"].sum() == pytest.approx(what.value(grant)["value_busd"].sum())
    for day in ("grant", "latest"):
        sums = table[table.index.str.startswith(day)].sum(axis=1).to_numpy()
        assert (np.diff(sums) < 0).all()
    many = warrant.setting("amd-openai", 64, tranches=views.tranches("amd-openai", 12, None))
    wide = views.totals(many, {"grant": grant}, "close")
    assert wide.shape == (3, 7)
    assert wide.iloc[0].sum() == pytest.approx(many.value(grant)["value_busd"].sum())


def test_whiskers_of_the_totals(what, grant, latest):
    """Each holds its total; where all targets are met and count, a share is its price less the strike, in time."""
    days = {"grant": grant, "latest": latest}
    ends, total = views.totals_ends(what, days, "close", n=64), views.totals(what, days, "close").sum(axis=1)
    assert list(ends["low"].index) == list(total.index)
    met = "latest: target counts at any time"
    assert (ends["low"] < total).all()
    assert (total < ends["high"]).all()
    in_time = what.times(latest) <= what.warrant.years_left(latest.date)
    each = (in_time * what.warrant.table["shares_m"].to_numpy()).sum(axis=1) * latest.spot_usd / 1e3
    assert [ends["low"][met], ends["high"][met]] == pytest.approx(np.quantile(each, [0.05, 0.95]), rel=1e-4)


def test_own_dates_widen_an_interval_that_averages_over_them(what, grant):
    """Where all samples have the same dates, the two are the same."""
    reading = {"touch": "ever", "watched": "close"}
    market = valuation.uncertain(what, grant, **reading)
    plain, own = market["value_busd"].quantile([0.05, 0.95]), views.by_dates(what, grant, market, **reading)
    assert own["low"] < plain.iloc[0] - 1
    assert own["high"] > plain.iloc[1] + 1
    one = replace(what, inputs=what.inputs.iloc[[0] * 1024])
    market = valuation.uncertain(one, grant, **reading)
    again = market["value_busd"].sample(1024, replace=True, random_state=1).quantile([0.05, 0.95])
    own = views.by_dates(one, grant, market, **reading)
    assert [own["low"], own["high"]] == pytest.approx(list(again), rel=0.02)


def at_its_values(day: warrant.Market) -> pd.DataFrame:
    """Return the day's own volatility and rate as one sample."""
    return pd.DataFrame({"volatility": [day.volatility], "rate": [day.rate]})


def test_the_most_that_it_can_be(what, grant, latest):
    """With the last price above every target, all shares less their strike."""
    full = 0.16 * (latest.spot_usd - 0.01 * np.exp(-latest.rate * what.warrant.years_left(latest.date)))
    assert views.in_time_busd(what, latest, "close", at_its_values(latest)).tolist() == pytest.approx([full])
    (most,) = views.in_time_busd(what, grant, "close", at_its_values(grant))
    assert what.value(grant)["value_busd"].sum() < most < 0.16 * grant.spot_usd


@pytest.mark.parametrize("touch", ["ever", "from_milestone", "at_milestone"])
def test_no_sample_is_worth_more_than_in_time(what, grant, touch):
    """The cap is one of each draw: more volatility, a higher one, so that of the values themselves is no bound."""
    own = views.own_dates(what, grant, touch=touch, watched="close")
    most = views.in_time_busd(what, grant, "close", own)
    assert (own["value_busd"] <= most * (1 + 1e-9)).all()
    (middle,) = views.in_time_busd(what, grant, "close", at_its_values(grant))
    assert most.quantile(0.05) < middle < most.quantile(0.95)
    assert most.corr(own["volatility"], method="spearman") > 0.95
    drawn = views.in_time_busd(what, grant, "close", seed=3)
    assert drawn.median() == pytest.approx(middle, rel=0.02)
    assert len(drawn) == 256


def test_samples_with_their_own_dates(what, grant):
    """Each row is the value at its own dates, volatility and rate, and its own chance of deliveries weights it."""
    own = views.own_dates(what, grant, touch="from_milestone", watched="close")
    assert len(own) == len(what.inputs)
    row, day = own.iloc[7], valuation.moved(grant, volatility=own["volatility"][7], rate=own["rate"][7])
    table = valuation.value(what.warrant, day, what.times(grant)[7], touch="from_milestone")
    assert row[[f"tranche_{i}" for i in range(1, 7)]].tolist() == pytest.approx(table["value_busd"].tolist())
    assert row["value_busd"] == pytest.approx(table["value_busd"].sum())
    chance = what.inputs["go_on_share"][7] ** np.arange(6)  # the first gigawatt binds
    assert row["weighted_busd"] == pytest.approx((table["value_busd"] * chance).sum())


def test_tranches_as_text(what, grant):
    """Late tranches count in full or not at all; the first gigawatt is certain, the k-th after it goes by its power."""
    own = views.own_dates(what, grant, touch="ever", watched="close")
    table, plain = views.tranches_text(what, grant, own, touch="ever", watched="close"), what.value(grant)
    assert table.index.tolist() == plain.index.tolist()
    assert table["taken_share"].iloc[0] == "1"
    low, high = np.quantile(what.inputs["go_on_share"] ** 5, [0.05, 0.95])
    last = plain["taken_share"].iloc[-1]
    assert table["taken_share"].iloc[-1] == f"{last:.3f} ({low:.3f} to {high:.3f})"
    assert table["value_busd"].iloc[-1].startswith(f"{plain['value_busd'].iloc[-1]:.2f} (0 to ")
    assert "(" not in "".join(table["in_time_share"])


def test_a_bill_goes_by_the_dates_of_its_sample(what):
    """Samples in which MI500 never comes pay MI455X's content throughout; prices do not move with the dates' draws."""
    plain = views.gross_busd(what)
    late = np.where(np.arange(256) % 2, 30.0, what.inputs["next_generation_years"])
    moved = views.gross_busd(replace(what, inputs=what.inputs.assign(next_generation_years=late)))
    assert moved[::2].tolist() == plain[::2].tolist()
    assert (moved[1::2] != plain[1::2]).all()
    alone = replace(what, inputs=what.inputs.iloc[[0] * 256].reset_index(drop=True))
    prices = views.gross_busd(alone)  # one set of dates: what varies is the price
    for name in what.inputs:
        assert abs(pd.Series(prices).corr(what.inputs[name], method="spearman")) < 0.2


def test_range_of_ends():
    ends = {
        "low": pd.Series({"a: x": 2.0, "a: y": 1.0, "b: x": 0.0}),
        "high": pd.Series({"a: x": 3.0, "a: y": 2, "b: x": 9}),
    }
    assert views.range_of_ends(ends, "a") == (1, 3)


def test_the_price_that_stands_for_a_grant():
    """OpenAI's is the close before it; for Meta the data hold the first close after it only."""
    books = {deal: warrant.of_deal(deal) for deal in ("amd-openai", "amd-meta")}
    texts = [views.jump(book, warrant.market(deal, "grant")) for deal, book in books.items()]
    assert texts[0].endswith("a later close holds the jump that the deal itself caused")
    assert "the first after it in the data" in texts[1]
    by_hand = warrant.market("amd-openai", "latest", spot_usd=500.0)
    assert views.price_text(by_hand) == "a price given by hand"
    assert views.price_text(warrant.market("amd-openai", "latest")) == "the close of 2026-10-09"


def test_heat_map(what, grant):
    table = views.heat(what, grant, "ever", "close")
    assert (table.diff(axis=1).iloc[:, 1:] > 0).all(axis=None)
    assert (table.diff().iloc[1:] < 0).all(axis=None)
    last = what.value(grant).iloc[-1]
    in_time = last["usd_per_share"] / last["in_time_share"]
    assert table.loc["600 USD", "55 %"] == pytest.approx(100 * in_time / grant.spot_usd, rel=0.01)


def test_ends_of_the_heat_map(what, grant):
    """Over the range of volatility, 45 to 70 %, in which the map's columns stand; the rate adds little."""
    ends, table = views.heat_ends(what, grant, "ever", "close"), views.heat(what, grant, "ever", "close")
    assert ends.index.tolist() == table.index.tolist()
    assert ends["low"].to_numpy() == pytest.approx(table["45 %"].to_numpy(), abs=1.5)
    assert ends["median"].to_numpy() == pytest.approx(table["55 %"].to_numpy(), abs=1)
    assert (ends["high"] > table["65 %"]).all()
    assert (ends["high"] < table["75 %"]).all()


def test_readings_without_a_closed_form(what, grant):
    """Few paths: the plain case meets the closed form, an average is worth less, joint deliveries more."""
    table = views.monte_carlo(what, {"grant": grant}, "ever", n_paths=1024)
    values = table["grant"].str.split("\u00a0±\u00a0").str[0].astype(float)
    errors = table["grant"].str.split("\u00a0±\u00a0").str[-1].astype(float)
    assert abs(values.iloc[0] - what.value(grant)["value_busd"].sum()) < 4 * errors.iloc[0] + 0.02
    assert values["average of 20 closes"] < values.iloc[0]
    assert table["change, grant"].filter(like="early").iloc[0] > 0


def test_term_structure_never_falls():
    for volatility in (0.05, 0.3, 0.55, 0.9):
        known = views.term_structure("AMD", volatility)
        assert known.iloc[-1] == volatility
        assert ((known**2 * known.index).diff().dropna() > 0).all()


def test_vesting_with_and_without_stops(what, latest):
    plan = {"touch": "ever", "watched": "close", "n_paths": 4096}
    stops, full = (views.vest(what, latest, 0.1, stops=s, **plan).probability().iloc[:, -1] for s in (True, False))
    assert stops.iloc[0] == pytest.approx(full.iloc[0])  # the first gigawatt binds
    assert (stops.iloc[1:] < full.iloc[1:]).all()


def test_each_path_has_its_own_growth_and_volatility(what, latest):
    """Log returns to expiry vary with both: the mean of drift less half the variance, the variances of both added."""
    plan = {"touch": "ever", "watched": "close", "n_paths": 2**14}
    drawn, years = views.vest_paths(what, latest, **plan), what.warrant.years_left(latest.date)
    ranges = views.path_ranges(what, latest)
    assert ranges.loc["drift", ["low", "value", "high"]].tolist() == [0, 0.12, 0.18]
    assert ranges.loc["volatility", ["low", "value", "high"]].tolist() == [0.45, 0.55, 0.7]
    market = uncertainty.sample(ranges, 2**14, 0)
    steady = (market["drift"] - market["volatility"] ** 2 / 2) * years
    log = np.log(drawn.price_usd[:, -1] / latest.spot_usd)
    variance = (market["volatility"] ** 2).mean() * years + steady.var()
    assert log.mean() == pytest.approx(steady.mean(), abs=4 * np.sqrt(variance / 2**14))
    assert log.var() == pytest.approx(variance, rel=0.05)
    assert np.corrcoef(log - steady, steady)[0, 1] == pytest.approx(0, abs=0.03)


def test_a_growth_given_by_hand_moves_its_range(what, latest):
    """By as much as the value; a volatility given by hand scales its own."""
    ranges = views.path_ranges(what, latest, -0.1)
    assert ranges.loc["drift", ["low", "value", "high"]].tolist() == pytest.approx([-0.22, -0.1, -0.04])
    half = views.path_ranges(what, valuation.moved(latest, volatility=0.275))
    assert half.loc["volatility", ["low", "value", "high"]].tolist() == pytest.approx([0.225, 0.275, 0.35])


def test_chances_by_growth_and_volatility(what, latest):
    """That a price ends above a level is a closed form of growth and volatility; its interval is that of these."""
    plan = {"touch": "ever", "watched": "close"}
    drawn = views.vest_paths(what, latest, **plan)
    each = views.vest_each(what, latest, draws=32, n_paths=2048, **plan)
    found, years = views.share_above(drawn, each, 600.0), what.warrant.years_left(latest.date)
    market = uncertainty.sample(views.path_ranges(what, latest), 4096, 1)
    spread = market["volatility"] * np.sqrt(years)
    steady = np.log(latest.spot_usd / 600) + (market["drift"] - market["volatility"] ** 2 / 2) * years
    known = ndtr(steady / spread)
    assert found["value"] == pytest.approx(known.mean(), abs=0.015)
    assert found[["low", "high"]].to_numpy() == pytest.approx(np.quantile(known, [0.05, 0.95]), abs=0.04)


def test_vested_as_text(what, latest):
    """The first gigawatt binds: certain in the end. The last tranche is the less likely, the rarer buyers go on."""
    plan = {"touch": "ever", "watched": "close"}
    each = views.vest_each(what, latest, draws=16, n_paths=512, **plan)
    table = views.vested_text(views.vest_paths(what, latest, n_paths=4096, **plan), each, latest)
    assert table.columns.tolist() == ["2026Q4", "2027Q4", "2028Q4", "2029Q4", "2030Q4"]
    assert table.index[0] == "tranche 1"
    assert (table["2026Q4"] == "0").all()
    assert table.loc["tranche 1", "2030Q4"] == "100"
    ends = re.fullmatch(r"[\d.]+ \(([\d.]+) to ([\d.]+)\)", table.loc["tranche 6", "2030Q4"]).groups()
    by_chance = np.quantile([one.probability().iloc[-1, -1] for one in each], [0.05, 0.95])
    assert [float(x) for x in ends] == pytest.approx(100 * by_chance, abs=0.6)
    assert by_chance[1] > 2 * by_chance[0]


@pytest.mark.parametrize(
    ("date", "end"),
    [
        ("2026-10-09", "2026-12-31"),
        ("2026-12-31", "2027-03-31"),
        ("2026-07-01", "2026-09-30"),
        ("2028-02-29", "2028-03-31"),
    ],
)
def test_the_first_step_of_a_simulation_ends_with_its_quarter(date, end):
    assert views.to_quarter_end(date) == pytest.approx(years_between(date, end))


def test_rows_of_a_simulation_are_quarter_ends(what, latest):
    """The day itself is left out; the expiry, October 5, stands for its quarter."""
    vesting = views.vest(what, latest, 0.1, touch="ever", watched="close", n_paths=64)
    table = views.by_quarter(vesting.fan(), latest)
    assert table.index[[0, 1, -2, -1]].tolist() == ["2026Q4", "2027Q1", "2030Q3", "2030Q4"]
    assert len(table) == len(vesting.years) - 1
    assert table.iloc[-1].tolist() == vesting.fan().iloc[-1].tolist()


def test_vesting_by_the_end_of_a_quarter_is_delivery_by_then(what, latest):
    """With every target reached, what has vested by December 31, 2027 is what has been delivered by then."""
    drawn = views.vest(what, latest, 0.1, touch="ever", watched="close", stops=False, n_paths=2**15)
    vested = views.by_quarter(drawn.probability().T, latest).loc["2027Q4"].to_numpy()
    end = years_between(latest.date, "2027-12-31")
    delivered = (what.times(latest) <= end).mean(axis=0)
    assert 0.4 < delivered[0] < 0.7
    assert vested == pytest.approx(delivered, abs=0.012)


@pytest.mark.parametrize(("deal", "payer"), [("amd-openai", "Authorized purchasers"), ("amd-meta", "Meta")])
def test_flows(deal, payer):
    """Authorized purchasers are in OpenAI's warrant alone; only the bill and the warrant have amounts."""
    bill, value = (pd.Series(row, ["low", "median", "high"]) for row in ([96.0, 117, 135], [85.0, 85, 85]))
    nodes, arrows = views.flows(deal, bill, value)
    assert set(arrows["start"]) | set(arrows["end"]) == set(nodes.index)
    paid = arrows.set_index(["start", "end"]).loc[(payer, "AMD")]
    assert (paid["value"], paid["kind"]) == (117, "cash")
    assert arrows["value"].notna().sum() == 2
    assert paid["label"] == "117 (96 to 135) bn USD for 6 GW"
    assert "warrant worth 85 bn USD" in set(arrows["label"])  # without a range none is written


def test_growth_moves_vesting(what, grant):
    table = views.growth_cases(what, grant, touch="ever", watched="close", seed=0)
    assert table["growth"].tolist() == [0, 12, 18]
    assert table["mean"].is_monotonic_increasing
    assert table["cost_mean_busd"].is_monotonic_increasing
    assert (table["cost_low_busd"] < table["cost_mean_busd"]).all()
    assert (table["cost_mean_busd"] < table["cost_high_busd"]).all()
    assert table["high"].max() <= 160


def test_range_of_readings(what, grant):
    table = views.totals(what, {"grant": grant}, "close")
    low, high = views.range_of_readings(table, "grant")
    assert (low, high) == (pytest.approx(table.iloc[2].sum()), pytest.approx(table.iloc[0].sum()))


def test_side_by_side():
    table = views.side_by_side(["amd-openai", "amd-meta"], 64, 0, "ever", "close")
    assert list(table.columns) == ["OpenAI", "Meta"]
    assert table.iloc[0].tolist() == ["164.67 (2025-10-03)", "213.84 (2026-02-24)"]


def test_one_rule_for_dates(grant):
    """The table, the lines of the chart and the headline hold the same interval: own dates, drawn with one seed."""
    what = warrant.setting("amd-openai", 64)
    table = views.side_by_side(["amd-openai"], 64, 0, "ever", "close")["OpenAI"]
    own = uncertainty.interval(views.own_dates(what, grant, touch="ever", watched="close"))
    assert table["value at the grant, if taken [billion USD]"] == views.with_range(own.loc["value_busd"])
    ends = views.totals_ends(what, {"grant": grant}, "close")
    line = [ends[end]["grant: target counts at any time"] for end in ("low", "high")]
    assert line == own.loc["value_busd", ["low", "high"]].tolist()
    assert table["value at the grant, weighted [billion USD]"] == views.with_range(own.loc["weighted_busd"])


def test_swings_bracket_the_value(what, grant):
    table = views.swings(what, grant, touch="ever", watched="close", draws=64)
    assert (table["swing"].diff().dropna() <= 0).all()
    row = table.loc["go_on_share"]
    assert row["low"] < row["value"] < row["high"]
    assert table.loc["volatility", "low"] < table.loc["volatility", "high"]
    assert table.loc["later_gw_years", "low"] > table.loc["later_gw_years", "high"]


def test_plug_power_stands_beside_its_published_value():
    table, published = views.plug_table(0)
    assert published == catalog.value("plug-amazon-2022", "warrant_fair_value_usd") == 20.36
    low, high = table.attrs["value"]
    assert low < published < high
    assert table.loc["value of a warrant share [USD], published", "figure"] == "20.36"


def test_sources_are_known():
    used = views.used_sources("amd-openai", [warrant.market("amd-openai", "grant")])
    assert set(used) <= set(catalog.sources().index)
    assert {"amd-openai-warrant-2025-10", "amd-research-report-2025-10", "plug-10k-2023"} <= set(used)
