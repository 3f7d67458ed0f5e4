"""The claim check: verdicts on the article, each flipped by changing one fact row, other articles, and bad rows."""

import shutil

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from gigafleet import catalog, claims, evidence

# Verdicts of the press article, by claim and reading: each claim that the article makes is here.
ARTICLE = {
    ("architecture", ""): "contradicted",  # CDNA 5, by AMD's white paper
    ("fp8", "dense FP8"): "contradicted",  # 20.1 PFLOPS
    ("fp8", "dense FP4"): "supported",  # 40.3: a comparison, which does not count
    ("twice", "in FP8"): "contradicted",  # 4.4 times
    ("twice", "in BF16"): "supported",  # 2.2 times
    ("memory", ""): "supported",
    ("memory-type", ""): "supported",
    ("bandwidth", ""): "outdated",  # AMD's figure of 2025; 23.3 TB/s at launch
    ("bandwidth-ratio", ""): "contradicted",  # 2.9 times
    ("infinity-fabric", ""): "contradicted",  # UALink over Ethernet
    ("pcie", ""): "supported",
    ("rocm", "a version that supports it"): "contradicted",  # 7.14 or later
    ("power", "a primary source's figure"): "cannot be checked",  # AMD publishes none
    ("power", "our assumption"): "contradicted",  # 2 to 2.5 kW
    ("formats", "it has these"): "supported",
    ("formats", "it has no FP4"): "contradicted",
    ("count", "six gigawatts, at the meter"): "contradicted",
    ("count", "the first gigawatt"): "supported",  # a comparison
    ("warrant-shares", ""): "supported",
    ("first-tranche", ""): "supported",
    ("revenue", "all gigawatts, if all are taken"): "cannot be checked",  # the interval begins just below 99
    ("revenue", "weighted by the chance that they are"): "supported",
    ("nvidia-margin", "GAAP gross margin of the company, newest quarter"): "outdated",  # the peak was in early 2024
    ("nvidia-margin", "non-GAAP"): "outdated",
    ("production", "mass ramp, over all views"): "cannot be checked",  # 2026Q4 to 2027Q2, disputed
    ("production", "first shipments"): "supported",  # 2026Q3: a comparison
    ("first-delivery", ""): "supported",
    ("hip", "most of the code, unaided"): "cannot be checked",
    ("rccl", "most of the bandwidth of one node is kept"): "cannot be checked",
}
FILES = (None, "articles/nvidia-openai.csv")
CLAIM = ["claim_id", "claim", "low", "high", "text", "tolerance", "source_id", "note"]
READINGS = {
    f"{claim['claim_id']}, {against} of {file or 'claims.csv'}": claim[[*CLAIM, against]].rename({against: "against"})
    for file in FILES
    for _, claim in claims.read(file).iterrows()
    for against in ("against", "other_against")
    if against == "against" or claim[against]
}
# Answer of a deal -> subject, quantity and condition of a row that moves it; {system} is that of the deal.
LEVERS = {
    "accelerators": ("{system}", "rack_kw", "nameplate"),
    "capex_busd_per_gw": ("ai-datacenter", "facility_usd_per_kw", "it"),
    "system_busd_per_gw": ("{system}", "price_usd", "analyst_rack"),
    "gross_revenue_busd": ("amd-openai", "content_busd_per_gw", "components"),
    "expected_revenue_busd": ("amd-openai", "content_busd_per_gw", "components"),
}
FACTORS = (2, 0.5, 5, 0.2, 20, 0.05)


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


def read(folder, file: str) -> pd.DataFrame:
    return pd.read_csv(folder / file, dtype=str, keep_default_na=False)


def write(folder, file: str, table: pd.DataFrame) -> None:
    table.to_csv(folder / file, index=False, lineterminator="\n")
    catalog.reload()


def row_of(table: pd.DataFrame, **cells) -> pd.Series:
    """Return the only row with these cells."""
    rows = table[np.logical_and.reduce([table[name].eq(value) for name, value in cells.items()])]
    assert len(rows) == 1
    return rows.iloc[0]


def changed(folder, file: str, row: pd.Series | None, **cells) -> None:
    """Change cells of one row, or add a row if there is none."""
    table = read(folder, file)
    at = len(table) if row is None else row.name
    new = dict.fromkeys(table.columns, "") | ({} if row is None else dict(row)) | {k: str(v) for k, v in cells.items()}
    table.loc[at] = new
    write(folder, file, table)


