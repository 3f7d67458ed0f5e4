"""Samples and intervals: closed forms, bounds by scale, correlations, repeatability, bad ranges."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm, spearmanr

from gigafleet import distributions, uncertainty
from gigafleet.errors import UnknownNameError


def ranges(**rows: tuple) -> pd.DataFrame:
    """Return ranges from name -> (low, value, high[, range_kind[, unit]])."""
    table = [(*row, *("p5_p95", "")[len(row) - 3 :]) for row in rows.values()]
    return pd.DataFrame(table, list(rows), ["low", "value", "high", "range_kind", "unit"])


def test_lognormal_of_one_to_ten():
    """A 90 % interval of 1 to 10 without a middle: median 3.162278, sigma 0.699936, mean 4.040013 (closed form)."""
    draws = uncertainty.sample(ranges(x=(1.0, np.nan, 10.0)), 2**16, seed=1)["x"]
    assert draws.median() == pytest.approx(3.162278, rel=1e-3)
    assert np.log(draws).std() == pytest.approx(0.699936, rel=1e-3)
    assert draws.mean() == pytest.approx(4.040013, rel=2e-3)
    assert uncertainty.interval(draws).tolist() == pytest.approx([1, 3.162278, 10], rel=2e-3)


def test_two_pieces_keep_all_three_points():
    draws = uncertainty.sample(ranges(x=(3.0, 4.0, 9.0)), 2**14, seed=1)["x"]
    assert uncertainty.interval(draws).tolist() == pytest.approx([3, 4, 9], rel=5e-3)


def test_min_max_is_the_middle_80_percent():
    """The smallest and largest figure published are read as the 10 % and 90 % quantiles."""
    draws = uncertainty.sample(ranges(x=(1.0, 2.0, 4.0, "min_max")), 2**14, seed=1)["x"]
    assert np.quantile(draws, [0.1, 0.5, 0.9]).tolist() == pytest.approx([1, 2, 4], rel=5e-3)
    widening = norm.ppf(0.95) / norm.ppf(0.90)
    assert uncertainty.interval(draws)["high"] == pytest.approx(2 * 2**widening, rel=1e-2)


def test_options_are_drawn_with_equal_weight():
    draws = uncertainty.sample(ranges(x=(1.0, 2.0, 4.0, "options")), 2**12, seed=1)["x"]
    assert draws.value_counts(normalize=True).to_dict() == pytest.approx({1: 1 / 3, 2: 1 / 3, 4: 1 / 3}, abs=0.01)


@given(low=st.floats(0.01, 0.4), width=st.floats(0.01, 0.5), seed=st.integers(0, 99))
def test_a_share_stays_a_share_and_a_ratio_above_one(low, width, seed):
    table = ranges(
        share=(low, low + width / 2, low + width, "min_max", "share"),
        pue=(1 + low, 1 + low + width / 2, 1 + low + width, "min_max", "ratio"),
    )
    draws = uncertainty.sample(table, 256, seed)
    assert draws["share"].between(0, 1, inclusive="neither").all()
    assert (draws["pue"] > 1).all()


@given(low=st.floats(0.1, 10), up=st.floats(1, 5), more=st.floats(1, 5), seed=st.integers(0, 99))
def test_ends_hold_ninety_percent(low, up, more, seed):
    """Coverage on synthetic data: 90 % of the draws lie between the ends of a p5_p95 range."""
    draws = uncertainty.sample(ranges(x=(low, low * up, low * up * more)), 1024, seed)["x"]
    inside = draws.between(low * (1 - 1e-9), low * up * more * (1 + 1e-9)).mean()
    assert inside >= 0.9 - 0.005


def test_one_sample_is_the_value_itself_and_an_exact_figure_does_not_vary():
    table = ranges(x=(1.0, 2.0, 4.0), exact=(5.0, 5.0, 5.0))
    assert uncertainty.sample(table, 1, seed=3).to_dict("records") == [{"x": 2.0, "exact": 5.0}]
    assert uncertainty.sample(table, 64, seed=3)["exact"].nunique() == 1


def test_rank_correlation_is_realized():
    table = ranges(power=(1.0, 2.0, 4.0), work=(1.0, 2.0, 4.0), price=(1.0, 2.0, 4.0))
    draws = uncertainty.sample(table, 2**14, seed=1, correlations={("power", "work"): 0.6, ("work", "price"): -0.3})
    assert spearmanr(draws["power"], draws["work"]).statistic == pytest.approx(0.6, abs=0.02)
    assert spearmanr(draws["work"], draws["price"]).statistic == pytest.approx(-0.3, abs=0.02)
    assert spearmanr(draws["power"], draws["price"]).statistic == pytest.approx(0, abs=0.02)


def test_the_same_seed_gives_the_same_samples():
    table = ranges(x=(1.0, 2.0, 4.0), y=(1.0, 2.0, 4.0))
    pd.testing.assert_frame_equal(uncertainty.sample(table, 128, seed=5), uncertainty.sample(table, 128, seed=5))
    assert not uncertainty.sample(table, 128, seed=5).equals(uncertainty.sample(table, 128, seed=6))


def test_a_made_up_middle_is_flagged():
    prepared = uncertainty.prepare(ranges(x=(1.0, np.nan, 4.0), y=(1.0, 2.0, 4.0)))
    assert prepared["midpoint"].to_dict() == {"x": True, "y": False}
    assert prepared.loc["x", "value"] == 2


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((3.0, 2.0, 4.0), "x: low <= value <= high must hold, not 3, 2, 4"),
        ((1.0, 5.0, 4.0), "x: low <= value <= high must hold, not 1, 5, 4"),
        ((np.nan, np.nan, 4.0), "x: a range needs a value, or a low and a high"),
        ((1.0, 2.0, 4.0, "sigma"), "unknown range_kind of x 'sigma'"),
    ],
)
def test_bad_ranges_are_named(row, message):
    with pytest.raises(ValueError, match=message):
        uncertainty.sample(ranges(x=row), 16, seed=0)


@pytest.mark.parametrize(
    ("scale", "row"),
    [("lognormal", (-1.0, 2.0, 4.0)), ("logit-normal", (0.2, 0.5, 1.0)), ("lognormal-excess", (1.0, 1.2, 1.3))],
)
def test_a_range_outside_its_scale_is_named(scale, row):
    with pytest.raises(ValueError, match=f"x: a {scale} range lies above"):
        uncertainty.sample(ranges(x=row).assign(scale=scale), 16, seed=0)


def test_a_middle_below_zero_is_the_mean_and_options_have_none():
    assert uncertainty.prepare(ranges(x=(-4.0, np.nan, 2.0))).loc["x", "value"] == -1
    assert uncertainty.sample(ranges(x=(1.0, np.nan, 2.0, "options")), 1, seed=0)["x"].tolist() == [1.0]


@pytest.mark.parametrize("n", [0, -4, 1000, 2.5, "many"])
def test_samples_come_in_powers_of_two(n):
    with pytest.raises(ValueError, match=r"n must be (a power of two|at least 1|a number)"):
        uncertainty.sample(ranges(x=(1.0, 2.0, 4.0)), n, seed=0)


def test_bad_correlations_are_named():
    table = ranges(a=(1.0, 2.0, 4.0), b=(1.0, 2.0, 4.0), c=(1.0, 2.0, 4.0))
    with pytest.raises(UnknownNameError, match="unknown input in correlations 'd'"):
        uncertainty.sample(table, 16, 0, {("a", "d"): 0.5})
    with pytest.raises(ValueError, match=r"rank correlation of a and b must be .* at most 1, not 1.5"):
        uncertainty.sample(table, 16, 0, {("a", "b"): 1.5})
    with pytest.raises(ValueError, match="not positive definite"):
        uncertainty.sample(table, 16, 0, {("a", "b"): 0.9, ("b", "c"): 0.9, ("a", "c"): -0.9})
    with pytest.raises(ValueError, match=r"a with b is 0\.5, and b with a is 0\.4"):
        uncertainty.sample(table, 16, 0, {("a", "b"): 0.5, ("b", "a"): 0.4})
    same = uncertainty.sample(table, 16, 0, {("a", "b"): 0.5, ("b", "a"): 0.5})
    pd.testing.assert_frame_equal(same, uncertainty.sample(table, 16, 0, {("a", "b"): 0.5}))


def table_of(rho, other=None, own=1.0, names="ab") -> pd.DataFrame:
    """Return rank correlations of two inputs as a table."""
    return pd.DataFrame([[own, rho], [rho if other is None else other, own]], list(names), list(names))


def test_correlations_may_be_a_table_as_pandas_gives_it():
    table = ranges(a=(1.0, 2.0, 4.0), b=(1.0, 2.0, 4.0), c=(1.0, 2.0, 4.0))
    by_pair = uncertainty.sample(table, 64, 0, {("a", "b"): 0.5})
    pd.testing.assert_frame_equal(uncertainty.sample(table, 64, 0, table_of(0.5)), by_pair)
    pd.testing.assert_frame_equal(uncertainty.sample(table, 64, 0, table_of(0.5)[["b", "a"]]), by_pair)
    near = table_of(0.5, 0.5 + 1e-15, own=1 - 1e-16)
    pd.testing.assert_frame_equal(uncertainty.sample(table, 64, 0, near), by_pair)
    drawn = uncertainty.sample(table, 2**12, 0, {("a", "b"): 0.5, ("b", "c"): -0.3})
    again = uncertainty.sample(table, 2**12, 0, drawn.corr("spearman")).corr("spearman")
    pd.testing.assert_frame_equal(again, drawn.corr("spearman"), atol=0.02)


@pytest.mark.parametrize(
    ("correlations", "message"),
    [
        ([("a", "b", 0.5)], r"correlations must be a dict from pairs of inputs, .* which is a list"),
        (np.eye(2), "which is a ndarray"),
        (pd.Series({("a", "b"): 0.5}), "which is a Series"),
        ({("a", "b", "a"): 0.5}, r"each key must be a pair of inputs, .* not \('a', 'b', 'a'\)"),
        ({"ab": 0.5}, "each key must be a pair of inputs, .* not 'ab'"),
        ({("a", "a"): 0.5}, "'a' is paired with itself"),
        ({("a", "b"): [0.5, 0.4]}, r"rank correlation of a and b must be one number, not \[0\.5, 0\.4\]"),
        ({("a", "b"): "half"}, "rank correlation of a and b must be a number, not 'half'"),
        (table_of(0.5, 0.4), r"a with b is 0\.5, and b with a is 0\.4"),
        (table_of(0.5, own=2.0), "a with itself must be 1, not 2"),
        (table_of(1.5), r"rank correlation of a and b must be at least -1 and at most 1, not 1\.5"),
        (table_of(np.nan), "rank correlation of a and b must be .* not nan"),
        (table_of("half"), "correlations as a table must be numbers: .*'half'"),
        (table_of(0.5, names="ad"), "unknown input in correlations 'd'"),
        (table_of(0.5, names="aa"), "correlations name 'a' twice"),
        (table_of(0.5).iloc[:1], r"not rows \['a'\] and columns \['a', 'b'\]"),
    ],
)
def test_correlations_that_are_none_are_named(correlations, message):
    with pytest.raises(ValueError, match=message):
        uncertainty.sample(ranges(a=(1.0, 2.0, 4.0), b=(1.0, 2.0, 4.0)), 16, 0, correlations)


GOOD = ranges(a=(1.0, 2.0, 4.0), b=(1.0, 2.0, 4.0))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            GOOD.astype({"high": object}).replace({"high": {4.0: "four"}}),
            "a: high must be a number, or empty, not 'four'",
        ),
        (GOOD.assign(value=pd.Timestamp("2026-01-01")), "a: value must be a number, or empty, not Timestamp"),
        (GOOD["low"], "ranges must be a DataFrame, .* not a Series"),
        ({"a": (1.0, 2.0, 4.0)}, "ranges must be a DataFrame, .* not a dict"),
        (None, "ranges must be a DataFrame, .* not a NoneType"),
        (GOOD[["low", "low", "value", "high"]], "ranges have the column 'low' twice"),
        (GOOD.drop(columns="high"), "ranges need a column 'high'"),
        (GOOD.assign(high=np.inf), "a: a range needs a value, or a low and a high"),
    ],
)
@pytest.mark.parametrize(
    "use", [uncertainty.prepare, lambda t: uncertainty.sample(t, 16, 0), lambda t: uncertainty.flips(len, t)]
)
def test_ranges_that_are_none_are_named(use, table, message):
    with pytest.raises(ValueError, match=message):
        use(table)


def test_cells_that_are_absent_in_other_ways_are_absent():
    kinds = pd.Categorical(["p5_p95", None])
    points = GOOD[["low", "value", "high"]]
    for table in (points.astype(object).assign(value=None), points.astype("Float64").assign(value=pd.NA)):
        drawn = uncertainty.sample(table.assign(range_kind=kinds), 16, 0)
        pd.testing.assert_frame_equal(drawn, uncertainty.sample(GOOD.assign(value=np.nan), 16, 0))


@pytest.mark.parametrize("of", [uncertainty.tornado, uncertainty.flips, uncertainty.sobol])
@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: 5.0, "not 5.0 alone"),
        (lambda x: x["a"].sum(), "alone"),
        (lambda x: None, "not None alone"),
        (lambda x: [5.0], r"\d+ of them here, not 1"),
        (lambda x: x["a"].iloc[:-1], r"\d+ of them here, not \d+"),
        (lambda x: x["a"].map("{} kW".format), "as numbers: .* kW'"),
        (lambda x: x.assign(b="kW"), "as numbers: .*'kW'"),
        (lambda x: x.to_numpy(), r"not an array of shape \(\d+, 2\)"),
    ],
)
def test_a_function_returns_one_answer_a_row(of, function, message):
    with pytest.raises(ValueError, match=f"the function must return one answer a row.*{message}"):
        of(function, GOOD)


@pytest.mark.parametrize("of", [uncertainty.tornado, uncertainty.flips])
def test_a_table_of_answers_is_not_one_answer(of):
    with pytest.raises(ValueError, match=r"must return one answer a row, not a table of \['a', 'b'\]"):
        of(lambda x: x, GOOD)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"threshold": np.nan}, "threshold must be a number, not nan"),
        ({"threshold": np.inf}, "threshold must be finite, not inf"),
        ({"threshold": None}, "threshold must be a number, not nan"),
        ({"threshold": "one"}, "threshold must be a number, not 'one'"),
        ({"threshold": [1.0, 2.0]}, r"threshold must be one number, not \[1\.0, 2\.0\]"),
        ({"points": 3.5}, "points must be a whole number, not 3.5"),
        ({"points": 2}, "points must be at least 3, not 2"),
    ],
)
def test_what_an_answer_flips_at_is_one_number(options, message):
    with pytest.raises(ValueError, match=message):
        uncertainty.flips(lambda x: x["a"], GOOD, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"blocks": 16.5}, r"blocks must be a power of two .* not 16\.5; try 16 or 32"),
        ({"blocks": 3}, "blocks must be a power of two .* not 3; try 2 or 4"),
        ({"blocks": 1}, "blocks must be at least 2 .* not 1"),
        ({"blocks": "many"}, "blocks must be a number, not 'many'"),
        ({"level": 90}, "level must be above 0 and at most 1, not 90"),
        ({"level": [0.5, 0.9]}, r"level must be one number, not \[0\.5, 0\.9\]"),
        ({"samples": pd.Series(np.arange(48.0))}, "samples must be a DataFrame, .* not a Series"),
    ],
)
def test_blocks_are_a_power_of_two(options, message):
    samples = pd.DataFrame({"a": np.arange(48.0)})
    with pytest.raises(ValueError, match=message):
        uncertainty.quantile_errors(**{"samples": samples} | options)
    assert uncertainty.quantile_errors(samples, blocks="16").shape == (1, 3)


@pytest.mark.parametrize("seed", [-1, 1.5, "one", None])
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises(ValueError, match="seed must be"):
        uncertainty.sample(ranges(x=(1.0, 2.0, 3.0)), 16, seed)


def test_an_input_that_is_there_twice_is_named():
    twice = pd.concat([ranges(x=(1.0, 2.0, 3.0))] * 2)
    with pytest.raises(ValueError, match="ranges name 'x' twice"):
        uncertainty.sample(twice, 16, 0)


@pytest.mark.parametrize(
    ("n", "message"), [(4, "n must be at least 8"), (100, "n must be a power of two"), (None, "n")]
)
def test_sobol_needs_a_power_of_two_of_enough_samples(n, message):
    with pytest.raises(ValueError, match=message):
        uncertainty.sobol(lambda x: x["x"], ranges(x=(1.0, 2.0, 3.0)), n=n)


def test_a_range_from_zero_stays_there_and_keeps_its_points():
    drawn = uncertainty.sample(ranges(x=(0.0, 0.06, 0.12)), 2**12, 0)["x"]
    assert drawn.min() == 0
    assert (drawn == 0).mean() == pytest.approx(0.05, abs=0.002)
    assert uncertainty.interval(drawn).tolist() == pytest.approx([0.0, 0.06, 0.12], abs=5e-4)
    ratio = uncertainty.sample(ranges(x=(1.0, 1.1, 1.3)).assign(unit="ratio"), 2**12, 0)["x"]
    share = uncertainty.sample(ranges(x=(0.0, 0.5, 1.0)).assign(unit="share"), 2**12, 0)["x"]
    assert (ratio.min(), share.min(), share.max()) == (1, 0, 1)
    assert uncertainty.interval(share).tolist() == pytest.approx([0, 0.5, 1], abs=2e-3)
    free = ranges(x=(0.0, 0.06, 0.12)).assign(scale="normal")
    assert uncertainty.sample(free, 2**12, 0)["x"].min() < 0


def test_intervals_of_a_table_and_of_an_absent_answer():
    table = uncertainty.interval(pd.DataFrame({"x": np.arange(101.0), "none": np.nan}))
    assert table.loc["x"].tolist() == pytest.approx([5, 50, 95])
    assert table.loc["none"].isna().all()
    array = uncertainty.interval(np.column_stack([np.arange(101.0), np.arange(101.0) * 2]))
    assert array["median"].tolist() == [50, 100]
    with pytest.raises(ValueError, match="level must be above 0"):
        uncertainty.interval(np.arange(3.0), level=0)


def test_tornado_calls_once_and_sorts_by_swing():
    """One call for all cases: the values, then each input at its ends, all others at their values."""
    table = ranges(a=(1.0, 2.0, 3.0), exact=(5.0, 5.0, 5.0), b=(2.0, 3.0, 10.0), made=(1.0, np.nan, 4.0))
    calls = []

    def answer(cases: pd.DataFrame) -> pd.Series:
        calls.append(cases)
        return cases["a"] * cases["b"] - cases["made"] + cases["exact"]

    result = uncertainty.tornado(answer, table)
    assert len(calls) == 1
    assert len(calls[0]) == 1 + 2 * 3
    assert (calls[0]["exact"] == 5).all()
    moved = (calls[0] != calls[0].iloc[0]).sum(axis=1)
    assert moved.to_list() == [0, 1, 1, 1, 1, 1, 1]
    assert result.index.to_list() == ["b", "a", "made"]  # the exact one has no range
    assert result["swing"].to_dict() == {"b": 16, "a": 6, "made": 3}
    assert result.loc["b", ["low", "high", "input_low", "input_high"]].to_list() == [2 * 2 + 3, 2 * 10 + 3, 2, 10]
    assert result.loc["made", ["low", "high"]].to_list() == [6 - 1 + 5, 6 - 4 + 5]  # a falling answer: low is higher
    assert (result["value"] == 6 - 2 + 5).all()


@given(
    ends=st.lists(
        st.tuples(st.floats(0.1, 5), st.floats(1.01, 3), st.floats(1.01, 3)), min_size=1, max_size=5, unique=True
    ),
    power=st.floats(0.2, 3),
)
def test_tornado_of_a_monotone_function_holds_its_value(ends, power):
    """A rising function lies between its ends, at the ends of the input; swings fall from row to row."""
    table = ranges(**{f"x{i}": (low, low * up, low * up * more) for i, (low, up, more) in enumerate(ends)})
    result = uncertainty.tornado(lambda cases: (cases**power).sum(axis=1), table)
    assert set(result.index) == set(table.index)
    assert (result["low"] < result["value"]).all()
    assert (result["value"] < result["high"]).all()
    assert (np.diff(result["swing"]) <= 0).all()
    for name, row in result.iterrows():
        assert (row["input_low"], row["input_high"]) == tuple(table.loc[name, ["low", "high"]])
        assert row["swing"] == pytest.approx(row["input_high"] ** power - row["input_low"] ** power, rel=1e-6)


def test_tornado_without_ranges_is_empty_and_a_bad_range_is_named():
    assert uncertainty.tornado(lambda cases: cases["x"], ranges(x=(2.0, 2.0, 2.0))).empty
    with pytest.raises(ValueError, match="x: low <= value <= high must hold"):
        uncertainty.tornado(lambda cases: cases["x"], ranges(x=(3.0, 2.0, 4.0)))


def test_samples_in_pieces_are_the_samples():
    known = pd.DataFrame({"low": [1.0, 2.0, 5.0], "value": [2.0, 3.0, 5.0], "high": [3.0, 4.0, 5.0]}, index=list("abc"))
    whole = uncertainty.sample(known, 1024, 3, {("a", "b"): 0.5})
    pieces = list(uncertainty.chunks(known, 1024, 3, {("a", "b"): 0.5}, size=256))
    assert [len(piece) for piece in pieces] == [256] * 4
    pd.testing.assert_frame_equal(pd.concat(pieces, ignore_index=True), whole)
    with pytest.raises(ValueError, match="size must be a power of two"):
        next(uncertainty.chunks(known, 1024, 3, size=100))


def ishigami(cases: pd.DataFrame) -> np.ndarray:
    """Ishigami's function with a 7 and b 0.1, of three uniform inputs from -pi to pi."""
    x = (2 * norm.cdf(cases.to_numpy() * 1.6448536 / np.pi) - 1) * np.pi  # from the range's normal to a uniform
    return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


