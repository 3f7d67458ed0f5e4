"""How much of its dense peak a generation of accelerators reaches in one large matrix multiplication.

Peaks promise more on some hardware than on other: clocks fall under load, and narrow formats outrun the memory that
feeds them. What a multiplication reaches at its best shape is measured for many accelerators (``matmul_tflops`` of the
data package), by programs that know nothing of language models. The mean of a generation is taken: inside one, clocks
follow the rated power, which the model has from the data sheets (see :func:`gigafleet.workloads.watts`).
"""

import numpy as np
import pandas as pd

from gigafleet.naming import generation

FORMATS = ("bf16", "fp8", "fp4")  # from wide to narrow


def shares(known: pd.DataFrame, measured: bool = True) -> pd.DataFrame:
    """Return the measured matrix multiplication over the dense peak, the geometric mean of a generation.

    Parameters
    ----------
    known
        As :func:`gigafleet.catalog.accelerators`.
    measured
        Whether a generation's own measurements are known. Without them, it gets what it would get if there were none.

    Returns
    -------
    DataFrame
        Indexed as ``known``, a column a format of :data:`FORMATS`; NaN where there is no peak. A generation without
        measurements takes those of the vendor's newest other generation that has some, else the mean of all others. A
        format that was not measured takes the share of the next wider one. [share]
    """
    family, log = generation(known["architecture"]), np.log(_measured(known))
    mean = log.groupby(family).mean()
    makers, newest = known["vendor"].groupby(family).first(), known["release"].groupby(family).max()
    found = {}
    for name in mean.index:
        others = newest[makers.eq(makers[name]) & (newest.index != name)].sort_values(ascending=False).index
        likely = [_widened(mean.loc[others]).bfill().iloc[0]] if len(others) else []
        likely.append(_widened(mean.drop(index=name)).mean())
        rows = [mean.loc[name], *likely] if measured and mean.loc[name].notna().any() else likely
        found[name] = _widened(pd.DataFrame(rows)).bfill().iloc[0]
    table = pd.DataFrame(found).T.reindex(family).set_axis(known.index)
    return np.exp(table).where(_peaks(known) > 0)


def _peaks(known: pd.DataFrame) -> pd.DataFrame:
    return known[[f"{name}_tflops" for name in FORMATS]].set_axis(list(FORMATS), axis=1)


def _measured(known: pd.DataFrame) -> pd.DataFrame:
    """Return the shares that were measured, accelerator by accelerator."""
    columns = ["matmul_tflops", *(f"matmul_tflops_{name}" for name in FORMATS[1:])]
    return known[columns].set_axis(list(FORMATS), axis=1) / _peaks(known)


def _widened(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with what a format lacks taken from the next wider one."""
    return table[list(FORMATS)].ffill(axis=1)
