"""The simulated warrant: closed forms within the standard error, errors that are honest, readings, vesting, bad input.

The closed forms are gigafleet's own, which tests of their own hold to QuantLib; for the up-and-in calls QuantLib
answers here too. Three standard errors are allowed everywhere, with a floor for rounding.
"""

import dataclasses
import statistics
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import QuantLib as ql
from scipy.stats import norm, spearmanr

from gigafleet.errors import UnknownNameError
from gigafleet.warrant import closed_form, contract, paths, simulation
from gigafleet.warrant.simulation import IndexThreshold, simulate, vesting

BOOK = contract.of_deal("amd-openai")
TARGETS = BOOK.table["target_usd"].to_numpy()
DATES = [1.0, 1.5, 2.0, 2.5, 3.0, 3.5]
MARKET = {"spot": 164.67, "volatility": 0.55, "rate": 0.037, "years": 5.0}


def book(*tranches: tuple[float, float], strike: float = 0.01) -> contract.Warrant:
    """Return a warrant with tranches of (target, shares)."""
    rows = tuple(contract.Tranche(shares, i + 1, target) for i, (target, shares) in enumerate(tranches))
    return dataclasses.replace(BOOK, strike_usd=strike, tranches=rows, shares=sum(row.shares for row in rows))


ONE = book((600.0, 1e6))


def value(warrant: contract.Warrant = BOOK, **changes: object) -> pd.DataFrame:
    """Return simulated values in AMD's market, watched intraday, with what is changed."""
    return simulate(warrant, **MARKET | {"milestone_years": DATES, "watched": "intraday", "n_paths": 2**14} | changes)


def formula(target: np.ndarray | float = TARGETS, **changes: object) -> np.ndarray:
    """Return the closed form of what :func:`value` simulates."""
    case = MARKET | {"strike": 0.01, "milestone_years": np.array(DATES)} | changes
    return np.asarray(closed_form.tranche_value(target=target, **case))


def misses(simulated: pd.DataFrame, expected: np.ndarray, allowed_usd: float = 1e-9) -> np.ndarray:
    """Return how many standard errors tranches are off, beyond what is allowed."""
    tranches = simulated.drop("all")
    off = np.abs(tranches["usd_per_share"] - expected) - allowed_usd
    return (off / np.maximum(tranches["standard_error_usd"], 1e-12)).to_numpy()


def up_and_in_call(spot: float, target: float, volatility: float, rate: float, years: int, strike: float) -> float:
    """Return QuantLib's value of a call that a touch of the target brings to life."""
    today = ql.Date(1, 1, 2026)
    ql.Settings.instance().evaluationDate = today
    count = ql.SimpleDayCounter()
    curve = ql.YieldTermStructureHandle(ql.FlatForward(today, rate, count))
    none = ql.YieldTermStructureHandle(ql.FlatForward(today, 0.0, count))
    smile = ql.BlackVolTermStructureHandle(ql.BlackConstantVol(today, ql.NullCalendar(), volatility, count))
    process = ql.BlackScholesMertonProcess(ql.QuoteHandle(ql.SimpleQuote(spot)), none, curve, smile)
    payoff = ql.PlainVanillaPayoff(ql.Option.Call, strike)
    exercise = ql.EuropeanExercise(today + ql.Period(years, ql.Years))
    option = ql.BarrierOption(ql.Barrier.UpIn, target, 0.0, payoff, exercise)
    option.setPricingEngine(ql.AnalyticBarrierEngine(process))
    return option.NPV()


@pytest.mark.parametrize("method", ["sobol", "antithetic"])
@pytest.mark.parametrize("touch", ["ever", "from_milestone", "at_milestone"])
@pytest.mark.parametrize(("spot", "volatility", "dividend_yield"), [(164.67, 0.55, 0.0), (203.71, 0.3, 0.02)])
def test_closed_form(spot: float, volatility: float, dividend_yield: float, touch: str, method: str):
    """Six targets and milestones, three of them after others' and one after expiry."""
    case = {"spot": spot, "volatility": volatility, "dividend_yield": dividend_yield, "touch": touch}
    case["milestone_years"] = np.array([-0.5, 0.8, 2.0, 1.5, 4.9, 6.0])
    simulated = value(**case, method=method, seed=1)
    assert misses(simulated, formula(**case)).max() < 3
    assert simulated.loc[6, "usd_per_share"] == 0  # its milestone comes after expiry


