"""The performance model: physics against published figures, the contract of predict, errors, bands and speed of use."""

import time
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gigafleet import accuracy, calibration, catalog, effects, performance, roofline, tables, workloads
from gigafleet.architectures import arithmetic
from gigafleet.errors import UnknownNameError


@pytest.fixture(scope="module")
def rows():
    return catalog.benchmarks()


@pytest.fixture(scope="module")
def x(rows):
    return calibration.usable(rows)


def test_model_flop_utilization_of_megatron():
    """Korthikanti et al. 2022 (arXiv 2205.05198), Table 5: 0.4165 for 22B and 0.5139 for 175B, from their formula."""
    for hidden, layers, batch, n, seconds, expected in (
        (6144, 48, 4, 8, 1.10, 0.4165),
        (12288, 96, 64, 64, 13.75, 0.5139),
    ):
        s, v = 2048, 51200
        flops = 72 * batch * layers * s * hidden**2 * (1 + s / (6 * hidden) + v / (12 * hidden * layers))
        tokens = batch * s
        found = roofline.model_flop_utilization(tokens / (n * seconds), flops / tokens, 312e12)
        assert found == pytest.approx(expected, abs=1e-4)


def test_training_flops_agree_with_megatron_without_recomputation():
    """The same formula without vocabulary and with full attention halves to ours (causal): GPT-3 at 2,048 tokens."""
    table = performance._grid(
        pd.DataFrame({"accelerator": ["A100"], "llm": ["gpt3-175b"]}), "training", "bf16", 2048, 1
    )
    h, layers, s = 12288, 96, 2048
    published = 72 * layers * h**2 * (1 + s / (12 * h))
    assert float(roofline.training_flops_per_token(table).iloc[0]) == pytest.approx(published, rel=0.01)


@pytest.mark.parametrize(
    ("peak", "bandwidth", "m", "k", "n", "measured_ms"),
    [
        (312e12, 2.039e12, 2048, 12288, 12288, 2.3586),
        (312e12, 2.039e12, 8192, 12288, 12288, 8.6216),
        (312e12, 2.039e12, 64, 12288, 12288, 0.1900),
        (181e12, 1.638e12, 2048, 12288, 12288, 5.3905),
        (181e12, 1.638e12, 8192, 1024, 1024, 0.1950),
        (181e12, 1.638e12, 32, 12288, 12288, 0.5493),
    ],
)
def test_a_roofline_bounds_measured_matrix_products(peak, bandwidth, m, k, n, measured_ms):
    """LLMCompass (ISCA 2024), fp16 on A100 and MI210: one layer of n x k weights and m requests, no losses."""
    one = dict.fromkeys(roofline.INPUTS, 0.0) | {
        "peak_flops": peak,
        "ceiling": 1.0,
        "bandwidth": bandwidth,
        "instance": 1,
        "requests": m,
        "prompt_tokens": 1.0,
        "output_tokens": 1.0,
        "weight_bytes": 2,
        "cache_bytes": 2,
        "params": k * n,
        "active_params": k * n,
        "link": 1.0,
        "domain": 1.0,
        "scale_out": 1.0,
        "cache_shards": 1.0,
        "hidden": k,
    }
    ideal = {"compute": 1.0, "bandwidth": 1.0, "step_s": 0.0, "hop_s": 0.0, "link": 1.0, "request_s": 0.0}
    parts = roofline.step_parts_s(one, ideal, prefill=0)
    assert max(parts["compute"], parts["memory"]) * 1e3 < measured_ms


def test_cache_sizes_are_those_of_the_configurations():
    """Bytes of a token at 16 bits, from the models' configuration files: 131,072, 327,680, 70,272, 73,728, 192,512."""
    found = 2 * arithmetic()["cache_elements"]
    expected = {"llama3.1-8b": 131072, "llama3.1-70b": 327680, "deepseek-v3": 70272, "gpt-oss-120b": 73728}
    assert found[list(expected)].to_dict() == expected
    assert found["qwen3-235b-a22b"] == 192512
    deepseek = arithmetic().loc["deepseek-v3"]
    assert deepseek["attention_flops"] == 16990208
    dense = deepseek["params"] - deepseek["expert_params"]
    assert dense + deepseek["expert_params"] * 8 / 256 == pytest.approx(deepseek["active_params"], rel=0.06)


