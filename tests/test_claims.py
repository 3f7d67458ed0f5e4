"""The claim check: verdicts on the article, each flipped by changing one fact row, other articles, and bad rows."""

import shutil

import numpy as np
import pandas as pd
import pytest

from gigafleet import catalog, claims

# Verdicts of the press article, from primary figures.
ARTICLE = {
    ("architecture", ""): "contradicted",  # CDNA 5, by AMD's white paper
    ("fp8", "dense FP8"): "contradicted",  # 20.1 PFLOPS
    ("fp8", "dense FP4"): "supported",  # 40.3
    ("twice", "in FP8"): "contradicted",  # 4.4 times
    ("twice", "in BF16"): "supported",  # 2.2 times
    ("memory", ""): "supported",
    ("bandwidth", ""): "outdated",  # AMD's figure of 2025; 23.3 TB/s at launch
    ("bandwidth-ratio", ""): "contradicted",  # 2.9 times
    ("pcie", ""): "supported",
    ("power", "power of the chip"): "contradicted",  # above 2 kW
    ("formats", "it has these"): "supported",
    ("formats", "it has no others"): "contradicted",
    ("count", "six gigawatts, at the meter"): "contradicted",
    ("count", "the first gigawatt"): "supported",
    ("warrant-shares", ""): "supported",
    ("nvidia-margin", "GAAP gross margin of the company, newest quarter"): "outdated",  # the peak was in early 2024
    ("nvidia-margin", "non-GAAP"): "outdated",
    ("memory-type", ""): "supported",
    ("infinity-fabric", ""): "contradicted",  # UALink over Ethernet
    ("rocm", "the version that first supports it"): "contradicted",
    ("first-tranche", ""): "supported",
    ("revenue", "all gigawatts, if all are taken"): "supported",
    ("revenue", "weighted by the chance that they are"): "supported",
    ("production", "volumes"): "cannot be checked",
    ("production", "month of the launch"): "supported",
    ("first-half", ""): "supported",
    ("hip", ""): "cannot be checked",
    ("rccl", ""): "cannot be checked",
}


@pytest.fixture
def data(tmp_path, monkeypatch):
    """Return a copy of the data that a test may change."""
    folder = tmp_path / "data"
    shutil.copytree(catalog.folder(), folder)
    monkeypatch.setenv("GIGAFLEET_DATA", str(folder))
    catalog.reload()
    yield folder
    monkeypatch.undo()
    catalog.reload()


def changed(folder, file: str, **row) -> None:
    """Change cells of the first row of a table that has the given subject and quantity, or add nothing."""
    table = pd.read_csv(folder / file, dtype=str, keep_default_na=False)
    match = table["subject"].eq(row.pop("subject"))
    for name in ("quantity", "preferred"):
        if name in row:
            match &= table[name].eq(row.pop(name))
    assert match.any()
    for name, value in row.items():
        table.loc[match.idxmax(), name] = value
    table.to_csv(folder / file, index=False, lineterminator="\n")
    catalog.reload()


def verdict(claim: str, reading: str = "") -> str:
    table = claims.read()
    found = claims.check(table[table["claim_id"] == claim], n=64)
    return found.set_index("reading").loc[reading, "verdict"]


def test_the_verdicts_on_the_article():
    found = claims.check(n=256).set_index(["claim_id", "reading"])
    assert {key: found.loc[key, "verdict"] for key in ARTICLE} == ARTICLE
    assert set(found["verdict"]) <= set(claims.VERDICTS)
    assert found.loc[("fp8", "dense FP8"), "miss_percent"] == pytest.approx(100 * (40_000 / 20_133 - 1))
    assert found.loc[("bandwidth", ""), "note"] == "agrees with AMD, 2025-11-11"
    assert found[found["verdict"] != "cannot be checked"]["source"].ne("").all()


@pytest.mark.parametrize(
    ("claim", "reading", "before", "row", "after"),
    [
        ("memory", "", "supported", {"subject": "MI455X", "quantity": "memory_gb", "value": "288"}, "contradicted"),
        (
            "fp8",
            "dense FP8",
            "contradicted",
            {"subject": "MI455X", "quantity": "fp8_tflops", "preferred": "yes", "value": "40000"},
            "supported",
        ),
        (
            "bandwidth",
            "",
            "outdated",
            {"subject": "MI455X", "quantity": "memory_tb_s", "preferred": "no", "value": "18"},
            "contradicted",
        ),
        (
            "bandwidth",
            "",
            "outdated",
            {"subject": "MI455X", "quantity": "memory_tb_s", "preferred": "yes", "value": "19.6"},
            "supported",
        ),
        (
            "count",
            "six gigawatts, at the meter",
            "contradicted",
            {
                "subject": "Helios",
                "quantity": "rack_kw",
                "preferred": "yes",
                "value": "480",
                "low": "470",
                "high": "490",
            },
            "supported",
        ),
    ],
)
def test_a_changed_row_flips_the_verdict(data, claim, reading, before, row, after):
    assert verdict(claim, reading) == before
    changed(data, "facts.csv", **row)
    assert verdict(claim, reading) == after


