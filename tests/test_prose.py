"""What the notebooks say: no figure is typed, in digits, in words or as a constant, unless a table or the code has it.

That figures move with the parameters is tested in ``test_notebooks.py``, on executed notebooks.
"""

import functools
import inspect

import nbformat
import prose
import pytest

from gigafleet import catalog, fleet_draws, measured, parameters, performance, purchases, serving, tell
from gigafleet.tables import resource

FOLDER = catalog.folder("notebooks")
NAMES = parameters.notebooks()
WORDS = {0.5: "half", 3: "three", 6: "six", 8: "eight"}


def default(function, name: str) -> float:
    return inspect.signature(function).parameters[name].default


def fact(subject: str, quantity: str, condition: str) -> dict[str, float]:
    """Return a preferred row of the data package, its figures as text."""
    rows = catalog.facts().query("preferred").set_index(["subject", "quantity", "condition"])
    row = rows.loc[(subject, quantity, condition), ["value", "low", "high"]].astype(float)
    return {end: f"{figure:.4g}" for end, figure in row.items()}


@functools.cache
def stated() -> dict[str, list[str]]:
    """Return the figures that texts repeat from the data package or the models, each in the words around it."""
    remark = f"{100 * float(fact('amd-openai', 'warrant_effect_share', 'of_content')['value']):.4g} %"
    life, work = fact("ai-datacenter", "it_life_years", "it"), fact("instinct-rollout", "work_per_kw_ratio", "mi500")
    terms = catalog.deal("amd-openai")["public"]
    wide = "twice" if "double-wide" in resource("subjects").set_index("subject").loc["Helios", "cooling"] else ""
    return {
        "00_overview": [f"less than {remark}"],
        "02_fleet_mix": [f"{WORDS[fleet_draws.COMMON]} of the variance"],
        "03_amd_vs_nvidia": [
            f"A rack of Helios is {wide} as wide",
            f"{WORDS[measured.FEWEST]} results or more",
            f"answers of {default(performance.throughput, 'prompt_tokens'):,} tokens",
            f"{WORDS[max(serving.SIZES)]} at most",
        ],
        "04_rollout": [
            f"# {WORDS[float(terms['capacity_gw'])].capitalize()} gigawatts",
            f"{life['low']} to {life['high']} years with {life['value']} in the middle",
            f"{100 * default(purchases.inputs, 'work'):.4g} % of the work of this report's roll-out",
            f"times {work['low']} to {work['high']}",
        ],
        "05_revenue": [f"{terms['binding_gw']} GW and {terms['capacity_gw']} GW by AMD and OpenAI"],
        "06_warrant": [f'"below {remark}"', f"the effect below {remark}"],
    }


# What a notebook chose to ask, in its words -> the code in which it asks for it.
ASKED = {
    "00_overview": {"above 0.05": '["total"] > 0.05'},
    "02_fleet_mix": {"over two regions": '{"texas": p.capacity_gw, "virginia": p.capacity_gw}'},
    "03_amd_vs_nvidia": {
        "64 requests": "by_load.loc[64]",
        "with 16": "for load in (16, 64, 256)",
        "with 256": "for load in (16, 64, 256)",
    },
    "04_rollout": {"one and two years late": "delays([0, 1, 2]", "half a year sooner": '"sooner_years": 0.5'},
}
# Words that count what their own sentence or the notebook's list names, or that mean no amount.
MEANT = {
    "01_accelerators": ["halves the bits", "doubles the rate"],  # the names of the formats are their bits
    "02_fleet_mix": ["one input or two", "on two bases"],
    "03_amd_vs_nvidia": [
        "The first half compares",
        "Rubin has two operating points",
        "one or two, it moves",
        "Which of two accelerators",
    ],
    "04_rollout": ["a ratio of two analysts' figures", "the steps of the last two generations"],
    "05_revenue": ["Three clocks", "on three clocks", "second half", "Each scenario twice"],
    "06_warrant": ["the three readings", "Three readings"],
    "07_claim_check": ["two things", "a ratio of two facts"],
    "08_model_check": ["rank two accelerators", "Two kinds of software"],
}
# Numbers that the code may show: the points of a map; the year of analysts' estimates.
CHOSEN = {"02_fleet_mix": ["software"], "05_revenue": ["2027"]}


def cells(name: str) -> list:
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4).cells


def code(name: str) -> list[str]:
    kept = [cell for cell in cells(name) if "parameters" not in cell.metadata.get("tags", [])]
    return [cell.source for cell in kept if cell.cell_type == "code"]


@pytest.mark.parametrize("name", NAMES)
def test_no_figure_is_typed(name):
    """Every number in the prose is computed, or repeats the data, the models or the notebook's own question."""
    phrases = [*stated().get(name, []), *ASKED.get(name, {}), *MEANT.get(name, [])]
    for cell in cells(name):
        for text in prose.texts(cell):
            assert not prose.typed(text, phrases), text
            assert not prose.spelled(text, phrases), text


