"""The words for what the blacked-out vesting schedule may mean, and the checks that the valuations share."""

import numpy as np

from gigafleet.errors import require, unknown

TOUCHES = {
    "ever": "the price target counts whenever it is reached before expiry, before the milestone too",
    "from_milestone": "the price target counts only from the milestone on",
    "at_milestone": "the price target must hold on the day of the milestone",
}
WATCHES = {
    "intraday": "at any moment of trading",
    "close": "at daily closes",
    "n_day_average": "as the average of the last closes",
}
BOUNDS = {
    "spot": {"above": 0, "maximum": 1e9},
    "volatility": {"minimum": 0, "maximum": 10},
    "rate": {"minimum": -0.5, "maximum": 1},
    "years": {"minimum": 0, "maximum": 100},
    "dividend_yield": {"minimum": -0.5, "maximum": 1},
}
TRADING_DAYS = 252
# Broadie, Glasserman and Kou, "A continuity correction for discrete barrier options", Mathematical Finance 7 (1997):
# -zeta(1/2) / sqrt(2 pi)
SHIFT = 0.5825971579390106


def check_reading(touch: str, watched: str, watches: tuple[str, ...] = tuple(WATCHES)) -> None:
    """Raise unless touch and watched are readings that are known."""
    if touch not in TOUCHES:
        raise unknown("touch", touch, TOUCHES)
    if watched not in watches:
        raise unknown("watched", watched, watches)


def check_market(spot: object, volatility: object, rate: object, years: object, dividend_yield: object) -> None:
    """Raise unless the market's figures are possible: spot above 0, volatility and years at least 0."""
    given = {"spot": spot, "volatility": volatility, "rate": rate, "years": years, "dividend_yield": dividend_yield}
    for name, value in given.items():
        require(name, value, **BOUNDS[name])


def watched_target(target: object, volatility: object, watched: str) -> object:
    """Return the target that, watched at every moment, is reached as often as the given one at daily closes.

    Parameters
    ----------
    target
        Share-price target. [USD]
    volatility
        Volatility in a year. [share]
    watched
        ``intraday`` leaves the target as it is; ``close`` raises it by exp(0.5826 volatility sqrt(1/252)).

    >>> round(float(watched_target(600.0, 0.55, "close")), 2)
    612.23
    """
    if watched == "intraday":
        return target
    return target * np.exp(SHIFT * np.asarray(volatility, float) / np.sqrt(TRADING_DAYS))
