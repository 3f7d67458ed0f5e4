"""Revenue: small cases by hand, identities of the statement, the base business, bottom-up content."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from gigafleet import catalog, revenue, rollout

FIXED = {
    "content_mi455x_busd_per_gw": 20.0,
    "content_mi500_busd_per_gw": 25.0,
    "erosion_share_per_year": 0.1,
    "first_margin_share": 0.5,
    "mature_margin_share": 0.54,
    "deal_opex_share": 0.08,
    "base_growth_share_per_year": 0.21,
    "base_margin_share": 0.56,
    "base_opex_growth_share_per_year": 0.1,
    "tax_share": 0.15,
}


def gigawatts(**by_quarter):
    """Return a schedule of one sample from quarter -> (MI455X, MI500). [GW]"""
    coords = {"quarter": list(by_quarter), "generation": list(rollout.GENERATIONS)}
    return xr.DataArray([list(by_quarter.values())], coords, dims=("sample", "quarter", "generation"))


def test_one_gigawatt_by_hand():
    """1 GW in 2027Q3, whose middle is 1.125 years on: 20 x 0.9^1.125, at a margin of 0.5 + 0.04 x 1.125/4."""
    inputs, ramp = revenue.draw(**FIXED), rollout.draw(next_generation_years=1.0)
    gross = revenue.gross_revenue_busd(gigawatts(**{"2027Q3": (1.0, 0.0)}), inputs, ramp)
    expected = 20 * 0.9**1.125
    assert gross.item() == pytest.approx(expected, rel=1e-12)
    lines = {name: line.item() for name, line in revenue.statement(gross, inputs, 2.0).items()}
    profit = expected * (0.5 + 0.04 * 1.125 / 4) - 2
    by_hand = {
        "gross_revenue_busd": expected,
        "contra_busd": 2,
        "revenue_busd": expected - 2,
        "gross_profit_busd": profit,
        "opex_busd": 0.08 * expected,
        "operating_busd": profit - 0.08 * expected,
        "net_income_busd": 0.85 * (profit - 0.08 * expected),
        "net_income_before_contra_busd": 0.85 * (profit + 2 - 0.08 * expected),
    }
    assert lines == pytest.approx(by_hand, rel=1e-12)
    assert revenue.eps_usd(lines["net_income_busd"], 1700.0) == pytest.approx(1e3 * by_hand["net_income_busd"] / 1700)


def test_a_new_generation_starts_at_its_own_content():
    """Each generation's price falls from its own first shipments on; before them it does not rise."""
    inputs, ramp = revenue.draw(**FIXED), rollout.draw(next_generation_years=1.0)
    quarters = {"2027Q3": (0.0, 1.0), "2028Q3": (0.5, 0.5), "2026Q3": (1.0, 0.0)}
    gross = revenue.gross_revenue_busd(gigawatts(**quarters), inputs, ramp).sel(sample=0)
    assert gross.to_numpy() == pytest.approx(
        [25 * 0.9**0.125, 10 * 0.9**2.125 + 12.5 * 0.9**1.125, 20 * 0.9**0.125], rel=1e-12
    )
    early = rollout.draw(next_generation_years=5.0)  # a gigawatt before the first shipments keeps its price
    assert revenue.gross_revenue_busd(gigawatts(**{"2027Q3": (0.0, 1.0)}), inputs, early).item() == 25


def test_the_margin_is_mature_after_four_years_and_stays():
    inputs = revenue.draw(**FIXED)
    one = xr.DataArray([[1.0, 1.0, 1.0]], {"quarter": ["2026Q3", "2030Q3", "2036Q4"]}, dims=("sample", "quarter"))
    margins = revenue.statement(one, inputs)["gross_profit_busd"].to_numpy()[0]
    assert margins.tolist() == pytest.approx([0.5 + 0.04 * 0.125 / 4, 0.54, 0.54], rel=1e-12)


@settings(max_examples=20)
@given(
    seed=st.integers(0, 99),
    deal=st.sampled_from(["amd-openai", "amd-meta", "amd-anthropic"]),
    contra=st.floats(0, 10),
)
def test_identities(seed, deal, contra):
    """Without erosion revenue is gigawatts times content, by generation; each line follows from the others."""
    ramp, inputs = rollout.draw(deal, 16, seed), revenue.draw(16, seed, erosion_share_per_year=0.0)
    shipped = rollout.schedule(ramp, catalog.deal(deal)["public"]["capacity_gw"])
    gross = revenue.gross_revenue_busd(shipped, inputs, ramp)
    by_generation = shipped.sum("quarter").to_numpy()
    content = inputs[["content_mi455x_busd_per_gw", "content_mi500_busd_per_gw"]].to_numpy()
    assert gross.sum("quarter").to_numpy() == pytest.approx((by_generation * content).sum(axis=1))
    lines = revenue.statement(gross, inputs, contra)
    assert list(lines) == list(revenue.LINES)
    keeps = 1 - xr.DataArray(inputs["tax_share"].to_numpy(), dims="sample")
    for left, right in [
        (lines["revenue_busd"], lines["gross_revenue_busd"] - lines["contra_busd"]),
        (lines["operating_busd"], lines["gross_profit_busd"] - lines["opex_busd"]),
        (lines["net_income_busd"], lines["operating_busd"] * keeps),
        (lines["net_income_before_contra_busd"], lines["net_income_busd"] + contra * keeps),
        (lines["gross_profit_busd"], revenue.statement(gross, inputs)["gross_profit_busd"] - contra),
    ]:
        xr.testing.assert_allclose(left, right, atol=1e-12)


