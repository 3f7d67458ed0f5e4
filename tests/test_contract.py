"""The warrant's terms: tranches that make sense or one clear error, dates, shares that add up."""

import dataclasses
import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigafleet import catalog
from gigafleet.warrant.contract import Tranche, Warrant, of_deal, spread_targets, years_between

TERMS = {
    "name": "x",
    "shares": 100.0,
    "strike_usd": 0.01,
    "granted": "2025-10-05",
    "expiry": "2030-10-05",
    "tranches": (Tranche(40, 1, 225), Tranche(60, 6, 600)),
}


@pytest.mark.parametrize(("deal", "years"), [("amd-openai", 5), ("amd-meta", 5)])
def test_amds_warrants(deal, years):
    """AMD's 8-Ks: 160 million shares at 0.01 USD over five years, in full with 6 GW, last target 600 USD. UBS: six
    tranches."""
    warrant = of_deal(deal)
    assert (warrant.shares, warrant.strike_usd) == (160e6, 0.01)
    assert sum(tranche.shares for tranche in warrant.tranches) == 160e6
    assert warrant.table["shares_m"].sum() == pytest.approx(160, rel=1e-12)
    assert len(warrant.tranches) == catalog.value("amd-openai", "warrant_tranches_count")
    assert (warrant.tranches[0].milestone_gw, warrant.tranches[-1].milestone_gw) == (1, 6)
    assert warrant.tranches[-1].target_usd == 600
    assert warrant.years == pytest.approx(years, abs=1 / 365)
    assert "assumed" in warrant.assumed


def test_other_tranches_in_place_of_the_assumed():
    other = spread_targets(160e6, 2, 6, 400, 600)
    warrant = of_deal("amd-openai", (tranche for tranche in other))
    assert warrant.tranches == other
    assert warrant.table.to_dict("list") == {
        "shares_m": [80, 80],
        "milestone_gw": [3, 6],
        "target_usd": [400, 600],
    }
    assert warrant.table.index.tolist() == [1, 2]


def test_tranches_may_hold_less_than_the_warrant_and_share_a_milestone():
    same = (Tranche(40, 6, 600), Tranche(50, 6, 600))
    assert Warrant(**TERMS | {"tranches": same}).table["shares_m"].sum() == pytest.approx(90e-6)


def test_a_whole_number_of_tranches_in_any_type():
    assert spread_targets(160e6, 2.0, 6, 400, 600) == spread_targets(160e6, 2, 6, 400, 600)


def test_every_even_spread_is_a_warrant():
    """Equal shares and steps from the first target to the last, whatever rounding does to them."""
    for tranches in range(1, 41):
        for first, final in [(0, 1000 / 3), (225, 600), (300.1, 300.1), (0, 0)]:
            for gw in (0.7, 1.1, 6):
                spread = spread_targets(160e6, tranches, gw, first, final)
                warrant = Warrant(**TERMS | {"shares": 160e6, "tranches": spread})
                assert warrant.table["shares_m"].sum() == pytest.approx(160)
                assert (spread[-1].milestone_gw, spread[-1].target_usd) == (gw, final)
                assert spread[0].milestone_gw == pytest.approx(gw / tranches)
                if tranches > 1:
                    assert spread[0].target_usd == pytest.approx(first, abs=1e-9)
                    assert warrant.table["target_usd"].diff().dropna().to_list() == pytest.approx(
                        [(final - first) / (tranches - 1)] * (tranches - 1), abs=1e-9
                    )


@given(start=st.dates(max_value=datetime.date(2100, 1, 1)), days=st.integers(0, 3000))
def test_years_between_dates(start, days):
    end = start + datetime.timedelta(days=days)
    assert years_between(start.isoformat(), end.isoformat()) == days / 365.25
    assert years_between(end.isoformat(), start.isoformat()) == -days / 365.25