@given(st.floats(1, 3e4), st.floats(1.01, 10))
def test_more_requests_never_lower_throughput_and_never_speed_up_a_user(batch, more):
    found = performance.throughput(["B300"], ["llama3.1-8b"], [batch, batch * more], prompt_tokens=64, output_tokens=64)
    few, many = found["tokens_per_s"].isel(accelerator=0, llm=0).to_numpy()
    if np.isfinite(many):
        assert many >= few * 0.999
        user = found["tokens_per_s_user"].isel(accelerator=0, llm=0).to_numpy()
        assert user[1] <= user[0] * 1.001


def test_the_parts_of_a_step_add_up_to_its_throughput():
    batches = [4, 64]
    parts = performance.step_parts("MI355X", "deepseek-r1", batches)
    assert (parts > 0).all().all()
    grow = ["memory", "compute", "link", "requests"]
    assert (parts.loc[64, grow] > parts.loc[4, grow]).all()
    user = performance.throughput(["MI355X"], ["deepseek-r1"], batches)["tokens_per_s_user"].isel(accelerator=0, llm=0)
    np.testing.assert_allclose(parts.sum(axis=1), 1000 / user, rtol=1e-9)


def test_activations_take_no_less_time_than_the_wire():
    """A ring all-reduce of n sends 2 (n - 1) / n times the data from each accelerator, two of them in a layer."""
    row = performance._grid(
        pd.DataFrame({"accelerator": ["H100"], "llm": ["llama3.1-70b"]}), "serving", "fp8", 1024, 1024
    )
    for n, sent in ((1, 0.0), (2, 1.0), (8, 1.75)):
        seconds = roofline.link_s(row.assign(instance=float(n)), {"link": 1.0}, 256).item()
        assert seconds == pytest.approx(sent * 80 * 2 * 256 * 8192 * 2 / 450e9)
    wide = roofline.link_s(row.assign(instance=16.0), {"link": 1.0}, 256).item()
    assert wide > seconds  # two domains of eight, and InfiniBand between them


def test_a_window_bounds_attention():
    row = {"window": np.array([128.0]), "windowed_share": np.array([0.5])}
    assert roofline.attended_tokens(row, 64.0).item() == pytest.approx(32)
    pairs = sum(min(i + 1, 128) for i in range(4096)) / 4096
    assert roofline.attended_tokens(row, 4096.0).item() == pytest.approx((2048 + pairs) / 2, rel=0.01)


def test_a_cache_is_copied_where_it_has_fewer_heads_than_accelerators():
    rows = performance._grid(
        pd.DataFrame({"accelerator": ["B200"] * 2, "llm": ["llama3.1-70b", "deepseek-v3"]}),
        "serving",
        "fp8",
        1024,
        1024,
    )
    assert roofline.copies(rows.assign(instance=8.0)).tolist() == [1, 1]
    assert roofline.copies(rows.assign(instance=16.0)).tolist() == [2, 1]  # 8 heads; a latent cache goes by request


@pytest.mark.parametrize("number_format", ["bf16", "fp8", "fp4"])
def test_training_stays_below_what_large_runs_have_reached(number_format):
    """Published model FLOP utilization ends near 0.5 at 16 bits (Megatron, 0.52) and lower in narrower formats."""
    table = catalog.accelerators()
    names = list(table.index[table["memory_tb_s"].gt(0) & table["bf16_tflops"].gt(0) & table["memory_gb"].gt(0)])
    models = list(arithmetic().index)
    found = performance.throughput(names, models, 1, phase="training", number_format=number_format, prompt_tokens=2048)
    pairs = pd.MultiIndex.from_product([names, models], names=["accelerator", "llm"]).to_frame(index=False)
    inputs = performance._grid(pairs, "training", number_format, 2048, 1)
    rate = found["tokens_per_s"].to_numpy().ravel()
    share = rate * roofline.training_flops_per_token(inputs) / inputs["peak_flops"]
    assert len(share.dropna()) > 100
    assert share.max() < 0.75


