"""Measured matrix multiplication over the dense peak, and what stands in for it."""

import numpy as np
import pandas as pd
import pytest

from gigafleet import calibration, catalog, ceilings, effects, performance, workloads


@pytest.fixture
def known():
    return catalog.accelerators()


@pytest.fixture
def found(known):
    return ceilings.shares(known)


def test_shares_are_the_published_ones(found):
    """mamf-finder: A100 86.9 % in BF16, MI300X 51.1 and MI325X 60.0; MI355X 1,565 TFLOP/s of its own 2,516.6. AMD in
    FP8: 1,273 and 1,519 of 2,614.9."""
    assert found.loc["A100", "bf16"] == pytest.approx(0.869, abs=5e-4)
    assert found.loc["MI355X", "bf16"] == pytest.approx(0.622, abs=5e-4)
    assert found.loc["MI300X", "bf16"] == pytest.approx(np.sqrt(0.5113 * 0.6004), abs=1e-3)
    assert found.loc["MI300X", "fp8"] == pytest.approx(np.sqrt(1273 * 1519) / 2614.9, abs=1e-6)


def test_a_generation_has_one_share(found):
    for one, other in (("MI300X", "MI325X"), ("MI350X", "MI355X"), ("H100", "GH200"), ("B200", "GB300")):
        pd.testing.assert_series_equal(found.loc[one], found.loc[other], check_names=False)


def test_a_format_that_was_not_measured_takes_the_next_wider(found):
    assert found.loc["MI355X"].nunique() == 1  # measured in BF16 only
    assert np.isnan(found.loc["MI300X", "fp4"])  # it has no FP4


def test_a_generation_without_takes_the_newest_of_its_vendor(found):
    assert found.loc["MI455X"].tolist() == found.loc["MI355X"].tolist()
    assert found.loc["VR200", "fp4"] == found.loc["GB300", "fp4"]
    others = found.loc[["A100", "H100", "MI300X"], "bf16"]
    assert others.min() < found.loc["TPUv7", "bf16"] < others.max()


def test_without_its_own_generation_no_measurement_of_it_counts(known, found):
    blind = ceilings.shares(known, measured=False)
    assert blind.loc["MI355X", "bf16"] == found.loc["MI300X", "bf16"]
    assert blind.loc["MI300X", "bf16"] == found.loc["MI355X", "bf16"]
    better = known.copy()
    better.loc[["B200", "B300", "GB200", "GB300"], ["matmul_tflops", "matmul_tflops_fp8", "matmul_tflops_fp4"]] *= 1.1
    moved = ceilings.shares(better, measured=False)
    pd.testing.assert_series_equal(moved.loc["B200"], blind.loc["B200"])
    assert moved.loc["H100", "bf16"] == pytest.approx(1.1 * blind.loc["H100", "bf16"])


def test_shares_lie_between_nothing_and_all(found, known):
    assert found.stack().dropna().between(0.3, 1).all()
    assert (found.notna() == known[["bf16_tflops", "fp8_tflops", "fp4_tflops"]].gt(0).to_numpy()).all().all()


def test_unmeasured_rows_keep_all_but_the_ceiling():
    x = calibration.usable(catalog.benchmarks())
    blind = calibration.unmeasured(x)
    assert (blind["ceiling"] == x["ceiling_if_new"]).all()
    assert (blind["ceiling"] != x["ceiling"]).any()
    pd.testing.assert_frame_equal(blind.drop(columns="ceiling"), x.drop(columns="ceiling"))


def test_a_higher_ceiling_makes_work_that_computes_faster():
    known, x = calibration.load(), calibration.usable(catalog.benchmarks())
    base = effects.Design(x, known.names).predict(known.values)
    higher = effects.Design(x.assign(ceiling=1.1 * x["ceiling"]), known.names).predict(known.values)
    gain = np.exp(higher - base)
    assert ((gain >= 1) & (gain <= 1.1 + 1e-9)).all()
    assert np.median(gain[x["training"]]) > 1.05


def test_a_new_task_is_served_slower_for_a_while():
    """MLPerf brought DeepSeek R1 in September 2025; B200 gained 1.9 times in half a year and then stopped."""
    rows = catalog.benchmarks()
    rows = rows[rows["source"].str.startswith("MLPerf Inference") & rows["model"].eq("deepseek-r1")]
    rows = rows[rows["scenario"].str.casefold().str.startswith("offline")][workloads.READ].iloc[[0] * 4]
    dates = ["2025-09-09", "2026-03-09", "2029-01-01", "2031-01-01"]
    speeds = performance.predict(rows.assign(date=dates)).tolist()
    assert speeds[0] < speeds[1] < speeds[2]
    assert speeds[3] == pytest.approx(speeds[2], rel=1e-3)
    assert speeds[1] - speeds[0] > speeds[2] - speeds[1]
    serving = rows.assign(date=dates, source="InferenceX (SemiAnalysis)")
    assert performance.predict(serving).nunique() == 1