def test_a_point_of_the_sequence_at_zero_is_a_draw():
    """At this seed one of 2^18 points of the 8th input is exactly 0, whose normal is infinite."""
    known = pd.DataFrame({"low": 1.0, "value": 2.0, "high": 4.0}, index=[f"x{i}" for i in range(44)])
    drawn = uncertainty.sample(known, 2**18, 5, {("x0", "x1"): 0.5})
    assert np.isfinite(drawn.to_numpy()).all()
    assert 0 < drawn["x7"].min() == drawn["x7"].iloc[49898] < 0.2
    points = uncertainty._normals(np.array([0.0, 0.5]))
    assert points[0] < -6
    assert points[1] == 0


def test_sobol_indices_of_ishigami():
    """checks.md: S1 0.313905, 0.442411, 0; ST 0.557589, 0.442411, 0.243684, within 0.01."""
    known = pd.DataFrame({"low": -np.pi, "value": 0.0, "high": np.pi, "scale": "normal"}, index=["x1", "x2", "x3"])
    found = uncertainty.sobol(ishigami, known, n=2**14)
    assert found["first"].to_numpy() == pytest.approx([0.313905, 0.442411, 0], abs=0.01)
    assert found["total"].to_numpy() == pytest.approx([0.557589, 0.442411, 0.243684], abs=0.01)
    assert found[["first_error", "total_error"]].lt(0.02).all(axis=None)
    pd.testing.assert_frame_equal(found, uncertainty.sobol(ishigami, known, n=2**14))


