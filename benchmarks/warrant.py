"""How fast and how exact the warrant's closed forms and simulation are, beside QuantLib in the same run.

Run it as ``.venv/bin/python benchmarks/warrant.py`` (about two minutes). QuantLib prices one option at a call; its
times take in what a new case needs: curves, process, option, engine. It has no engine for six tranches at once, so it
runs one after the other. Every time compared, ours and QuantLib's, is the shortest of three. Simulations are compared
by the time to the same standard error: ours is run with the paths it takes, QuantLib's time is scaled to its own error,
tranche by tranche. QuantLib gets the settings that serve it best. A result that misses its goal is marked MISSED.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import QuantLib as ql

from gigafleet.warrant import closed_form, contract
from gigafleet.warrant.simulation import simulate

CASES = 10**6
SAMPLE = 2000
REPEATS = 3  # of everything timed against something else: the shortest time counts
SEEDS = 64
SMALLEST_USD = 1e-3  # from here on relative differences are looked at; below, one or the other loses digits
ERROR_USD = 0.1
SPOT, VOLATILITY, RATE, YEARS, STRIKE = 164.67, 0.55, 0.037, 5.0, 0.01
MILESTONES = [1.0, 1.5, 2.0, 2.5, 3.0, 3.75]
BOOK = contract.of_deal("amd-openai")
TARGETS = BOOK.table["target_usd"].to_numpy()
MARKET = {"spot": SPOT, "volatility": VOLATILITY, "rate": RATE, "years": YEARS, "milestone_years": MILESTONES}
TODAY = ql.Date(2, 1, 2026)
# A process reports no less than what the one that started it held: a shell between keeps the arrays here out of it.
FRESH = ["/bin/sh", "-c", '"$@"; exit $?', "sh", sys.executable, "-c"]
MEMORY = """
import json, resource, sys, time
from gigafleet.warrant import contract
from gigafleet.warrant.simulation import simulate
case = json.loads(sys.argv[1])
start = time.perf_counter()
simulate(contract.of_deal("amd-openai"), **case)
print(json.dumps([time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20]))
"""


def timed(function: Callable) -> tuple[float, object]:
    """Return the shortest time of ``REPEATS`` calls [s], and what the last returned."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        result = function()
        times.append(time.perf_counter() - start)
    return min(times), result


def row(what: str, figure: str, goal: str = "", met: bool = True) -> None:
    """Print a result beside its goal."""
    verdict = ("met" if met else "MISSED") if goal else ""
    print(f"  {what:84}{figure:>18}{goal:>10}  {verdict}".rstrip(), flush=True)


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


def late_touch(target: float, strike: float, days: int, start: int) -> tuple[ql.Instrument, ql.Instrument]:
    """Return QuantLib's call, and the one that a share price at or above the target from a later day on ends."""
    payoff, exercise = ql.PlainVanillaPayoff(ql.Option.Call, strike), ql.EuropeanExercise(TODAY + days)
    window = ql.PartialBarrier.EndB2, target, 0.0, TODAY + start
    return ql.VanillaOption(payoff, exercise), ql.PartialTimeBarrierOption(ql.Barrier.UpOut, *window, payoff, exercise)


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
    start = random.integers(30, days - 30)
    columns = (spot, target, volatility, rate, dividend_yield, strike, days, start)
    cases = [column[:SAMPLE].tolist() for column in columns]

    def tranche_engine() -> list[float]:
        values = []
        for s, h, v, r, q, k, d, _ in zip(*cases, strict=True):
            option = up_and_in(h, k, d)
            option.setPricingEngine(ql.AnalyticBarrierEngine(process(s, v, r, q)))
            values.append(option.NPV())
        return values

    def touch_engine() -> list[float]:
        values = []
        for s, h, v, r, q, _, d, _ in zip(*cases, strict=True):
            option = touched_share(h, d)
            option.setPricingEngine(ql.AnalyticDigitalAmericanEngine(process(s, v, r, q)))
            values.append(option.NPV())
        return values

    def late_engine() -> list[float]:
        values = []
        for s, h, v, r, q, k, d, m in zip(*cases, strict=True):
            market = process(s, v, r, q)
            plain, out = late_touch(h, k, d, m)
            plain.setPricingEngine(ql.AnalyticEuropeanEngine(market))
            out.setPricingEngine(ql.AnalyticPartialTimeBarrierOptionEngine(market))
            values.append(plain.NPV() - out.NPV())
        return values

    arrays = (spot, target, volatility, rate, days / 365)
    given = {"strike": strike, "dividend_yield": dividend_yield}
    late = given | {"milestone_years": start / 365, "touch": "from_milestone"}
    pairs = {
        "tranche_value, ever": (lambda: closed_form.tranche_value(*arrays, **given), tranche_engine),
        "one_touch_share": (lambda: closed_form.one_touch_share(*arrays, dividend_yield), touch_engine),
        "tranche_value, from_milestone": (lambda: closed_form.tranche_value(*arrays, **late), late_engine),
    }
    print(f"(a) closed forms: {CASES:,} cases in arrays; {SAMPLE:,} one by one in QuantLib, dividend yields 0 to 5 %")
    for name, (function, engine) in pairs.items():
        aimed = "from_milestone" not in name
        seconds, values = timed(function)
        peer_seconds, peer = timed(engine)
        ratio = peer_seconds / SAMPLE / (seconds / CASES)
        off = np.abs(values[:SAMPLE] - peer)
        peer = np.array(peer)
        relative = (off / peer)[peer >= SMALLEST_USD].max()
        row(f"{name}: million cases a second, ours", f"{CASES / seconds / 1e6:.2f}")
        row(f"{name}: million cases a second, QuantLib", f"{SAMPLE / peer_seconds / 1e6:.4f}")
        row(f"{name}: ratio", f"{ratio:.0f}", ">= 200" if aimed else "", ratio >= 200)
        largest = f"{name}: largest relative difference from {SMALLEST_USD} USD on"
        row(largest, f"{relative:.1e}", "<= 1e-10" if aimed else "", relative <= 1e-10)
        row(f"{name}: largest difference of all [USD]", f"{off.max():.1e}")
    print(
        "    from_milestone is outside the goal's case (one analytic engine called once a case): it takes two engines"
    )
    print("    and a bivariate normal distribution, which QuantLib's has to about six digits.")


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