def changed_term(folder, deal: str, path: str, value: object) -> None:
    """Change one term of a deal."""
    content = yaml.safe_load((folder / "deals.yaml").read_text(encoding="utf-8"))
    block = next(d for d in content["deals"] if d["id"] == deal)
    *blocks, last = path.split(".")
    for key in blocks:
        block = block[key]
    assert last in block
    block[last] = value
    (folder / "deals.yaml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    catalog.reload()


def flips(folder, claim: pd.Series, first: str):
    """Change one row of the data, by what the claim is held against, and yield; do so in other ways if asked again.

    A claim that holds is given a row that it does not agree with, any other one that it agrees with; where nothing is
    known, a row is added.
    """
    kind, *words = claim["against"].split()
    holds, facts = first == "supported", read(folder, "facts.csv")
    ends = claim[["low", "high"]].dropna().astype(float)
    number = 10 * ends.max() if holds else ends.mean()
    text = "nothing of the kind" if holds else claim["text"]
    new = {"low": "", "high": "", "range_kind": "", "kind": "datasheet", "source_id": "amd-mi455x-page-2026"}
    if kind in ("fact", "primary"):
        condition = (words[2:] or catalog.quantities().loc[words[1], "conditions"])[0]
        where = dict(zip(("subject", "quantity", "condition"), (*words[:2], condition), strict=True))
        known = first != "cannot be checked" or (kind == "fact" and catalog.has(*where.values()))
        row = row_of(facts, **where, preferred="yes") if known else None
        yield changed(
            folder, "facts.csv", row, **where, value=number, preferred="yes" if kind == "fact" else "no", **new
        )
    elif kind == "ratio":
        under = catalog.value(*words[words.index("/") + 1 :])
        row = row_of(facts, subject=words[0], quantity=words[1], preferred="yes")
        yield changed(folder, "facts.csv", row, value=number * under, low="", high="", range_kind="")
    elif kind == "from_version":
        for part, value in (("major", 1000 if holds else 0), ("minor", 0)):
            row = row_of(facts, subject=words[0], quantity=words[1], condition=part)
            yield changed(folder, "facts.csv", row, value=value)
            changed(folder, "facts.csv", row)
    elif kind == "attribute":
        row = row_of(read(folder, "subjects.csv"), subject=words[0])
        yield changed(folder, "subjects.csv", row, **{words[1]: text})
    elif kind in ("formats", "only_formats"):
        name = claim["text"].split(",")[0] if kind == "formats" else words[1]
        names = facts["quantity"].isin([f"{name}_tflops", f"{name}_tops"])
        row = row_of(facts[names], subject=words[0], condition="dense", preferred="yes")
        yield changed(folder, "facts.csv", row, preferred="no")
    elif kind == "term":
        yield changed_term(folder, *words, float(number) if ends.size else text)
    else:
        subject, quantity, condition = LEVERS[words[1]]
        where = {"subject": subject.format(**catalog.deal(words[0])), "quantity": quantity, "condition": condition}
        row = row_of(facts, **where, preferred="yes")
        for factor in FACTORS:
            moved = {end: factor * float(row[end]) for end in ("low", "value", "high") if row[end]}
            yield changed(folder, "facts.csv", row, **moved)


def verdict(claim: str, reading: str = "") -> str:
    table = claims.read()
    found = claims.check(table[table["claim_id"] == claim], n=64)
    return found.set_index("reading").loc[reading, "verdict"]


def judged(readings: list[pd.Series]) -> list[str]:
    table = pd.DataFrame(readings).assign(reading="", other_reading="", other_against="")
    return claims.check(table, n=64)["verdict"].tolist()


@pytest.fixture(scope="module")
def verdicts():
    """Return the verdicts before anything is changed, by reading."""
    return dict(zip(READINGS, judged(list(READINGS.values())), strict=True))


@pytest.mark.parametrize("reading", READINGS)
def test_one_changed_row_flips_the_verdict(verdicts, data, reading):
    claim, first, files = READINGS[reading], verdicts[reading], ("facts.csv", "subjects.csv")
    old, terms = [read(data, name) for name in files], catalog.deals()
    for _ in flips(data, claim, first):
        pairs = [(read(data, name), table) for name, table in zip(files, old, strict=True)]
        rows = [new.merge(table, how="outer", indicator=True).query("_merge == 'left_only'") for new, table in pairs]
        assert sum(map(len, rows)) + (catalog.deals() != terms) == 1
        if judged([claim]) != [first]:
            return
    pytest.fail(f"no row flips the verdict: {first}")


def test_the_verdicts_on_the_article():
    found = claims.check(n=256).set_index(["claim_id", "reading"])
    assert found["verdict"].to_dict() == ARTICLE
    assert found.loc[("fp8", "dense FP8"), "miss_percent"] == pytest.approx(100 * (40_000 / 20_133 - 1))
    assert found.loc[("bandwidth", ""), "remark"] == "agrees with AMD, 2025-11-11"
    assert found.loc[("power", "our assumption"), "evidence"] == "an assumption"
    assert "700 to 1,500 W" in found.loc[("power", "a primary source's figure"), "remark"]


@pytest.mark.parametrize("file", FILES)
def test_every_verdict_names_a_source_or_the_models(file):
    table = claims.read(file)
    found = claims.check(table, n=64)
    known = set(catalog.sources().index)
    checked = found[(found["verdict"] != "cannot be checked") & (found["evidence"] != "an answer of the models")]
    for _, row in checked.iterrows():
        assert row["source"]
        assert set(row["source_id"].split("; ")) <= known, row["claim_id"]
    assert found[found["evidence"] == "an answer of the models"]["source"].eq("gigafleet, 90 % interval").all()
    assert {name for ids in checked["source_id"] for name in ids.split("; ")} <= set(claims.sources(table, found).index)


def test_an_outdated_verdict_names_the_source_of_the_older_figure():
    table = claims.read()
    found = claims.check(table[table["claim_id"] == "bandwidth"], n=64).iloc[0]
    assert found["source_id"] == "amd-cdna5-white-paper-2026-07; amd-financial-analyst-day-2025-11"


def test_an_attribute_without_a_source_is_an_assumption(data):
    changed(data, "subjects.csv", row_of(read(data, "subjects.csv"), subject="MI455X"), source_id="")
    found = claims.check(claims.read().head(1), n=64).iloc[0]
    assert found[["evidence", "source_id"]].tolist() == ["an assumption", "assumption"]


@pytest.mark.parametrize(
    ("low", "high", "tolerance", "verdict", "share", "remark"),
    [
        (40, 60, 0, "supported", 0.2, "20 % of samples lie in the claim"),  # the median in it
        (0, 1000, 0, "supported", 1, "100 % of samples lie in the claim"),
        (55, None, 0.15, "supported", 0.17, "17 % of samples lie in the claim"),  # by its tolerance
        (92, 200, 0, "cannot be checked", 0.08, "the models cannot tell: 8 % of samples lie in the claim"),
        (94.9, 200, 0, "cannot be checked", 0.051, "the models cannot tell: 5.1 % of samples lie in the claim"),
        (96, 200, 0, "contradicted", 0.04, "4 % of samples lie in the claim"),  # beyond the 90 % interval
        (1, 4, 0, "contradicted", 0.03, "3 % of samples lie in the claim"),
        (100, 200, 0.06, "cannot be checked", 0.057, "the models cannot tell: 5.7 % of samples lie in the claim"),
        (200, 300, 0, "contradicted", 0, "no sample lies in the claim"),
        (70, 90, 0, "cannot be checked", 0.2, "the models cannot tell: 20 % of samples lie in the claim"),
        (30, None, 0, "cannot be checked", 0, "the models cannot tell: 0 % of samples lie in the claim"),
    ],
)
def test_an_answer_supports_a_claim_by_its_median_and_contradicts_it_by_a_tail(
    monkeypatch, low, high, tolerance, verdict, share, remark
):
    even = pd.DataFrame({"accelerators": np.arange(0.05, 100, 0.1)})  # evenly from 0 to 100, median 50
    monkeypatch.setattr("gigafleet.deal.evaluate", lambda **_: even)
    table = claims.read().head(1).assign(text="", low=low, high=np.nan if high is None else high, tolerance=tolerance)
    found = claims.check(table.assign(against="deal amd-openai accelerators 1")).iloc[0]
    assert found[["verdict", "remark"]].tolist() == [verdict, remark]
    assert found["share_within"] == pytest.approx(share, abs=0.002)
    assert (found["miss_percent"] == 0) == (low <= 50 <= (high or low))


NUMBERS = st.floats(0.1, 100)


@given(NUMBERS, NUMBERS, st.floats(0, 1), st.floats(1, 3))
def test_a_wider_claim_is_not_worse_off(low, high, tolerance, wider):
    low, high = sorted((low, high))
    samples = np.linspace(1, 80, 101)
    figure = evidence.Figure("", "samples", *np.quantile(samples, [0.05, 0.5, 0.95]), samples=samples)
    rank = [
        ("supported", "cannot be checked", "contradicted").index(
            claims._against_samples(low / w, high * w, tolerance, figure)["verdict"]
        )
        for w in (1, wider)
    ]
    assert rank[1] <= rank[0]


@given(*[st.lists(st.integers(0, 20), min_size=1, max_size=4).map(lambda p: ".".join(map(str, p)))] * 2)
def test_versions_compare_as_packaging_compares_them(a, b):
    assert (claims._version(a) >= claims._version(b)) == (Version(a) >= Version(b))


@pytest.mark.parametrize(
    ("text", "verdict"),
    [("7.2", "contradicted"), ("7.13.9", "contradicted"), ("7.14", "supported"), ("10", "supported")],
)
def test_a_version_supports_what_it_came_before(text, verdict):
    table = claims.read()
    found = claims.check(table[table["claim_id"] == "rocm"].assign(text=text), n=64)
    assert found["verdict"].tolist() == [verdict]


def test_a_primary_figure_may_be_one_that_is_not_preferred(data):
    claim = claims.read().head(1).assign(text="", low=900.0, against="primary MI455X tdp_w")
    where = {"subject": "MI455X", "quantity": "tdp_w", "condition": "chip", "unit": "W", "preferred": "no"}
    new = {"value": 900, "as_of": "2026-10", "source_id": "amd-mi455x-page-2026"}
    changed(data, "facts.csv", None, **where, **new, kind="press")
    assert claims.check(claim)["verdict"].tolist() == ["cannot be checked"]
    changed(data, "facts.csv", None, **where, **new, kind="vendor-announcement")
    found = claims.check(claim).iloc[0]
    assert found[["verdict", "evidence", "source"]].tolist() == ["supported", "a primary figure", "AMD"]


def test_what_is_absent_cannot_be_checked(data):
    table = read(data, "facts.csv")
    write(data, "facts.csv", table[~(table["subject"].eq("MI455X") & table["quantity"].eq("pcie_gen"))])
    assert verdict("pcie") == "cannot be checked"
    changed(data, "subjects.csv", row_of(read(data, "subjects.csv"), subject="MI455X"), architecture="")
    assert verdict("architecture") == "cannot be checked"
    assert claims.shown(claims.check(claims.read().head(1)))["figure"].tolist() == ["nothing to hold it against"]


def test_a_part_of_a_word_is_not_the_word():
    part = claims.read().head(1).assign(text="HBM", against="attribute MI455X memory_type")
    assert claims.check(part, n=64)["verdict"].tolist() == ["contradicted"]


@pytest.mark.parametrize(
    ("against", "low", "text", "message"),
    [
        ("from_version MI455X rocm_version_first", 7.0, "", "wrong column: this is a text, .*; low holds '7'"),
        ("attribute MI455X architecture", 4.0, "", "wrong column: this is a text, .*; low holds '4'"),
        ("formats MI455X", 8.0, "", "wrong column: this is a text"),
        ("only_formats MI455X", 8.0, "", "wrong column: this is a text"),
        ("term amd-openai public.first_delivery", 2026.5, "", "wrong column: this is a text, .*; low holds '2026.5'"),
        ("fact MI455X memory_gb physical", np.nan, "432", "wrong column: this is a figure, .*; text holds '432'"),
        ("fact MI455X cuda_code_ported_share", np.nan, "most", "wrong column: this is a figure"),  # of no known figure
        ("primary MI455X tdp_w", np.nan, "900 W", "wrong column: this is a figure"),
        ("ratio MI455X fp8_tflops / MI350X fp8_tflops", np.nan, "twice", "wrong column: this is a figure"),
        ("deal amd-openai accelerators 1", np.nan, "many", "wrong column: this is a figure"),
        ("term amd-openai warrant.public.shares", np.nan, "160 million", "wrong column: this is a figure"),
        ("fact MI455X memory_gb physical", np.nan, "", "the claimed figure is missing in column low"),
        ("attribute MI455X architecture", np.nan, "", "the claimed text is missing in column text"),
        ("fact MI455X memory_gb physical", 432.0, "HBM4", "text: 'HBM4' is claimed, and held against nothing"),
        ("attribute MI455X memory_type", 432.0, "HBM4", "low: '432' is claimed, and held against nothing"),
        ("formats MI455X", np.nan, "fp8 bf16", "unknown format in column text 'fp8 bf16'"),
        ("only_formats MI455X", np.nan, "fp8, int9", "unknown format in column text 'int9'; did you mean 'int8'"),
        ("deal amd-openai accelerators six", 5.0, "", r"the capacity of amd-openai \[GW\] must be a number, not 'six'"),
    ],
)
def test_a_slip_is_no_verdict(tmp_path, against, low, text, message):
    row = claims.read().head(1).assign(claim_id="mine", against=against, low=low, text=text)
    row.to_csv(tmp_path / "mine.csv", index=False)
    with pytest.raises(ValueError, match=rf"mine\.csv, line 2, claim 'mine', column .*{message}"):
        claims.check(claims.read(str(tmp_path / "mine.csv")), n=64)


def test_a_figure_and_a_text_stand_side_by_side_where_a_reading_asks_for_either():
    both = {"against": "fact MI455X memory_gb physical", "other_against": "attribute MI455X memory_type"}
    row = claims.read().head(1).assign(low=432.0, text="HBM4", **both)
    assert claims.check(row)["verdict"].tolist() == ["supported"] * 2


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("warrant", r"'warrant' is a block and no term; below it are warrant\.public\.shares, "),
        ("warrant.public", r"'warrant\.public' is a block and no term; below it are warrant\.public\.shares, "),
        ("public.sources", r"'public\.sources' is a list and no term; known: .*public\.capacity_gw"),
        ("warrant.assumed.tranches", "is a list and no term; known: "),
        ("warrant.public.share", r"unknown term .*; did you mean 'warrant\.public\.shares'"),
        ("warrant.public.shares.count", r"unknown term .*; did you mean 'warrant\.public\.shares'"),
    ],
)
def test_a_block_or_a_list_is_no_term(path, message):
    table = claims.read().head(1).assign(claim_id="mine", against=f"term amd-openai {path}", text="shares")
    with pytest.raises(ValueError, match=f"claim 'mine', column against.*{message}"):
        claims.check(table)