def test_a_changed_text_flips_the_verdict_and_an_absent_one_cannot_be_checked(data):
    changed(data, "subjects.csv", subject="MI455X", architecture="CDNA 4")
    assert verdict("architecture") == "supported"
    changed(data, "subjects.csv", subject="MI455X", architecture="")
    assert verdict("architecture") == "cannot be checked"


def test_an_absent_fact_cannot_be_checked(data):
    table = pd.read_csv(data / "facts.csv", dtype=str, keep_default_na=False)
    table[~(table["subject"].eq("MI455X") & table["quantity"].eq("pcie_gen"))].to_csv(
        data / "facts.csv", index=False, lineterminator="\n"
    )
    catalog.reload()
    assert verdict("pcie") == "cannot be checked"


def test_a_word_against_a_figure_cannot_be_checked_and_a_part_of_a_word_is_not_the_word():
    table = claims.read().head(1)
    number = table.assign(text="", low=5.0)
    assert claims.check(number, n=64)["verdict"].tolist() == ["cannot be checked"]
    word = table.assign(text="432", against="fact MI455X memory_gb physical")
    assert claims.check(word, n=64)["verdict"].tolist() == ["cannot be checked"]
    part = table.assign(text="HBM", against="attribute MI455X memory_type")
    assert claims.check(part, n=64)["verdict"].tolist() == ["contradicted"]


def test_distance_is_the_same_either_way():
    found = claims.distance(pd.Series([100.0, -50.0, 0.0]))
    assert found.tolist() == pytest.approx([np.log(2), np.log(2), 0])


def test_another_article_is_another_file():
    found = claims.check(claims.read("articles/nvidia-openai.csv"), n=64)
    assert found["verdict"].isin(claims.VERDICTS).all()
    assert found["source"].eq("gigafleet, 90 % interval").all()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"low": "many"}, "line 2, column low: 'many' is not a number"),
        ({"low": "5", "high": "4"}, "line 2: low must not exceed high, 5 and 4"),
        ({"against": "fakt MI455X memory_gb"}, "column against: unknown kind of reference 'fakt'; did you mean 'fact'"),
        ({"claim": ""}, "line 2: a claim needs claim_id and claim"),
        ({"tolerance": "-1"}, "line 2, column tolerance: -1 must be from 0 to 1"),
        ({"high": "4"}, "line 2, column low: it is empty, and high is not"),
    ],
)
def test_a_row_that_cannot_be_read_is_named(tmp_path, row, message):
    table = claims.read().head(1).astype(object).where(claims.read().head(1).notna(), "").assign(**row)
    table.to_csv(tmp_path / "mine.csv", index=False)
    with pytest.raises(ValueError, match=r"mine\.csv, line 2") as caught:
        claims.read(str(tmp_path / "mine.csv"))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("against", "message"),
    [
        ("fact MI456X memory_gb", "unknown subject 'MI456X'; did you mean 'MI455X'"),
        ("fact MI455X memory_gbs", "unknown quantity 'memory_gbs'; did you mean 'memory_gb'"),
        ("attribute MI455X architectur", "unknown attribute 'architectur'; did you mean 'architecture'"),
        ("deal amd-openai accelerator 6", "unknown answer 'accelerator'; did you mean 'accelerators'"),
        ("fact MI455X", "does not have the form of its kind"),
        ("ratio MI455X fp8_tflops", "'/' is not in list"),
        ("fact MI455X memory_gb phisical", "unknown condition of memory_gb 'phisical'; did you mean 'physical'"),
        ("term amd-openai public.capacity", "unknown term of amd-openai 'public.capacity'"),
    ],
)
def test_a_reference_to_nothing_is_named(against, message):
    table = claims.read().head(1).assign(claim_id="mine", against=against, low=1.0, text="")
    with pytest.raises(ValueError, match="claim 'mine', against") as caught:
        claims.check(table, n=64)
    assert message in str(caught.value)


def test_a_file_that_is_not_there_is_named():
    with pytest.raises(FileNotFoundError, match=r"there is no file 'nowhere\.csv', here or in the data"):
        claims.read("nowhere.csv")


def test_ratios_and_counts():
    found = claims.check(n=64)
    ratios, counts = claims.ratios(found), claims.counts(found)
    assert ratios.loc["fp8: dense FP8", "value"] == pytest.approx(40_000 / 20_133)
    assert ratios.loc["count: the first gigawatt", "value"] == 1
    assert np.isfinite(ratios["value"]).all()
    assert (counts.sum() == len(claims.read())).all()
    assert counts["in its best reading"]["supported"] >= counts["as it is written"]["supported"]
