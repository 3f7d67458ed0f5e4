"""A warrant on a vendor's shares that vests with gigawatts delivered and with the share price.

Terms (:mod:`~gigafleet.warrant.contract`), closed forms (:mod:`~gigafleet.warrant.closed_form`), values by tranche
(:mod:`~gigafleet.warrant.valuation`), Monte Carlo (:mod:`~gigafleet.warrant.simulation`), probabilities of vesting
under an assumed growth of the share price (:mod:`~gigafleet.warrant.vesting`), and the books
(:mod:`~gigafleet.warrant.accounting`). Values are risk-neutral, probabilities of vesting are not; the two never mix.
"""

from gigafleet.warrant.closed_form import call, one_touch_share, touch_probability, tranche_value
from gigafleet.warrant.contract import Tranche, Warrant, of_deal, spread_targets
from gigafleet.warrant.readings import TOUCHES, WATCHES
from gigafleet.warrant.simulation import IndexThreshold, simulate
from gigafleet.warrant.valuation import Market, by_reading, market, setting, uncertain, value
from gigafleet.warrant.vesting import Vesting, vesting

__all__ = [
    "TOUCHES",
    "WATCHES",
    "IndexThreshold",
    "Market",
    "Tranche",
    "Vesting",
    "Warrant",
    "by_reading",
    "call",
    "market",
    "of_deal",
    "one_touch_share",
    "setting",
    "simulate",
    "spread_targets",
    "touch_probability",
    "tranche_value",
    "uncertain",
    "value",
    "vesting",
]
