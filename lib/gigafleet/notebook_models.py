"""The parameters of each notebook: a model with defaults, bounds, units and texts.

See :mod:`gigafleet.parameters` for how they are read.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from gigafleet import catalog, claims, rollout, warrant
from gigafleet.architectures import arithmetic, find_llm
from gigafleet.errors import unknown


def _items(value: object) -> object:
    """Read "a, b" as ["a", "b"], which is how a list comes through the command line."""
    return [item.strip() for item in value.split(",") if item.strip()] if isinstance(value, str) else value


Items = Annotated[list[str], BeforeValidator(_items)]


Region = Annotated[str, AfterValidator(catalog.place)]


def _power_of_two(value: int) -> int:
    if value & (value - 1):
        raise ValueError(f"must be a power of two, not {value}")
    return value


# YAML reads 2026-02-24 without quotes as a date.
Date = Annotated[str, BeforeValidator(lambda value: value.isoformat() if hasattr(value, "isoformat") else value)]
Samples = Annotated[int, Field(ge=64, le=2**20), AfterValidator(_power_of_two)]
Touch = Literal["ever", "from_milestone", "at_milestone"]


class Parameters(BaseModel):
    """What every notebook's parameters have in common: nothing unknown passes, nothing is converted silently."""

    model_config = ConfigDict(extra="forbid", validate_default=True, frozen=True, allow_inf_nan=False)


class Overview(Parameters):
    """The deal on one page."""

    deal: str = Field("amd-openai", description="a deal of data/deals.yaml")
    capacity_gw: float | None = Field(None, gt=0, le=100, description="capacity [GW]; None is the deal's own")
    capacity_basis: Literal["facility", "it"] = Field(
        "facility", description="what the gigawatts count in the headline: facility (at the meter) or it"
    )
    region: Region = Field("us", description="region for electricity and carbon")
    samples: Samples = Field(4096, description="number of samples, a power of two")
    seed: int = Field(0, ge=0, description="seed of the samples")

    @field_validator("deal")
    @classmethod
    def _deal(cls, value: str) -> str:
        return catalog.deal(value)["id"]


class Accelerators(Parameters):
    """Accelerators on paper."""

    vendors: Items = Field(["AMD", "NVIDIA"], description="vendors to show, in a list or with commas between")
    format: Literal["bf16", "fp8", "fp4"] = Field("fp8", description="number format of the efficiency charts")
    subject: str = Field("MI455X", description="the accelerator whose figure is traced to its sources")
    quantity: str = Field("memory_tb_s", description="the figure that is traced, by its column")

    @field_validator("vendors")
    @classmethod
    def _vendors(cls, value: list[str]) -> list[str]:
        known = list(dict.fromkeys(catalog.subjects("accelerator")["vendor"]))
        folded = {vendor.lower(): vendor for vendor in known}
        for vendor in value:
            if vendor.lower() not in folded:
                raise unknown("vendor", vendor, known)
        if not value:
            raise ValueError("must name at least one vendor")
        return list(dict.fromkeys(folded[vendor.lower()] for vendor in value))

    @model_validator(mode="after")
    def _enough(self) -> "Accelerators":
        table = catalog.accelerators().query("vendor in @self.vendors")
        known = table[table[f"{self.format}_tflops"].notna()]
        if len(known) < 2 or known["all_in_kw"].notna().sum() < 2:
            raise ValueError(
                f"vendors {self.vendors} must have two accelerators or more with {self.format} and IT power; "
                f"{list(known.index)} have the throughput, {int(known['all_in_kw'].notna().sum())} of these the power"
            )
        return self

    @model_validator(mode="after")
    def _traced(self) -> "Accelerators":
        catalog.provenance(catalog.find(self.subject), self.quantity)
        return self


