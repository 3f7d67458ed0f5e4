"""How fast and how exact the warrant's closed forms and simulation are, beside QuantLib in the same run.

Run it as ``.venv/bin/python benchmarks/warrant.py`` (under a minute on two cores). QuantLib prices one option at a
call; its times take in what a new case needs: curves, process, option, engine. It has no engine for six tranches at
once, so it runs one after the other. Simulations are compared by the time to the same standard error: ours is run with
the paths it takes, QuantLib's time is multiplied, tranche by tranche, by the square of the ratio of its standard error
to the one aimed at. A result that misses its goal is marked MISSED.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import QuantLib as ql

from gigafleet.warrant import closed_form, contract
from gigafleet.warrant.simulation import simulate

CASES = 10**6
SAMPLE = 2000
SMALLEST_USD = 1e-3  # from here on relative differences are looked at; below, one or the other loses digits
ERROR_USD = 0.1
SPOT, VOLATILITY, RATE, YEARS, STRIKE = 164.67, 0.55, 0.037, 5.0, 0.01
MILESTONES = [1.0, 1.5, 2.0, 2.5, 3.0, 3.75]
BOOK = contract.of_deal("amd-openai")
TARGETS = BOOK.table["target_usd"].to_numpy()
MARKET = {"spot": SPOT, "volatility": VOLATILITY, "rate": RATE, "years": YEARS, "milestone_years": MILESTONES}
TODAY = ql.Date(2, 1, 2026)
MEMORY = """
import json, resource, sys, time
from gigafleet.warrant import contract
from gigafleet.warrant.simulation import simulate
case = json.loads(sys.argv[1])
start = time.perf_counter()
simulate(contract.of_deal("amd-openai"), **case)
print(json.dumps([time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20]))
"""


def timed(function: Callable, repeats: int = 3) -> tuple[float, object]:
    """Return the shortest time of some calls [s], and what the last returned."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = function()
        times.append(time.perf_counter() - start)
    return min(times), result


def row(what: str, figure: str, goal: str = "", met: bool = True) -> None:
    """Print a result beside its goal."""
    verdict = ("met" if met else "MISSED") if goal else ""
    print(f"  {what:76}{figure:>18}{goal:>10}  {verdict}".rstrip(), flush=True)


def process(spot: float, volatility: float, rate: float, dividend_yield: float) -> ql.BlackScholesMertonProcess:
    """Return QuantLib's process for one case."""
    count = ql.Actual365Fixed()
    curve = ql.YieldTermStructureHandle(ql.FlatForward(TODAY, rate, count))
    yields = ql.YieldTermStructureHandle(ql.FlatForward(TODAY, dividend_yield, count))
    smile = ql.BlackVolTermStructureHandle(ql.BlackConstantVol(TODAY, ql.NullCalendar(), volatility, count))
    return ql.BlackScholesMertonProcess(ql.QuoteHandle(ql.SimpleQuote(spot)), yields, curve, smile)


def up_and_in(target: float, strike: float, days: int) -> ql.BarrierOption:
    """Return QuantLib's call that a touch of the target brings to life."""
    payoff = ql.PlainVanillaPayoff(ql.Option.Call, strike)
    return ql.BarrierOption(ql.Barrier.UpIn, target, 0.0, payoff, ql.EuropeanExercise(TODAY + days))


def touched_share(target: float, days: int) -> ql.VanillaOption:
    """Return QuantLib's share received at the touch of the target."""
    payoff = ql.AssetOrNothingPayoff(ql.Option.Call, target)
    return ql.VanillaOption(payoff, ql.AmericanExercise(TODAY, TODAY + days))


