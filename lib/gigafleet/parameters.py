"""The parameters of the notebooks: one model each, for papermill, for a reader in JupyterLab and for the documentation.

A batch validates all parameters before a kernel starts (:func:`validate`). A notebook reads its own through :func:`read`, so that plain
papermill and a person who edits the cell get the same errors.
"""

import ast
from typing import Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from gigafleet import catalog
from gigafleet.errors import UnknownNameError, unknown

FORMATS = ("bf16", "fp8", "fp4")


def _items(value: object) -> object:
    """Read "a, b" as ["a", "b"], which is how a list comes through the command line."""
    return [item.strip() for item in value.split(",") if item.strip()] if isinstance(value, str) else value


class Parameters(BaseModel):
    """What every notebook's parameters have in common: nothing unknown passes, nothing is converted silently."""

    model_config = ConfigDict(extra="forbid", validate_default=True, frozen=True)


class Overview(Parameters):
    """The deal on one page."""

    deal: str = Field("amd-openai", description="a deal of data/deals.yaml")
    capacity_gw: float | None = Field(None, gt=0, le=100, description="capacity [GW]; None is the deal's own")
    region: str = Field("us", description="region for electricity and carbon")
    samples: int = Field(4096, ge=64, le=2**20, description="number of samples, a power of two")
    seed: int = Field(0, ge=0, description="seed of the samples")

    @field_validator("deal")
    @classmethod
    def _deal(cls, value: str) -> str:
        return catalog.deal(value)["id"]

    @field_validator("region")
    @classmethod
    def _region(cls, value: str) -> str:
        return catalog.find(value, "region")

    @field_validator("samples")
    @classmethod
    def _power_of_two(cls, value: int) -> int:
        if value & (value - 1):
            raise ValueError(f"must be a power of two, not {value}")
        return value


class Accelerators(Parameters):
    """Accelerators on paper."""

    vendors: list[str] = BeforeValidator_items = Field(["AMD", "NVIDIA"], description="vendors to show, or several with commas")
    format: Literal["bf16", "fp8", "fp4"] = Field("fp8", description="number format of the efficiency charts")
    trace: str = Field("MI455X", description="accelerator whose figure is traced to its sources")
    quantity: str = Field("memory_tb_s", description="the figure that is traced")