class AmdVsNvidia(Parameters):
    """AMD against NVIDIA, on paper and measured."""

    amd: Items = Field(["MI300X", "MI325X", "MI355X", "MI455X"], description="AMD accelerators, a list or with commas")
    nvidia: Items = Field(
        ["H100", "H200", "B200", "GB200", "GB300", "R200", "VR200"],
        description="NVIDIA accelerators, a list or with commas",
    )
    format: Literal["bf16", "fp8", "fp4"] = Field("fp8", description="number format of the comparison")
    model: str = Field("llama2-70b", description="language model of the measured and predicted comparison")
    interactivity: float = Field(
        30, gt=0, le=1000, description="tokens per second that every user is to get [tokens/s]"
    )
    region: Region = Field("us", description="region for the price of electricity")
    rate: float | None = Field(
        None, ge=0, le=0.5, description="cost of capital [share/year]; None is the figure in the data"
    )
    it_life_years: float | None = Field(
        None, gt=0, le=20, description="life of accelerators [years]; None is the figure in the data"
    )

    @field_validator("amd", "nvidia")
    @classmethod
    def _accelerators(cls, value: list[str]) -> list[str]:
        if not value:
            raise ValueError("must name at least one accelerator")
        return list(dict.fromkeys(catalog.find(name) for name in value))

    @field_validator("model")
    @classmethod
    def _model(cls, value: str) -> str:
        if find_llm(value) not in arithmetic().index:
            raise ValueError(f"dimensions of {value} are not known; known: {', '.join(arithmetic().index)}")
        return value

    @model_validator(mode="after")
    def _sides(self) -> "AmdVsNvidia":
        table = catalog.accelerators()
        for side, vendor in (("amd", "AMD"), ("nvidia", "NVIDIA")):
            chosen = table.loc[getattr(self, side)]
            for name in chosen.index[chosen["vendor"] != vendor]:
                raise ValueError(
                    f"{side} must name accelerators of {vendor}; {name} is from {chosen.loc[name, 'vendor']}"
                )
            wanted = [f"{self.format}_tflops", "all_in_kw"]
            if not chosen[wanted].notna().all(axis=1).any():
                known = table.index[(table["vendor"] == vendor) & table[wanted].notna().all(axis=1)]
                what = f"an accelerator with {self.format} throughput and IT power"
                raise ValueError(f"{side} must name {what}; known: {', '.join(known)}")
        return self


class FleetMix(Parameters):
    """Which generation does which work."""

    capacity_gw: float = Field(1.0, gt=0, le=100, description="power of the facility in the hottest hour [GW]")
    work: float = Field(1.0, gt=0, le=100, description="work asked for, in what a gigawatt of MI355X does")
    objective: Literal["energy", "cost", "carbon"] = Field(
        "energy", description="what is least: energy, cost or carbon"
    )
    region: Region = Field("us", description="region for electricity and carbon")
    pue: float | None = Field(None, ge=1, le=3, description="annual PUE; None is the figure in the data")
    training_share: float | None = Field(
        None, ge=0, le=1, description="share of busy time that training takes; None is the figure in the data"
    )
    mi455x: float = Field(60_000, ge=0, description="accelerators of MI455X on offer")
    mi355x: float = Field(120_000, ge=0, description="accelerators of MI355X that are owned")
    mi300x: float = Field(80_000, ge=0, description="accelerators of MI300X that are owned")
    samples: Samples = Field(512, description="number of samples, a power of two")
    seed: int = Field(0, ge=0, description="seed of the samples")

    @model_validator(mode="after")
    def _some(self) -> "FleetMix":
        if self.mi455x + self.mi355x + self.mi300x == 0:
            raise ValueError("at least one of mi455x, mi355x and mi300x must be above 0")
        return self


class Rollout(Parameters):
    """Six gigawatts, quarter by quarter."""

    deal: str = Field("amd-openai", description="a deal of data/deals.yaml that has a roll-out")
    schedule: Literal["base", "late", "first_gw", "fast"] = Field(
        "base", description="what happens: base, a year late, first gigawatt only, or fast"
    )
    delay_years: float | None = Field(
        None, ge=0, le=5, description="delay of the first gigawatt and all after it [years]; None is the data's range"
    )
    region: Region = Field("us", description="region for electricity and carbon")
    capacity_basis: Literal["facility", "it"] = Field(
        "facility", description="what the gigawatts count: facility (at the meter) or it"
    )
    weighted: bool = Field(False, description="whether a sample ends where its buyer stops, drawn by chance")
    most_gw_per_quarter: float | None = Field(
        None, gt=0, le=10, description="most of a generation that is shipped in a quarter [GW]; None is no limit"
    )
    site_gw: float | None = Field(None, gt=0, le=100, description="power of the sites [GW]; None is no limit")
    software_gain: float = Field(
        0.0, ge=-0.5, le=5, description="growth of throughput on the same hardware [share/year]"
    )
    samples: Samples = Field(1024, description="number of samples, a power of two")
    seed: int = Field(0, ge=0, description="seed of the samples")

    @field_validator("deal")
    @classmethod
    def _deal(cls, value: str) -> str:
        known = rollout.deals()
        if (name := catalog.deal(value)["id"]) not in known:
            raise unknown("deal with a roll-out", value, known)
        return name


