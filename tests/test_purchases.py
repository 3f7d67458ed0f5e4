"""What a plan of purchases is made of, and what it answers for the deal, at the values of all inputs and over draws."""

import numpy as np
import pytest
import xarray as xr

from gigafleet import fleet, fleet_inputs, operation, purchases, rollout, uncertainty


@pytest.fixture(scope="module")
def asked():
    return purchases.inputs()


@pytest.fixture(scope="module")
def known():
    return purchases.draw(n=16, seed=1)


@pytest.fixture(scope="module")
def plans(known):
    changes = {"held": {}, "free": {"milestones": False}, "sooner": {"milestones": False, "sooner_years": 0.5}}
    changes["never"] = {"next_generation_years": 10.0}
    return {name: purchases.plan(purchases.inputs(known, **change)) for name, change in changes.items()}


def test_the_generations_are_those_of_the_mix(asked):
    mixed = fleet_inputs.inputs(["MI355X", "MI455X"], capacity_gw=None)
    for name in ("throughput", "power_kw", "provisioned_kw"):
        for short in ("MI355X", "MI455X"):
            ours, theirs = asked[name].sel(accelerator=short), mixed[name].sel(accelerator=short)
            ours = ours.isel(quarter=0) if name == "throughput" else ours
            assert ours.to_numpy() == pytest.approx(theirs.to_numpy())
    ratio = asked["throughput"].sel(accelerator="MI500") / asked["throughput"].sel(accelerator="MI455X")
    power = asked["provisioned_kw"].sel(accelerator="MI500") / asked["provisioned_kw"].sel(accelerator="MI455X")
    assert (ratio / power).to_numpy() == pytest.approx(1.8)  # work per kW, the assumption in the data
    assert power.item() == pytest.approx(1.3)


def test_the_generations_are_those_of_the_roll_out_draw_by_draw(known):
    """Bought as the roll-out delivers them, they are its accelerators, at its capital, with its tokens."""
    arguments, found = purchases.inputs(known), operation.evaluate(known, end=purchases.END)
    one, two = (arguments["provisioned_kw"].sel(accelerator=name) for name in rollout.GENERATIONS)
    np.testing.assert_allclose(two / one, known["it_kw_ratio"])
    each = arguments["price_usd"] / arguments["provisioned_kw"]
    usd_per_kw = each.sel(accelerator=list(rollout.GENERATIONS)).rename(accelerator="generation")
    delivered = found["delivered_gw"].rename(sample="scenario").assign_coords(scenario=np.arange(16))
    ours = (delivered * usd_per_kw).sum("generation") * 1e6 / 1e9
    theirs = found["capex_busd"].sel(asset=["system", "network", "storage"]).sum("asset")
    np.testing.assert_allclose(ours.transpose("scenario", "quarter"), theirs.transpose("sample", "quarter"), rtol=1e-9)
    last = found.isel(quarter=-1)  # by then everything that works has stood for a while
    share = xr.DataArray(list(fleet_inputs.drawn_shares(known).values()), dims=("workload", "sample"))
    rate = (
        arguments["throughput"].sel(accelerator="MI455X").isel(quarter=-1).transpose("workload", "scenario").to_numpy()
    )
    busy = last["tokens_tn"].transpose("workload", "sample") * 1e12 / (operation.HOURS * 3600) / (rate * share)
    np.testing.assert_allclose(busy / busy.isel(workload=0), 1.0)  # the same accelerators in every kind of work


def test_a_draw_stands_for_itself(known, asked):
    """One row gives what it gives among others; a row of values gives the plan at the values."""
    some, one = purchases.inputs(known), purchases.inputs(known.iloc[[5]])
    values = purchases.inputs(purchases.draw())
    for name, value in some.items():
        if value is None:
            assert one[name] is None
            continue
        np.testing.assert_allclose(one[name].isel(scenario=0), value.isel(scenario=5), rtol=1e-12, err_msg=name)
        np.testing.assert_allclose(values[name].isel(scenario=0), asked[name], rtol=1e-12, err_msg=name)
    alone, among = (purchases.answers(purchases.plan(arguments)) for arguments in (one, some))
    np.testing.assert_allclose(alone.iloc[0], among.iloc[5], rtol=1e-6, atol=1e-6)