def test_a_deal_without_a_block_that_others_have_has_nothing_there():
    row = claims.read().head(1).assign(text="", low=1e8)
    found = claims.check(row.assign(against="term nvidia-openai warrant.public.shares"))
    assert found["verdict"].tolist() == ["cannot be checked"]
    with pytest.raises(ValueError, match="unknown term of nvidia-openai"):
        claims.check(row.assign(against="term nvidia-openai warrant.public.share"))


# Claimed ends, and the verdict against 10 to 40 with 20 in the middle, by why these ends differ.
WIDE = [
    ((5, 50), "supported", "supported", "supported"),
    ((10, 40), "supported", "supported", "supported"),
    ((15, 25), "supported", "cannot be checked", "cannot be checked"),
    ((20, 20), "supported", "cannot be checked", "cannot be checked"),
    ((9, 12), "cannot be checked", "cannot be checked", "cannot be checked"),
    ((30, 99), "cannot be checked", "cannot be checked", "cannot be checked"),
    ((41, 99), "contradicted", "contradicted", "contradicted"),
    ((1, 9), "contradicted", "contradicted", "contradicted"),
]


@pytest.mark.parametrize(("ends", "interval", "published", "options"), WIDE)
def test_to_overlap_a_range_is_no_support(data, ends, interval, published, options):
    row = row_of(read(data, "facts.csv"), subject="MI455X", quantity="memory_tb_s", preferred="yes")
    claim = claims.read().head(1).assign(text="", low=ends[0], high=ends[1], against="fact MI455X memory_tb_s")
    for kind, verdict in (("p5_p95", interval), ("min_max", published), ("options", options)):
        changed(data, "facts.csv", row, low=10, value=20, high=40, range_kind=kind, as_of="2020")
        found = claims.check(claim).iloc[0]
        assert found["verdict"] == verdict
        assert (found["remark"] != "") == (verdict == "cannot be checked")


