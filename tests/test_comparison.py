"""Accelerators side by side: one price basis, ranges carried into ratios, racks, clear errors."""

import numpy as np
import pytest

from gigafleet import catalog, comparison
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


def test_helios_and_the_rubin_rack_overlap_per_kw():
    """Helios and Rubin are equal within the uncertainty of their power (specification notes, part d)."""
    racks = comparison.racks(["Helios", "Vera Rubin NVL72 Max-P", "VR-NVL72-MaxQ"])
    assert racks.loc["Helios", "value"] == pytest.approx(1450 / np.sqrt(225 * 245))
    assert racks.loc["Helios", "low"] < racks.loc["VR-NVL72-MaxQ", "value"] < racks["high"].max()
    assert racks.loc["Helios", "low"] == pytest.approx(1450 / 245)


def test_per_watt_uses_the_other_end_of_the_power():
    low, mid, high = (comparison.per_watt("fp8", case).loc["MI455X"] for case in catalog.CASES)
    assert low["chip"] < mid["chip"] < high["chip"]
    assert low["chip"] == pytest.approx(20_133 / 2500 / 1)
    assert comparison.bytes_per_kflop("fp8")["MI300X"] == pytest.approx(1000 * 5.3 / 2614.9)


def test_owner_costs_take_what_is_chosen():
    base, dear = comparison.owner_costs(["H100"]), comparison.owner_costs(["H100"], rate=0.15, it_life_years=3)
    assert dear.loc["H100", "total"] > base.loc["H100", "total"]
    assert dear.loc["H100", "energy"] == base.loc["H100", "energy"]
    assert comparison.owner_costs(["H100"], region="texas").loc["H100", "energy"] < base.loc["H100", "energy"]
    assert comparison.owner_costs(["MI455X"]).empty  # no price on this basis


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: comparison.samples(["MI456X"]), "did you mean 'MI455X'"),
        (lambda: comparison.samples(["MI455X"], "fp16"), "unknown format 'fp16'"),
        (lambda: comparison.prices("retail"), "unknown price basis 'retail'"),
        (lambda: comparison.racks(["Helioss"]), "did you mean 'Helios'"),
        (lambda: comparison.per_watt("fp3"), "unknown format 'fp3'"),
        (lambda: comparison.per_watt("fp8", "max"), "unknown case 'max'"),
    ],
)
def test_unknown_names_suggest_the_nearest(call, message):
    with pytest.raises(UnknownNameError, match=message):
        call()