def test_sobol_of_several_answers_leaves_fixed_inputs_out():
    known = pd.DataFrame({"low": [1.0, 1.0, 5.0], "value": [2.0, 2.0, 5.0], "high": [4.0, 4.0, 5.0]}, index=list("abc"))
    found = uncertainty.sobol(
        lambda x: pd.DataFrame({"one": x["a"] * x["c"], "two": x["b"] + 0 * x["a"]}), known, n=256
    )
    assert list(found.index) == [("one", "a"), ("one", "b"), ("two", "a"), ("two", "b")]
    assert found.loc[("one", "a"), "total"] == pytest.approx(1, abs=0.05)
    assert found.loc[("two", "a"), "total"] == pytest.approx(0, abs=0.05)
    with pytest.raises(ValueError, match="at least one input with a range"):
        uncertainty.sobol(lambda x: x["c"], known.loc[["c"]])


def test_the_error_of_a_quantile_is_about_that_of_new_seeds():
    known = pd.DataFrame({"low": 1.0, "value": 3.162278, "high": 10.0}, index=["kw"])
    told = uncertainty.quantile_errors(uncertainty.sample(known, 4096, 0)).loc["kw"]
    ends = [uncertainty.interval(uncertainty.sample(known, 4096, seed)).loc["kw"] for seed in range(20)]
    real = pd.DataFrame(ends).std()
    assert (real < 2 * told).all()
    assert (told < 0.02 * pd.DataFrame(ends).mean()).all()
    with pytest.raises(ValueError, match="10 samples do not split into 16 equal blocks"):
        uncertainty.quantile_errors(pd.DataFrame({"a": range(10)}))