@pytest.mark.parametrize("method", ["sobol", "antithetic"])
@pytest.mark.parametrize(("target", "strike"), [(300.0, 0.01), (600.0, 0.01), (600.0, 250.0)])
def test_up_and_in_call_of_quantlib(target: float, strike: float, method: str):
    expected = up_and_in_call(164.67, target, 0.55, 0.037, 5, strike)
    simulated = value(book((target, 1e6), strike=strike), milestone_years=[1.0], method=method, seed=2)
    assert misses(simulated, expected).max() < 3


def test_three_standard_errors_see_a_missing_bridge(monkeypatch: pytest.MonkeyPatch):
    """Monthly steps without a bridge give 86.87 where 92.3081 is right; with it, the same steps agree."""
    monthly = pd.Series(0.55, index=np.arange(1, 61) / 12)
    case = {"volatility": monthly, "milestone_years": [1.0], "method": "antithetic", "n_paths": 2**15}
    assert misses(value(ONE, **case), 92.3081).max() < 3
    monkeypatch.setattr(paths, "touch_in_step", lambda start, end, variance: ((start <= 0) | (end <= 0)) * 1.0)
    bad = value(ONE, **case)
    assert misses(bad, 92.3081).max() > 3
    assert bad.loc[1, "usd_per_share"] == pytest.approx(86.87, abs=3 * 0.73)


def test_daily_closes():
    """Day by day, closes are worth what the shift makes of them, and less than every moment."""
    daily = value(ONE, milestone_years=[1.0], watched="n_day_average", window_days=1, n_paths=2**14)
    assert misses(daily, 90.9553, allowed_usd=0.1).max() < 3
    shifted = value(ONE, milestone_years=[1.0], watched="close")
    assert misses(shifted, 90.9553, allowed_usd=1e-4).max() < 3


@pytest.mark.parametrize("touch", ["from_milestone", "at_milestone"])
def test_daily_closes_from_a_milestone(touch: str):
    case = {"milestone_years": np.array([0.0, 0.5, 1.0, 2.0, 4.0, np.inf]), "touch": touch}
    daily = value(**case, watched="n_day_average", window_days=1, n_paths=2**12)
    shifted = value(**case, watched="close")
    assert misses(daily, formula(**case, watched="close"), allowed_usd=0.1).max() < 3
    assert misses(shifted, formula(**case, watched="close"), allowed_usd=0.02).max() < 3


def test_closes_are_watched_against_the_volatility_of_their_time():
    """Price stands still after a year, so value and vesting are those of a year at 55 %, and so is the shift.

    By the segment: 0.25, then 0.32 - 0.25, then 0.16 of variance a year, each over 252 closes.
    """
    still = pd.Series({1.0: 0.55, 5.0: 0.55 / np.sqrt(5)})
    case = {"volatility": still, "rate": 0.0, "years": 5.0, "milestone_years": [1.0], "watched": "close"}
    a_year = closed_form.tranche_value(164.67, 220.0, 0.55, 0.0, 1.0, watched="close")
    assert misses(value(book((220.0, 1e6)), **case), a_year, allowed_usd=0.1).max() < 3
    shifts = paths.clock(pd.Series({1.0: 0.5, 2.0: 0.4}), 3.0).shifts
    assert shifts == pytest.approx(0.5825971579 * np.sqrt(np.array([0.25, 0.07, 0.16]) / 252))


def test_first_look_is_at_the_target_itself():
    """A milestone on the day of expiry leaves one close to look at, so both readings pay on the same paths."""
    case = {"milestone_years": [5.0], "watched": "close"}
    window, at = (value(ONE, **case, touch=touch).loc[1] for touch in ("from_milestone", "at_milestone"))
    assert window["usd_per_share"] == pytest.approx(at["usd_per_share"], rel=1e-12)


def test_milestone_today_takes_todays_price():
    """A price at the target meets it today for certain, tomorrow in half of the cases."""
    case = {"milestone_years": [0.0], "touch": "at_milestone", "n_paths": 2**9, "years": 0.5}
    today = value(book((164.67, 1e6)), **case, watched="n_day_average", window_days=1)
    assert today.loc[1, "usd_per_share"] == pytest.approx(164.67 - 0.01 * np.exp(-0.037 * 0.5))