def test_training_needs_room_for_gradients_and_the_optimizer(rows):
    asked = rows[rows["scenario"].eq("training") & rows["model"].eq("llama3.1-405b")][workloads.READ].iloc[[0, 0]]
    asked = asked.assign(accelerator="H100", n_accelerators=[8, np.nan]).reset_index(drop=True)
    found = performance.predict(asked, explain=True)
    assert found["reason"].tolist() == ["model does not fit in memory", ""]
    assert found["instance"].iloc[1] >= 64


def test_more_requests_than_fit_wait(rows):
    asked = rows[rows["scenario"].eq("serving 1k/1k") & rows["model"].eq("deepseek-r1")][workloads.READ].iloc[[0, 0, 0]]
    asked = asked.assign(model="llama3.1-70b", accelerator="H100", n_accelerators=1, precision="fp8")
    few, many, most = performance.predict(asked.assign(concurrency=[4, 64, 1e6]))
    assert few < many
    assert many == most


def test_throughput_answers_as_predict_does():
    """The same question, a serving load on eight accelerators, to both."""
    row = dict.fromkeys(workloads.READ, "")
    row |= {"source": "x", "accelerator": "B200", "n_accelerators": 8, "model": "llama3.1-70b", "precision": "bf16"}
    asked = pd.DataFrame([row | {"scenario": "serving", "concurrency": 64, "input_len": 1024, "output_len": 1024}])
    predicted = performance.predict(asked).iloc[0]
    grid = performance.throughput(["B200"], ["llama3.1-70b"], 64, number_format="bf16", accelerators_per_instance=8)
    assert grid["tokens_per_s"].item() == pytest.approx(predicted)
    asked = asked.assign(scenario="training", concurrency="", input_len=8192)
    grid = performance.throughput(
        ["B200"], ["llama3.1-70b"], 1, phase="training", number_format="bf16", accelerators_per_instance=8,
        prompt_tokens=8192,
    )  # fmt: skip
    assert grid["tokens_per_s"].item() == pytest.approx(performance.predict(asked).iloc[0])


def test_no_spelling_changes_an_answer(rows):
    asked = rows[workloads.READ]
    plain = performance.predict(asked)
    texts = ["source", "system", "accelerator", "model", "precision", "scenario"]
    for change in (str.upper, str.lower, lambda text: f" {text} "):
        spelled = asked.assign(**{name: asked[name].map(change) for name in texts})
        pd.testing.assert_series_equal(performance.predict(spelled), plain)


def test_repeated_labels_and_odd_columns_are_no_matter(rows):
    asked = rows[workloads.READ]
    plain = performance.predict(asked).to_numpy()
    twice = performance.predict(pd.concat([asked, asked]))
    np.testing.assert_array_equal(twice.to_numpy(), np.concatenate([plain, plain]))
    np.testing.assert_array_equal(performance.predict(asked.set_axis(["a"] * len(asked))).to_numpy(), plain)
    numbers = ["n_accelerators", "input_len", "output_len", "concurrency", "interactivity_tok_s_user"]
    typed = asked.astype(dict.fromkeys(numbers, object)).fillna("").astype({"scenario": "category"})
    np.testing.assert_array_equal(performance.predict(typed).to_numpy(), plain)
    assert performance.predict(asked.iloc[:0]).empty
    for name in numbers:
        found = performance.predict(asked.assign(**{name: np.inf}))
        assert np.isfinite(found[np.isfinite(plain)]).all()


def test_a_format_that_is_not_stated_is_said_to_be_assumed(rows):
    asked = rows[workloads.READ].iloc[:4].assign(precision=["FP8_E4M3", "bfloat16", "w4a16", "?"])
    asked = asked.assign(accelerator="H100", n_accelerators=8, model="llama3.1-8b", scenario="Offline")
    found = performance.predict(asked, explain=True)
    assert found["assumed"].tolist() == ["", "", "", "number format taken as fp8"]
    assert found["compute_format"].tolist() == ["fp8", "bf16", "bf16", "fp8"]


def test_what_cannot_be_used_is_said(rows):
    asked = rows[rows["scenario"].eq("serving 1k/1k") & rows["model"].eq("deepseek-r1")][workloads.READ].iloc[[0] * 4]
    asked = asked.reset_index(drop=True).astype({"n_accelerators": object, "concurrency": object})
    asked.loc[0, "n_accelerators"], asked.loc[1, "concurrency"] = -1, "1k"
    asked.loc[2, ["scenario", "concurrency"]] = "SingleStream", ""
    asked.loc[3, "input_len"] = 1e7
    found = performance.predict(asked, explain=True)["assumed"].tolist()
    assert found[:2] == ["n_accelerators not used", "concurrency not used"]
    assert found[2:] == ["scenario taken as offline", "context beyond the model's"]