def test_years_left_from_grant_to_expiry():
    warrant = Warrant(**TERMS)
    assert warrant.years_left("2025-10-05") == warrant.years
    assert warrant.years_left("2030-10-05") == 0
    assert warrant.years_left("2026-10-09") == pytest.approx(warrant.years - 369 / 365.25)
    for day in ("2025-10-04", "2030-10-06"):
        with pytest.raises(
            ValueError, match=rf"date must be from 2025-10-05 \(grant\) to 2030-10-05 \(expiry\), not {day}"
        ):
            warrant.years_left(day)


@pytest.mark.parametrize("date", ["20251005", "2025-W40-7", "2025-10-5", "5.10.2025", "2025-02-30", "", None, 20251005])
def test_dates_in_one_form_only(date):
    """Dates are compared as texts, so another form of a real date must not pass."""
    with pytest.raises(ValueError, match="a date must be given as YYYY-MM-DD, not "):
        years_between(date, "2030-10-05")
    with pytest.raises(ValueError, match="a date must be given as YYYY-MM-DD, not "):
        Warrant(**TERMS).years_left(date)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"shares": 99.0}, "warrant x: its tranches must hold at most 99 shares, not 100"),
        ({"shares": -1.0}, "shares must be above 0, not -1.0"),
        ({"shares": float("nan")}, "shares must be above 0, not nan"),
        ({"strike_usd": -0.01}, "strike_usd must be at least 0, not -0.01"),
        ({"tranches": ()}, "warrant x: there must be at least one tranche"),
        (
            {"tranches": (Tranche(40, 6, 225), Tranche(60, 1, 600))},
            r"warrant x: milestone_gw must rise from tranche to tranche, not \[6, 1\]",
        ),
        (
            {"tranches": (Tranche(40, 1, 600), Tranche(60, 6, 225))},
            r"warrant x: target_usd must rise from tranche to tranche, not \[600, 225\]",
        ),
        ({"expiry": "2025-10-05"}, "warrant x: expiry must come after granted, not 2025-10-05"),
        ({"expiry": "2024-01-01"}, "warrant x: expiry must come after granted, not 2024-01-01"),
        ({"granted": "5 Oct 2025"}, "a date must be given as YYYY-MM-DD, not '5 Oct 2025'"),
    ],
)
def test_terms_that_make_no_sense_are_named(changed, message):
    with pytest.raises(ValueError, match=message):
        Warrant(**TERMS | changed)
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(Warrant(**TERMS), **changed)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Tranche(0, 1, 225), "shares of a tranche must be above 0, not 0.0"),
        (lambda: Tranche(-5, 1, 225), "shares of a tranche must be above 0, not -5.0"),
        (lambda: Tranche(5, -1, 225), "milestone_gw must be at least 0, not -1.0"),
        (lambda: Tranche(5, 1, float("nan")), "target_usd must be at least 0, not nan"),
        (lambda: Tranche("many", 1, 225), "shares of a tranche must be a number, not 'many'"),
        (lambda: spread_targets(160e6, 0, 6, 225, 600), "tranches must be at least 1, not 0.0"),
        (lambda: spread_targets(160e6, 2.5, 6, 225, 600), "tranches must be a whole number, not 2.5"),
        (
            lambda: spread_targets(160e6, 6, 6, 700, 600),
            "first_target_usd must be at least 0 and at most 600, not 700.0",
        ),
        (lambda: spread_targets(-160e6, 6, 6, 225, 600), "shares of a tranche must be above 0, not -2"),
        (
            lambda: of_deal("amd-anthropic"),
            "deal 'amd-anthropic' has no warrant; there is one in: amd-openai, amd-meta",
        ),
        (lambda: of_deal("amd-opnai"), r"unknown deal 'amd-opnai'; did you mean 'amd-openai'\?"),
        (lambda: of_deal("amd-openai", []), "warrant amd-openai: there must be at least one tranche"),
        (
            lambda: of_deal("amd-openai", [Tranche(161e6, 6, 600)]),
            "its tranches must hold at most 160,000,000 shares, not 161,000,000",
        ),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