def test_why_a_range_cannot_tell_is_told():
    row = claims.read().head(1).assign(text="", low=2000.0, high=2200.0, against="fact MI455X tdp_w")
    found = claims.check(row).iloc[0]
    assert found["remark"].startswith("published figures disagree, and the claim holds for a part of their range only")
    ratio = claims.check(row.assign(low=2.7, high=3, against="ratio MI455X tdp_w / MI300A tdp_w")).iloc[0]
    assert found["verdict"] == ratio["verdict"] == "cannot be checked"


@given(NUMBERS, NUMBERS, st.floats(0, 1), st.floats(1, 3), st.sampled_from(["", *evidence.WIDTHS.values()]))
def test_a_wider_claim_is_not_worse_off_against_a_figure(low, high, tolerance, wider, width):
    low, high = sorted((low, high))
    figure = evidence.Figure("", "range", 10.0, 20.0, 40.0, width=width)
    rank = [
        claims.VERDICTS.index(claims._against_range(low / w, high * w, tolerance, figure)["verdict"])
        for w in (1, wider)
    ]
    assert rank[1] <= rank[0]


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
        ({"source_id": "press-article"}, "line 2, column source_id: 'press-article' must be in sources.csv"),
        ({"source_id": ""}, "line 2, column source_id: '' must be in sources.csv"),
        ({"other_against": "fact MI455X memory_gb", "other_is": "remark"}, "unknown kind of second reference 'remark'"),
        ({"other_reading": "of HBM"}, "column other_against: it is empty, and other_reading or other_is is not"),
        ({"other_is": "comparison"}, "column other_against: it is empty, and other_reading or other_is is not"),
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
        ("ratio MI455X fp8_tflops", "a ratio needs one '/' between its figures"),
        ("from_version MI455X memory_gb", "unknown quantity that is a version 'memory_gb'"),
        ("only_formats MI455X fp5", "unknown format for AI 'fp5'"),
        ("fact MI455X memory_gb phisical", "unknown condition of memory_gb 'phisical'; did you mean 'physical'"),
        ("term amd-openai public.capacity", "unknown term of amd-openai 'public.capacity'"),
    ],
)
def test_a_reference_to_nothing_is_named(against, message):
    table = claims.read().head(1).assign(claim_id="mine", against=against, low=1.0, text="")
    with pytest.raises(ValueError, match="claim 'mine', column against") as caught:
        claims.check(table, n=64)
    assert message in str(caught.value)