def test_a_result_is_in_its_band_though_only_its_interactivity_is_known(rows):
    """The band moves the whole trade of throughput against interactivity; with the load it holds nine of ten."""
    given = rows[rows["interactivity_tok_s_user"].gt(0)]
    found = performance.predict(given[workloads.READ].assign(concurrency=np.nan), explain=True)
    inside = given["tokens_per_s_per_gpu"].between(found["low"], found["high"])[found["reason"].eq("")]
    assert len(inside) > 50
    assert inside.mean() > 0.8


def test_replicas_share_a_load(rows):
    """MLPerf counts a cluster of copies: twice the accelerators with twice the requests give the same each."""
    asked = rows[rows["model"].eq("llama2-70b") & rows["accelerator"].eq("B200")][workloads.READ].iloc[[0, 0]]
    asked = asked.assign(scenario="serving", n_accelerators=[8, 16], concurrency=[64, 128])
    one, two = performance.predict(asked)
    assert one == pytest.approx(two)
    asked = asked.assign(scenario="Offline", concurrency=np.nan, interactivity_tok_s_user=25.0)
    one, two = performance.predict(asked)
    assert one == pytest.approx(two, rel=0.02)


def test_names_of_the_hub_and_of_boards_are_known(rows):
    models = ["deepseek-ai/DeepSeek-R1", "Llama-3.1-70B-Instruct", "openai/gpt-oss-120b", "llama2-70b-99.9"]
    models += ["mixtral-8x7b-99", "llama2-70b-interactive-99", "Qwen3-235B-A22B-FP8", "Llama-3.1-8B-FP8-KV"]
    chips = ["B200-SXM-180GB", "H100-SXM5-80GB", "MI300X OAM", "NVIDIA GH200 Grace Hopper Superchip 144GB"]
    asked = rows[workloads.READ].iloc[:8].assign(n_accelerators=8, model=models, accelerator=chips * 2)
    assert performance.predict(asked).notna().all()
    assert performance.predict(asked.assign(model=""), explain=True)["reason"].eq("language model unknown").all()


def test_what_is_no_table_of_results_is_named(rows):
    with pytest.raises(ValueError, match="results must be a DataFrame, not Series"):
        performance.predict(rows["model"])
    with pytest.raises(ValueError, match=r"results have the columns \['model'\] twice"):
        performance.predict(pd.concat([rows, rows[["model"]]], axis=1))


def test_predict_reads_only_what_is_known_before_a_run(rows):
    whole = performance.predict(rows)
    allowed = performance.predict(rows[workloads.READ])
    pd.testing.assert_series_equal(whole, allowed)
    assert whole.index.equals(rows.index)
    shuffled = rows.assign(value=1.0, tokens_per_s_per_gpu=1.0, measured_power_w=1.0, note="x", submitter="x")
    pd.testing.assert_series_equal(whole, performance.predict(shuffled))


def test_predict_says_why_there_is_no_answer(rows):
    asked = rows[workloads.READ].iloc[:5].copy()
    asked.iloc[0, asked.columns.get_loc("accelerator")] = "MI456X"
    asked.iloc[1, asked.columns.get_loc("model")] = "gpt-9"
    asked.iloc[2, asked.columns.get_loc("model")] = "glm-5"
    asked.iloc[3, asked.columns.get_loc("model")] = "kimi-k2"
    asked.iloc[3, asked.columns.get_loc("n_accelerators")] = 1
    found = performance.predict(asked, explain=True)
    assert found["tokens_per_s"].isna().tolist() == [True] * 4 + [False]
    assert found["reason"].tolist()[:3] == [
        "accelerator unknown",
        "language model unknown",
        "dimensions of the language model unknown",
    ]
    assert found["reason"].iloc[3] == "model does not fit in memory"
    assert (found["low"] < found["tokens_per_s"]).iloc[4]
    assert (found["tokens_per_s"] < found["high"]).iloc[4]


