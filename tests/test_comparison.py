"""Accelerators side by side: one price basis, ranges carried into ratios, racks, clear errors."""

import numpy as np
import pytest

from gigafleet import catalog, comparison, deal
from gigafleet.errors import UnknownNameError

AMD, NVIDIA = ["MI355X", "MI455X"], ["GB200", "GB300", "VR200"]


@pytest.fixture(scope="module")
def drawn():
    return comparison.samples([*AMD, *NVIDIA], "fp8", n=1024)


def test_prices_are_on_one_basis():
    """SemiAnalysis' hyperscaler servers (October 2025): 8x MI355X 189,607 and HGX H100 189,637; the OEM's 285,000 is
    another basis."""
    hyperscaler, oem = comparison.prices(), comparison.prices("oem")
    assert hyperscaler.loc["MI355X", "value"] == pytest.approx(189_607 / 8)
    assert hyperscaler.loc["H100", "value"] == pytest.approx(189_637 / 8)
    assert oem.loc["H100", "value"] == pytest.approx(285_000 / 8)
    assert "MI455X" not in hyperscaler.index
    assert "MI455X" in comparison.prices("rumour").index


def test_a_rumor_never_reaches_the_chart_per_dollar(drawn):
    assert "MI455X" not in comparison.metric(drawn, "per_musd").index
    assert ("MI455X", "GB200") not in comparison.pairs(drawn, AMD, NVIDIA, "per_musd").index


def test_metrics_are_arithmetic_on_the_specifications(drawn):
    table, per_mw = catalog.accelerators(), comparison.metric(drawn, "per_it_mw")
    expected = table.loc["GB200", "fp8_tflops"] / 1000 / (table.loc["GB200", "all_in_kw"] / 1000)
    assert per_mw.loc["GB200", "value"] == pytest.approx(expected, rel=0.01)
    assert per_mw.loc["GB200", "low"] < expected < per_mw.loc["GB200", "high"]
    per_accelerator = comparison.metric(drawn, "per_accelerator")
    assert (per_accelerator["low"] == per_accelerator["high"]).all()  # peaks have no range


def test_pairs_say_what_the_ranges_allow(drawn):
    pairs = comparison.pairs(drawn, AMD, NVIDIA, "per_it_mw")
    assert len(pairs) == 6
    assert pairs.loc[("MI455X", "GB200"), "verdict"] == "AMD ahead"
    assert pairs.loc[("MI355X", "VR200"), "verdict"] == "NVIDIA ahead"
    assert pairs.loc[("MI455X", "VR200"), "verdict"] == "not distinguishable"
    inverse = 1 / comparison.pairs(drawn, NVIDIA, AMD, "per_it_mw")["median"].swaplevel()
    np.testing.assert_allclose(inverse[pairs.index], pairs["median"], rtol=1e-2)
    exact = comparison.pairs(drawn, AMD, NVIDIA, "per_accelerator")
    assert set(exact["verdict"]) == {"no range known"}


def test_an_accelerator_without_a_figure_is_left_out():
    drawn = comparison.samples(["MI440X", "MI325X", "H200"], "fp8", n=64)
    assert list(comparison.metric(drawn, "per_it_mw").index) == ["MI325X", "H200"]
    assert comparison.metric(drawn, "per_musd").empty
    assert comparison.pairs(drawn, ["MI440X"], ["H200"], "per_it_mw").empty


def test_helios_and_the_rubin_racks_overlap_per_kw():
    """Helios and Rubin are equal within the uncertainty of their power (specification notes, part d): 5.9 to 6.4 and
    5.0 to 7.1."""
    racks = comparison.racks(["MI455X", "R200", "VR200", "H100"])
    assert list(racks.index) == [
        "VR-NVL72-MaxQ",
        "Helios",
        "VR-NVL72-MaxP",
    ]  # H100 comes in servers; NVL144 CPX is mixed
    assert racks.loc["Helios", "value"] == pytest.approx(72 * 20.133 / np.sqrt(225 * 245))
    assert racks.loc["Helios", ["low", "high"]].tolist() == pytest.approx([72 * 20.133 / 245, 72 * 20.133 / 225])
    assert racks.loc["VR-NVL72-MaxQ", "low"] < racks.loc["Helios", "high"] < racks.loc["VR-NVL72-MaxQ", "high"]
    assert comparison.racks(["MI455X"], "bf16").loc["Helios", "pflops"] == pytest.approx(72 * 5.033)


def test_the_ranking_of_rubin_depends_on_its_operating_point():
    """R200 at 230 kW a rack and VR200 at 190, both with the network that MI455X has: AMD ahead of the first, not of
    the second."""
    pairs = comparison.pairs(
        comparison.samples(["MI455X", "R200", "VR200"], n=1024), ["MI455X"], ["R200", "VR200"], "per_it_mw"
    )
    assert pairs["verdict"].tolist() == ["AMD ahead", "not distinguishable"]
    assert pairs["median"].tolist() == pytest.approx([1.13, 0.95], abs=0.02)


def test_per_watt_uses_the_other_end_of_the_power():
    low, mid, high = (comparison.per_watt("fp8", case).loc["MI455X"] for case in catalog.CASES)
    assert low["chip"] < mid["chip"] < high["chip"]
    assert low["chip"] == pytest.approx(20_133 / 2500 / 1)
    assert comparison.bytes_per_kflop("fp8")["MI300X"] == pytest.approx(1000 * 5.3 / 2614.9)


