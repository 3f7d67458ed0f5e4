"""Parameters of the notebooks: defaults hold, mistakes are named with what is allowed."""

import datetime

import pytest

from gigafleet import catalog, parameters
from gigafleet.errors import UnknownNameError


@pytest.mark.parametrize("notebook", parameters.notebooks())
def test_defaults_are_valid_and_described(notebook):
    assert parameters.validate(notebook, {}) == {}
    for row in parameters.described(notebook):
        assert row["description"]
        assert parameters.validate(notebook, {row["parameter"]: row["default"]})


def test_values_are_normalized():
    assert parameters.validate("00_overview", {"region": "ERCOT"}) == {"region": "texas"}
    lists = parameters.validate("03_amd_vs_nvidia", {"amd": "mi300x, MI450, MI455X", "nvidia": ["h100"]})
    assert lists == {"amd": ["MI300X", "MI455X"], "nvidia": ["H100"]}


@pytest.mark.parametrize(
    ("notebook", "values", "message"),
    [
        ("00_overveiw", {}, "unknown notebook '00_overveiw'; did you mean '00_overview'"),
        ("00_overview", {"sampels": 64}, "unknown parameter of 00_overview 'sampels'; did you mean 'samples'"),
        ("00_overview", {"deal": "amd-openia"}, "did you mean 'amd-openai'"),
        ("00_overview", {"region": "texsa"}, "did you mean 'texas'"),
    ],
)
def test_unknown_names_suggest_the_nearest(notebook, values, message):
    with pytest.raises(ValueError, match=message):
        parameters.validate(notebook, values)


@pytest.mark.parametrize(
    ("notebook", "values", "message"),
    [
        ("00_overview", {"capacity_gw": -1}, r"capacity_gw: Input should be greater than 0 \(given: -1\)"),
        ("00_overview", {"capacity_gw": "six"}, r"capacity_gw: .*number.*\(given: 'six'\)"),
        ("00_overview", {"capacity_gw": float("nan")}, "capacity_gw: Input should be a finite number"),
        ("00_overview", {"samples": 1000}, "samples: must be a power of two, not 1000"),
        ("00_overview", {"capacity_basis": "meter"}, "capacity_basis: Input should be 'facility' or 'it'"),
        ("00_overview", {"region": "eu"}, "region 'eu' lacks .* complete are: us, texas, virginia"),
        ("01_accelerators", {"vendors": ["AND"]}, "vendors: unknown vendor 'AND'; did you mean 'AMD'"),
        ("01_accelerators", {"vendors": []}, "vendors: must name at least one vendor"),
        ("01_accelerators", {"vendors": ["Google"]}, r"must have two accelerators or more .* \['TPUv7'\]"),
        ("01_accelerators", {"format": "fp16"}, "format: Input should be 'bf16', 'fp8' or 'fp4'"),
        ("01_accelerators", {"quantity": "tdp"}, "unknown quantity of MI455X 'tdp'; did you mean 'tdp_w'"),
        ("03_amd_vs_nvidia", {"amd": ["H100"]}, "amd must name accelerators of AMD; H100 is from NVIDIA"),
        ("03_amd_vs_nvidia", {"amd": ["MI440X"]}, "amd must name an accelerator with fp8 throughput and IT power"),
        ("03_amd_vs_nvidia", {"nvidia": []}, "nvidia: must name at least one accelerator"),
        ("03_amd_vs_nvidia", {"rate": 6.5}, r"rate: Input should be less than or equal to 0.5 \(given: 6.5\)"),
    ],
)
def test_values_out_of_bounds_are_named(notebook, values, message):
    with pytest.raises(ValueError, match=message):
        parameters.validate(notebook, values)


def test_all_mistakes_come_at_once():
    with pytest.raises(ValueError, match=r"capacity_gw: .*; samples: .*"):
        parameters.validate("00_overview", {"capacity_gw": -1, "samples": 1000})


def test_a_notebook_reads_its_own_variables():
    namespace = {"deal": "amd-meta", "capacity_gw": 2, "unrelated": 1}
    read = parameters.read("00_overview", namespace)
    assert (read.deal, read.capacity_gw, read.region) == ("amd-meta", 2.0, "us")


def test_a_parameter_that_papermill_injects_in_vain_is_an_error():
    """Papermill itself only warns of a parameter that the notebook does not have."""
    namespace = {"In": ["", "# Parameters\ncapcity_gw = 1\n"], "capcity_gw": 1}
    with pytest.raises(
        UnknownNameError, match="unknown parameter of 00_overview 'capcity_gw'; did you mean 'capacity_gw'"
    ):
        parameters.read("00_overview", namespace)


def test_the_lists_offered_are_those_of_the_data():
    for deal in catalog.deals():
        assert parameters.validate("00_overview", {"deal": deal}) == {"deal": deal}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"first_target_usd": 700}, "first_target_usd must be at most 600, the last target, not 700"),
        ({"valuation_date": "2026-12-24"}, "the last close in the data before it is that of 2026-10-09"),
        ({"valuation_date": "2030-10-05"}, "day must be before expiry, 2030-10-05"),
        ({"valuation_date": "yesterday"}, "day must be one of grant, day_after, latest, or a date"),
        ({"deal": "amd-anthropic"}, "deal 'amd-anthropic' has no warrant"),
        ({"tranches": 0}, "tranches: Input should be greater than or equal to 1"),
        ({"volatility": -1}, "volatility: Input should be greater than 0"),
        ({"touch": "never"}, "touch: Input should be 'ever', 'from_milestone' or 'at_milestone'"),
    ],
)
def test_a_warrant_that_cannot_be_valued_is_refused(values, message):
    with pytest.raises(ValueError, match=message):
        parameters.validate("06_warrant", values)


def test_dates_pass_with_and_without_quotes():
    """YAML reads 2026-02-24 as a date; a day without a price needs one by hand."""
    for value in ("2026-02-24", datetime.date(2026, 2, 24)):
        assert parameters.validate("06_warrant", {"valuation_date": value}) == {"valuation_date": "2026-02-24"}
    later = {"valuation_date": "2026-12-24", "spot_usd": 500.0}
    assert parameters.validate("06_warrant", later) == later


@pytest.mark.parametrize("end", ["2027Q4", "2037Q1", "2030", "2030Q5"])
def test_the_charts_end_where_the_roll_out_can(end):
    with pytest.raises(ValueError, match="end"):
        parameters.validate("05_revenue", {"end": end})