def one(rows, **changes):
    """Return rows of InferenceX at a load of 16 on eight B200, one a change."""
    start = rows[rows["scenario"].eq("serving 8k/1k")][workloads.READ].iloc[[0]]
    start = start.assign(accelerator="B200", n_accelerators=8, concurrency=16, precision="fp8", system="sglang")
    many = len(next(iter(changes.values())))
    return pd.concat([start] * many, ignore_index=True).assign(**changes)


def test_a_model_that_nearly_fills_the_memory_is_served_under_load(rows):
    """InferenceX has DeepSeek R1 in FP8 on four B200, of whose 720 GB it takes 671, at 228.8 tokens/s per accelerator
    with 16 requests and 225.2 with 32, one thousand tokens in and out."""
    asked = one(rows, n_accelerators=[4, 4], concurrency=[16, 32], model=["deepseek-r1"] * 2)
    found = performance.predict(asked.assign(input_len=1024, output_len=1024))
    assert found.between(228.8 / 1.65, 228.8 * 1.65).all()
    grid = performance.throughput(["B200"], ["deepseek-r1"], 16, accelerators_per_instance=4)
    assert bool(grid["fits"].all())


def test_a_format_falls_back_as_far_as_it_must(rows):
    asked = one(rows, accelerator=["A100", "MI300X", "B200"], precision="fp4", model=["llama3.1-70b"] * 3)
    found = performance.predict(asked, explain=True)
    assert found["compute_format"].tolist() == ["bf16", "fp8", "fp4"]
    assert found["tokens_per_s"].notna().all()


def test_a_pool_without_a_load_holds_copies_of_the_model(rows):
    asked = one(rows, n_accelerators=[8, 72, 576], concurrency=np.nan, source="Azure AI", model=["llama2-70b"] * 3)
    found = performance.predict(asked.assign(scenario="Offline", interactivity_tok_s_user=np.nan), explain=True)
    assert found["tokens_per_s"].iloc[1] == pytest.approx(found["tokens_per_s"].iloc[2])
    assert found["tokens_per_s"].iloc[1] > 0.5 * found["tokens_per_s"].iloc[0]
    assert found["assumed"].str.contains("copies of the model").tolist() == [False, True, True]


@pytest.mark.parametrize("source", ["MLPerf Inference v6.0", "MLPerf v6.0 Inference", "mlperf"])
def test_mlperf_is_known_by_any_spelling(rows, source):
    asked = one(rows, n_accelerators=[8, 64], concurrency=np.nan, source=source, model=["llama2-70b"] * 2)
    found = performance.predict(asked.assign(scenario="Offline", input_len=np.nan, output_len=np.nan))
    assert found[0] == pytest.approx(found[1])


def test_weights_that_are_published_narrow_only_fit_as_such(rows):
    """gpt-oss is published in MXFP4: 58 GB, which one H100 holds, whatever the label says."""
    asked = one(rows, precision=["fp8", "bf16", "mxfp4"], accelerator="H100", n_accelerators=1, model="gpt-oss-120b")
    found = performance.predict(asked, explain=True)
    assert found["tokens_per_s"].notna().all()
    assert found["assumed"].str.contains("as published").tolist() == [True, True, False]


@pytest.mark.parametrize("change", [{"scenario": ["Fine-tuning"]}, {"tokens_counted": ["trained tokens"]}])
def test_training_is_known_by_another_word(rows, change):
    asked = one(rows, **change).assign(model="llama3.1-70b")
    assert performance.predict(asked, explain=True)["stratum"].tolist() == ["training"]


def test_names_as_vendors_and_hubs_write_them(rows):
    names = ["NVIDIA GB300-NVL72", "8x MI300X", "AMD Instinct MI355X", "MI325X-O"]
    models = [
        "deepseek-ai/DeepSeek-V3.1-Terminus",
        "Meta-Llama-3-70B-Instruct",
        "amd/DeepSeek-R1-MXFP4",
        "llama3.1-405b",
    ]
    assert performance.predict(one(rows, accelerator=names).assign(model=models)).notna().all()


def test_a_slip_in_the_number_of_accelerators_is_told(rows):
    found = performance.predict(one(rows, n_accelerators=[1e12, 1e300]), explain=True)
    assert found["assumed"].str.contains("n_accelerators not used").all()


