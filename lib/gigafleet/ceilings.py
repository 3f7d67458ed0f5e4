"""How much of its dense peak an accelerator reaches in the best measured matrix multiplication.

Peaks promise more on some hardware than on other: clocks fall under load, and narrow formats outrun the memory that
feeds them. What one large multiplication reaches is measured for many accelerators (``matmul_tflops`` of the data
package), by programs that know nothing of language models.
"""

import numpy as np
import pandas as pd

from gigafleet.naming import generation

FORMATS = ("bf16", "fp8", "fp4")  # from wide to narrow


def shares(known: pd.DataFrame, measured: bool = True) -> pd.DataFrame:
    """Return the best measured matrix multiplication over the dense peak.

    Parameters
    ----------
    known
        As :func:`gigafleet.catalog.accelerators`.
    measured
        Whether an accelerator's own generation may be used. Without it, each gets what it would get if nothing of its
        generation had been measured.

    Returns
    -------
    DataFrame
        Indexed as ``known``, a column a format of :data:`FORMATS`; NaN where there is no peak. A format that was not
        measured takes the share of the next wider one, an accelerator without any that of its generation, else that
        of the vendor's newest generation that has it, else that of all. [share]
    """
    log, family = np.log(_own(known)), generation(known["architecture"])
    mean = log.groupby(family).mean()
    log = log.fillna(mean.reindex(family).set_axis(log.index)) if measured else log * np.nan
    log = log.fillna(_of_others(known, family, mean).reindex(family).set_axis(log.index))
    return np.exp(_widened(log).fillna(np.log(_own(known)).mean())).where(_peaks(known) > 0)


def _of_others(known: pd.DataFrame, family: pd.Series, mean: pd.DataFrame) -> pd.DataFrame:
    """Return for each generation the mean of the vendor's newest other generation that has one, for each format."""
    makers, newest = known["vendor"].groupby(family).first(), known["release"].groupby(family).max()
    found = {}
    for name, maker in makers.items():
        others = newest[makers.eq(maker) & (newest.index != name)].sort_values(ascending=False).index
        found[name] = mean.loc[others].bfill().iloc[0] if len(others) else mean.loc[name] * np.nan
    return pd.DataFrame(found).T


def _widened(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with what a format lacks taken from the next wider one."""
    return table[list(FORMATS)].ffill(axis=1)


def _peaks(known: pd.DataFrame) -> pd.DataFrame:
    return known[[f"{name}_tflops" for name in FORMATS]].set_axis(list(FORMATS), axis=1)


def _own(known: pd.DataFrame) -> pd.DataFrame:
    """Return the shares that were measured, a format that was not at that of the next wider one."""
    columns = ["matmul_tflops", *(f"matmul_tflops_{name}" for name in FORMATS[1:])]
    peaks = _peaks(known)
    return _widened(known[columns].set_axis(list(FORMATS), axis=1) / peaks).where(peaks > 0)