@pytest.mark.parametrize(("window_days", "target"), [(2, 172.0), (5, 168.0)])
def test_average_as_simulated_by_hand(window_days: int, target: float):
    """Ten days of closes drawn in money's own measure, five closes at spot before them, averages by a plain mean."""
    normals = np.random.default_rng(7).standard_normal((2**17, 10))
    logs = np.cumsum((0.037 - 0.55**2 / 2) / 252 + 0.55 / np.sqrt(252) * normals, axis=1)
    closes = 164.67 * np.exp(np.concatenate([np.zeros((len(logs), 5)), logs], axis=1))
    averages = [closes[:, day - window_days + 1 : day + 1].mean(axis=1) for day in range(5, 15)]
    paid = np.exp(-0.037 * 10 / 252) * np.where(np.max(averages, axis=0) >= target, closes[:, -1] - 0.01, 0)
    case = {"years": 10 / 252, "milestone_years": [0.0], "watched": "n_day_average"}
    simulated = value(book((target, 1e6)), **case, window_days=window_days).loc[1]
    error = np.hypot(paid.std() / np.sqrt(len(paid)), simulated["standard_error_usd"])
    assert abs(simulated["usd_per_share"] - paid.mean()) < 3 * error
    other = value(book((target, 1e6)), **case, window_days=window_days - 1).loc[1, "usd_per_share"]
    assert abs(other - paid.mean()) > 6 * error  # one close fewer would be seen


def test_average_is_worth_less_than_the_close():
    case = {"watched": "n_day_average", "n_paths": 2**12, "seed": 3}
    average, close = value(**case), value(**case, window_days=1)
    assert (average["usd_per_share"] < close["usd_per_share"]).all()


@pytest.mark.parametrize("method", ["sobol", "antithetic"])
@pytest.mark.parametrize("case", [{"touch": "from_milestone"}, {"watched": "n_day_average", "years": 1.0}])
def test_control_lowers_the_error_and_not_the_value(case: dict, method: str):
    near = book((180.0, 1e6), (200.0, 1e6))
    case = case | {"milestone_years": [0.2, 0.4], "method": method, "n_paths": 2**14}
    plain, controlled = value(near, **case), value(near, **case, control=True)
    if method == "antithetic":  # the error itself is known to a fifth only from the scatter of 16 scramblings
        assert (controlled["standard_error_usd"] < plain["standard_error_usd"] / 1.5).all()
    both = np.hypot(plain["standard_error_usd"], controlled["standard_error_usd"])
    assert (np.abs(plain["usd_per_share"] - controlled["usd_per_share"]) < 3 * both).all()


def test_control_leaves_no_error_where_it_is_the_answer():
    controlled = value(control=True)
    assert controlled["usd_per_share"].drop("all").to_numpy() == pytest.approx(formula(), rel=1e-12)


@pytest.mark.parametrize("method", ["sobol", "antithetic"])
@pytest.mark.parametrize(
    "case",
    [
        {"touch": "from_milestone", "n_paths": 2**17},
        {"watched": "n_day_average", "years": 0.5, "n_paths": 2**13, "milestone_years": [0.1] * 6},
        {"touch": "at_milestone", "milestone_years": np.tile(DATES, (3, 1)), "control": True, "n_paths": 2**17},
    ],
)
def test_chunks_and_seeds(case: dict, method: str):
    """The size of chunks changes nothing, nor does a second run; another seed does."""
    case = case | {"method": method}
    one = value(**case, seed=5)
    pd.testing.assert_frame_equal(one, value(**case, seed=5))
    for chunk_paths in (4096, 2**17):
        pd.testing.assert_frame_equal(one, value(**case, seed=5, chunk_paths=chunk_paths), rtol=1e-12, atol=0)
    assert (one["usd_per_share"] != value(**case, seed=6)["usd_per_share"]).any()


def test_error_falls_with_paths():
    """As the root of their number for pairs, faster for Sobol points."""
    fall = {}
    for method in simulation.METHODS:
        few, many = (value(method=method, n_paths=n)["standard_error_usd"] for n in (2**12, 2**16))
        fall[method] = (few / many).median()
    assert fall["antithetic"] == pytest.approx(4, rel=0.2)
    assert fall["sobol"] > 8


@pytest.mark.parametrize("method", ["sobol", "antithetic"])
@pytest.mark.parametrize("control", [False, True])
def test_error_is_honest(method: str, control: bool):
    """Over 40 seeds the standard error covers as often as it says: 95 % within 1.96 (2.13 for 16 scramblings)."""
    case = {"touch": "from_milestone", "method": method, "control": control, "n_paths": 2**13}
    runs = [value(**case, seed=seed) for seed in range(40)]
    usd = pd.DataFrame([run["usd_per_share"] for run in runs])
    errors = pd.DataFrame([run["standard_error_usd"] for run in runs])
    assert (usd.std() / errors.mean()).between(0.7, 1.4).all()  # of the whole book too, whose tranches share paths
    z = np.array([misses(run, formula(touch="from_milestone")) for run in runs])
    assert 0.88 <= (z < (2.13 if method == "sobol" else 1.96)).mean() <= 1.0