def test_predict_has_an_answer_for_every_row_whatever_is_left_empty(rows):
    asked = rows[workloads.READ].copy()
    for name in ("input_len", "output_len", "concurrency", "interactivity_tok_s_user", "n_accelerators"):
        asked[name] = np.nan
    asked["precision"], asked["date"] = np.nan, ""
    found = performance.predict(asked, explain=True)
    known = found["reason"].eq("")
    assert found["tokens_per_s"].notna().equals(known)
    assert known.mean() > 0.9


def test_predict_names_missing_columns(rows):
    with pytest.raises(ValueError, match="results lack the columns \\['system'\\]"):
        performance.predict(rows.drop(columns="system"))


def test_interactivity_sets_the_load_where_none_is_given(rows):
    asked = rows[rows["scenario"].eq("serving 8k/1k")][workloads.READ].iloc[:1].assign(concurrency=np.nan)
    asked = pd.concat([asked.assign(interactivity_tok_s_user=v) for v in (20.0, 40.0)], ignore_index=True)
    slow, fast = performance.predict(asked)
    assert slow > fast
    asked["interactivity_tok_s_user"] = [20.0, 1e6]
    found = performance.predict(asked, explain=True)
    assert found["out_of_reach"].tolist() == [False, True]
    assert found["tokens_per_s"].notna().all()
    assert found["stratum"].iloc[0] != "offline"


def test_an_accelerator_without_results_has_a_wider_band():
    """In training by far; in serving, which hangs on bandwidth, a generation left out is not missed much more."""
    for phase, least in (("training", 1.3), ("serving", 1.01)):
        found = performance.throughput(["MI355X", "MI455X", "VR200"], ["deepseek-r1"], 256, phase=phase)
        wide = (found["high"] / found["low"]).isel(llm=0, batch=0).to_series()
        assert wide["MI455X"] > least * wide["MI355X"]
        assert wide["VR200"] > least * wide["MI355X"]


def test_an_architecture_without_results_has_a_wider_band():
    found = performance.throughput(["B200"], ["gpt3-175b", "llama3.1-70b"], 16).isel(accelerator=0, batch=0)
    wide = (found["high"] / found["low"]).to_series()
    assert wide["gpt3-175b"] > wide["llama3.1-70b"]


def test_a_format_that_an_accelerator_lacks_falls_back_openly():
    found = performance.throughput(["MI300X", "MI355X"], ["gpt-oss-120b"], 8, number_format="fp4")
    assert found["compute_format"].isel(llm=0).to_series().to_dict() == {"MI300X": "fp8", "MI355X": "fp4"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"llms": ["gpt-9"]}, "unknown language model 'gpt-9'"),
        ({"llms": ["glm-5"]}, "dimensions of glm-5 are not known; known: llama3.1-8b"),
        ({"accelerators": ["MI456X"]}, "unknown accelerator 'MI456X'; did you mean 'MI455X'"),
        ({"number_format": "fp5"}, "unknown number format 'fp5'"),
        ({"phase": "deocde"}, "unknown phase 'deocde'; did you mean 'decode'"),
        ({"batch": 0}, "batch must be above 0 and at most 1e+09, not 0"),
        ({"batch": np.ones((2, 2))}, "not an array of shape (2, 2)"),
        ({"accelerators": []}, "accelerators must name at least one"),
        ({"prompt_tokens": [1, 2]}, "prompt_tokens must be one number, not [1, 2]"),
        ({"accelerators_per_instance": 0.5}, "accelerators_per_instance must be at least 1 and at most 1e+07, not 0.5"),
        ({"accelerators_per_instance": 1.5}, "accelerators_per_instance must be a whole number, not 1.5"),
        ({"speculative": "no"}, "speculative must be True or False, not 'no'"),
        ({"accelerators": None}, "accelerators must be names, not None"),
        (
            {"phase": "training", "accelerators_per_instance": 8, "prompt_tokens": 4096},
            "Training deepseek-v3 in fp8 does not fit in 8 accelerators; it needs at least 29 of MI355X",
        ),
        ({"output_tokens": -1}, "output_tokens must be above 0, not -1"),
        ({"prompt_tokens": 200_000}, "context of 201,024 tokens is beyond the 163,840 of deepseek-v3"),
        (
            {"batch": 1e6},
            "1,000,000 requests of 2,048 tokens fit nowhere; 8,272 of deepseek-v3 fit in 4 of MI355X",
        ),
        (
            {"accelerators_per_instance": 1},
            "deepseek-v3 in fp8 does not fit in 1 accelerators; it needs at least 3 of MI355X",
        ),
    ],
)
def test_bad_input_is_named(change, message):
    asked = {"accelerators": ["MI355X"], "llms": ["deepseek-r1"], "batch": 8} | change
    with pytest.raises((ValueError, UnknownNameError)) as caught:
        performance.throughput(asked.pop("accelerators"), asked.pop("llms"), asked.pop("batch"), **asked)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"number_format": "fp5"}, "unknown number format 'fp5'"),
        ({"output_tokens": 0}, "output_tokens must be above 0, not 0"),
        ({"prompt_tokens": 1e6}, "context of 1,001,024 tokens is beyond the 163,840 of deepseek-v3"),
        ({"phase": "decode"}, "unknown setting 'phase'"),
    ],
)
def test_bad_input_to_the_parts_of_a_step_is_named(change, message):
    with pytest.raises((ValueError, UnknownNameError)) as caught:
        performance.step_parts("MI355X", "deepseek-r1", 8, **change)
    assert message in str(caught.value)


