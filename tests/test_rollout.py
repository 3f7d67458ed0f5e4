"""The roll-out: dates, sums and clocks."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gigafleet import catalog, rollout

PLAN = {"start_years": 0.2, "first_gw_years": 1.0, "later_gw_years": 3.0, "ramp_shape_ratio": 1.6}
PLANS = st.fixed_dictionaries(
    {
        "start_years": st.floats(0, 2),
        "first_gw_years": st.floats(0.2, 4),
        "later_gw_years": st.floats(0.2, 8),
        "ramp_shape_ratio": st.floats(1, 4),
        "delay_years": st.floats(0, 2),
        "slip_share": st.floats(0, 1),
    }
)


@given(plan=PLANS, capacity_gw=st.floats(1.2, 20), gw=st.floats(0, 1))
def test_milestones_invert_the_ramp(plan, capacity_gw, gw):
    wanted = gw * capacity_gw
    years = rollout.milestone_years(wanted, capacity_gw, **plan)
    assert rollout.cumulative_gw(years, capacity_gw, **plan) == pytest.approx(wanted, abs=1e-6 * capacity_gw)


@given(plan=PLANS, capacity_gw=st.floats(1.2, 20))
def test_the_ramp_passes_through_its_dates(plan, capacity_gw):
    first = plan["start_years"] + plan["first_gw_years"] + plan["delay_years"]
    last = first + plan["later_gw_years"] * (1 + plan["slip_share"])
    years = [plan["start_years"], first, last, last + 1]
    expected = [0, 1, capacity_gw, capacity_gw]
    assert rollout.cumulative_gw(years, capacity_gw, **plan) == pytest.approx(expected, abs=1e-9 * capacity_gw)
    assert (np.diff(rollout.cumulative_gw(np.linspace(0, 20, 200), capacity_gw, **plan)) >= 0).all()


def test_a_deal_of_one_gigawatt_ends_with_its_first():
    assert rollout.cumulative_gw([1.2, 9.0], 1.0, **PLAN).tolist() == [1.0, 1.0]
    assert rollout.milestone_years(1.0, 1.0, **PLAN) == pytest.approx(1.2)
    assert rollout.milestone_years(0.5, 0.5, **PLAN) == pytest.approx(1.2)


@settings(max_examples=25, deadline=None)
@given(deal=st.sampled_from(["amd-openai", "amd-meta", "amd-anthropic"]), seed=st.integers(0, 99))
def test_sums_close_and_clocks_follow(deal, seed):
    """Quarters and generations add up to the ramp; shipped >= delivered >= energized, for each generation too."""
    capacity_gw = catalog.deal(deal)["public"]["capacity_gw"]
    inputs = rollout.draw(deal, 64, seed)
    sums = {}
    for clock in rollout.CLOCKS:
        table = rollout.schedule(inputs, capacity_gw, clock=clock)
        assert (table >= 0).all()
        lags = ["delivery_lag_years", "energized_lag_years"][: rollout.CLOCKS.index(clock)]
        end = 10.5 - inputs[lags].sum(axis=1).to_numpy()
        ramp = {name: inputs[name].to_numpy() for name in rollout.RAMP}
        expected = rollout.cumulative_gw(end, capacity_gw, **ramp)
        assert table.sum(["quarter", "generation"]).to_numpy() == pytest.approx(expected, abs=1e-12)
        sums[clock] = table.cumsum("quarter")
    for before, after in zip(rollout.CLOCKS, rollout.CLOCKS[1:], strict=False):
        assert (sums[before] >= sums[after] - 1e-12).all()


def test_generations_follow_each_other():
    inputs = rollout.draw("amd-openai", 1, next_generation_years=2.0, handover_years=1.0)
    table = rollout.schedule(inputs, 6.0).isel(sample=0).to_pandas()
    assert (table.loc[:"2028Q2", "MI500"] == 0).all()
    assert table.loc["2028Q4", ["MI455X", "MI500"]].gt(0).all()
    assert table.loc["2029Q3":, "MI455X"].to_numpy() == pytest.approx(0, abs=1e-12)
    at_once = rollout.draw("amd-openai", 1, next_generation_years=2.0, handover_years=0.0)
    table = rollout.schedule(at_once, 6.0).isel(sample=0).to_pandas()
    assert table.loc["2028Q3":, "MI455X"].to_numpy() == pytest.approx(0, abs=1e-12)


def test_the_handover_by_hand():
    """Gigawatt by gigawatt: none is of the next generation where its handover opens, all where it ends."""
    dates = {"delay_years": 0.0, "next_generation_years": 2.0, "handover_years": 1.0}
    inputs = rollout.draw("amd-openai", 1, **dates)
    ramp = {name: inputs[name].item() for name in rollout.RAMP}
    opens, ends = (max(float(rollout.cumulative_gw(years, 6.0, **ramp)), 1.0) for years in (2.0, 3.0))
    gw = (np.arange(60_000) + 0.5) / 10_000
    newer = np.interp(gw, [opens, ends], [0, 1]) / 10_000
    quarter = np.floor(4 * rollout.milestone_years(gw, 6.0, **ramp)).astype(int)
    table = rollout.schedule(inputs, 6.0).isel(sample=0)
    by_hand = np.bincount(quarter, newer, minlength=42)
    assert table.sel(generation="MI500").to_numpy() == pytest.approx(by_hand, abs=2e-4)
    assert by_hand.sum() == pytest.approx(6 - (opens + ends) / 2, abs=1e-6)


@given(delay_years=st.floats(0, 3), next_generation_years=st.floats(0, 3))
@settings(max_examples=20, deadline=None)
def test_the_first_gigawatt_is_of_the_first_generation(delay_years, next_generation_years):
    """Public: the first gigawatt is of the MI450 series."""
    dates = {"delay_years": delay_years, "next_generation_years": next_generation_years}
    table = rollout.schedule(rollout.draw("amd-openai", 1, **dates), 6.0, stop_gw=1.0)
    assert float(table.sel(generation="MI500").sum()) == pytest.approx(0, abs=1e-12)
    assert float(table.sum()) == pytest.approx(1)


def test_a_delay_delays_the_next_generation():
    """MI500 comes a year later too: else a year's delay would move half a gigawatt and more to it."""
    late = {"start_years": 0.0, "delay_years": 1.0}
    moved = rollout.schedule(rollout.draw("amd-openai", 1, **late, next_generation_years=1.75), 6.0)
    unmoved = rollout.schedule(rollout.draw("amd-openai", 1, **late, next_generation_years=0.75), 6.0)
    assert float(unmoved.sel(generation="MI500").sum() - moved.sel(generation="MI500").sum()) > 0.5
    first = moved.isel(sample=0).sel(generation="MI500").to_pandas()
    assert first[first > 1e-9].index[0] == "2029Q2"  # 2.75 years from mid-2026