def test_error_by_hand():
    """The standard deviation of group means over the root of 16, that of pair means over the root of their number."""
    random = np.random.default_rng(3)
    groups = random.random((16, 1, 32))
    case = SimpleNamespace(payoffs=lambda normals, steps: [normals])
    sobol = SimpleNamespace(method="sobol", passes=lambda chunk: (([i], rows, None) for i, rows in enumerate(groups)))
    mean, error = simulation._estimate(case, sobol, np.ones(1), None, 4096)
    assert mean == pytest.approx([groups.mean()] * 2)
    assert error == pytest.approx([statistics.stdev(groups.mean(axis=(1, 2))) / 4] * 2, rel=1e-9)
    pairs = SimpleNamespace(method="antithetic", passes=lambda chunk: [([0], groups[0], None), ([1], groups[1], None)])
    mean, error = simulation._estimate(case, pairs, np.ones(1), None, 4096)
    means = (groups[:2, 0, :16] + groups[:2, 0, 16:]).ravel() / 2
    assert error == pytest.approx([statistics.stdev(means) / np.sqrt(32)] * 2, rel=1e-9)


def test_whole_book():
    simulated = value(touch="at_milestone")
    tranches, whole = simulated.drop("all"), simulated.loc["all"]
    assert whole["value_busd"] == pytest.approx(tranches["value_busd"].sum(), rel=1e-12)
    assert whole["shares_m"] == pytest.approx(160)
    assert tranches["value_busd"].to_numpy() == pytest.approx(
        (tranches["usd_per_share"] * tranches["shares_m"] / 1e3).to_numpy(), rel=1e-12
    )


def test_index_that_is_always_beaten():
    case = {"n_paths": 2**12, "watched": "n_day_average", "window_days": 1, "method": "antithetic"}
    without = value(**case)
    beaten = value(**case | {"watched": "close", "index": IndexThreshold(0.2, 0.6, -1.0)})
    both = np.hypot(without["standard_error_usd"], beaten["standard_error_usd"])
    assert (np.abs(without["usd_per_share"] - beaten["usd_per_share"]) < 3 * both).all()
    harder = value(**case | {"watched": "close", "index": IndexThreshold(0.2, 0.6, 2.0)})
    assert (harder["usd_per_share"] < beaten["usd_per_share"]).all()


def test_index_that_is_the_share():
    """An index that moves with the share is never beaten by more than nothing, and always by less."""
    case = {"n_paths": 2**12, "watched": "close"}
    without = value(**case | {"watched": "n_day_average", "window_days": 1})
    assert (value(**case, index=IndexThreshold(0.55, 1.0, 0.0))["usd_per_share"] == 0).all()
    always = value(**case, index=IndexThreshold(0.55, 1.0, -0.001))
    both = np.hypot(without["standard_error_usd"], always["standard_error_usd"])
    assert (np.abs(without["usd_per_share"] - always["usd_per_share"]) < 3 * both).all()


@pytest.mark.parametrize(("level", "dividend_yield"), [(1.0, 0.0), (1.3, 0.0), (1.0, 0.2)])
def test_index_at_one_date(level: float, dividend_yield: float):
    """With no price target, on the day of the milestone: the share beats the index as in an exchange of assets.

    A share ahead of the index already needs less; one that pays dividends falls behind an index that reinvests them.
    """
    index = IndexThreshold(0.2, 0.5, 0.1, level)
    case = {"milestone_years": [0.5], "years": 1.0, "touch": "at_milestone", "watched": "close", "index": index}
    simulated = value(book((0.0, 1e6)), **case, dividend_yield=dividend_yield, n_paths=2**13, seed=1)
    spread = np.sqrt((0.55**2 + 0.2**2 - 2 * 0.5 * 0.55 * 0.2) * 0.5)
    ahead = spread**2 / 2 - dividend_yield * 0.5 - np.log(1.1 / level)
    share = 164.67 * np.exp(-dividend_yield) * norm.cdf(ahead / spread)
    assert misses(simulated, share, allowed_usd=0.01).max() < 3