def test_a_claimed_version_that_is_none_is_named():
    table = claims.read()
    with pytest.raises(ValueError, match=r"claim 'rocm', column against.*the claimed version 'seven' must be numbers"):
        claims.check(table[table["claim_id"] == "rocm"].assign(text="seven"), n=64)


def test_a_file_that_is_not_there_is_named():
    with pytest.raises(FileNotFoundError, match=r"there is no file 'nowhere\.csv', here or in the data"):
        claims.read("nowhere.csv")


def test_ratios_and_counts():
    found = claims.check(n=64)
    ratios, counts = claims.ratios(found), claims.counts(found)
    assert ratios.loc["fp8: dense FP8", "value"] == pytest.approx(40_000 / 20_133)
    one = found[found["reading"] == "the first gigawatt"].iloc[0]  # the median lies in the claim: the bar is our width
    ends = [one["value"] / one["high"], 1, one["value"] / one["low"]]
    assert ratios.loc["count: the first gigawatt", ["low", "value", "high"]].tolist() == pytest.approx(ends)
    six = found[found["reading"] == "six gigawatts, at the meter"].iloc[0]
    ends = [999_999 / six["high"], 999_999 / six["low"]]  # the nearest end of the claim over those of the interval
    assert ratios.loc["count: six gigawatts, at the meter", ["low", "high"]].tolist() == pytest.approx(ends)
    assert np.isfinite(ratios["value"]).all()
    assert (counts.sum() == len(claims.read())).all()
    assert counts["in its best reading"]["supported"] >= counts["as it is written"]["supported"]
    assert (found["claim_id"] == "hip").any()  # with no figure to hold it against
    known = found[found["counted"]]
    said = f"{known['evidence'].ne('nothing').sum()} of {len(known)} readings have evidence to be held against, of "
    assert claims.by_source_said(found) == said + f"{known['evidence'].nunique() - 1} kinds"
    assert claims.by_source_said(known[known["evidence"] != "nothing"].head(1)).endswith("against, of 1 kind")


