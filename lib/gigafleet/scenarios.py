"""The scenarios of the deals' earnings: what each changes of the inputs."""

from dataclasses import dataclass, field

import pandas as pd

from gigafleet.errors import unknown


@dataclass(frozen=True)
class Scenario:
    """What a scenario changes.

    Parameters
    ----------
    title
        In words.
    add
        Input -> what is added to it.
    ends
        Input -> ``low`` or ``high``: it moves by as much as that end of its range lies from its value.
    stop_gw
        Deliveries of each deal end with so many gigawatts. [GW]
    """

    title: str
    add: dict[str, float] = field(default_factory=dict)
    ends: dict[str, str] = field(default_factory=dict)
    stop_gw: float | None = None


SCENARIOS = {
    "base": Scenario("base"),
    "late": Scenario("a year late", add={"delay_years": 1.0}),
    "first_gw": Scenario("first gigawatt only", stop_gw=1.0),
    "fast": Scenario("fast", ends=dict.fromkeys(("first_gw_years", "later_gw_years", "delay_years"), "low")),
    "bear": Scenario(
        "bear on price",
        ends={
            "content_mi455x_busd_per_gw": "low",
            "content_mi500_busd_per_gw": "low",
            "erosion_share_per_year": "high",
            "first_margin_share": "low",
            "mature_margin_share": "low",
        },
    ),
}


def scenario(name: str) -> Scenario:
    """Return a scenario of :data:`SCENARIOS`; an unknown name is an error that suggests the nearest."""
    if name not in SCENARIOS:
        raise unknown("scenario", name, SCENARIOS)
    return SCENARIOS[name]


def applied(inputs: pd.DataFrame, name: str, known: pd.DataFrame) -> pd.DataFrame:
    """Return the inputs as a scenario changes them; ``known`` are their ranges."""
    chosen, changed = scenario(name), inputs.copy()
    for column in changed:
        plain = column.split(" ")[-1]
        if plain in chosen.ends:
            end, middle = known.loc[column, chosen.ends[plain]], known.loc[column, "value"]
            changed[column] = changed[column] * (end / middle) if middle else changed[column] + end
        changed[column] = changed[column] + chosen.add.get(plain, 0.0)
    return changed