def test_an_answer_that_is_even_at_an_end_flips_there():
    known = pd.DataFrame({"low": [1.0], "value": [2.0], "high": [3.0]}, index=["a"])
    for function, place in ((lambda x: 3 - x["a"], 3.0), (lambda x: x["a"] - 1, 1.0), (lambda x: x["a"] - 3, 3.0)):
        assert uncertainty.flips(function, known).loc["a", "break_even"] == pytest.approx(place)


def test_what_would_flip_an_answer():
    """a - 2 b + 0.5 c against 0: b alone takes it there, at (a + 0.5 c) / 2 = 1.5."""
    known = pd.DataFrame(
        {"low": [1.9, 1.0, 1.9, 7.0], "value": [2.0, 1.0, 2.0, 7.0], "high": [2.1, 2.0, 2.1, 7.0]}, index=list("abcd")
    )
    found = uncertainty.flips(lambda x: x["a"] - 2 * x["b"] + 0.5 * x["c"], known)
    assert found.index[0] == "b"
    assert found.loc["b", "break_even"] == pytest.approx(1.5)
    assert found.loc[["a", "c"], "break_even"].isna().all()
    assert "d" not in found.index
    assert found.loc["b", ["answer", "answer_low", "answer_high"]].tolist() == pytest.approx([1.0, 1.0, -1.0])


