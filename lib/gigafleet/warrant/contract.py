"""The terms of a warrant on a vendor's shares: tranches that vest with gigawatts delivered and with the share price."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from gigafleet import catalog
from gigafleet.errors import require, require_whole

DAYS_PER_YEAR = 365.25


def years_between(start: str, end: str) -> float:
    """Return the time between two dates [years]; negative if the end comes first.

    >>> round(years_between("2025-10-05", "2030-10-05"), 3)
    4.999
    """
    days = [_date(text).toordinal() for text in (start, end)]
    return (days[1] - days[0]) / DAYS_PER_YEAR


def _date(text: str) -> datetime.date:
    try:
        date = datetime.date.fromisoformat(text)
    except (TypeError, ValueError):
        date = None
    if date is None or date.isoformat() != text:  # 20251005 is a date too, but dates are compared as texts
        raise ValueError(f"a date must be given as YYYY-MM-DD, not {text!r}")
    return date


@dataclass(frozen=True)
class Tranche:
    """Shares that vest with a capacity delivered and a share price reached.

    Parameters
    ----------
    shares
        Number of shares.
    milestone_gw
        Cumulative capacity delivered. [GW]
    target_usd
        Share price to be reached; 0 where the tranche has no price target. [USD]
    """

    shares: float
    milestone_gw: float
    target_usd: float

    def __post_init__(self) -> None:
        require("shares of a tranche", self.shares, above=0)
        require("milestone_gw", self.milestone_gw, minimum=0)
        require("target_usd", self.target_usd, minimum=0)


@dataclass(frozen=True)
class Warrant:
    """A warrant: the right to buy shares at a strike once their tranche has vested.

    Parameters
    ----------
    name
        What it is called in tables.
    shares
        Shares under the warrant in all.
    strike_usd
        Price that the holder pays for a share. [USD]
    granted, expiry
        Dates, ``YYYY-MM-DD``.
    tranches
        In the order of their milestones. Together they hold no more shares than the warrant.
    clock
        What the milestones count: gigawatts ``shipped`` or ``delivered``.
    assumed
        What of this rests on an assumption, in words for tables and charts; empty if all of it is public.

    Raises
    ------
    ValueError
        If the tranches hold more shares than the warrant, if their milestones or targets fall from one to the next, if
        there is none, or if the warrant expires before it is granted.
    """

    name: str
    shares: float
    strike_usd: float
    granted: str
    expiry: str
    tranches: tuple[Tranche, ...]
    assumed: str = ""
    clock: str = "delivered"

    def __post_init__(self) -> None:
        require("shares", self.shares, above=0)
        require("strike_usd", self.strike_usd, minimum=0)
        if not self.tranches:
            raise ValueError(f"warrant {self.name}: there must be at least one tranche")
        if years_between(self.granted, self.expiry) <= 0:
            raise ValueError(f"warrant {self.name}: expiry must come after granted, not {self.expiry}")
        total = sum(tranche.shares for tranche in self.tranches)
        if total > self.shares * (1 + 1e-12):
            raise ValueError(
                f"warrant {self.name}: its tranches must hold at most {self.shares:,.0f} shares, not {total:,.0f}"
            )
        for field in ("milestone_gw", "target_usd"):
            values = [getattr(tranche, field) for tranche in self.tranches]
            if values != sorted(values):
                raise ValueError(f"warrant {self.name}: {field} must rise from tranche to tranche, not {values}")

    @property
    def years(self) -> float:
        """Time from grant to expiry. [years]"""
        return years_between(self.granted, self.expiry)

    @property
    def table(self) -> pd.DataFrame:
        """One row a tranche, numbered from 1: ``shares_m`` [million], ``milestone_gw``, ``target_usd``."""
        rows = [(t.shares / 1e6, t.milestone_gw, t.target_usd) for t in self.tranches]
        index = pd.RangeIndex(1, len(rows) + 1, name="tranche")
        return pd.DataFrame(rows, index, columns=["shares_m", "milestone_gw", "target_usd"], dtype=float)

    def years_left(self, date: str) -> float:
        """Return the time from a date to expiry [years], 0 on the day of expiry.

        Raises
        ------
        ValueError
            If the date is before the grant or after expiry.
        """
        left = years_between(date, self.expiry)
        if not 0 <= left <= self.years:
            raise ValueError(f"date must be from {self.granted} (grant) to {self.expiry} (expiry), not {date}")
        return left


def check_warrant(warrant: object) -> None:
    """Raise unless this is a warrant."""
    if not isinstance(warrant, Warrant):
        raise ValueError(f"warrant must be a Warrant, such as warrant.of_deal('amd-openai') gives, not {warrant!r}")


def spread_targets(
    shares: float,
    tranches: int,
    final_gw: float,
    first_target_usd: float,
    final_target_usd: float,
    first_gw: float | None = None,
) -> tuple[Tranche, ...]:
    """Return tranches of equal shares with even steps of capacity and price.

    Parameters
    ----------
    shares
        Shares in all, divided evenly.
    tranches
        Number of tranches.
    final_gw
        Milestone of the last. [GW]
    first_target_usd, final_target_usd
        Share-price targets of the first and of the last. [USD]
    first_gw
        Milestone of the first; None for steps as even as ``final_gw / tranches``. A single tranche has the last. [GW]

    >>> [t.target_usd for t in spread_targets(160e6, 6, 6, 225, 600)]
    [225.0, 300.0, 375.0, 450.0, 525.0, 600.0]
    """
    require_whole("tranches", tranches, minimum=1)
    tranches = int(tranches)
    require("first_target_usd", first_target_usd, minimum=0, maximum=final_target_usd)
    step = (final_target_usd - first_target_usd) / max(tranches - 1, 1)
    targets = [max(final_target_usd - step * (tranches - 1 - i), first_target_usd) for i in range(tranches)]
    first = final_gw / tranches if first_gw is None else first_gw
    require("first_gw", first, minimum=0, maximum=final_gw)
    milestones = [first + (final_gw - first) * i / max(tranches - 1, 1) for i in range(tranches - 1)] + [final_gw]
    return tuple(Tranche(shares / tranches, gw, usd) for gw, usd in zip(milestones, targets, strict=True))


def of_deal(deal: str = "amd-openai", tranches: Iterable[Tranche] | None = None) -> Warrant:
    """Return the warrant of a deal, with the tranches that ``deals.yaml`` assumes or with others.

    Parameters
    ----------
    deal
        A deal of ``deals.yaml``.
    tranches
        In place of the assumed ones.

    Raises
    ------
    UnknownNameError, ValueError
        If the deal is not known, or has no warrant.
    """
    terms = catalog.deal(deal)
    if terms["warrant"] is None:
        known = [name for name, other in catalog.deals().items() if other["warrant"]]
        raise ValueError(f"deal {terms['id']!r} has no warrant; there is one in: {', '.join(known)}")
    public = terms["warrant"]["public"]
    if tranches is None:
        tranches = [Tranche(**row) for row in terms["warrant"]["assumed"]["tranches"]]
    return Warrant(
        name=terms["id"],
        shares=public["shares"],
        strike_usd=public["strike_usd"],
        granted=terms["signed"],
        expiry=public["expiry"],
        tranches=tuple(tranches),
        clock=public["milestone_clock"],
        assumed="The tranche table is redacted: number, shares, milestones and targets below the last are assumed",
    )