@pytest.mark.parametrize("touch", ["ever", "from_milestone", "at_milestone"])
def test_random_deliveries_average_over_their_dates(touch: str):
    """Milestones between grid dates, one scenario after expiry and one that never delivers."""
    late = np.array([0.33, 0.9, 1.7, 4.0, 6.0, np.inf])
    schedules = np.add.outer(late, np.linspace(0, 0.5, 6))
    expected = np.mean([formula(milestone_years=row, touch=touch) for row in schedules], axis=0)
    simulated = value(milestone_years=schedules, touch=touch, method="antithetic", n_paths=2**16)
    assert misses(simulated, expected).max() < 3
    assert misses(value(milestone_years=schedules, touch=touch, n_paths=2**16), expected).max() < 3


@pytest.mark.parametrize("watched", ["intraday", "n_day_average"])
def test_delivery_goes_with_the_risk_neutral_price(watched: str):
    """Half the schedules deliver, those with the higher prices: a share above the median price, in closed form."""
    schedules = np.array([[0.0], [np.inf]])
    simulated = value(
        book((0.0, 1e6)), milestone_years=schedules, delivery_correlation=1.0, n_paths=2**12, watched=watched
    )
    expected = 164.67 * norm.cdf(0.55 * np.sqrt(5)) - 0.01 * np.exp(-0.037 * 5) / 2
    assert misses(simulated, expected, allowed_usd=1e-3).max() < 3


@pytest.mark.parametrize("rank_correlation", [0.5, -0.8])
def test_deliveries_have_the_rank_correlation_asked_for(rank_correlation: float):
    """Spearman's, over a grid of both normals; the first schedule is the latest, so a higher row comes earlier."""
    grid = norm.ppf((np.arange(300) + 0.5) / 300)
    share, own = (axis.ravel() for axis in np.meshgrid(grid, grid))
    rows = paths.draw_schedules(np.arange(4096.0)[:, None], rank_correlation, share, own)[0]
    assert spearmanr(share, rows).statistic == pytest.approx(rank_correlation, abs=0.003)


@pytest.mark.parametrize("touch", ["from_milestone", "at_milestone"])
def test_delivery_with_the_share_price_is_worth_more(touch: str):
    schedules = np.add.outer([1.0, 2.0, np.inf, np.inf], np.zeros(6))
    with_price, alone, against = (
        value(milestone_years=schedules, touch=touch, delivery_correlation=rho)["usd_per_share"]
        for rho in (0.6, 0, -0.6)
    )
    assert (with_price > alone).all()
    assert (alone > against).all()


def test_term_structure():
    """A flat one is a number; where price does not drift, only the total variance counts; marginals at a milestone."""
    flat = value(volatility=pd.Series({0.5: 0.55, 2.0: 0.55}), touch="from_milestone")
    assert misses(flat, formula(touch="from_milestone")).max() < 3
    rising = pd.Series({1.0: 0.7, 5.0: 0.55, 7.0: 0.5})
    assert misses(value(volatility=rising, rate=0.0), formula(rate=0.0)).max() < 3
    at = value(book((300.0, 1e6), strike=0.0), volatility=rising, milestone_years=[1.0], touch="at_milestone")
    above = norm.cdf((np.log(164.67 / 300) + 0.037 + 0.7**2 / 2) / 0.7)
    assert misses(at, 164.67 * above).max() < 3


def test_target_below_spot():
    certain = book((100.0, 1e6), (164.67, 1e6), strike=23.0)
    call = up_and_in_call(164.67, 164.6701, 0.55, 0.037, 5, 23.0)
    for watched in ("intraday", "close", "n_day_average"):
        simulated = value(certain, milestone_years=[1.0, 2.0], watched=watched, n_paths=2**12)
        assert misses(simulated, call, allowed_usd=1e-3).max() < 3
    free = value(book((100.0, 1e6)), milestone_years=[1.0])
    assert free.loc[1, "usd_per_share"] == pytest.approx(164.67 - 0.01 * np.exp(-0.037 * 5), abs=1e-4)


def test_target_reached_before():
    met = value(reached=True)["usd_per_share"].drop("all")
    assert met.to_numpy() == pytest.approx(164.67 - 0.01 * np.exp(-0.037 * 5), abs=1e-4)
    case = {"reached": np.arange(6) > 3, "touch": "from_milestone", "milestone_years": np.zeros(6)}
    assert misses(value(**case), formula(**case)).max() < 3
    soon = case | {"reached": True, "milestone_years": np.full(6, 0.2)}  # the milestone has not passed yet
    assert misses(value(**soon), formula(**soon)).max() < 3