def closed_forms() -> None:
    """Print throughput and differences of the closed forms."""
    random = np.random.default_rng(0)
    spot, volatility = random.uniform(100, 250, CASES), random.uniform(0.2, 0.9, CASES)
    target = spot * random.uniform(1.05, 4, CASES)
    rate, dividend_yield = random.uniform(0, 0.08, CASES), random.uniform(0, 0.05, CASES)
    strike, days = random.uniform(0.01, 1, CASES) * spot, random.integers(180, 2500, CASES)
    years = days / 365
    cases = [column[:SAMPLE].tolist() for column in (spot, target, volatility, rate, dividend_yield, strike, days)]

    def tranche_engine() -> list[float]:
        values = []
        for s, h, v, r, q, k, d in zip(*cases, strict=True):
            option = up_and_in(h, k, d)
            option.setPricingEngine(ql.AnalyticBarrierEngine(process(s, v, r, q)))
            values.append(option.NPV())
        return values

    def touch_engine() -> list[float]:
        values = []
        for s, h, v, r, q, _, d in zip(*cases, strict=True):
            option = touched_share(h, d)
            option.setPricingEngine(ql.AnalyticDigitalAmericanEngine(process(s, v, r, q)))
            values.append(option.NPV())
        return values

    arrays = (spot, target, volatility, rate, years)
    functions = {
        "tranche_value": lambda: closed_form.tranche_value(*arrays, strike=strike, dividend_yield=dividend_yield),
        "one_touch_share": lambda: closed_form.one_touch_share(*arrays, dividend_yield),
    }
    print(f"(a) closed forms: {CASES:,} cases in arrays; {SAMPLE:,} one by one in QuantLib, dividend yields 0 to 5 %")
    for (name, function), engine in zip(functions.items(), (tranche_engine, touch_engine), strict=True):
        seconds, values = timed(function)
        peer_seconds, peer = timed(engine)
        ratio = peer_seconds / SAMPLE / (seconds / CASES)
        off = np.abs(values[:SAMPLE] - peer)
        peer = np.array(peer)
        relative = (off / peer)[peer >= SMALLEST_USD].max()
        row(f"{name}: million cases a second, ours", f"{CASES / seconds / 1e6:.2f}")
        row(f"{name}: million cases a second, QuantLib", f"{SAMPLE / peer_seconds / 1e6:.4f}")
        row(f"{name}: ratio", f"{ratio:.0f}", ">= 200", ratio >= 200)
        row(
            f"{name}: largest relative difference from {SMALLEST_USD} USD on",
            f"{relative:.1e}",
            "<= 1e-10",
            relative <= 1e-10,
        )
        row(f"{name}: largest difference of all [USD]", f"{off.max():.1e}")


def ours(**case: object) -> tuple[int, float, np.ndarray]:
    """Return the paths that bring every tranche's standard error to ERROR_USD, their time [s], and the errors."""
    case = MARKET | {"watched": "intraday"} | case
    n_paths = 2**9
    while True:
        seconds, table = timed(lambda n=n_paths: simulate(BOOK, **case, n_paths=n))
        errors = table["standard_error_usd"].drop("all").to_numpy()
        if errors.max() <= ERROR_USD:
            return n_paths, seconds, errors
        n_paths *= 2


def peer_simulation(traits: str, biased: bool, steps: int, n_paths: int) -> tuple[np.ndarray, np.ndarray]:
    """Return times [s] and standard errors of QuantLib's engine, one tranche after the other.

    Sobol points give it no standard error: the root mean square of the six errors stands for it.
    """
    seconds, values, errors = [], [], []
    for target in TARGETS:
        start = time.perf_counter()
        option = up_and_in(target, STRIKE, round(YEARS * 365))
        market = process(SPOT, VOLATILITY, RATE, 0.0)
        settings = {"timeSteps": steps, "requiredSamples": n_paths, "isBiased": biased, "seed": 42}
        option.setPricingEngine(ql.MCBarrierEngine(market, traits, **settings))
        values.append(option.NPV())
        seconds.append(time.perf_counter() - start)
        errors.append(option.errorEstimate() if traits == "pseudorandom" else np.nan)
    if traits != "pseudorandom":
        errors = [np.sqrt(np.mean((values - exact("ever")) ** 2))] * len(values)
    return np.array(seconds), np.array(errors)


def exact(touch: str, watched: str = "intraday") -> np.ndarray:
    """Return the closed forms of the six tranches."""
    reading = {"milestone_years": np.array(MILESTONES), "touch": touch, "watched": watched}
    return closed_form.tranche_value(SPOT, TARGETS, VOLATILITY, RATE, YEARS, strike=STRIKE, **reading)


def spread(numbers: np.ndarray) -> str:
    """Return the smallest and the largest number."""
    return f"{numbers.min():.2g} to {numbers.max():.2g}"