def test_a_ratio_names_both_sources_and_dates():
    found = claims.check(claims.read().query("claim_id == 'bandwidth-ratio'")).iloc[0]
    assert found["source_id"] == "amd-cdna5-white-paper-2026-07; amd-cdna4-white-paper"
    assert found["as_of"] == "2026-07 and 2025-06"


@pytest.mark.parametrize("file", FILES)
def test_every_answer_of_the_models_has_a_bar(file):
    found = claims.check(claims.read(file), n=64)
    ratios = claims.ratios(found).rename(claims.marked(found))
    answers = ratios[ratios.index.str.contains("% of samples")]
    assert len(answers) == found["share_within"].notna().sum() > 0
    assert (answers["low"] < answers["value"]).all()
    assert (answers["value"] < answers["high"]).all()


def test_a_range_that_is_claimed_of_a_range_has_a_bar():
    row = claims.read().head(1).assign(text="", low=1500.0, high=2300.0, against="fact MI455X tdp_w")
    found = claims.check(row)
    middle = found["value"][0]  # lies in the claim
    ratios = claims.ratios(found).iloc[0]
    assert ratios[["low", "value", "high"]].tolist() == pytest.approx([middle / 2500, 1, middle / 2000])


def test_a_comparison_is_shown_and_does_not_count():
    """FP4 has the 40 PFLOPS that are claimed of FP8: no reading of the claim's own words, so FP8 is not supported."""
    found = claims.check(claims.read().query("claim_id == 'fp8'"))
    assert found["counted"].tolist() == [True, False]
    for column in ("as it is written", "in its best reading"):
        assert claims.counts(found)[column].to_dict() == dict.fromkeys(claims.VERDICTS, 0) | {"contradicted": 1}
    shown = claims.shown(found).iloc[1]
    assert shown["claim"].endswith("(for comparison: dense FP4)")
    assert shown["taken as"] == "40,000 TFLOP/s ± 5 %"
    assert shown["verdict"] == "not counted (supported)"
    assert claims.by_source(found).to_numpy().sum() == 1
    assert claims.marked(found)["fp8: dense FP4"] == "fp8: dense FP4 (not counted)"
    wrong = claims.read().query("claim_id == 'fp8'").assign(low=80_000.0, other_against="fact MI455X fp16_tflops")
    assert claims.furthest(claims.check(wrong))["reading"] == "dense FP8"  # though FP16 is further off


