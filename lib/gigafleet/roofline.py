"""How long a language model's work takes on accelerators, from the spec sheet and a few efficiencies.

Plain arithmetic on arrays that broadcast. ``x`` maps the names of :data:`INPUTS` to arrays of one shape (or to columns
of a table), ``p`` maps those of :data:`EFFICIENCIES` to numbers or arrays. Efficiencies are shares of the data sheet's
dense figures.
"""

import numpy as np

INPUTS = {
    "peak_flops": "dense peak of the number format that computes [FLOP/s]",
    "ceiling": "share of the peak that a large matrix multiplication reaches",
    "bandwidth": "memory bandwidth [byte/s]",
    "memory": "memory [byte]",
    "link": "scale-up bandwidth, both directions [byte/s]",
    "pool": "accelerators that share the work",
    "domain": "accelerators that share a scale-up fabric",
    "scale_out": "bandwidth of an accelerator to other domains, both directions [byte/s]",
    "instance": "accelerators that hold one copy of the model",
    "requests": "requests in flight in an instance",
    "prompt_tokens": "input tokens of a request",
    "output_tokens": "output tokens of a request",
    "weight_bytes": "bytes of a weight",
    "cache_bytes": "bytes of an element of the key-value cache",
    "params": "parameters",
    "active_params": "parameters that a token multiplies with",
    "expert_params": "parameters in routed experts",
    "experts": "routed experts of a layer; 0 in a dense model",
    "experts_per_token": "routed experts that a token uses",
    "cache_shards": "parts that the cache splits into across accelerators; beyond, it is copied",
    "cache_elements": "elements of cache that a token leaves, all layers together",
    "attention_flops": "FLOPs of a decoded token for each token of context",
    "prompt_attention_flops": "FLOPs of a prompt's token for each token before it",
    "layers": "layers",
    "hidden": "width of the model",
    "window": "tokens that a windowed layer attends to",
    "windowed_share": "share of layers with a window",
}
EFFICIENCIES = {
    "compute": "share of what a large matrix multiplication reaches that the work reaches",
    "bandwidth": "share of the memory bandwidth that a decode step reaches",
    "step_s": "fixed time of a decode step for each layer [s]",
    "hop_s": "latency of a layer's collectives for each doubling of the instance [s]",
    "link": "share of the scale-up bandwidth that collectives reach",
    "request_s": "time that a step spends for each request, on scheduling and sampling [s]",
    "batch_s": "time of a training step that more accelerators do not shorten, over the tokens of its batch [s]",
}


USABLE = 0.97  # of memory, for weights and cache: DeepSeek R1 in FP8 is served on four B200 and takes 93 % of theirs


def touched_share(experts_per_token, experts, tokens):
    """Return the share of experts that a batch of tokens touches, if each token picks at random: ``1 - (1 - k/E)^B``;
    1 in a dense model (``experts`` 0).

    >>> float(touched_share(8, 256, 1)), float(touched_share(0, 0, 5))
    (0.03125, 1.0)
    """
    experts = np.asarray(experts, dtype=float)
    share = np.asarray(experts_per_token) / np.where(experts > 0, experts, 1)
    return np.where(experts > 0, 1 - (1 - share) ** np.maximum(tokens, 1), 1.0)


def context_tokens(x) -> np.ndarray:
    """Return the context that decoding reads on average [tokens]: the prompt and half of the output, cut to the window
    in the layers that have one."""
    context = x["prompt_tokens"] + x["output_tokens"] / 2
    share = x["windowed_share"]
    return context * (1 - share) + np.minimum(context, np.maximum(x["window"], 1)) * share


def cache_bytes_per_request(x) -> np.ndarray:
    """Return the key-value cache of a request, halfway through its output [byte]."""
    return context_tokens(x) * x["cache_elements"] * x["cache_bytes"]


def weights(x) -> np.ndarray:
    """Return the size of the model [byte]."""
    return x["params"] * x["weight_bytes"]


def most_requests(x) -> np.ndarray:
    """Return how many requests an instance's memory holds beside the weights; below 1 where the model does not fit."""
    room = USABLE * x["memory"] * x["instance"] - weights(x)
    return np.maximum(room, 0) / (cache_bytes_per_request(x) * copies(x))


def copies(x) -> np.ndarray:
    """Return how often an instance holds the same cache: accelerators beyond the heads that the cache has copy it."""
    return np.maximum(x["instance"] / x["cache_shards"], 1.0)


def prompt_flops(x) -> np.ndarray:
    """Return the FLOPs of reading a request's prompt, with causal attention."""
    tokens = x["prompt_tokens"]
    return tokens * (2 * x["active_params"] + x["prompt_attention_flops"] * attended_tokens(x, tokens))


def attended_tokens(x, tokens) -> np.ndarray:
    """Return how many tokens a token of a text attends to on average [tokens]: half of the text with a causal mask, in
    layers with a window no more than the window."""
    window = np.minimum(np.maximum(x["window"], 1), tokens)
    share = x["windowed_share"]
    return tokens / 2 * (1 - share) + window * (1 - window / (2 * tokens)) * share