@given(shift=st.floats(-3, 3), width=st.floats(0.1, 2))
@settings(deadline=None)
def test_intervals_cover_what_was_drawn(shift, width):
    """On synthetic data: the 90 % interval of samples holds 90 % of the distribution behind them."""
    known = pd.DataFrame(
        {"low": shift - width, "value": shift, "high": shift + 2 * width, "scale": "normal"}, index=["x"]
    )
    ends = uncertainty.interval(uncertainty.sample(known, 1024, 1)).loc["x"]
    fresh = uncertainty.sample(known, 4096, 2)["x"]
    assert fresh.between(ends["low"], ends["high"]).mean() == pytest.approx(0.9, abs=0.02)


def test_extremes_are_moved_to_the_ends_of_the_interval_that_is_drawn():
    """A min_max range is read as its 10 and 90 % quantiles: what a tornado moves through is the 90 % interval."""
    wide = ranges(x=(1.0, 2.0, 4.0, "min_max"))
    drawn = uncertainty.interval(uncertainty.sample(wide, 2**14, 0)["x"])
    table = uncertainty.tornado(lambda cases: cases["x"], wide).loc["x"]
    assert [table["low"], table["high"]] == pytest.approx([drawn["low"], drawn["high"]], rel=2e-3)
    assert table["low"] < 1 < 4 < table["high"]
    assert np.isfinite(uncertainty.flips(lambda cases: cases["x"], wide, 4.5).loc["x", "break_even"])


