"""The parameters of the performance model and the rows they apply to.

Every parameter is a logarithm with a prior: a constant has a wide one around a plausible value, a deviation or effect
a narrower one around zero, so that what few results say moves it little (shrinkage); two are exponents. What would
tell accelerators, architectures or engines apart one by one was left out: it helps on what was measured and not on what
was not. MLPerf's tasks are told apart, for their lengths are assumed.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from gigafleet import roofline


class Prior(NamedTuple):
    """Prior of a parameter: mean and spread in logarithms, and what it is."""

    mean: float
    sd: float
    meaning: str


CONSTANTS = {
    "compute": Prior(np.log(0.5), 0.5, roofline.EFFICIENCIES["compute"]),
    "bandwidth": Prior(np.log(0.6), 0.3, roofline.EFFICIENCIES["bandwidth"]),
    "step_s": Prior(np.log(5e-5), 1.0, roofline.EFFICIENCIES["step_s"]),
    "hop_s": Prior(np.log(8e-6), 1.0, roofline.EFFICIENCIES["hop_s"]),
    "link": Prior(np.log(0.3), 1.0, roofline.EFFICIENCIES["link"]),
    "request_s": Prior(np.log(5e-6), 1.0, roofline.EFFICIENCIES["request_s"]),
    "batch_s": Prior(np.log(1e-7), 1.0, roofline.EFFICIENCIES["batch_s"]),
    "expert_compute": Prior(-0.3, 0.5, "compute of models with experts, against dense ones"),
    "most_requests": Prior(np.log(256), 0.7, "requests an engine runs at once per accelerator if load is not stated"),
    "disaggregated_load": Prior(0.0, 0.2, "exponent of requests per accelerator where the phases are split"),
}
# Efficiency, label and spread of what deviates from the constant. Compute goes by generation and format through the
# measured ceilings (see :mod:`gigafleet.ceilings`), and what a format reaches of its ceiling; of bandwidth, only the
# vendor is told apart.
DEVIATIONS = (("compute", "compute_format", 0.05), ("bandwidth", "vendor", 0.2))
# Factors on throughput, each a label of the rows; a row without the label (empty) has none.
EFFECTS = {
    "tuned": Prior(0, 0.5, "the vendor's own engine, or settings searched for MLPerf, over other engines"),
    "latency": Prior(0, 1.0, "latency limits of MLPerf's scenario"),
    "speculation": Prior(0, 1.0, "speculative decoding"),
    "split": Prior(0, 0.5, "prefill and decode on different accelerators"),
    "experts": Prior(0, 0.5, "inference of models with experts, against dense ones"),
    "task": Prior(0, 0.2, "MLPerf task: its lengths are not stated"),
    "scattered": Prior(0, 0.5, "training of experts across scale-up domains"),
}
COVARIATES = {
    "novelty": Prior(0.0, 0.2, "software of a task that is new in MLPerf, offline and server, in its first round"),
    "watts": Prior(0.5, 0.3, "exponent of rated power per FLOP/s of the peak, over the generation's: it clocks by it"),
}
TUNED = ("mlperf", "tensorrt", "tensorrt page", "atom", "rocm page")  # the vendors' own engines, and MLPerf's results
EXPERT_GROUP = 64  # accelerators that experts are spread over in training, at most
DECODE_GROUP = 8  # accelerators that decode together in a pool that splits the phases, where the model fits in them
STRATA = ("offline", "server", "serving", "interactive", "training", "disaggregated", "speculative", "sparse")


def stratum(x: pd.DataFrame) -> pd.Series:
    """Return which kind of result a row is, for its band. ``sparse`` has fewer requests than accelerators."""
    sparse = x["requests"] < x["instance"]
    kinds = [x["training"], x["speculative"], x["disaggregated"], x["scenario"].eq("serving") & sparse]
    names = ["training", "speculative", "disaggregated", "sparse"]
    return pd.Series(np.select(kinds, names, x["scenario"]), index=x.index)


def labels(x: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return the label of each effect for each row; empty where the effect does not apply."""
    trains, moe = x["training"], x["experts"] > 0
    scattered = trains & moe & (x["domain"] < np.minimum(x["pool"], EXPERT_GROUP))
    marks = {
        "speculation": x["speculative"],
        "split": x["disaggregated"],
        "experts": ~trains & moe,
        "scattered": scattered,
    }
    return {
        **{name: np.where(rows, "on", "") for name, rows in marks.items()},
        "tuned": np.where(x["engine"].isin(TUNED), x["vendor"], ""),
        "latency": np.where(x["scenario"].isin(["server", "interactive"]), x["scenario"], ""),
        "task": np.where(x["mlperf"], x["llm"], ""),
    }


