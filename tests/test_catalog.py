"""The tables: names others rely on, forgiving names, provenance, disagreements, clear errors on a broken row."""

import importlib.util
import shutil

import numpy as np
import pandas as pd
import pytest

from gigafleet import catalog
from gigafleet.errors import UnknownNameError

NAMES = """
A100 H100 H200 GH200 B200 GB200 B300 GB300 R200 VR200 RubinCPX RubinUltra MI250X MI300A MI300X MI325X MI350X
MI355X MI430X MI440X MI455X MI500 TPUv5p TPUv6e TPUv7 Trainium2 Trainium3 Gaudi3 Jalapeno
"""


@pytest.fixture
def broken(tmp_path, monkeypatch):
    """Return a function that replaces text in a copy of a table, which the catalog then reads."""
    folder = shutil.copytree(catalog.folder(), tmp_path / "data")
    monkeypatch.setenv("GIGAFLEET_DATA", str(folder))
    catalog.reload()

    def change(file: str, old: str, new: str) -> None:
        text = (folder / file).read_text(encoding="utf-8")
        assert old in text
        (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
        catalog.reload()

    yield change
    monkeypatch.delenv("GIGAFLEET_DATA")
    catalog.reload()


def test_all_accelerators_are_there_under_their_short_names():
    assert set(NAMES.split()) <= set(catalog.accelerators().index)


@pytest.mark.parametrize(
    ("name", "column", "expected"),
    [
        ("MI300X", "tdp_w", 750),
        ("MI300X", "memory_gb", 192),
        ("MI355X", "fp4_tflops", 10_066.3),
        ("MI455X", "fp8_tflops", 20_133),
        ("MI455X", "memory_tb_s", 23.3),
        ("H100", "fp8_tflops", 1978.9),
        ("H200", "memory_gb", 141),
        ("B200", "memory_gb", 180),
        ("B300", "memory_gb", 288),
        ("GB200", "fp4_tflops", 10_000),
        ("VR200", "fp8_tflops", 17_500),
    ],
)
def test_figures_of_data_sheets(name, column, expected):
    """AMD's CDNA 3, 4 and 5 white papers and NVIDIA's product pages; dense, the vendor's own memory."""
    assert catalog.accelerators().loc[name, column] == expected


def test_absent_figures_stay_absent():
    table = catalog.accelerators()
    assert table.loc["MI500", ["tdp_w", "memory_gb", "fp8_tflops"]].isna().all()
    assert np.isnan(table.loc["MI440X", "memory_gb"])
    assert np.isnan(table.loc["A100", "fp8_tflops"])  # no FP8 hardware
    assert table.loc["MI500", "release"] == ""


def test_cases_are_the_ends_of_each_cell():
    low, mid, high = (catalog.accelerators(case) for case in catalog.CASES)
    assert (low.loc["MI455X", "tdp_w"], high.loc["MI455X", "tdp_w"]) == (2000, 2500)
    assert mid.loc["MI455X", "tdp_w"] == pytest.approx(np.sqrt(2000 * 2500))
    assert ("MI455X", "tdp_w") in mid.attrs["midpoints"]
    assert ("MI300X", "tdp_w") not in mid.attrs["midpoints"]
    assert low.loc["MI300X", "tdp_w"] == high.loc["MI300X", "tdp_w"] == 750
    for column in low.select_dtypes("number"):
        known = mid[column].notna()
        assert (low.loc[known, column] <= mid.loc[known, column]).all()
        assert (mid.loc[known, column] <= high.loc[known, column]).all()


@pytest.mark.parametrize(
    ("written", "kind", "short"),
    [
        ("mi300x", "accelerator", "MI300X"),
        ("Instinct MI 355X", "accelerator", "MI355X"),
        ("AMD Instinct MI455X", "accelerator", "MI455X"),
        ("MI450", "accelerator", "MI455X"),
        ("MI450 series", "accelerator", "MI455X"),
        ("NVIDIA H100 SXM", "accelerator", "H100"),
        ("gaudi 3", "accelerator", "Gaudi3"),
        ("Ironwood", "accelerator", "TPUv7"),
        ("helios", "system", "Helios"),
        ("GB200 NVL72", "system", "GB200-NVL72"),
        ("ercot", "region", "texas"),
    ],
)
def test_names_are_forgiving(written, kind, short):
    assert catalog.find(written, kind) == short


@pytest.mark.parametrize("wrong", ["MI456X", "", None, 300])
def test_a_miss_suggests_the_nearest(wrong):
    with pytest.raises(UnknownNameError, match=r"unknown accelerator .*known: .*MI455X"):
        catalog.find(wrong)
    with pytest.raises(UnknownNameError, match=r"unknown accelerator 'MI456X'; did you mean 'MI455X'\?"):
        catalog.find("MI456X")


def test_provenance_shows_every_row_with_its_source():
    rows = catalog.provenance("MI450", "memory_tb_s")
    assert rows["value"].tolist() == [23.3, 19.6]
    assert rows["preferred"].tolist() == [True, False]
    assert rows.loc[0, "publisher"] == "AMD"
    assert rows.loc[0, "url"].startswith("https://")
    assert rows["source"].ne("").all()
    usable = catalog.provenance("B300", "memory_gb_usable")
    assert usable["condition"].unique().tolist() == ["usable"]
    assert catalog.provenance("helios", "rack_kw")["condition"].tolist() == ["nameplate"]
    with pytest.raises(UnknownNameError, match="unknown quantity of MI455X 'memory_tbs'; did you mean 'memory_tb_s'"):
        catalog.provenance("MI455X", "memory_tbs")


def test_every_cell_of_the_accelerators_has_a_provenance():
    table = catalog.accelerators()
    for column in table.select_dtypes("number"):
        for name in table.index[table[column].notna()][:3]:
            rows = catalog.provenance(name, column)
            assert rows["preferred"].any()
            assert rows["source"].notna().all()


def test_a_range_of_our_own_is_no_disagreement():
    """Reports of the price of Helios reach 5.2 million USD; the 6.3 million are our own margin around it."""
    marked = catalog.facts()[lambda rows: rows["note"].str.contains("range is ours", case=False)]
    assert marked["note"].str.contains("Range is ours").all()
    price = catalog.disagreements().set_index(["subject", "quantity"]).loc[("Helios", "price_usd")]
    assert price["highest"] == 5_200_000
    assert catalog.value("Helios", "price_usd", "rumour", case="high") == 6_300_000


def test_disagreements_hold_those_that_are_known():
    """The conflicts of the specification notes: MI455X bandwidth, B300 TDP, MI455X FP8, Gaudi 3 BF16."""
    table = catalog.disagreements().set_index(["subject", "quantity", "condition"])
    assert table.loc[("MI455X", "memory_tb_s", "chip"), ["lowest", "highest"]].tolist() == [19.6, 23.3]
    assert table.loc[("B300", "tdp_w", "chip"), ["lowest", "highest"]].tolist() == [1100, 1400]
    assert table.loc[("MI455X", "fp8_tflops", "dense"), "spread"] == pytest.approx(1.0, abs=0.01)
    assert table.loc[("Gaudi3", "bf16_tflops", "dense"), "preferred"] == 1677
    assert table["reason"].ne("").all()
    assert table["spread"].is_monotonic_decreasing
    assert "rent_usd_per_h" not in table.index.get_level_values("quantity")  # moves with time
    assert table.loc[("MI455X", "tdp_w", "chip"), ["lowest", "highest"]].tolist() == [700, 2500]
    # figures under different conditions are different quantities: 2.1 and 2.3 TB of a DGX B300
    assert not {("DGX-B300", "memory_tb", "usable"), ("DGX-B300", "memory_tb", "physical")} & set(table.index)


def test_prices_carry_their_basis():
    """An HGX H100 at 285,000 (OEM) and an 8x MI355X at 189,607 (hyperscaler) never share a column."""
    systems = catalog.systems()
    assert systems.loc["HGX-H100", "price_usd_oem"] == 285_000
    assert systems.loc["8xMI355X", "price_usd"] == 189_607
    assert np.isnan(systems.loc["8xMI355X", "price_usd_oem"])
    assert np.isnan(systems.loc["Helios", "price_usd"])


def test_values_and_ranges_by_name():
    assert catalog.value("AMD", "share_price_usd") == 608.07  # the newest close found
    assert catalog.value("H200", "memory_gb") == 141
    assert catalog.value("H200", "memory_gb", "physical") == 144
    assert catalog.has("texas", "g_co2_per_kwh", "marginal")
    assert not catalog.has("virginia", "g_co2_per_kwh", "marginal")
    frame = catalog.ranges({"kw": ("MI455X", "all_in_kw"), "tdp": ("MI300X", "tdp_w")})
    assert frame.loc["tdp", ["low", "value", "high"]].tolist() == [750, 750, 750]
    assert frame.loc["kw", "low"] < frame.loc["kw", "value"] < frame.loc["kw", "high"]
    with pytest.raises(UnknownNameError, match="no figure for tdp_w of MI500"):
        catalog.value("MI500", "tdp_w")
    for call in (catalog.value, catalog.has):
        with pytest.raises(UnknownNameError, match="unknown quantity 'tdp'; did you mean 'tdp_w'"):
            call("MI300X", "tdp")
        with pytest.raises(UnknownNameError, match="unknown subject 'MI456X'; did you mean 'MI455X'"):
            call("MI456X", "tdp_w")


def test_unknown_case_and_kind_and_deal():
    with pytest.raises(UnknownNameError, match=r"unknown case 'max'; .*known: low, mid, high"):
        catalog.accelerators("max")
    with pytest.raises(UnknownNameError, match="unknown kind of subject 'chip'"):
        catalog.subjects("chip")
    with pytest.raises(UnknownNameError, match="did you mean 'amd-openai'"):
        catalog.deal("amd-openia")
    assert catalog.deal("AMD-OpenAI") is catalog.deal("amd-openai")


def test_the_five_deals_keep_public_and_assumed_apart():
    deals = catalog.deals()
    assert list(deals) == ["amd-openai", "amd-meta", "amd-anthropic", "nvidia-openai", "broadcom-openai"]
    warrant = deals["amd-openai"]["warrant"]
    assert warrant["public"]["shares"] == 160_000_000
    assert [t["target_usd"] for t in warrant["assumed"]["tranches"]] == [225, 300, 375, 450, 525, 600]
    assert deals["amd-anthropic"]["warrant"] is None


def test_results_are_copies():
    facts, table = catalog.facts(), catalog.accelerators()
    facts.loc[0, "value"] = table.loc["MI300X", "tdp_w"] = -1
    assert catalog.facts().loc[0, "value"] != -1
    assert catalog.accelerators().loc["MI300X", "tdp_w"] == 750


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "MI300X,tdp_w,chip,750,",
            "MI300X,tdp_w,chip,75O,",
            r"facts.csv, line \d+, column value: '75O' is not a number",
        ),
        (
            "amd-cdna3-white-paper,yes,",
            "amd-cdna3-white-paper,maybe,",
            r"line \d+, column preferred: 'maybe' is not one of",
        ),
        ("subject,quantity,condition,value", "subject,quantity,condition,valeu", "facts.csv: columns are .*valeu"),
    ],
)
def test_a_broken_row_is_named_on_loading(broken, old, new, message):
    broken("facts.csv", old, new)
    with pytest.raises(ValueError, match=message):
        catalog.accelerators()


