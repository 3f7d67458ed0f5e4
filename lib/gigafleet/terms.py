"""The form of ``deals.yaml``: what a deal's terms hold, public and assumed apart."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

Positive = Annotated[float, Field(gt=0)]
Date = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Tranche(_Part):
    """Shares that vest with a capacity delivered and a share price reached."""

    shares: Annotated[int, Field(gt=0)]
    milestone_gw: Positive
    target_usd: Positive


class WarrantPublic(_Part):
    """What the filing of a warrant says."""

    shares: Annotated[int, Field(gt=0)]
    strike_usd: Positive
    expiry: Date
    final_target_usd: Positive
    first_vesting: str
    milestone_clock: Literal["shipped", "delivered"]
    sources: list[str]


class WarrantAssumed(_Part):
    """What the filing keeps back, as this project assumes it."""

    tranches: Annotated[list[Tranche], Field(min_length=1)]
    reading: str


class Warrant(_Part):
    """A warrant of the vendor, held by the buyer."""

    public: WarrantPublic
    assumed: WarrantAssumed


class Public(_Part):
    """What the parties have announced or filed."""

    capacity_gw: Positive
    capacity_note: str
    binding_gw: Positive | None
    first_delivery: str | None
    sources: Annotated[list[str], Field(min_length=1)]


class Deal(_Part):
    """One deal."""

    id: str
    vendor: str
    buyer: str
    signed: Date
    accelerator: str | None
    system: str | None
    accelerator_note: str
    public: Public
    warrant: Warrant | None
    equity: str | None


def mistakes(deals: list) -> list[tuple[str, object, str]]:
    """Return (place, value, what is allowed) for everything in the list of deals that does not have the form."""
    found = []
    for number, deal in enumerate(deals):
        try:
            Deal.model_validate(deal)
        except ValidationError as error:
            name = deal.get("id", number) if isinstance(deal, dict) else number
            for problem in error.errors():
                found.append((f"{name} {'.'.join(map(str, problem['loc']))}", problem["input"], problem["msg"]))
    return found