def link_s(x, p, tokens) -> np.ndarray:
    """Return how long accelerators exchange activations of so many tokens [s]: two all-reduces of 16 bits in a layer,
    each a ring in the scale-up domain; where an instance spans several, each accelerator then passes on its share."""
    n = np.minimum(x["instance"], x["domain"])
    size = x["layers"] * 2 * 2 * x["hidden"] * tokens
    inside = 2 * (n - 1) / n * size / (x["link"] / 2)
    domains = x["instance"] / n
    return (inside + 2 * (1 - 1 / domains) * size / n / (x["scale_out"] / 2)) / p["link"]


def reached_flops(x) -> np.ndarray:
    """Return what a large matrix multiplication reaches of the dense peak. [FLOP/s]"""
    return x["peak_flops"] * x["ceiling"]


def step_parts_s(x, p, prefill=1.0) -> dict[str, np.ndarray]:
    """Return the parts of a decode step's time [s].

    A step decodes one token for each request. In a steady state it also reads ``1 / output_tokens`` of a prompt for
    each (``prefill`` 1), unless prompts are read elsewhere (0).

    Returns
    -------
    dict
        ``memory`` (weights touched and cache, over the bandwidth), ``compute`` (decoding and prompts), ``link``
        (activations between accelerators), ``hops`` (latency of collectives), ``fixed`` and ``requests``. They add up.

    Notes
    -----
    Memory and compute add up, too: engines read weights and multiply in turn more than at once. With the larger of the
    two in place of their sum, the median error on pairs left out is 16 instead of 14 %, and 81 instead of 88 % of
    predictions are within a factor of 1.5. Collectives are counted as all-reduces of a ring, those of experts, too.
    """
    n, requests = x["instance"], x["requests"]
    touched = touched_share(x["experts_per_token"], x["experts"], requests)
    read = (x["params"] - x["expert_params"] * (1 - touched)) * x["weight_bytes"]
    read = read + requests * cache_bytes_per_request(x) * copies(x)
    prompts = prefill * requests / x["output_tokens"]  # that a step reads
    decode = requests * (2 * x["active_params"] + x["attention_flops"] * context_tokens(x))
    return {
        "memory": read / (n * x["bandwidth"] * p["bandwidth"]),
        "compute": (decode + prompts * prompt_flops(x)) / (n * reached_flops(x) * p["compute"]),
        "link": link_s(x, p, requests + prompts * x["prompt_tokens"]),
        "hops": x["layers"] * p["hop_s"] * np.log2(np.maximum(n, 1)),
        "fixed": x["layers"] * p["step_s"] + 0 * requests,
        "requests": requests * p["request_s"],
    }


def decode_tokens_per_s(x, p, prefill=1.0) -> np.ndarray:
    """Return output tokens per accelerator [tokens/s]."""
    return x["requests"] / (x["instance"] * sum(step_parts_s(x, p, prefill).values()))


def prefill_tokens_per_s(x, p) -> np.ndarray:
    """Return input tokens per accelerator when a batch of ``requests`` prompts is read [tokens/s]."""
    n, tokens = x["instance"], x["requests"] * x["prompt_tokens"]
    touched = touched_share(x["experts_per_token"], x["experts"], tokens)
    read = (x["params"] - x["expert_params"] * (1 - touched)) * x["weight_bytes"]
    seconds = (
        np.maximum(
            x["requests"] * prompt_flops(x) / (n * reached_flops(x) * p["compute"]),
            read / (n * x["bandwidth"] * p["bandwidth"]),
        )
        + link_s(x, p, tokens)
        + x["layers"] * (p["step_s"] + p["hop_s"] * np.log2(np.maximum(n, 1)))
    )
    return tokens / (n * seconds)


def training_flops_per_token(x, adapters=False) -> np.ndarray:
    """Return the FLOPs of training on a token: 6 for each active parameter, 4 where only adapters learn, and three
    passes of causal attention over the sequence (``prompt_tokens``)."""
    dense = np.where(adapters, 4, 6) * x["active_params"]
    return dense + 3 * x["prompt_attention_flops"] * attended_tokens(x, x["prompt_tokens"])


def training_tokens_per_s(x, p, adapters=False) -> np.ndarray:
    """Return trained tokens per accelerator [tokens/s].

    Accelerators share the FLOPs of a step. Collectives, the pipeline's bubbles and the optimizer take the time that
    they take, so that a small model on many accelerators loses most.
    """
    shared = training_flops_per_token(x, adapters) / (reached_flops(x) * p["compute"])
    return 1 / (shared + x["pool"] * p["batch_s"])


def model_flop_utilization(tokens_per_s, flops_per_token, peak_flops):
    """Return the share of the dense peak that training uses (MFU).

    >>> float(model_flop_utilization(1000.0, 4e11, 1e15))
    0.4
    """
    return np.asarray(tokens_per_s) * flops_per_token / peak_flops