def test_delay_slip_and_a_stop():
    base = rollout.milestones([1, 6], rollout.draw(n=1, delay_years=0.0, slip_share=0.0), 6.0, clock="shipped")[0]
    late = rollout.milestones([1, 6], rollout.draw(n=1, delay_years=1.0, slip_share=0.0), 6.0, clock="shipped")[0]
    assert late - base == pytest.approx([1, 1])
    slow = rollout.milestones([1, 6], rollout.draw(n=1, delay_years=0.0, slip_share=0.5), 6.0, clock="shipped")[0]
    assert slow - base == pytest.approx([0, 0.5 * (base[1] - base[0])])
    inputs = rollout.draw(n=64)
    stopped = rollout.schedule(inputs, 6.0, stop_gw=1.0)
    assert stopped.sum(["quarter", "generation"]).to_numpy() == pytest.approx(1)
    assert (stopped.sum("generation") <= rollout.schedule(inputs, 6.0).sum("generation") + 1e-12).all()
    assert np.isinf(rollout.milestones([1, 2], inputs, 6.0, stop_gw=1.0)[:, 1]).all()


def test_milestones_count_on_the_clock_of_deliveries():
    inputs = rollout.draw(n=1)
    shipped, delivered = (rollout.milestones([3], inputs, 6.0, clock=c)[0, 0] for c in ("shipped", "delivered"))
    assert delivered - shipped == pytest.approx(inputs["delivery_lag_years"].iloc[0])


@given(
    go_on=st.floats(0, 1),
    binding_gw=st.sampled_from([0.0, 1.0]),
    stop_gw=st.floats(0.1, 6),
)
@settings(max_examples=40, deadline=None)
def test_expected_gigawatts(go_on, binding_gw, stop_gw):
    """The weights add up to the sum over gigawatts of their probabilities."""
    inputs = rollout.draw(n=1, go_on_share=go_on)
    table = rollout.schedule(inputs, 6.0, stop_gw=stop_gw)
    expected = float((table.sum("generation") * rollout.weights(inputs, table, binding_gw)).sum())
    fine = np.linspace(0, stop_gw, 60001)
    middle = (fine[1:] + fine[:-1]) / 2
    by_hand = float(np.sum(rollout.delivered_probability(middle, go_on, binding_gw)) * stop_gw / 60000)
    assert expected == pytest.approx(by_hand, abs=1e-3)