class Revenue(Parameters):
    """What AMD earns with the gigawatt deals."""

    scenario: Literal["base", "late", "first_gw", "fast", "bear"] = Field(
        "base", description="what happens: base, a year late, first gigawatt only, fast, or bear on price"
    )
    meta: bool = Field(True, description="whether Meta's deal counts beside OpenAI's")
    anthropic: bool = Field(True, description="whether Anthropic's deal counts beside OpenAI's")
    weighted: bool = Field(
        False, description="whether gigawatts that do not bind count by the chance that they are taken"
    )
    content_busd_per_gw: float | None = Field(
        None, gt=0, le=100, description="AMD's content of MI455X [billion USD/GW]; None is the range in the data"
    )
    gross_margin_share: float | None = Field(
        None, gt=0, lt=1, description="mature gross margin of the deals [share]; None is the range in the data"
    )
    delay_years: float | None = Field(
        None, ge=0, le=5, description="delay of the first gigawatt and all after it [years]; None is the data's range"
    )
    touch: Touch = Field("ever", description="when the warrant's price target counts: ever, from or at the milestone")
    end: str = Field("2032Q4", description="last quarter of the charts")
    samples: Samples = Field(2048, description="number of samples, a power of two")
    seed: int = Field(0, ge=0, description="seed of the samples")

    @field_validator("end")
    @classmethod
    def _end(cls, value: str) -> str:
        if rollout.quarters(value)[-1] < "2029Q4":
            raise ValueError("must be 2029Q4 or later, as the charts show whole years of the ramp")
        return value


class Warrant(Parameters):
    """What the warrant is worth, to whom, and when it vests."""

    deal: str = Field("amd-openai", description="a deal of data/deals.yaml that has a warrant")
    valuation_date: Date = Field(
        "latest", description="grant, day_after, latest (newest price in the data) or a date such as 2026-02-24"
    )
    spot_usd: float | None = Field(None, gt=0, description="price of the share that day [USD]; None is the data's")
    volatility: float | None = Field(
        None, gt=0, le=3, description="long-dated volatility [share]; None is the figure in the data"
    )
    rate: float | None = Field(None, ge=0, le=0.2, description="risk-free rate [share/year]; None is the data's")
    touch: Touch = Field("ever", description="when the price target counts: ever, from or at the milestone")
    watched: Literal["intraday", "close"] = Field("close", description="how the share price is watched")
    tranches: int | None = Field(None, ge=1, le=24, description="number of tranches; None is the assumed table")
    first_target_usd: float | None = Field(
        None,
        ge=0,
        description="target of the first tranche, with even steps to the last [USD]; None as assumed",
    )
    drift: float | None = Field(
        None, ge=-0.5, le=1, description="expected growth of the price, for probabilities only [share/year]"
    )
    samples: Samples = Field(1024, description="number of roll-outs, a power of two")
    seed: int = Field(0, ge=0, description="seed of samples and simulated prices")

    @field_validator("deal")
    @classmethod
    def _deal(cls, value: str) -> str:
        return warrant.of_deal(value).name

    @model_validator(mode="after")
    def _market(self) -> "Warrant":
        given = {} if self.spot_usd is None else {"spot_usd": self.spot_usd}
        warrant.market(self.deal, self.valuation_date, **given)
        final = catalog.deal(self.deal)["warrant"]["public"]["final_target_usd"]
        if (self.first_target_usd or 0) > final:
            raise ValueError(f"first_target_usd must be at most {final}, the last target, not {self.first_target_usd}")
        return self


class ClaimCheck(Parameters):
    """The claims of an article against figures and models."""

    claims: str | None = Field(None, description="a file of claims, here or in the data; None is data/claims.csv")
    samples: Samples = Field(4096, description="number of samples, a power of two")
    seed: int = Field(0, ge=0, description="seed of the samples")

    @field_validator("claims")
    @classmethod
    def _claims(cls, value: str | None) -> str | None:
        try:
            claims.read(value)
        except FileNotFoundError as error:
            raise ValueError(str(error)) from None
        return value


class ModelCheck(Parameters):
    """The performance model against measured results."""

    hold_out: Literal["pair", "generation and architecture", "generation", "generation and its ceiling"] = Field(
        "pair", description="what each fit leaves out: (accelerator, model) pairs, wider groups, or whole generations"
    )
    work: Literal["all", "inference", "training"] = Field("all", description="which results are shown")


MODELS: dict[str, type[Parameters]] = {
    "00_overview": Overview,
    "01_accelerators": Accelerators,
    "02_fleet_mix": FleetMix,
    "03_amd_vs_nvidia": AmdVsNvidia,
    "04_rollout": Rollout,
    "05_revenue": Revenue,
    "06_warrant": Warrant,
    "07_claim_check": ClaimCheck,
    "08_model_check": ModelCheck,
}