def simulations() -> None:
    """Print times to the same standard error, and our bias."""
    print(
        f"(b) Monte Carlo of the six tranches to a standard error of {ERROR_USD} USD each, no control variate, intraday"
    )
    runs = {}
    for touch in ("ever", "from_milestone"):
        for method in ("antithetic", "sobol"):
            n_paths, seconds, errors = ours(touch=touch, method=method)
            runs[touch, method] = seconds
            row(f"ours, {touch}, {method}: seconds, {n_paths:,} paths", f"{seconds:.4f}")
            row("    standard error [USD]", spread(errors))
    # A single run is off by about its standard error whatever the bias: the mean of 64 runs shows an eighth of it.
    for touch in ("ever", "from_milestone"):
        for method in ("antithetic", "sobol"):
            case = MARKET | {"watched": "intraday", "touch": touch, "method": method, "n_paths": 2**16}
            tables = [simulate(BOOK, **case, seed=seed).drop("all") for seed in range(64)]
            off = np.mean([table["usd_per_share"] for table in tables], axis=0) - exact(touch)
            bias = np.abs(off / np.mean([table["standard_error_usd"] for table in tables], axis=0)).max()
            row(f"ours, {touch}, {method}: bias / standard error, 65,536 paths", f"{bias:.2f}", "< 1", bias < 1)
    peers = {
        ("pseudorandom", True, 1260, 2**12): 50,
        ("lowdiscrepancy", True, 1260, 2**12): 50,
        ("pseudorandom", False, 20, 2**16): 5,
        ("lowdiscrepancy", False, 20, 2**16): 5,
    }
    for (traits, biased, steps, n_paths), goal in peers.items():
        seconds, errors = peer_simulation(traits, biased, steps, n_paths)
        name = f"QuantLib {traits}, {'biased' if biased else 'bridge'}, {steps} steps"
        row(f"{name}: seconds, {n_paths:,} paths", f"{seconds.sum():.2f}")
        row(f"    {'standard error' if traits == 'pseudorandom' else 'root mean square error'} [USD]", spread(errors))
        power = 2 if traits == "pseudorandom" else 1
        needed = (seconds * (errors / ERROR_USD) ** power).sum()
        row(f"    seconds to {ERROR_USD} USD", f"{needed:,.1f}")
        for (touch, method), our_seconds in runs.items():
            ratio = needed / our_seconds
            row(f"    / ours, {touch}, {method}", f"{ratio:,.0f}", f">= {goal}", ratio >= goal)
    bias = spread(exact("ever") - exact("ever", "close"))
    print(f"    Biased: 252 steps a year leave a bias of {bias} USD, ten times the standard error aimed at; the ratios")
    print("    leave out the hundredfold steps that would lower it. Low discrepancy: scaled as if its error fell with")
    print("    1 / paths. For from_milestone QuantLib has no engine; the time is that for ever, without milestones.")
    print("    Most of the ratio is variance: a share as unit of account, one step where no milestone counts, and all")
    print("    tranches on the same paths.")


def controls() -> None:
    """Print what the control variate brings."""
    print("(c) with and without control variate")
    cases = {
        "from_milestone, antithetic": {"touch": "from_milestone", "method": "antithetic"},
        "from_milestone, sobol": {"touch": "from_milestone"},
        "20-day average, antithetic": {"watched": "n_day_average", "method": "antithetic", "n_paths": 2**15},
        "20-day average, sobol": {"watched": "n_day_average", "n_paths": 2**15},
    }
    for name, case in cases.items():
        work = []
        for control in (False, True):
            start = time.perf_counter()
            table = simulate(BOOK, **MARKET | {"watched": "intraday", "n_paths": 2**18} | case, control=control)
            seconds, whole = time.perf_counter() - start, table.loc["all"]
            errors = table["standard_error_usd"].drop("all").to_numpy()
            work.append(seconds * errors**2)
            label = f"{name}{', control' if control else ''}"
            figures = f"{seconds:.2f} s, {whole['usd_per_share']:.3f} +/- {whole['standard_error_usd']:.3f} USD"
            row(f"{label}: {figures}", "")
        row("    time to the same error of a tranche, without / with control", f"{np.median(work[0] / work[1]):.1f}")


def chunks() -> None:
    """Print the memory of ten million paths, and how much the size of chunks matters."""
    print("(d) chunks, six tranches, from_milestone")
    for method, n_paths in (("antithetic", 10**7), ("sobol", 2**24)):
        case = MARKET | {"touch": "from_milestone", "watched": "intraday", "method": method, "n_paths": n_paths}
        command = [sys.executable, "-c", MEMORY, json.dumps(case)]
        seconds, gib = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        row(f"{method}, {n_paths:,} paths: peak memory [GiB], {seconds:.1f} s", f"{gib:.2f}", "< 1", gib < 1)
        case |= {"n_paths": 2**19}
        one, other = (simulate(BOOK, **case, chunk_paths=size) for size in (4096, 2**17))
        off = np.nanmax(np.abs(one / other - 1).to_numpy())
        row(f"{method}: largest relative difference of two sizes", f"{off:.1e}", "<= 1e-12", off <= 1e-12)


def main() -> None:
    """Print everything."""
    ql.Settings.instance().evaluationDate = TODAY
    print(f"  {'':76}{'result':>18}{'goal':>10}")
    closed_forms()
    simulations()
    controls()
    chunks()


if __name__ == "__main__":
    main()