def test_no_volatility():
    """The forward is 198.1: a target below it is touched on the way, one above never."""
    for watched in ("intraday", "close", "n_day_average"):
        near = book((190.0, 1e6), (200.0, 1e6))
        sure = value(near, volatility=0.0, milestone_years=[1.0, 1.0], watched=watched, n_paths=2**10)
        assert sure["usd_per_share"].tolist()[:2] == pytest.approx([164.67 - 0.01 * np.exp(-0.037 * 5), 0])
        assert sure["standard_error_usd"].tolist() == pytest.approx([0, 0, 0], abs=1e-9)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scramblings": 8}, "scramblings must be at least 16, not 8"),
        ({"n_paths": 10000}, "16.*times a power of two for sobol, not 10000; try 8192 or 16384"),
        ({"n_paths": 1001, "method": "antithetic"}, "n_paths must be even for antithetic pairs, not 1001"),
        ({"n_paths": 4096, "method": "antithetic", "control": True}, "n_paths with control must be at least 8192"),
        ({"chunk_paths": 100}, "chunk_paths must be at least 4096, not 100"),
        ({"method": "sobel"}, "unknown method 'sobel'; did you mean 'sobol'"),
        ({"touch": "never"}, "unknown touch 'never'"),
        ({"watched": "weekly"}, "unknown watched 'weekly'"),
        ({"spot": -1.0}, "spot must be above 0 .*not -1"),
        ({"spot": [1.0, 2.0]}, "spot must be one number"),
        ({"years": 0}, "years must be above 0, not 0"),
        ({"volatility": -0.1}, "volatility must be at least 0 and at most 10, not -0.1"),
        ({"volatility": [0.5, 0.6]}, "volatility must be a number or a Series by maturity"),
        ({"volatility": pd.Series({1.0: 0.9, 2.0: 0.5})}, "total variance must not fall, but it is 0.81 at 1 years"),
        ({"volatility": pd.Series({2.0: 0.5, 1.0: 0.5})}, "maturities of volatility must rise"),
        ({"volatility": pd.Series({1.0: 0.5}), "control": True}, "control needs one volatility"),
        ({"milestone_years": [1.0]}, "one number for each of 6 tranches.*not shape"),
        ({"milestone_years": [np.nan] * 6}, "milestone_years must be a number, not nan"),
        ({"reached": [True]}, "reached must be one answer"),
        ({"reached": "no"}, "reached must be True or False, for all tranches or for each, not 'no'"),
        ({"reached": [np.nan] * 6}, "reached must be True or False"),
        ({"seed": 1.5}, "seed must be a whole number, not 1.5"),
        ({"seed": -1}, "seed must be at least 0, not -1"),
        ({"window_days": 2.5}, "window_days must be a whole number, not 2.5"),
        ({"n_paths": 1000.5, "method": "antithetic"}, "n_paths must be a whole number, not 1000.5"),
        ({"warrant": "amd-openai"}, "warrant must be a Warrant, such as .* gives, not 'amd-openai'"),
        ({"delivery_correlation": 1.5}, "delivery_correlation must be at least -1 and at most 1, not 1.5"),
        ({"window_days": 0}, "window_days must be at least 1"),
        ({"index": 0.1}, "index must be an IndexThreshold or None, not 0.1"),
        ({"index": IndexThreshold(0.2, 0.5, 0.0)}, "compared at daily closes"),
        ({"index": IndexThreshold(0.2, 0.5, 0.0), "watched": "close", "volatility": 0.0}, "volatility must be above 0"),
    ],
)
def test_bad_input(changes: dict, message: str):
    with pytest.raises((ValueError, UnknownNameError), match=message):
        value(**changes)


def test_bad_index():
    with pytest.raises(ValueError, match="correlation with the index must be at least -1 and at most 1, not 2"):
        IndexThreshold(0.2, 2.0, 0.0)


def vest(**changes: object) -> simulation.Vesting:
    """Return a vesting simulation of the book in AMD's market."""
    case = {"spot": 164.67, "volatility": 0.55, "drift": 0.08, "years": 4.9, "milestone_years": DATES}
    return vesting(BOOK, **case | {"watched": "intraday"} | changes)