def test_amd_quarters_sum_to_the_years():
    """AMD's 10-K: data center revenue 12,579 million in 2024 and 16,635 in 2025."""
    table = catalog.amd_quarters()
    assert table.loc["2024Q1":"2024Q4", "data_center_revenue_musd"].sum() == 12_579
    assert table.loc["2025Q1":"2025Q4", "data_center_revenue_musd"].sum() == 16_635
    assert np.isnan(table.loc["2026Q2", "ai_gpu_revenue_musd"])


def _parameters_bn(m) -> float:
    """Return the parameters of an architecture from its dimensions: attention, feed-forward, experts, both
    embeddings."""
    n = m.infer_objects().fillna(0)
    if m["attention"] == "mla":
        query = n["hidden"] * n["q_lora_rank"] + n["q_lora_rank"] * n["heads"] * (n["head_dim"] + n["rope_dim"])
        cache = n["hidden"] * (n["kv_lora_rank"] + n["rope_dim"])
        cache += n["kv_lora_rank"] * n["heads"] * (n["head_dim"] + n["v_dim"])
        attention = query + cache + n["heads"] * n["v_dim"] * n["hidden"]
    else:
        attention = n["hidden"] * n["head_dim"] * (2 * n["heads"] + 2 * n["kv_heads"])
    matrices = 3 if m["ffn_gated"] == "yes" else 2
    dense_layers = n["first_dense_layers"] if n["experts"] else n["layers"]
    expert = matrices * n["hidden"] * n["ffn_moe"]
    sparse = (n["experts"] + n["shared_experts"]) * expert + n["experts"] * n["hidden"]
    feed = dense_layers * matrices * n["hidden"] * n["ffn_dense"] + (n["layers"] - dense_layers) * sparse
    return (n["layers"] * attention + feed + 2 * n["vocab"] * n["hidden"]) / 1e9