def test_scaling_out_the_prefill_and_training_have_answers():
    for phase in performance.PHASES:
        found = performance.throughput(["H100", "MI355X"], ["llama3.1-70b"], 16, phase=phase)
        assert (found["tokens_per_s"] > 0).all()
        assert (found["low"] < found["high"]).all()
    prefill = performance.throughput(["H100"], ["llama3.1-70b"], 16, phase="prefill")["tokens_per_s"].item()
    decode = performance.throughput(["H100"], ["llama3.1-70b"], 16, phase="decode")["tokens_per_s"].item()
    assert prefill > 5 * decode  # reading a prompt uses the chip's compute, decoding its bandwidth


def test_the_committed_fit_is_the_fit_of_the_committed_data(rows):
    again = calibration.fit(rows)
    kept = tables.resource("efficiencies")
    assert again["parameter"].tolist() == kept["parameter"].tolist()
    assert again["data_hash"].iloc[0] == kept["data_hash"].iloc[0]
    np.testing.assert_allclose(again["value"], kept["value"], atol=2e-3)


def test_a_stale_fit_warns(monkeypatch):
    table = tables.resource("efficiencies").assign(data_hash="0")
    monkeypatch.setattr(calibration, "resource", lambda n: table if n == "efficiencies" else tables.resource(n))
    with pytest.warns(UserWarning, match="run 'gigafleet fit'"):
        calibration.read()
    monkeypatch.undo()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        calibration.read()


def test_the_fit_finds_known_efficiencies_and_shrugs_at_an_outlier(x):
    design = effects.Design(x)
    truth = np.array([p.mean for p in design.priors])
    changed = {"compute": 0.4, "step_s": 0.8, "batch_s": 0.9, "speculation:on": 0.5}
    for name, shift in changed.items():
        truth[design.names.index(name)] += shift
    rng = np.random.default_rng(0)
    made = design.predict(truth) + rng.normal(0, 0.05, len(x))
    made[::40] += 2.0
    values, covariance = calibration.solve(design, made)
    for name, shift in changed.items():
        i = design.names.index(name)
        assert values[i] == pytest.approx(truth[i], abs=0.35 * abs(shift)), name
    assert np.median(np.abs(design.predict(values) - made)) < 0.05
    assert (np.diag(covariance) > 0).all()


def test_a_fit_needs_results(rows):
    with pytest.raises(ValueError, match="a fit needs 50 results at least, not 0"):
        calibration.fit(rows.iloc[:0])


def test_a_fit_without_a_parameter_is_named(monkeypatch):
    table = tables.resource("efficiencies").query("parameter != 'hop_s'")
    monkeypatch.setattr(calibration, "resource", lambda n: table if n == "efficiencies" else tables.resource(n))
    with pytest.raises(ValueError, match="lacks hop_s; run 'gigafleet fit'"):
        calibration.read()