@pytest.mark.parametrize("binding_gw", [0.0, 1.0])
def test_how_often_a_buyer_stops(binding_gw):
    """k gigawatts beyond those that bind and no more: 0.8^k x 0.2; all six: 0.8 to the power of what does not bind."""
    inputs = rollout.draw(n=2**16, go_on_share=0.8)
    stops = rollout.draw_stops(inputs, 6.0, binding_gw)
    further = int(6 - binding_gw)
    expected = np.array([*(0.8 ** np.arange(further) * 0.2), 0.8**further])
    found = np.bincount((stops - binding_gw).astype(int), minlength=further + 1) / len(stops)
    assert found == pytest.approx(expected, abs=4 * np.sqrt(0.25 / 2**16))
    for gw in range(1, 7):  # the same answer as the probability of each gigawatt
        chance = rollout.delivered_probability(gw, 0.8, binding_gw)
        assert np.mean(stops >= gw) == pytest.approx(chance, abs=4 * np.sqrt(0.25 / 2**16))
    assert set(rollout.draw_stops(inputs.assign(go_on_share=0.0), 6.0, binding_gw)) == {binding_gw}
    assert set(rollout.draw_stops(inputs.assign(go_on_share=1.0), 6.0, binding_gw)) == {6.0}
    assert (rollout.draw_stops(inputs, 6.0, binding_gw, seed=1) != stops).any()


def test_deals_stack_and_years_add_up():
    tables = {}
    for deal in rollout.deals():
        tables[deal] = rollout.schedule(rollout.draw(deal, 8), catalog.deal(deal)["public"]["capacity_gw"])
    stacked = rollout.stack(tables)
    assert stacked.dims == ("deal", "sample", "quarter", "generation")
    assert stacked.sel(deal="amd-meta").equals(tables["amd-meta"].assign_coords(deal="amd-meta"))
    years = rollout.by_year(stacked)
    assert years["year"].to_numpy().tolist() == list(range(2026, 2037))
    assert years.sum("year").to_numpy() == pytest.approx(stacked.sum("quarter").to_numpy())


def test_chunks_change_nothing(monkeypatch):
    inputs = rollout.draw(n=256, seed=3)
    whole = rollout.schedule(inputs, 6.0)
    monkeypatch.setattr(rollout, "CHUNK", 100)
    assert rollout.schedule(inputs, 6.0).equals(whole)


def test_a_million_schedules_in_one_call():
    table = rollout.schedule(rollout.draw(n=2**20, seed=1), 6.0, end="2030Q4")
    assert table.sizes == {"sample": 2**20, "quarter": 18, "generation": 2}
    assert table.sum(["quarter", "generation"]).max() <= 6 + 1e-9


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rollout.quarters("2026Q2"), "end must be a quarter from 2026Q3 to 2036Q4, not '2026Q2'"),
        (lambda: rollout.quarters("2037Q1"), "not '2037Q1'"),
        (lambda: rollout.draw("nvidia-openai"), "unknown deal with a roll-out 'nvidia-openai'"),
        (lambda: rollout.draw("amd-openai", dealy_years=1.0), "did you mean 'delay_years'?"),
        (lambda: rollout.draw("amd-openai", first_gw_years=-1.0), "first_gw_years must be above 0 and .*, not -1.0"),
        (lambda: rollout.draw("amd-openai", ramp_shape_ratio=0.5), "ramp_shape_ratio must be at least 1 .* not 0.5"),
        (lambda: rollout.schedule(rollout.draw(), 6.0, clock="built"), "unknown clock 'built'"),
        (lambda: rollout.schedule(rollout.draw(), -6.0), "capacity_gw must be above 0 and at most 10000, not -6.0"),
        (lambda: rollout.schedule(rollout.draw(), 6.0, stop_gw=-1.0), "stop_gw must be at least 0, not -1.0"),
        (lambda: rollout.schedule(pd.DataFrame({"start_years": [0.2]}), 6.0), "need a column 'first_gw_years'"),
        (lambda: rollout.cumulative_gw(1.0, 6.0, **PLAN | {"first_gw_years": 0.0}), "first_gw_years must be above 0"),
        (lambda: rollout.schedule(rollout.draw(), np.inf), "capacity_gw must be above 0 and at most 10000, not inf"),
        *(
            (lambda name=name: rollout.draw("amd-openai", **{name: np.inf}), f"{name} must be .*at most 100, not inf")
            for name in rollout.INPUTS
            if name.endswith("_years") or name == "slip_share"
        ),
        (lambda: rollout.cumulative_gw(1.0, 6.0, **PLAN, delay_years=np.inf), "delay_years must be at most 100, not i"),
        (lambda: rollout.milestone_years(1.0, 6.0, **PLAN | {"start_years": np.inf}), "start_years must be .*not inf"),
        (lambda: rollout.milestones([1], rollout.draw(), 6.0, stop_gw=np.nan), "stop_gw must be at least 0, not nan"),
        (lambda: rollout.milestones([1], rollout.draw(), 6.0, stop_gw=-1.0), "stop_gw must be at least 0, not -1.0"),
        (lambda: rollout.delivered_probability(np.nan, 0.9, 1.0), "gw must be at least 0, not nan"),
        (lambda: rollout.stack({}), "at least one schedule"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message.replace("?", r"\?")):
        call()