def test_dimensions_make_the_parameters_that_the_makers_state():
    """Within 2 %, for every architecture whose dimensions are known."""
    table = catalog.llms()
    known = table[table["vocab"].notna()]
    assert len(known) == 11
    for name, model in known.iterrows():
        assert _parameters_bn(model) == pytest.approx(model["total_params_bn"], rel=0.02), name


@pytest.mark.parametrize(
    ("written", "short"),
    [
        ("deepseek-r1", "deepseek-v3"),
        ("llama2-70b-lora", "llama2-70b"),
        ("llama3.3-70b", "llama3.1-70b"),
        ("Kimi-K2.5", "kimi-k2"),
    ],
)
def test_names_that_share_an_architecture_find_it(written, short):
    assert catalog.find_llm(written) == short


def test_an_unknown_model_suggests_the_nearest():
    with pytest.raises(UnknownNameError, match=r"unknown language model 'llama3.1-71b'; did you mean 'llama3.1-70b'"):
        catalog.find_llm("llama3.1-71b")


def test_measured_results_are_found_and_say_what_they_count():
    """One result for each accelerator, model, format and scenario."""
    table = catalog.benchmarks()
    assert 250 <= len(table) <= 350
    assert not table.duplicated(["accelerator", "model", "precision", "scenario"]).any()
    assert (table["tokens_per_s_per_gpu"] > 0).all()
    assert table["tokens_counted"].str.contains("output|trained").all()
    assert table["model"].map(catalog.find_llm).isin(catalog.llms().index).all()
    assert table["accelerator"].map(catalog.find).nunique() >= 10
    assert table["date"].str[:4].nunique() >= 3


def test_the_rule_of_the_draw_takes_its_own_table_whole():
    """The rule of benchmarks/draw.py leaves nothing out of what it drew, takes one of two, and looks at no
    throughput."""
    spec = importlib.util.spec_from_file_location("draw", catalog.folder().parent / "benchmarks" / "draw.py")
    rule = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(rule)
    table = pd.read_csv(catalog.folder() / "benchmarks.csv", dtype=str, keep_default_na=False)
    pd.testing.assert_frame_equal(rule.draw(table), table)
    twice = pd.concat([table, table.assign(row_id=table["row_id"] + "b")], ignore_index=True)
    assert len(rule.draw(twice)) == len(table)
    moved = twice.assign(tokens_per_s_per_gpu="1", value="1")
    assert rule.draw(moved)["row_id"].tolist() == rule.draw(twice)["row_id"].tolist()
    assert len(rule.draw(table.assign(tokens_counted=""))) == 0
