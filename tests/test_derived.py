"""IT power that follows from the rack: closed form, sampled, propagated from an edited row."""

import numpy as np
import pandas as pd
import pytest

from gigafleet import catalog, derived, tables, uncertainty


def test_it_power_of_mi455x_is_the_rack_with_the_network_share():
    """Helios at 225 to 245 kW (press, July 2026) over 72, times 1.04: no copy of the product stands in the tables."""
    stated = tables.resource("facts")
    assert stated[(stated["subject"] == "MI455X") & (stated["quantity"] == "all_in_kw")].empty
    assert catalog.value("MI455X", "all_in_kw") == pytest.approx(np.sqrt(225 * 245) / 72 * 1.04, abs=5e-4)
    assert catalog.value("MI455X", "all_in_kw", "rack", "low") == pytest.approx(225 / 72)
    assert catalog.provenance("MI455X", "all_in_kw")["note"].str.startswith("Derived").all()


def test_the_range_is_that_of_sampling_rack_and_share():
    ranges = catalog.ranges({"rack": ("Helios", "rack_kw"), "share": ("ai-datacenter", "network_storage_share")})
    drawn = uncertainty.sample(ranges, 2**14, seed=0)
    sampled = uncertainty.interval(drawn["rack"] / 72 * (1 + drawn["share"]))
    ours = [catalog.value("MI455X", "all_in_kw", case=case) for case in catalog.CASES]
    assert ours == pytest.approx(sampled.tolist(), rel=0.01)


def test_a_published_it_power_is_left_alone_and_mixed_racks_are_not_used():
    rows = derived.it_power(tables.resource("facts"), tables.resource("subjects"))
    at_it = rows[rows["condition"] == "it"].set_index("subject")
    assert {"MI455X", "VR200", "R200", "MI350X"} <= set(at_it.index)
    assert not {"GB200", "MI355X", "H100"} & set(at_it.index)  # analysts give these


@pytest.mark.parametrize(
    ("subject", "quantity", "changes", "factor"),
    [
        ("ai-datacenter", "network_storage_share", {"value": 0.2, "low": 0.1, "high": 0.3}, 1.2 / 1.04),
        ("Helios", "rack_kw", {"low": 2 * 225, "high": 2 * 245}, 2.0),
    ],
)
def test_a_changed_row_moves_what_follows_from_it(subject, quantity, changes, factor):
    facts = tables.resource("facts").copy()
    row = (facts["subject"] == subject) & (facts["quantity"] == quantity) & facts["preferred"]
    for column, value in changes.items():
        facts.loc[row, column] = value
    moved = derived.it_power(facts, tables.resource("subjects"))
    moved = moved[(moved["subject"] == "MI455X") & (moved["condition"] == "it")]["value"].iloc[0]
    assert moved / catalog.value("MI455X", "all_in_kw") == pytest.approx(factor, rel=1e-3)


def test_without_the_share_nothing_is_derived():
    facts = tables.resource("facts")
    rows = derived.it_power(facts[facts["quantity"] != "network_storage_share"], tables.resource("subjects"))
    assert isinstance(rows, pd.DataFrame)
    assert rows.empty