HEAD = "claim_id,claim,low,high,text,tolerance,reading,against,other_reading,other_against,other_is,source_id,note\n"
GOOD = "{},It has 432 GB,432,,,0.01,,fact MI455X memory_gb physical,,,,press-article-amd-openai,\n"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("a,It has 432 GB, or so,432,,,0,,,,,,press-article-amd-openai,\n", "line 2: it has 14 cells"),
        ("a,It has 432 GB,432,,,0.01,,fact MI455X memory_gb\n", "line 2: it has 8 cells, from 'a' to 'fact MI455X mem"),
        ("\n" + GOOD.format("a") + "\n\n" + GOOD.format("a"), "line 6, column claim_id: 'a' is there twice"),
        (GOOD.format('"a\nb"') + GOOD.format("c").replace(",432,", ",432 GB,"), "line 4, column low: '432 GB' is not"),
        ('"a,It has 432 GB\n', "line 2: this is no CSV in UTF-8"),
        ("", "there is no claim in it"),
    ],
)
def test_a_line_that_is_malformed_is_named(tmp_path, recwarn, rows, message):
    (tmp_path / "mine.csv").write_text(HEAD + rows, encoding="utf-8")
    with pytest.raises(ValueError, match=r"mine\.csv") as caught:
        claims.read(str(tmp_path / "mine.csv"))
    assert message in str(caught.value)
    assert not recwarn.list


def test_a_file_in_another_encoding_is_named_with_its_line(tmp_path):
    (tmp_path / "mine.csv").write_bytes((HEAD + GOOD.format("a") + GOOD.format("\u00fc")).encode("latin-1"))
    with pytest.raises(ValueError, match=r"mine\.csv, line 3: this is no CSV in UTF-8"):
        claims.read(str(tmp_path / "mine.csv"))


def test_blank_lines_and_a_mark_at_the_beginning_do_no_harm(tmp_path):
    (tmp_path / "mine.csv").write_text("\ufeff" + HEAD + "\n" + GOOD.format("a") + "\n" + GOOD.format("b"))
    assert claims.check(claims.read(str(tmp_path / "mine.csv")))["verdict"].tolist() == ["supported"] * 2


def test_a_reference_to_nothing_is_named_with_its_line(tmp_path):
    (tmp_path / "mine.csv").write_text(HEAD + "\n" + GOOD.format("a").replace("memory_gb", "memory_pb"))
    with pytest.raises(ValueError, match=r"mine\.csv, line 3, claim 'a', column against, 'fact MI455X memory_pb phys"):
        claims.check(claims.read(str(tmp_path / "mine.csv")))


def test_a_ratio_over_nothing_is_named():
    against = "ratio MI455X memory_gb / instinct-rollout delay_years"  # 0 years, by the assumption on delay
    table = claims.read().head(1).assign(claim_id="mine", against=against, low=1.0, text="")
    message = (
        r"claim 'mine', column against.* above 0 below its '/', not 'instinct-rollout delay_years', which is 0 to 0.5"
    )
    with pytest.raises(ValueError, match=message):
        claims.check(table)