@pytest.mark.parametrize("touch", ["ever", "from_milestone", "at_milestone"])
@pytest.mark.parametrize("drift", [0.037, 0.15])
def test_vesting_probability(drift: float, touch: str):
    """By expiry, in the closed form of the touch; the others follow from the value of a share under its own measure.

    A log price that drifts by drift - volatility^2/2 is one that drifts by rate + volatility^2/2 under the share's
    measure at rate = drift - volatility^2.
    """
    result = vest(drift=drift, touch=touch, seed=4)
    by_then = result.probability()
    assert (by_then.diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)
    expected = formula(spot=1.0, target=TARGETS / 164.67, rate=drift - 0.55**2, years=4.9, strike=0.0, touch=touch)
    if touch == "ever":
        touches = closed_form.touch_probability(164.67, TARGETS, drift, 0.55, 4.9)
        assert expected == pytest.approx(touches, rel=1e-9)
    error = np.sqrt(expected * (1 - expected) / 2**14)
    assert (np.abs(by_then.iloc[:, -1] - expected) < 3 * error).all()
    assert (by_then.loc[3, by_then.columns < 2.0] == 0).all()  # before its milestone
    assert (by_then.loc[3, by_then.columns == 2.0] > 0).all()


@pytest.mark.parametrize(
    ("volatility", "drift", "moving_years"),
    [(0.55, 0.15, 4.9), (pd.Series({1.0: 0.55, 5.0: 0.55 / np.sqrt(5)}), 0.0, 1.0)],
)
def test_vesting_at_closes_comes_later(volatility: float | pd.Series, drift: float, moving_years: float):
    """By as much as the closed form's shift of the target says, on the same paths.

    The second price stands still after a year at 55 %, so closes cost it what they cost in that year.
    """
    case = {"volatility": volatility, "drift": drift, "n_paths": 2**16}
    moments, closes = (vest(watched=watched, **case).probability() for watched in ("intraday", "close"))
    assert (closes <= moments).all(axis=None)
    raised = TARGETS * np.exp(0.5825971579 * 0.55 / np.sqrt(252))
    reached = [closed_form.touch_probability(164.67, x, drift, 0.55, moving_years) for x in (TARGETS, raised)]
    expected, fewer = reached[0] - reached[1], (moments - closes).iloc[:, -1].to_numpy()
    assert fewer == pytest.approx(expected, abs=3 * np.sqrt(expected.max() / 2**16))


def test_vesting_in_the_first_quarter_after_the_milestone():
    """Without volatility a price that doubles in two years passes 225 in its fourth quarter, and 600 in its 15th."""
    case = {"volatility": 0.0, "drift": np.log(2) / 2, "touch": "from_milestone", "n_paths": 4}
    rising = vest(**case, milestone_years=[0.75, 2.0, 2.5, 2.5, 3.5, 3.5])
    assert 164.67 * 2**0.375 < TARGETS[0] < 164.67 * 2**0.5
    assert 164.67 * 2**1.75 < TARGETS[5] < 164.67 * 2**1.875
    assert (rising.vested_at[:, [0, 5]] == [4, 15]).all()


def test_prices_grow_as_assumed():
    result = vest(drift=0.12, dividend_yield=0.02)
    assert result.years.tolist() == [*np.arange(0, 4.9, 0.25), 4.9]
    expected = 164.67 * np.exp(0.10 * result.years)
    error = result.price_usd.std(axis=0) / np.sqrt(len(result.price_usd))
    assert (np.abs(result.price_usd.mean(axis=0) - expected) <= 3 * error + 1e-9).all()


def test_shares_issued():
    result = vest()
    issued = result.shares_issued_m()
    assert issued.to_numpy().min() >= 0
    assert issued.to_numpy().max() <= 160 * (1 + 1e-9)
    assert (issued.diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)
    expected = BOOK.table["shares_m"] @ result.probability()
    assert issued.mean().to_numpy() == pytest.approx(expected.to_numpy())
    fan = result.fan(0.8)
    assert (fan.diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)
    assert fan.columns.tolist() == ["low", "p25", "median", "p75", "high"]
    assert result.price_fan().loc[0.0].tolist() == pytest.approx([164.67] * 5)


def test_proceeds():
    """Sold on the day of the milestone at no less than the target; nothing where a tranche never vests."""
    result = vest(touch="at_milestone")
    proceeds = result.proceeds_busd()
    vested = result.vested_at >= 0
    least = (TARGETS - 0.01) * BOOK.table["shares_m"].to_numpy() / 1e3
    assert (proceeds.to_numpy()[~vested] == 0).all()
    assert ((proceeds.to_numpy() >= least * (1 - 1e-12)) == vested).all()