def test_sobol_of_an_answer_that_is_not_known_is_not_known():
    def both(cases):
        return pd.DataFrame({"known": cases["x"], "absent": cases["x"] * np.nan})

    found = uncertainty.sobol(both, ranges(x=(1.0, 2.0, 3.0), y=(1.0, 2.0, 3.0)), n=64)
    assert found.loc["absent"].isna().all().all()
    assert found.loc[("known", "x"), "total"] == pytest.approx(1.0, abs=0.2)

    def partly(cases):
        return cases["x"].where(cases["x"] > 1.5)

    assert uncertainty.sobol(partly, ranges(x=(1.0, 2.0, 3.0), y=(1.0, 2.0, 3.0)), n=64).isna().all().all()


def test_a_band_with_unlike_sides_keeps_both():
    ends = distributions.within_band(100.0, 30.0, 150.0, np.array([-1.645, 0.0, 1.645]))
    assert ends.tolist() == pytest.approx([30, 100, 150])
    unreached = distributions.within_band(100.0, 0.0, 150.0, np.array([-1.645, 1.645]))
    assert unreached.tolist() == pytest.approx([100**2 / 150, 150])
    assert uncertainty.sample(ranges(x=(1.0, 2.0, 3.0)), "8", 0).shape == (8, 1)


def test_the_same_seed_gives_these_numbers():
    """Drawn once, on Linux; the lock holds the libraries that they hang on."""
    known = {"low": [1.0, 0.2, 1.05], "value": [2.0, 0.5, 1.2], "high": [8.0, 0.6, 1.3]}
    known = pd.DataFrame(known | {"unit": ["kW", "share", "ratio"]}, index=["kw", "share", "pue"])
    drawn = uncertainty.sample(known, 4, 7, {("kw", "pue"): 0.5})
    pinned = [
        [2.7700614154834424, 0.584664857756396, 1.0941286284514622],
        [1.2854721637818414, 0.36180329598675176, 1.1590874799071247],
        [1.925695857164782, 0.5201759692428589, 1.147594368901495],
        [8.823481076871479, 0.18544160495519715, 1.3157387174895225],
    ]
    np.testing.assert_allclose(drawn.to_numpy(), pinned, rtol=1e-12)