@given(erosion=st.floats(0, 0.5), more=st.floats(0, 0.4))
@settings(max_examples=20)
def test_erosion_lowers_revenue(erosion, more):
    ramp = rollout.draw(n=8)
    shipped = rollout.schedule(ramp, 6.0)
    less, much = (
        revenue.gross_revenue_busd(shipped, revenue.draw(8, erosion_share_per_year=e), ramp)
        for e in (erosion, erosion + more)
    )
    assert (much <= less + 1e-12).all()


def test_base_business_grows_from_the_guidance():
    """AMD guides to 13.0 billion USD of revenue and 3.65 of operating cost for 2026Q3; a year on, each
    has grown once."""
    inputs = revenue.draw(base_revenue_busd=13.0, **FIXED)
    base = revenue.base_business(inputs, rollout.quarters("2027Q3")).isel(sample=0)
    assert base["revenue_busd"].sel(quarter="2026Q3").item() == pytest.approx(13.0, rel=1e-12)
    assert base["revenue_busd"].sel(quarter="2027Q1").item() == pytest.approx(13.0 * 1.1, rel=1e-12)
    assert base["revenue_busd"].sel(quarter="2027Q3").item() == pytest.approx(13.0 * 1.21, rel=1e-12)
    assert base["opex_busd"].sel(quarter="2026Q3").item() == pytest.approx(3.65, rel=1e-12)
    assert base["opex_busd"].sel(quarter="2027Q3").item() == pytest.approx(3.65 * 1.1, rel=1e-12)
    assert (base["contra_busd"] == 0).all()
    net = (base["revenue_busd"] * 0.56 - base["opex_busd"]) * 0.85
    xr.testing.assert_allclose(base["net_income_busd"], net.drop_vars("sample", errors="ignore"))


def test_shares_and_earnings_per_share():
    """AMD guides to about 1,660 million diluted shares; without opex history nothing is invented for the past."""
    assert revenue.diluted_shares_m() == catalog.value("AMD", "diluted_shares_guidance_m") == 1660
    assert revenue.diluted_shares_m(160.0) == 1820
    assert revenue.eps_usd(np.array([1.82, 3.64]), 1820.0).tolist() == [1.0, 2.0]


def test_bottom_up_by_hand():
    """Accelerators times price beside the content, sample by sample; JPMorgan gives 5 % of the content to network."""
    table = revenue.bottom_up([250e3, 300e3], [30e3, 40e3], [17.5, 15.0])
    assert table["accelerators_per_gw"].tolist() == [250e3, 300e3]
    assert table["accelerators_busd_per_gw"].tolist() == pytest.approx([7.5, 12.0])
    assert table["gap_busd_per_gw"].tolist() == pytest.approx([10.0, 3.0])
    assert table["network_busd_per_gw"].tolist() == pytest.approx([0.875, 0.75])
    assert table["price_needed_usd"].tolist() == pytest.approx([70e3, 50e3])
    again = revenue.bottom_up([250e3, 300e3], table["price_needed_usd"], [17.5, 15.0])
    assert again["gap_busd_per_gw"].tolist() == pytest.approx([0, 0], abs=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: revenue.draw(tax_shar=0.1), r"unknown input of revenue 'tax_shar'; did you mean 'tax_share'\?"),
        (lambda: revenue.draw(tax_share=1.5), "tax_share must be at least 0 and at most 1, not 1.5"),
        (lambda: revenue.draw(content_mi455x_busd_per_gw=0.0), "content_mi455x_busd_per_gw must be above 0, not 0.0"),
        (lambda: revenue.draw(erosion_share_per_year=1.0), "erosion_share_per_year must be .* at most 0.99, not 1.0"),
        (lambda: revenue.draw(deal_opex_share=np.nan), "deal_opex_share must be .* not nan"),
        (lambda: revenue.draw(n=1000), "n must be a power of two"),
        (lambda: revenue.eps_usd(1.0, 0.0), "shares_m must be above 0, not 0.0"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