@pytest.mark.parametrize("name", NAMES)
def test_what_is_excused_is_there(name):
    """A phrase that no text needs would excuse the next error; a question in the text is that of the code."""
    said = [text for cell in cells(name) for text in prose.texts(cell)]
    for phrase in [*stated().get(name, []), *ASKED.get(name, {}), *MEANT.get(name, [])]:
        assert any(prose.without(text, [phrase]) != text for text in said), phrase
    for snippet in ASKED.get(name, {}).values():
        assert any(snippet in source for source in code(name)), snippet


@pytest.mark.parametrize("name", NAMES)
def test_no_figure_in_words_comes_from_the_library(name):
    """Sentences and labels that a module words for a notebook follow the same rule; claims are quoted."""
    phrases = [*stated().get(name, []), *ASKED.get(name, {}), *MEANT.get(name, [])]
    phrases += [*resource("claims")["claim"], *resource("claims")["claim_id"]]
    for texts in prose.said(nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)).values():
        for text in texts:
            assert not prose.spelled(text, phrases), text


@pytest.mark.parametrize("name", NAMES)
def test_no_number_of_the_code_is_shown(name):
    assert not prose.constants(code(name), CHOSEN.get(name, ()))


TYPED = [
    "Margins are 76-78 %.",
    "It costs 15-20 billion.",
    "Cash flow is -179 billion.",
    "A 43-gigawatt site.",
    "A 128-GPU rack.",
    "A 1.8-fold gain.",
    "It reaches 20.1PFLOP/s.",
    "It holds 432GB.",
    "It moves 19.6TB/s.",
    "It fell by 7pp.",
    "It costs 98billion.",
    "It takes 3.5e9 USD.",
    "It takes 2048 racks.",
    "It takes up to 2030 racks.",
    "NVIDIA's margin is 90 %.",
    "It lies in 5 to 95 % more.",
    "The ratio is `0.769`.",
    "It is within a factor of 1.5.",
    "An MI455X draws 700 W.",
    "CDNA 9 is faster.",
    "MI999X is faster.",
    "FP3 is faster.",
    "Notebook 12 says so.",
    "See [09_other](09_other.ipynb).",
    "Of 7 pairs.",
    "It reaches 1 of them.",
    "987bn, it says",
    "$98.7m",
    "9.87x",
    "98.7GW",
]


@pytest.mark.parametrize("text", TYPED)
def test_a_typed_figure_is_found(text):
    assert prose.typed(text)
    assert prose.typed(f"MI455X of 2026: {text}", ["a phrase that is excused"])


@pytest.mark.parametrize(
    "text",
    [
        "MI455X, MI300 and the MI450 series are of CDNA 5, CDNA 3 and CDNA 5; R200 in FP8 and VR200 in BF16.",
        "GB300 NVL72 against Vera Rubin NVL72, on llama2-70b and gpt-oss-120b.",
        "In October 2025, from 2026 to 2030, in 2026Q3, by the end of 2036 and mid-2026.",
        "with a 90 % interval, its 90 % band; whiskers: 5 to 95 % of draws; notebook 04, notebooks 05 and 06",
        "Set `mi455x`, see `tranches` and [08_model_check](08_model_check.ipynb); CO2 by its 10-Q.",
    ],
)
def test_names_and_dates_are_no_figures(text):
    assert prose.typed(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "seventy-seven percent",
        "It is twice as fast.",
        "half of its tokens",
        "It takes half its tokens.",
        "accelerators with three results or more",
        "nine results of ten",
        "ninety of a hundred",
        "a third of the bill",
        "Two thirds of it",
        "one in ten fails",
        "It grew tenfold.",
        "It doubled.",
        "dozens of racks",
        "It costs a billion.",
        "The bill is below a million and a half a billion.",
    ],
)
def test_a_figure_in_words_is_found(text):
    assert prose.spelled(text)


@pytest.mark.parametrize(
    "text", ["the two overlap", "Each of these two", "a quarter of delivery is late", "one of them"]
)
def test_words_that_count_nothing_new_are_none(text):
    assert prose.spelled(text.replace("a quarter of delivery", "the quarter of delivery")) == []


@pytest.mark.parametrize(
    "source",
    [
        "tell.say(f'{tell.number(0.769)} times')",
        "tell.say(f'{76.9} % of it')",
        "tell.say(f'{-76.9:.1f} % of it')",
        "tell.between(7.4, 9.9)",
        "tell.between(low, 9.9)",
        "tell.tiles(('x', 0.769, 0.7, 0.8, 'times'))",
        "tell.tiles(('x', value, low, 0.8, 'times'))",
        "text = 'It is ' + str(87.5)",
        "text = format(87.5, '.1f')",
        "text = '{} %'.format(87.5)",
        "text = '%s %%' % 87.5",
        "x = 0.769\ntell.number(x)",
        "x, y = value, 0.769\ntell.number(y, 2)",
        "x = {'a': 0.769}\ny = x['a']\ntell.number(y)",
        "tell.number(100 * 0.769)",
        "tell.number(round(float(0.769), 2))",
        "tell.number(np.float64(0.769))",
        "tell.number(0.769 if True else value)",
        "tell.number(value * 0 + 0.769)",
        "tell.number(1.07 * value)",
        "tell.number(max(value, 0.769))",
        "tell.number(value.fillna(0.769))",
        "[tell.number(x) for x in (0.769, 0.8)]",
        "tell.spans(pd.Series([1.5, 2.5]), high)",
        "tell.table(pd.DataFrame({'a': [0.769]}))",
        "tell.table(table.assign(value=0.769))",
        "tell.count(12, 'source')",
        "tell.span('racks', pd.DataFrame({'low': 1.5, 'high': 2.5}, ['racks']))",
        "plots.intervals(table, title=title, band=(85, 95, 'aim'))",
        "tell.headline(tell.interval_tiles({'a': pd.Series({'low': 0.7, 'median': 0.8, 'high': 0.9})}, 'times'))",
    ],
)
def test_a_number_that_the_code_shows_is_found(source):
    assert prose.constants(source.splitlines())