class Peer(NamedTuple):
    """How QuantLib's engine is run: the settings that give it the least time to the same error.

    Of the low-discrepancy sequence, ``blocks`` stretches, each ``n_paths`` long, give the error.
    """

    traits: str
    biased: bool
    steps: int
    n_paths: int
    blocks: int
    goal: int

    def __str__(self) -> str:
        """Return its name."""
        steps = f"{self.steps:,} step{'s' if self.steps > 1 else ''}"
        return f"QuantLib {self.traits}, {'biased' if self.biased else 'bridge'}, {steps}"

    def price(self, target: float, n_paths: int) -> ql.BarrierOption:
        """Return the option, priced by so many paths (pairs of them where they are antithetic)."""
        option = up_and_in(target, STRIKE, round(YEARS * 365))
        market = process(SPOT, VOLATILITY, RATE, 0.0)
        settings = {"timeSteps": self.steps, "requiredSamples": n_paths, "isBiased": self.biased, "seed": 42}
        if self.traits == "lowdiscrepancy":
            settings["brownianBridge"] = True
        elif not self.biased:
            settings["antitheticVariate"] = True
        option.setPricingEngine(ql.MCBarrierEngine(market, self.traits, **settings))
        option.NPV()
        return option


PEERS = {
    Peer("pseudorandom", True, 1260, 2**11, 1, 50): ("ever", "from_milestone"),
    Peer("lowdiscrepancy", True, 1260, 2**11, 4, 50): ("ever", "from_milestone"),
    Peer("pseudorandom", False, 20, 2**15, 1, 5): ("ever", "from_milestone"),
    Peer("lowdiscrepancy", False, 20, 2**13, 8, 5): ("ever", "from_milestone"),
    Peer("pseudorandom", False, 1, 2**17, 1, 5): ("ever",),
    Peer("lowdiscrepancy", False, 1, 2**16, 8, 5): ("ever",),
}