@pytest.mark.parametrize(
    ("against", "low", "verdict"),
    [
        ("fact amd-openai content_busd_per_gw announced_floor", 17, "cannot be checked"),  # AMD: more than 10
        ("fact amd-openai content_busd_per_gw announced_floor", 9, "contradicted"),
        ("fact amd-openai warrant_effect_share of_content", 0.03, "cannot be checked"),  # less than 0.05
        ("fact amd-openai warrant_effect_share of_content", 0.06, "contradicted"),
    ],
)
def test_more_than_a_figure_has_no_upper_end_and_less_than_begins_at_0(against, low, verdict):
    found = claims.check(claims.read().head(1).assign(text="", low=low, against=against))
    assert found["verdict"].tolist() == [verdict]
    assert found["remark"].str.startswith("the source gives a bound only").tolist() == [verdict != "contradicted"]
    assert ("10 or more" if "floor" in against else "0 to 0.05") in claims.figures(found)[0]
    ratios = claims.ratios(found).iloc[0]
    assert 0 < ratios["low"] <= ratios["value"] <= ratios["high"] < np.inf


def test_a_figure_that_reached_us_unverified_is_not_primary(data):
    facts = catalog.facts().query("subject == 'NVIDIA' and quantity == 'gross_margin_share' and condition == 'gaap'")
    source = facts[facts["preferred"]].iloc[0]["source_id"]
    table = claims.read().query("claim_id == 'nvidia-margin'")
    assert catalog.sources().loc[source, ["kind", "access"]].tolist() == ["filing", "unverified"]
    assert claims.check(table)["evidence"].tolist() == ["a secondary figure", "a primary figure"]
    newest = claims.check(table.assign(against="primary NVIDIA gross_margin_share gaap")).iloc[0]
    assert newest[["source_id", "as_of"]].tolist() == ["nvidia-cfo-fy2027q1; nvidia-cfo-fy2026q1", "2026-04-26"]
    changed(data, "sources.csv", row_of(read(data, "sources.csv"), source_id=source), access="read")
    assert claims.check(table)["evidence"].tolist() == ["a primary figure"] * 2


def test_a_mass_ramp_is_told_with_those_who_differ():
    """SemiAnalysis expects 2027Q2; the rows of AMD's management and of others say 2026Q4."""
    found = claims.check(claims.read().query("claim_id == 'production'")).set_index("reading", drop=False)
    ramp = found.loc["mass ramp, over all views"]
    assert (ramp["claimed"], ramp["verdict"]) == ("2026Q1 to 2026Q4", "cannot be checked")
    assert ramp["remark"].startswith(
        "published figures disagree, and the claim holds for a part of their range only; others"
    )
    assert "2027Q2" in ramp["remark"] + claims.figures(found).iloc[0]
    assert {"bloomberg-call-notes-2026-08", "wells-fargo-mi450-2026"} <= set(ramp["source_id"].split("; "))
    assert claims.ratios(found).empty


def test_the_best_reading_and_the_furthest_off():
    found = claims.check(claims.read().query("claim_id in ['power', 'bandwidth-ratio']"))
    counts = claims.counts(found)["in its best reading"]
    assert counts.to_dict() == {"supported": 0, "outdated": 0, "cannot be checked": 1, "contradicted": 1}
    assert found.loc[claims.distance(found["miss_percent"]).idxmax(), "claim_id"] == "power"
    assert claims.furthest(found)["claim_id"] == "bandwidth-ratio"  # power is held against an assumption of ours
    assert claims.furthest_said(found) == (
        'Furthest off is "bandwidth-ratio", at 0.62 times the figure; our own assumptions aside'
    )
    power = found[found["claim_id"] == "power"]
    assert claims.furthest(power) is None
    assert claims.furthest_said(power) == "No figure that we did not assume contradicts a claim"


@pytest.mark.parametrize("file", FILES)
def test_the_bar_of_an_answer_crosses_agreement_unless_it_contradicts(file):
    found = claims.check(claims.read(file), n=256)
    answers = claims.ratios(found)[found.loc[found["miss_percent"].notna(), "share_within"].notna().to_numpy()]
    crosses = (answers["low"] <= 1) & (answers["high"] >= 1)
    verdicts = found.loc[found["share_within"].notna(), "verdict"]
    assert crosses.tolist() == verdicts.ne("contradicted").tolist()
