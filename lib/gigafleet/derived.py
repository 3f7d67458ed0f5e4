"""Figures that follow from others, so that each fact stands once in the tables."""

import numpy as np
import pandas as pd
from scipy.special import ndtri

NOTE = "Derived: power of the rack over its accelerators, times 1 + network_storage_share of ai-datacenter"


def _widened(row: pd.Series) -> tuple[float, float, float]:
    """Return value and the distances, in logarithms, to the ends of its 90 % interval."""
    middle = row["value"] if pd.notna(row["value"]) else np.sqrt(row["low"] * row["high"])
    low, high = (row[end] if pd.notna(row[end]) else middle for end in ("low", "high"))
    wider = ndtri(0.95) / ndtri(0.90) if row["range_kind"] == "min_max" else 1.0
    return middle, wider * np.log(middle / low), wider * np.log(high / middle)


def it_power(facts: pd.DataFrame, subjects: pd.DataFrame) -> pd.DataFrame:
    """Return rows for the IT power of accelerators that have none, from that of their rack.

    Parameters
    ----------
    facts, subjects
        The tables as they stand.

    Returns
    -------
    DataFrame
        Columns of ``facts``. For each accelerator without a preferred ``all_in_kw`` at IT level whose rack power is
        known: a row at rack level, if it has none, and one at IT level [kW]. The ranges of rack and network share are
        taken as independent, so their distances add as squares. Of several racks the one with the most power each
        counts, as provisioning does.
    """
    best = facts[facts["preferred"]]
    share_row = best[(best["subject"] == "ai-datacenter") & (best["quantity"] == "network_storage_share")]
    mixed = set(
        best.loc[(best["quantity"] == "convention_exception") & (best["condition"] == "power_adds_up"), "subject"]
    )
    counts = best[best["quantity"] == "accelerators_per_system"].set_index("subject")["value"]
    holds = subjects.set_index("subject")["accelerator"]
    racks = best[(best["quantity"] == "rack_kw") & (best["condition"] == "nameplate") & ~best["subject"].isin(mixed)]
    racks = racks[racks["subject"].isin(counts.index)]
    each = racks.assign(subject=racks["subject"].map(holds), quantity="all_in_kw", condition="rack")
    number = racks["subject"].map(counts)
    each = each.assign(**{end: racks[end] / number for end in ("low", "value", "high")})
    each["note"] = "Derived: power of the rack over its accelerators"
    at = best[best["quantity"] == "all_in_kw"].groupby("condition")["subject"].agg(set).to_dict()
    own = best[(best["quantity"] == "all_in_kw") & (best["condition"] == "rack")]
    lacking = set(each["subject"]) | set(own["subject"])
    lacking -= at.get("it", set())
    if share_row.empty or not lacking:
        return facts.iloc[:0]
    each = each[each["subject"].isin(lacking - set(own["subject"]))]
    each = each.loc[each.index[np.argsort(-each["value"].fillna(each["high"]).to_numpy(), kind="stable")]]
    each = each.drop_duplicates("subject")
    share, share_low, share_high = (1 + share_row[end].iloc[0] for end in ("value", "low", "high"))
    rows = []
    for _, rack in pd.concat([own[own["subject"].isin(lacking)], each]).iterrows():
        middle, down, up = _widened(rack)
        down, up = np.hypot(down, np.log(share / share_low)), np.hypot(up, np.log(share_high / share))
        ends = {"value": middle * share, "low": middle * share * np.exp(-down), "high": middle * share * np.exp(up)}
        kind = {"range_kind": "p5_p95", "kind": "assumption", "source_id": "assumption", "note": NOTE}
        rows.append({**rack, "condition": "it", **{k: round(float(v), 3) for k, v in ends.items()}, **kind})
    return pd.concat([each, pd.DataFrame(rows, columns=facts.columns)], ignore_index=True).astype(
        facts.dtypes.to_dict()
    )