def test_without_ranges_every_draw_is_the_point(asked):
    """Draws of a table whose ranges are closed."""
    values = purchases.draw().iloc[0].to_dict()
    closed = purchases.draw(n=4, seed=2, **values)
    tables = [purchases.answers(purchases.plan(arguments)) for arguments in (purchases.inputs(closed), asked)]
    for _, row in tables[0].iterrows():
        np.testing.assert_allclose(row, tables[1].iloc[0], rtol=1e-6, atol=1e-6)


def test_power_and_throughput_move_with_their_inputs():
    """A draw of more power takes more, one of better software does more; MI355X by inputs of its own."""
    base = purchases.draw()
    high = base.assign(it_kw=1.1 * base["it_kw"], throughput_error=1.645)
    one, other = purchases.inputs(base), purchases.inputs(high)
    ratio = {name: other[name] / one[name] for name in ("power_kw", "throughput", "provisioned_kw")}
    done = fleet_inputs.of_default_work("MI455X")
    for name in ("MI455X", "MI500"):
        assert ratio["power_kw"].sel(accelerator=name).to_numpy() == pytest.approx(1.1)
        np.testing.assert_allclose(
            ratio["throughput"].sel(accelerator=name).isel(scenario=0, quarter=0), done["high"] / done["tokens_per_s"]
        )
    for table in ratio.values():
        assert table.sel(accelerator="MI355X").to_numpy() == pytest.approx(1.0)
    own = purchases.inputs(base.assign(**{purchases.EARLIER_KW: 2.0, purchases.EARLIER_ERROR: -1.645}))
    done = fleet_inputs.of_default_work("MI355X")
    np.testing.assert_allclose(
        (own["throughput"] / one["throughput"]).sel(accelerator="MI355X").isel(scenario=0, quarter=0),
        done["low"] / done["tokens_per_s"],
    )
    assert own["provisioned_kw"].sel(accelerator="MI355X").item() == pytest.approx(2.0 * base["peak_pue"].iloc[0])


def test_the_deal_asks_for_gigawatts_and_the_plan_buys_them(asked):
    bought = purchases.plan(asked)["bought_gw"].isel(sample=0).to_pandas()
    counted = bought[["MI455X", "MI500"]].sum(axis=1).cumsum()
    assert (counted >= asked["milestones_kw"].to_series() / 1e6 - 1e-6).all()
    assert bought.loc[:"2028Q1", "MI500"].sum() == pytest.approx(0, abs=1e-9)  # it is not on offer before 2028Q2


def test_limits_bear_on_the_roll_out_and_on_the_plan(known):
    """In the deal's gigawatts, which at the meter are more by the PUE of the hottest hour where the deal counts IT."""
    tight = {"most_gw": 0.25, "site_gw": 2.0, "regions": {"texas": 3, "virginia": 1}}
    for basis, meter in (("facility", 1.0), ("it", purchases.draw()["peak_pue"].iloc[0])):
        values = purchases.inputs(**tight, capacity_basis=basis)
        plan = fleet.plan_purchases(**values)
        gigawatts = plan.purchases * values["provisioned_kw"] / 1e6 / meter
        assert gigawatts.sum("region").max() == pytest.approx(0.25, rel=1e-6)
        stands = (plan.in_service * values["provisioned_kw"]).sum("accelerator") / 1e6 / meter
        assert stands.sel(region="texas").max() <= 1.5 * (1 + 1e-6)
        assert stands.sel(region="virginia").max() <= 0.5 * (1 + 1e-6)
        counted = (plan.purchases.sum("region") * values["counted_kw"]).sum("accelerator").cumsum("quarter")
        assert (counted >= values["milestones_kw"] * (1 - 1e-6)).all()
        assert counted.sel(quarter="2028Q4") == pytest.approx(2e6, rel=0.02)
    drawn = {"most_gw": 0.25, "site_gw": 2.0}
    some = purchases.plan(purchases.inputs(purchases.draw(n=16, seed=1), **drawn))
    assert purchases.compare({"some": some})["cannot"]["some"] == 0


