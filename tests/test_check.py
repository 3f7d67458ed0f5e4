"""`gigafleet check`: the tables hold, and each kind of mistake in a copy of them is found and named."""

import shutil

import pytest

from gigafleet import catalog, check, tables
from gigafleet.tables import resource


def test_the_tables_hold():
    assert check.problems() == []


@pytest.fixture
def edited(tmp_path, monkeypatch):
    """Return a function that edits a copy of the tables and returns what the check finds."""
    folder = shutil.copytree(catalog.folder(), tmp_path / "data")
    monkeypatch.setenv("GIGAFLEET_DATA", str(folder))

    def edit(*changes: tuple[str, str, str]) -> list[str]:
        for file, old, new in changes:
            text = (folder / file).read_text(encoding="utf-8")
            assert old in text, f"{old!r} is not in {file}"
            (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
        catalog.reload()
        return [str(problem) for problem in check.problems()]

    yield edit
    monkeypatch.delenv("GIGAFLEET_DATA")
    catalog.reload()


ROW = "MI300X,tdp_w,chip,750,,,,W,2023-12,datasheet,amd-cdna3-white-paper,yes,"
SHARE = "ai-datacenter,busy_share,fleet,0.8,0.65,0.92,p5_p95,share,2026-11,assumption,assumption,yes,"
CASES = {
    "not a number": ("facts.csv", ROW, ROW.replace("750", "75O"), "facts.csv, line", "75O"),
    "a key twice": ("facts.csv", ROW, f"{ROW}\n{ROW}", "primary-key", "the same as in the row"),
    "unknown source": ("facts.csv", ROW, ROW.replace("amd-cdna3-white-paper", "hearsay"), "hearsay", "sources"),
    "unknown subject": ("facts.csv", ROW, ROW.replace("MI300X", "MI301X"), "MI301X", "subjects"),
    "unknown kind": ("facts.csv", ROW, ROW.replace("datasheet", "rumor"), "'rumor'", "must be one of datasheet"),
    "unknown quantity": ("facts.csv", ROW, ROW.replace("tdp_w", "tdp_kw"), "'tdp_kw'", "listed under `quantities`"),
    "wrong unit": ("facts.csv", ROW, ROW.replace(",W,", ",kW,"), "'kW'", "tdp_w is in W"),
    "wrong condition": ("facts.csv", ROW, ROW.replace("chip", "rack"), "'rack'", "one of chip, module"),
    "implausible": ("facts.csv", ROW, ROW.replace("750", "750000"), "750000", "plausible are 10 to 10000 W"),
    "no preferred row": (
        "facts.csv",
        ROW,
        ROW.replace("yes", "no"),
        "0 times yes",
        "exactly one row of MI300X tdp_w chip",
    ),
    "two preferred rows": (
        "facts.csv",
        "stas00-2026-08,no,Halved by this table",
        "stas00-2026-08,yes,Halved by this table",
        "2 times yes",
        "exactly one row of R200 fp8_tflops dense",
    ),
    "no reason for a choice": (
        "facts.csv",
        "yes,Launch figure of the white paper; it replaces the figure of 2025",
        "yes,",
        "column note",
        "must say why this row of MI455X memory_tb_s chip is preferred",
    ),
    "a quantity that nothing uses": (
        "datapackage.yaml",
        "  tdp_w: {unit: W,",
        "  tdp_kw: {unit: kW, conditions: [chip], minimum: 1, maximum: 9, title: Unused}\n  tdp_w: {unit: W,",
        "'tdp_kw'",
        "nor does a claim ask for it",
    ),
    "range out of order": (
        "facts.csv",
        SHARE,
        SHARE.replace("0.65,0.92", "0.92,0.65"),
        "0.92 / 0.8 / 0.65",
        "low <= value <= high",
    ),
    "range without a kind": (
        "facts.csv",
        SHARE,
        SHARE.replace("p5_p95", ""),
        "range_kind",
        "exactly where low or high is given",
    ),
    "assumption without a range": (
        "facts.csv",
        SHARE,
        SHARE.replace("0.65,0.92,p5_p95", ",,"),
        "range_kind",
        "an assumption has a range",
    ),
    "date of tomorrow": ("facts.csv", ROW, ROW.replace("2023-12", "2999-12"), "2999-12", "no later than today"),
    "sparse for dense": (
        "facts.csv",
        "MI300X,bf16_tflops,dense,1307.4",
        "MI300X,bf16_tflops,dense,2614.9",
        "fp8_twice_bf16",
        "dense FP8 is at least 1.9 times BF16",
    ),
    "FP4 below FP8": (
        "facts.csv",
        "B200,fp4_tflops,dense,9000",
        "B200,fp4_tflops,dense,4000",
        "fp4_at_least_fp8",
        "at least FP8",
    ),
    "memory does not add up": (
        "facts.csv",
        "8xMI300X,memory_tb,physical,1.536",
        "8xMI300X,memory_tb,physical,2.3",
        "memory_adds_up",
        "0.95 to 1.05",
    ),
    "rack below its chips": (
        "facts.csv",
        "GB200-NVL72,rack_kw,nameplate,132,120,132,",
        "GB200-NVL72,rack_kw,nameplate,80,80,80,",
        "power_adds_up",
        "at least 1",
    ),
    "exception without its row": (
        "facts.csv",
        "Gaudi3,convention_exception,fp8_twice_bf16",
        "Gaudi3,convention_exception,fp4_at_least_fp8",
        "Gaudi3",
        "at least 1.9 times BF16",
    ),
    "an alias that leads to two": (
        "subjects.csv",
        "AMD Instinct MI300X,,",
        "AMD Instinct MI300X,MI325X,",
        "'MI325X'",
        "already leads to",
    ),
    "tranches that do not add up": (
        "deals.yaml",
        "{shares: 26666667, milestone_gw: 1",
        "{shares: 26666660, milestone_gw: 1",
        "tranches",
        "160000000 shares",
    ),
    "milestones that fall": ("deals.yaml", "milestone_gw: 2,", "milestone_gw: 0.5,", "milestone_gw", "must rise"),
    "a word for a number in a deal": (
        "deals.yaml",
        "milestone_gw: 1,",
        "milestone_gw: one,",
        "milestone_gw: 'one'",
        "valid number",
    ),
    "a term that no deal has": (
        "deals.yaml",
        "      binding_gw: 1\n",
        "      bindng_gw: 1\n",
        "bindng_gw",
        "not permitted",
    ),
    "a cell too many": ("facts.csv", ROW, ROW.replace("750", "7,50"), "facts.csv, line", "too few or too many cells"),
    "a date in words": ("facts.csv", ROW, ROW.replace("2023-12", "Dec 2023"), "'Dec 2023'", "such as 2026, 2026-07"),
    "an empty list of deals": ("deals.yaml", "deals:\n", "others:\n", "deals.yaml", "a list of deals"),
    "a rack without its power": (
        "facts.csv",
        "Helios,rack_kw,nameplate,",
        "Helios,rack_kw,peak,",
        "MI455X",
        "must have all_in_kw at IT level",
    ),
    "a source of a deal": (
        "deals.yaml",
        "sources: [amd-openai-8k-2025-10,",
        "sources: [amd-openai-9k,",
        "amd-openai-9k",
        "must be in sources.csv",
    ),
    "more binding than agreed": (
        "deals.yaml",
        "binding_gw: 1\n",
        "binding_gw: 7\n",
        "binding_gw",
        "at most capacity_gw",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_each_mistake_is_found_and_named(edited, name):
    file, old, new, where, allowed = CASES[name]
    found = edited((file, old, new))
    assert any(where in line and allowed in line for line in found), found


def test_all_mistakes_are_listed_at_once(edited):
    found = edited(
        ("facts.csv", ROW, ROW.replace("750", "750000")),
        ("facts.csv", SHARE, SHARE.replace("p5_p95", "")),
        ("deals.yaml", "milestone_gw: 2,", "milestone_gw: 0.5,"),
    )
    assert len(found) >= 3
    assert {line.split(",")[0] for line in found} == {"facts.csv", "deals.yaml"}


def test_lines_are_those_of_the_file(edited):
    lines = (catalog.folder() / "facts.csv").read_text(encoding="utf-8").splitlines()
    number = lines.index(ROW) + 1
    (found,) = edited(("facts.csv", ROW, ROW.replace("750", "750000")))
    assert found.startswith(f"facts.csv, line {number}, column value")


def test_links_count_both_directions():
    """Seven links of 128 GB/s of the MI300X, 18 of NVLink 4 at 50: 896 and 900 GB/s, both ways (white paper, product
    page)."""
    table = catalog.accelerators()
    assert table.loc["MI300X", "scale_up_gb_s"] == 7 * 128
    assert table.loc["H100", "scale_up_gb_s"] == 18 * 50
    assert set(catalog.quantities().loc[["scale_up_gb_s", "scale_out_gb_s"], "conditions"].sum()) == {"bidirectional"}


def test_every_source_is_used_or_belongs_to_a_deal():
    tables = catalog.facts(), catalog.amd_quarters(), catalog.llms(), resource("benchmark_tasks"), resource("rounds")
    used = {source for table in tables for source in table["source_id"]}
    used |= set(resource("benchmark_tasks")["first_round_source_id"])
    for deal in catalog.deals().values():
        used |= set(deal["public"]["sources"])
        used |= set(deal["warrant"]["public"]["sources"]) if deal["warrant"] else set()
    assert set(catalog.sources().index) - used == set()


def test_summary_counts_the_rows():
    summary = check.summary()
    assert summary["figures"] == len(tables.resource("facts"))
    assert summary["disagreements"] == len(catalog.disagreements())
    assert summary["oldest sourced figure"] < summary["newest sourced figure"] < "2026-11"