def test_proceeds_by_hand():
    """10 million shares at 700 USD less a strike of 100, none at 90, none that never vest."""
    tranches = pd.DataFrame({"shares_m": [10.0]}, pd.RangeIndex(1, 2, name="tranche"))
    price = np.array([[50.0, 700.0], [50.0, 90.0], [50.0, 700.0]])
    result = simulation.Vesting(tranches, 100.0, np.array([0.0, 1.0]), price, np.array([[1], [1], [-1]]))
    assert result.proceeds_busd()[1].tolist() == [6.0, 0.0, 0.0]


def test_vesting_of_what_was_reached_before():
    """All vests with the deliveries; a milestone between quarter ends counts from the next."""
    result = vest(reached=True, milestone_years=[-1, 0.1, 0.25, 1.0, 4.8, 5.0])
    assert (result.vested_at == [0, 1, 1, 4, 20, -1]).all()


def test_vesting_with_the_share_price():
    schedules = np.add.outer([1.0, np.inf], np.zeros(6))
    with_price, alone = (vest(milestone_years=schedules, delivery_correlation=rho).probability() for rho in (0.9, 0.0))
    assert (with_price.iloc[:, -1] > alone.iloc[:, -1]).all()


def test_paths_with_their_own_growth_and_volatility():
    """The same number for all is that number; one path's figures do not move another's."""
    plain, n = vest(n_paths=64), 64
    same = vest(n_paths=n, volatility=np.full(n, 0.55), drift=np.full(n, 0.08))
    assert same.price_usd == pytest.approx(plain.price_usd)
    assert (same.vested_at == plain.vested_at).all()
    volatility, drift = np.full(n, 0.55), np.full(n, 0.08)
    volatility[3], drift[5] = 0.0, 0.2
    other = vest(n_paths=n, volatility=volatility, drift=drift)
    assert other.price_usd[3] == pytest.approx(164.67 * np.exp(0.08 * other.years))
    assert other.price_usd[5] == pytest.approx(plain.price_usd[5] * np.exp(0.12 * other.years))
    rest = np.delete(np.arange(n), [3, 5])
    assert other.price_usd[rest] == pytest.approx(plain.price_usd[rest])
    assert (other.vested_at[rest] == plain.vested_at[rest]).all()
    closes = vest(n_paths=n, volatility=volatility, drift=drift, watched="close")
    assert (closes.vested_at[rest] == vest(n_paths=n, watched="close").vested_at[rest]).all()


def test_vesting_repeats():
    one, same, other = vest(seed=1, n_paths=64), vest(seed=1, n_paths=64), vest(seed=2, n_paths=64)
    assert (one.price_usd == same.price_usd).all()
    assert (one.price_usd[:, 1:] != other.price_usd[:, 1:]).any()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"watched": "n_day_average"}, "cannot watch averages; simulate"),
        ({"drift": np.nan}, "drift must be.*not nan"),
        ({"drift": [0.1, 0.2]}, "drift must be one number"),
        ({"drift": np.array([0.1, 3.0]), "n_paths": 2}, "drift must be at least -2 and at most 2, not 3"),
        ({"volatility": np.array([0.1, 0.2])}, "volatility must be a number, a Series by maturity, or one for each of"),
        ({"volatility": np.array([0.1, -0.2]), "n_paths": 2}, "volatility must be at least 0 and at most 10, not -0.2"),
        ({"milestone_years": [1.0, 2.0]}, "one number for each of 6 tranches"),
        ({"n_paths": 0}, "n_paths must be at least 1, not 0"),
        ({"n_paths": 1.5}, "n_paths must be a whole number, not 1.5"),
        ({"seed": 1.5}, "seed must be a whole number, not 1.5"),
        ({"reached": "yes"}, "reached must be True or False, for all tranches or for each, not 'yes'"),
        ({"reached": np.nan}, "reached must be True or False, for all tranches or for each, not nan"),
        ({"touch": "evar"}, "unknown touch 'evar'; did you mean 'ever'"),
    ],
)
def test_bad_vesting_input(changes: dict, message: str):
    with pytest.raises((ValueError, UnknownNameError), match=message):
        vest(**changes)


def test_vesting_needs_a_warrant():
    with pytest.raises(ValueError, match=r"warrant must be a Warrant, .* not 'amd-openai'"):
        vesting("amd-openai", spot=164.67, volatility=0.55, drift=0.1, years=5.0, milestone_years=DATES)


def test_bad_level():
    with pytest.raises(ValueError, match="level must be above 0 and at most 1, not 2"):
        vest(n_paths=8).fan(2)