def peer_simulation(peer: Peer) -> tuple[np.ndarray, dict[int, np.ndarray], np.ndarray]:
    """Return times [s] by tranche, errors by tranche for one path count or more, and errors by stretch.

    QuantLib gives no standard error of low discrepancy and no way to start elsewhere in the sequence. The mean of each
    stretch follows from the means of the first 1, 2, 3, ... stretches; the root mean square of what they are off by
    stands for the standard error.
    """
    timings = [timed(lambda t=target: peer.price(t, peer.n_paths)) for target in TARGETS]
    seconds = np.array([seconds for seconds, _ in timings])
    if peer.traits == "pseudorandom":
        return seconds, {peer.n_paths: np.array([option.errorEstimate() for _, option in timings])}, np.empty(0)
    counts = np.arange(1, peer.blocks + 1)
    sums = [[count * peer.price(target, int(count) * peer.n_paths).NPV() for target in TARGETS] for count in counts]
    off = np.diff(sums, axis=0, prepend=0) - exact("ever", "close" if peer.biased else "intraday")
    errors = {}
    for joined in (1, 2, 4):
        if joined < peer.blocks:
            means = off.reshape(-1, joined, len(TARGETS)).mean(axis=1)
            errors[joined * peer.n_paths] = np.sqrt((means**2).mean(axis=0))
    return seconds, errors, np.sqrt((off**2).mean(axis=1))


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
            runs[touch, method] = n_paths, seconds
            row(f"ours, {touch}, {method}: seconds, {n_paths:,} paths", f"{seconds:.4f}")
            row("    standard error [USD]", spread(errors))
    # A single run is off by about its standard error whatever the bias: the mean of 64 runs shows an eighth of it.
    for (touch, method), (timed_paths, _) in runs.items():
        for n_paths in sorted({timed_paths, 2**16}):
            case = MARKET | {"watched": "intraday", "touch": touch, "method": method, "n_paths": n_paths}
            tables = [simulate(BOOK, **case, seed=seed).drop("all") for seed in range(SEEDS)]
            off = np.array([table["usd_per_share"] for table in tables]) - exact(touch)
            standard = np.mean([table["standard_error_usd"] for table in tables], axis=0)
            bias = np.abs(off.mean(axis=0) / standard).max()
            what = f"ours, {touch}, {method}, {n_paths:,} paths{', as timed' if n_paths == timed_paths else ''}"
            row(f"{what}: bias / standard error", f"{bias:.2f}", "< 1", bias < 1)
            if n_paths == timed_paths:
                error = np.sqrt((off**2).mean(axis=0)).max()
                row(
                    f"    largest r.m.s. error of {SEEDS} runs [USD]",
                    f"{error:.3f}",
                    f"<= {ERROR_USD}",
                    error <= ERROR_USD,
                )
    for peer, touches in PEERS.items():
        seconds, errors, singly = peer_simulation(peer)
        pseudo = peer.traits == "pseudorandom"
        paths = f"{peer.n_paths:,} {'antithetic pairs' if pseudo and not peer.biased else 'paths'}"
        row(f"{peer}: seconds, {paths}", f"{seconds.sum():.3f}")
        for n_paths, error in errors.items():
            what = "standard error" if pseudo else f"r.m.s. error of {peer.blocks * peer.n_paths // n_paths} stretches"
            row(f"    {what}, {n_paths:,} each [USD]", spread(error))
        if not pseudo:
            row(f"    r.m.s. error of six tranches in single stretches, {peer.n_paths:,} each [USD]", spread(singly))
        needed = (seconds * (errors[peer.n_paths] / ERROR_USD) ** (2 if pseudo else 1)).sum()
        row(f"    seconds to {ERROR_USD} USD", f"{needed:,.2f}")
        for (touch, method), (_, our_seconds) in runs.items():
            if touch in touches:
                ratio = needed / our_seconds
                row(f"    / ours, {touch}, {method}", f"{ratio:,.0f}", f">= {peer.goal}", ratio >= peer.goal)
    bias = spread(exact("ever") - exact("ever", "close"))
    print(f"    Biased: 252 steps a year leave a bias of {bias} USD, ten times the standard error aimed at; the ratios")
    print("    leave out the hundredfold steps that would lower it, and the errors are taken about the biased value.")
    print("    Bridge: under constant volatility one step is exact for ever, as it is for us; 20 are the quarters that")
    print("    milestones need. For from_milestone QuantLib has no engine: the time is that for ever in as many steps.")
    print("    Low discrepancy: QuantLib's error is erratic from one stretch of its sequence to the next; in bridge")
    print("    mode the touches between steps are drawn from pseudo-random numbers: hence judged by the r.m.s. of")
    print("    stretches. Scaled as if it fell with 1 / paths from the shortest on, which is kind to QuantLib.")
    print("    QuantLib has Brownian bridges with Sobol points, and antithetic pairs in bridge mode, as both help it.")
    print("    Most of the ratio is variance: a share as unit of account, touches that are not drawn but replaced by")
    print("    their probability, and all tranches on the same paths.")


def memory(case: dict[str, object]) -> tuple[float, float]:
    """Return the time [s] and the peak memory [GiB] of a simulation in a process of its own, imports included."""
    run = subprocess.run([*FRESH, MEMORY, json.dumps(case)], check=True, capture_output=True, text=True)
    return tuple(json.loads(run.stdout))


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
    for method in ("antithetic", "sobol"):
        case = MARKET | {"watched": "n_day_average", "method": method, "n_paths": 2**15, "control": True}
        seconds, gib = memory(case)
        row(f"20-day average, {method}, control: peak memory [GiB], {seconds:.1f} s", f"{gib:.2f}")


def chunks() -> None:
    """Print the memory of ten million paths, and how much the size of chunks matters."""
    print("(d) chunks, six tranches, from_milestone")
    for method, n_paths in (("antithetic", 10**7), ("sobol", 2**24)):
        case = MARKET | {"touch": "from_milestone", "watched": "intraday", "method": method, "n_paths": n_paths}
        seconds, gib = memory(case)
        row(f"{method}, {n_paths:,} paths: peak memory [GiB], {seconds:.1f} s", f"{gib:.2f}", "< 1", gib < 1)
        case |= {"n_paths": 2**19}
        one, other = (simulate(BOOK, **case, chunk_paths=size) for size in (4096, 2**17))
        off = np.nanmax(np.abs(one / other - 1).to_numpy())
        row(f"{method}: largest relative difference of two sizes", f"{off:.1e}", "<= 1e-12", off <= 1e-12)


def main() -> None:
    """Print everything."""
    ql.Settings.instance().evaluationDate = TODAY
    print(f"  {'':84}{'result':>18}{'goal':>10}")
    closed_forms()
    simulations()
    controls()
    chunks()


if __name__ == "__main__":
    main()