@pytest.mark.parametrize(
    "source",
    [
        "tell.number(100 * value, 2)",
        "tell.number(value / 1e9, digits=2)",
        "tell.number(100 * (1 - value / other))",
        "tell.number(value * 8.76e-6)",
        "tell.number(table.iloc[0, 2], 5)",
        "tell.number(100 * value.quantile(0.05), 2)",
        "tell.between(*ends, 2)",
        "tell.tiles(('x', value / 1000, float('nan'), float('nan'), ''), digits=2)",
        "text = f'{len(rows) - 1} of {count:.0f}'",
        "text = f\"{'more' if value > 0.5 else 'less'} than {ends[0]}\"",
        "plots.intervals(table, reference=1.0, digits=2)",
        "software = [0.3, 0.4]\ntell.number(software[0])",
    ],
)
def test_digits_places_and_units_are_no_figures(source):
    assert prose.constants(source.splitlines(), ["software"]) == []


def output(data: dict, **about) -> nbformat.NotebookNode:
    return nbformat.v4.new_output("display_data", data, metadata={"image/png": about} if about else {})


def ran(*outputs: nbformat.NotebookNode) -> dict:
    """Return what a notebook of one cell told."""
    cell = nbformat.v4.new_code_cell("", outputs=list(outputs), id="cell")
    return prose.said(nbformat.v4.new_notebook(cells=[cell]))


def sentence(text: str) -> nbformat.NotebookNode:
    return output({"text/markdown": text})


def tile(value: str, interval: str = "") -> nbformat.NotebookNode:
    return output({tell.HEADLINE_MIME: [{"label": "power", "value": value, "unit": "MW", "interval": interval}]})


def test_a_figure_that_stays_is_found_in_whatever_names_stand_beside_it():
    base = ran(sentence("MI455X reaches 0.758 times the tokens of GB300, 0.769 times per kW."))
    other = ran(sentence("MI300X reaches 0.758 times the tokens of H100, 0.812 times per kW."))
    assert prose.standing(base, [other]) == ({("cell", "sentence"): {"0.758"}}, [])
    moved = ran(sentence("MI300X reaches 0.657 times the tokens of H100, 0.812 times per kW."))
    assert prose.standing(base, [moved]) == ({}, [])
    assert prose.standing(base, [other, moved]) == ({}, []), "a figure that one run moves is computed"
    assert prose.standing(base, [other, {}]) == ({("cell", "sentence"): {"0.758"}}, []), "a run without it says nothing"


def test_a_year_that_stays_is_found():
    base, other = ran(sentence("It peaks in 2029, at 45.1 GW.")), ran(sentence("It peaks in 2029, at 31.0 GW."))
    assert prose.standing(base, [other]) == ({("cell", "sentence"): {"2029"}}, [])


def test_a_sentence_that_no_other_run_has_is_named():
    base = ran(sentence("The warrant gives back 13.0 billion USD at its grant."))
    other = ran(sentence("This deal has no roll-out in the data, so nothing is said on revenue and shares."))
    assert prose.standing(base, [other])[1] == ["The warrant gives back 13.0 billion USD at its grant."]


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda x: tile(x), "tile"),
        (lambda x: tile("1" + x, f"{x} to 3{x}"), "tile"),
        (lambda x: output({"text/html": f"<table><caption>All of {x} aims</caption></table>"}), "caption"),
        (lambda x: output({"image/png": ""}, title=f"AMD leads by {x} times", source="", alt="", labels=[]), "title"),
        (lambda x: output({"image/png": ""}, title="", source=f"Source: {x} draws", alt="", labels=[]), "source"),
        (lambda x: output({"image/png": ""}, title="", source="", alt=f"Shares of {x} parts.", labels=[]), "alt"),
        (lambda x: output({"image/png": ""}, title="", source="", alt="", labels=[f"Fed by {x} GW"]), "label"),
    ],
)
def test_tiles_captions_and_the_words_of_figures_are_read(make, kind):
    stays, alone = prose.standing(ran(make("76.9")), [ran(make("76.9"))])
    assert "76.9" in stays["cell", kind]
    assert not alone
    assert prose.standing(ran(make("76.9")), [ran(make("54.2"))])[0] == {}