def test_owner_cost_by_hand():
    """H100 from the rows: 189,637 USD for 8, 1.37 kW, Epoch's network and facility, an annuity of 6.5 %, over 8,760
    h."""
    it_factor, facility_factor = 0.065 / (1 - 1.065**-5), 0.065 / (1 - 1.065**-14)
    active = 0.35 * 0.76 + 0.2 * 0.73 + 0.45 * 0.60
    capital = {"system": 189_637 / 8, "network": 1.37 * 4930, "storage": 1.37 * 500, "facility": 1.37 * 11_600}
    expected = {
        part: usd * (facility_factor if part == "facility" else it_factor) / 8760 for part, usd in capital.items()
    }
    expected["energy"] = 1.37 * (0.22 + (active - 0.22) * 0.8) * 1.14 * 0.0861
    expected["maintenance"] = 0.006 * sum(capital.values()) / 8760
    expected["staff"] = 70 * 1.37 / 8760
    costs = comparison.owner_costs(["H100"]).loc["H100"]
    assert costs[list(expected)].to_dict() == pytest.approx(expected, rel=1e-9)
    assert costs["total"] == pytest.approx(sum(expected.values()))
    assert costs["low"] < costs["total"] < costs["high"]
    assert costs["busd_per_gw"] == pytest.approx(costs["total"] * 8760 / 1.37 * 1e6 / 1e9)
    assert costs["busd_per_gw_low"] < costs["busd_per_gw"] < costs["busd_per_gw_high"]
    # Power is in both the cost and the gigawatt, so the cost of a gigawatt is surer than their quotient.
    assert costs["busd_per_gw_high"] / costs["busd_per_gw_low"] < 1.02 * costs["high"] / costs["low"]


def test_owner_costs_take_what_is_chosen():
    base, dear = comparison.owner_costs(["H100"]), comparison.owner_costs(["H100"], rate=0.15, it_life_years=3)
    assert dear.loc["H100", "total"] > base.loc["H100", "total"]
    assert dear.loc["H100", "energy"] == base.loc["H100", "energy"]
    assert comparison.owner_costs(["H100"], region="texas").loc["H100", "energy"] < base.loc["H100", "energy"]
    assert comparison.owner_costs(["MI455X"]).empty  # no price on this basis
    assert "VR200" not in comparison.owner_costs(["VR200", "H100"]).index  # an analyst's rack price is another basis
    with pytest.raises(ValueError, match="region 'eu' lacks a price"):
        comparison.owner_costs(["H100"], region="eu")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: comparison.samples(["MI456X"]), "did you mean 'MI455X'"),
        (lambda: comparison.samples(["MI455X"], "fp16"), "unknown format 'fp16'"),
        (lambda: comparison.prices("retail"), "unknown price basis 'retail'"),
        (lambda: comparison.racks(["MI456X"]), "did you mean 'MI455X'"),
        (lambda: comparison.racks(["MI455X"], "fp3"), "unknown format 'fp3'"),
        (lambda: comparison.per_watt("fp3"), "unknown format 'fp3'"),
        (lambda: comparison.per_watt("fp8", "max"), "unknown case 'max'"),
    ],
)
def test_unknown_names_suggest_the_nearest(call, message):
    with pytest.raises(UnknownNameError, match=message):
        call()


def test_what_flips_a_lead_is_where_the_ratio_is_one():
    """VR200's IT power is read from 2.5 to 3.5 kW; where it takes as much more per FLOP as MI455X, they are even."""
    found = comparison.flips("MI455X", "VR200", "per_it_mw")
    table = catalog.accelerators().loc[["MI455X", "VR200"], ["fp8_tflops", "all_in_kw"]]
    even = table.loc["MI455X", "all_in_kw"] * table.loc["VR200", "fp8_tflops"] / table.loc["MI455X", "fp8_tflops"]
    assert found.loc["VR200 it_kw", "break_even"] == pytest.approx(even, rel=1e-3)
    assert np.isnan(found.loc["MI455X it_kw", "break_even"])
    with pytest.raises(UnknownNameError, match="unknown metric 'per_watt'"):
        comparison.flips("MI455X", "VR200", "per_watt")
    text = comparison.flip_text(found, "MI455X", "VR200")
    sentence = "MI455X and VR200 change places if IT power of an accelerator (VR200) were 2.95 kW instead of 2.74."
    assert text == sentence
    assert "No single input" in comparison.flip_text(found.assign(break_even=np.nan), "MI455X", "VR200")


def test_power_at_the_meter_is_drawn_and_other_levels_are_as_published():
    kw = comparison.power_levels(["MI355X", "mi455x", "A100"])
    low, mid, high = (kw[case] for case in catalog.CASES)
    drawn = deal.draw(n=2**13, seed=7)
    meter = (drawn["it_kw"] * drawn["peak_pue"]).quantile([0.05, 0.95]).to_numpy()
    assert (low.loc["MI455X", "facility"], high.loc["MI455X", "facility"]) == pytest.approx(meter, rel=0.01)
    pues = [catalog.value("ai-datacenter", "peak_pue", case=case) for case in catalog.CASES]
    ends = [frame.loc["MI355X", "it"] * pue for frame, pue in zip((low, mid, high), pues, strict=True)]
    assert ends[0] < low.loc["MI355X", "facility"] < ends[1] == mid.loc["MI355X", "facility"]
    assert ends[1] < high.loc["MI355X", "facility"] < ends[2]
    assert (low.loc["MI355X", "it"], high.loc["MI355X", "it"]) == (1.917, 2.278)
    assert mid.loc["A100", ["it", "facility"]].isna().all()


def test_a_name_given_twice_has_its_power_once():
    kw = comparison.power_levels(["MI355X", "mi355x"])
    assert list(kw["mid"].index) == list(kw["low"].index) == ["MI355X"]