def test_errors_of_results_left_out(x):
    """The aims of the model, on the results that it is fitted to, with whole groups left out; a margin for drift."""
    known = calibration.load()
    serves = ~x["training"]
    for hold_out, most, least in (("pair", 0.15, 0.87), ("generation and architecture", 0.2, 0.77)):
        width = calibration.half_width(x, known, accuracy.BANDS[hold_out])
        left = accuracy.held_out(x, hold_out)
        found = accuracy.score(left[serves], width[serves])
        assert found["median_error"] < most
        assert found["within_1_5"] > least
        assert 0.85 <= found["covered"] <= 0.97
        for vendor in ("AMD", "NVIDIA"):
            assert abs(accuracy.score(left[serves & x["vendor"].eq(vendor)])["bias"]) < 0.10
    trains = accuracy.score(accuracy.held_out(x, "pair")[~serves])
    assert trains["median_error"] < 0.12
    ridge = accuracy.baselines(x, calibration.pairs(x))["ridge regression"]
    ours = accuracy.score(accuracy.held_out(x, "pair")[serves])["median_error"]
    assert ours < 0.75 * accuracy.score(ridge[serves])["median_error"]


def test_errors_of_few_rows_are_not_established():
    assert not accuracy.score(pd.Series([0.1] * 9))["established"]
    found = accuracy.score(pd.Series([0.0, np.log(2.0)]), pd.Series([0.1, 0.1]))
    assert found["within_1_5"] == 0.5
    assert found["covered"] == 0.5
    assert found["rows"] == 2


def test_a_large_grid_is_quick_enough_for_a_slider():
    """Not a benchmark: only that nothing loops over cells (52,800 of them)."""
    calibration.load()
    known = list(catalog.accelerators().query("memory_tb_s > 0 and bf16_tflops > 0").index)[:25]
    start = time.perf_counter()  # 0.3 s on two cores, see benchmarks/grid.py
    for phase in ("training", "prefill", "decode"):
        performance.throughput(known, arithmetic().index, np.geomspace(1, 512, 64), phase=phase, output_tokens=512)
    assert time.perf_counter() - start < 5


def test_a_load_beyond_memory_waits_and_says_so(rows):
    """Eight H100 hold 96 requests of Llama 3.1 405B in FP8 with 9,216 tokens; more of them wait."""
    asked = one(rows, concurrency=[16, 4096, 8192], accelerator="H100", model="llama3.1-405b", precision="fp8")
    found = performance.predict(asked.assign(interactivity_tok_s_user=np.nan), explain=True)
    assert found["assumed"].str.contains("load beyond memory waits").tolist() == [False, True, True]
    assert found["tokens_per_s"].iloc[1] == pytest.approx(found["tokens_per_s"].iloc[2])
    full = one(rows, concurrency=[1, 1], accelerator="H100", model="llama3.1-70b", precision="bf16", n_accelerators=2)
    full = full.assign(interactivity_tok_s_user=np.nan, input_len=[120_000, 1_000], output_len=1_000)
    assert performance.predict(full, explain=True)["assumed"].str.contains("beyond memory").tolist() == [True, False]


def test_an_error_of_memory_says_what_would_fit():
    settings = {"number_format": "bf16", "prompt_tokens": 120_000, "accelerators_per_instance": 11}
    with pytest.raises(ValueError, match=r"one of llama3\.1-405b needs at least 12 of H100"):
        performance.throughput(["H100"], ["llama3.1-405b"], 1, **settings)
    settings["accelerators_per_instance"] = 12
    assert bool(performance.throughput(["H100"], ["llama3.1-405b"], 1, **settings)["fits"].all())


def test_a_format_of_weights_is_told_from_that_of_the_cache(rows):
    asked = one(rows, precision=["fp8 KV, fp4 weights", "fp4", "int8", "fp8", "FP8 KV cache, NVFP4"])
    found = performance.predict(asked, explain=True)
    assert found["tokens_per_s"].iloc[0] == found["tokens_per_s"].iloc[1]
    assert found["tokens_per_s"].iloc[2] == found["tokens_per_s"].iloc[3]
    assert found["assumed"].str.contains("int8 taken as fp8").tolist() == [False, False, True, False, False]
    assert found["tokens_per_s"].iloc[4] == found["tokens_per_s"].iloc[0]