def covariates(x: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return the values of the covariates for each row."""
    return {"novelty": x["novelty"].to_numpy(float), "watts": np.log(x["watts"].to_numpy())}


class Design:
    """Rows of inputs with the parameters that apply to them; computes the logarithm of throughput."""

    def __init__(self, x: pd.DataFrame, names: list[str] | None = None):
        """Prepare rows. ``names`` are the parameters to use; those of the rows' own labels if None."""
        self.x = x
        self.arrays = {name: x[name].to_numpy(float) for name in roofline.INPUTS if name != "requests"}
        self.own = {c: x[c].to_numpy() for c in ("training", "disaggregated", "adapters")}
        self.own["requests"] = x["requests"].to_numpy(float)
        marks = {f"{e}:{label}": x[label].to_numpy() for e, label, _ in DEVIATIONS}
        marks |= {name: np.asarray(values) for name, values in labels(x).items()}
        if names is None:
            names = [*CONSTANTS]
            for start, values in marks.items():
                names += [f"{start}:{label}" for label in sorted({str(v) for v in values} - {"", "nan"})]
            names += COVARIATES
        self.names = list(names)
        self.priors = [_prior(name) for name in self.names]
        self.constants = {name: self.names.index(name) for name in CONSTANTS}
        columns, values = [], covariates(x)
        for name in self.names:
            start, _, label = name.rpartition(":")
            columns.append(values[name] if name in values else (marks[start] == label) if start in marks else None)
        split = len(CONSTANTS) + sum(n.startswith(tuple(f"{e}:" for e in roofline.EFFICIENCIES)) for n in self.names)
        self.nonlinear = split
        self.deviating = [
            (self.names[i].split(":")[0], i, columns[i].astype(float)) for i in range(len(CONSTANTS), split)
        ]
        self.linear = np.column_stack([np.asarray(c, dtype=float) for c in columns[split:]])

    def efficiencies(self, values: np.ndarray) -> dict[str, np.ndarray]:
        """Return the efficiencies of each row."""
        p = {name: values[self.constants[name]] for name in roofline.EFFICIENCIES}
        for name, i, column in self.deviating:
            p[name] = p[name] + values[i] * column
        c = {name: values[i] for name, i in self.constants.items()}
        p["compute"] = p["compute"] + c["expert_compute"] * (self.arrays["experts"] > 0)
        return {name: np.exp(value) for name, value in p.items()}

    def inputs(self, values: np.ndarray) -> dict[str, np.ndarray]:
        """Return the roofline's inputs of each row: the group that works together, and its load."""
        holds = roofline.weights(self.arrays) / (0.6 * self.arrays["memory"])
        group = np.where(
            self.own["disaggregated"],
            np.minimum(self.arrays["instance"], np.maximum(DECODE_GROUP, holds)),
            self.arrays["instance"],
        )
        x = {**self.arrays, "instance": group}
        most = np.exp(values[self.constants["most_requests"]])
        stated = self.own["requests"] * group / self.arrays["instance"]
        asked = np.where(np.isnan(stated), group * most, np.maximum(stated, 1e-2))
        x["requests"] = np.minimum(asked, np.maximum(roofline.most_requests(x), 1.0))
        return x

    def physics(self, values: np.ndarray) -> np.ndarray:
        """Return the logarithm of the roofline's throughput of each row."""
        x, p, own = self.inputs(values), self.efficiencies(values), self.own
        c = {name: values[i] for name, i in self.constants.items()}
        load = x["requests"] / x["instance"]
        serves = np.log(roofline.decode_tokens_per_s(x, p))
        serves = serves + c["disaggregated_load"] * own["disaggregated"] * np.log(load)
        trains = np.log(roofline.training_tokens_per_s(x, p, own["adapters"]))
        return np.where(own["training"], trains, serves)

    def capped(self, values: np.ndarray) -> np.ndarray:
        """Return which rows state more requests than fit in memory, where the rest wait; or have no room for one."""
        x = self.inputs(values)
        full = roofline.most_requests(x) < 1
        beyond = self.own["requests"] * x["instance"] > 1.001 * x["requests"] * self.arrays["instance"]
        return (full & ~self.own["training"]) | beyond

    def predict(self, values: np.ndarray) -> np.ndarray:
        """Return the logarithm of throughput of each row [log tokens/s per accelerator]."""
        return self.physics(values) + self.factor(values)

    def factor(self, values: np.ndarray) -> np.ndarray:
        """Return the logarithm of the effects' factor on each row."""
        return self.linear @ values[self.nonlinear :]

    def slopes(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the prediction and its derivatives by every parameter, rows down."""
        base = self.physics(values)
        steps = np.empty((len(base), len(values)))
        steps[:, self.nonlinear :] = self.linear
        for j in range(self.nonlinear):
            moved = values.copy()
            moved[j] += 1e-4
            steps[:, j] = (self.physics(moved) - base) / 1e-4
        return base + self.factor(values), steps

    def rows(self, keep: np.ndarray) -> "Design":
        """Return the design of some rows, with the same parameters."""
        return Design(self.x[keep], self.names)


def _prior(name: str) -> Prior:
    if name in CONSTANTS or name in COVARIATES:
        return (CONSTANTS | COVARIATES)[name]
    start, _, label = name.rpartition(":")
    if start in EFFECTS:
        told = "" if label == "on" else f": {label}"
        return EFFECTS[start]._replace(meaning=EFFECTS[start].meaning + told)
    efficiency, by = start.split(":")
    sd = next(sd for e, column, sd in DEVIATIONS if (e, column) == (efficiency, by))
    return Prior(0, sd, f"{efficiency} of {label}, over the constant")
