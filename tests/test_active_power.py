"""Power under load: against servers measured at the wall, and chips measured while they serve."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigafleet import active_power, catalog
from gigafleet.errors import UnknownNameError


@pytest.mark.parametrize(
    ("accelerator", "chip_share", "measured_kw", "off"),
    [
        ("B200", active_power.chip_share(512, experts=False), 10.401, 0.05),  # MLPerf v5.1, llama2-70b Offline
        ("B200", active_power.chip_share(128, experts=False), 9.892, 0.10),  # MLPerf v5.1, llama3.1-405b Offline
        ("B200", 0.93, 9.58, 0.10),  # MLPerf Training v5.0, llama2-70b LoRA
        ("H100", 1.0, 8.4, 0.05),  # Brookhaven, most in training
        ("MI300X", active_power.chip_share(32, experts=True), 7.05, 0.08),  # Metrum, Qwen3-235B
        ("H200", 80.3 / 700, 2.389, 0.35),  # MLPerf v4.1, between queries, a capped server
    ],
)
def test_servers_draw_what_was_measured_at_the_wall(accelerator, chip_share, measured_kw, off):
    """Rows of measured_server_kw. The nameplate holds the scale-out network, 0.05 kW of an accelerator, a meter not."""
    row = catalog.accelerators().loc[accelerator]
    drawn = 8 * float(active_power.it_kw_drawn(row["all_in_kw"], row["tdp_w"], chip_share))
    assert drawn == pytest.approx(measured_kw, rel=off)


def test_conversion_is_that_of_the_published_server_model():
    """InferenceX: an H100 server at 700 and 350 W a chip takes 7.9999 and 4.8557 kW."""
    assert active_power.conversion() == pytest.approx((7.9999 - 4.8557) / (8 * 0.35), rel=0.01)


@given(st.floats(0.05, 1e5), st.floats(1.0, 10))
def test_a_dense_model_never_draws_less_at_more_load(load, more):
    assert active_power.chip_share(load * more, False) >= active_power.chip_share(load, False) - 1e-12
    for experts in (False, True):
        low, mid, high = (active_power.chip_share(load, experts, case) for case in ("low", "mid", "high"))
        assert 0 < low <= mid <= high <= 1


def test_draws_of_accelerators_by_phase():
    serving = active_power.draws(["MI355X", "B200", "MI500"], "serving", [1.0, 100.0, 10.0], experts=True)
    assert serving.loc["MI355X", "chip_share"] < serving.loc["B200", "chip_share"]
    assert np.isnan(serving.loc["MI500", "it_kw"])
    training = active_power.draws(["MI355X"], "training").loc["MI355X"]
    assert training["chip_kw"] == pytest.approx(1.4 * catalog.value("ai-datacenter", "chip_active_share", "training"))
    assert training["chip_kw"] < training["it_kw"] < catalog.accelerators().loc["MI355X", "all_in_kw"]


def test_bad_input_is_named():
    with pytest.raises(UnknownNameError, match="unknown phase 'deocde'"):
        active_power.draws(["MI355X"], "deocde", 1.0)
    with pytest.raises(UnknownNameError, match="unknown case 'median'"):
        active_power.chip_share(1.0, True, "median")
    with pytest.raises(ValueError, match="requests_per_accelerator must be above 0, not 0"):
        active_power.chip_share(0, True)
    with pytest.raises(ValueError, match=r"chip_share must be at least 0 and at most 1, not 1\.2"):
        active_power.it_kw_drawn(2.0, 1000.0, 1.2)
    with pytest.raises(ValueError, match=r"it_kw of 0\.1 leaves nothing for the host of a chip of 1400"):
        active_power.it_kw_drawn(0.1, 1400.0, 0.1)