def test_better_software_leaves_the_plan_and_lets_each_accelerator_do_more(known):
    """Work that is asked for is a share of what the roll-out does, and both run the same software."""
    slow, fast = (purchases.inputs(known, software_gain_share_per_year=gain) for gain in (0.0, 0.3))
    for name in ("throughput", "demand"):
        ratio = fast[name] / slow[name]
        last = ratio.isel(quarter=-1).to_numpy()
        np.testing.assert_allclose(last[~np.isnan(last)], 1.3**5.375)  # the middle of 2031Q4 from July 2026
    one, other = (purchases.answers(purchases.plan(arguments)) for arguments in (slow, fast))
    np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


def test_milestones_cost_in_every_draw_and_free_plans_buy_less(plans):
    tables = {name: purchases.answers(one) for name, one in plans.items()}
    assert (purchases.saved(plans["held"], plans["free"]) > 0).all()
    assert (purchases.saved(plans["free"], plans["sooner"]) > -1e-6).all()
    assert (purchases.saved(plans["never"], plans["held"]) > -1e-6).all()
    assert tables["held"]["all"].median() > tables["free"]["all"].median()
    assert tables["never"]["MI500"].abs().max() < 1e-9
    for table in tables.values():
        np.testing.assert_allclose(table[list(purchases.GENERATIONS)].sum(axis=1), table["all"])


def test_a_comparison_has_the_quantiles_of_its_draws(plans):
    found = purchases.compare(plans)
    table = purchases.answers(plans["free"])
    for end in ("low", "median", "high"):
        assert found[end].loc["free", "cost"] == uncertainty.interval(table["cost"])[end]
    assert (found["low"] <= found["high"] + 1e-12).all(axis=None)
    assert found["cannot"].to_dict() == dict.fromkeys(plans, 0)


def test_draws_without_a_plan_are_counted(known):
    """A site that the smaller roll-outs fit into, and the others do not."""
    arguments = purchases.inputs(known)
    need = (arguments["demand"] / arguments["throughput"].max("accelerator")).sum("workload").max("quarter")
    small = arguments | {"site_kw": xr.where(need < need.median(), 1e9, 1.0).expand_dims(region=["us"])}
    few = purchases.plan(small)
    assert purchases.compare({"few": few})["cannot"]["few"] == 8
    assert few["bought_gw"].dropna("sample").sizes["sample"] == 8
    kept = ~np.isnan(few["cost"])
    whole = purchases.plan(arguments)
    np.testing.assert_allclose(few["cost"][kept], whole["cost"][kept], rtol=1e-6)


def test_a_site_that_is_too_small_names_what_would_do(asked):
    small = asked | {"site_kw": 0.5e6}
    with pytest.raises(fleet.InfeasibleError, match="more of site"):
        fleet.plan_purchases(**small)
    found = purchases.compare({"small": purchases.plan(small)})
    assert found["median"].isna().all(axis=None)
    assert found["cannot"]["small"] == 1


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"work": 0}, "work must be above 0"),
        ({"end": "2040Q1"}, "end must be"),
        ({"sooner_years": -1.0}, "sooner_years must be at least 0"),
        ({"drawn": operation.draw()}, "drawn needs a column 'MI355X it_kw'"),
    ],
)
def test_bad_input_is_named(change, text):
    with pytest.raises(ValueError, match=text):
        purchases.inputs(**change)
