"""Times a grid of throughput against the same formulas in a plain loop over its cells, and prints the ratio.

Usage: python benchmarks/grid.py
"""

import sys
import time

import numpy as np
import pandas as pd

from gigafleet import calibration, catalog, effects, performance, roofline
from gigafleet.architectures import arithmetic

PHASES = ("training", "prefill", "decode")
CELLS = 500  # of the loop; its time is scaled to the grid


def grid(names: list[str], models: list[str], batches: np.ndarray) -> None:
    """Answer for the whole grid, one call a phase."""
    for phase in PHASES:
        performance.throughput(names, models, batches, phase=phase, output_tokens=512)


def loop(cells: pd.DataFrame) -> None:
    """Answer for some cells one after the other, on plain numbers."""
    known = calibration.load()
    design = effects.Design(cells, known.names)
    inputs, shares, factors = (f(known.values) for f in (design.inputs, design.efficiencies, design.factor))
    for i in range(len(cells)):
        x = {name: float(values[i]) for name, values in inputs.items()}
        p = {name: float(np.broadcast_to(values, len(cells))[i]) for name, values in shares.items()}
        roofline.decode_tokens_per_s(x, p, 0) * np.exp(factors[i])


def main() -> int:
    """Print sizes, times and the ratio."""
    calibration.load()
    table = catalog.accelerators()
    known = table["memory_tb_s"].gt(0) & table["bf16_tflops"].gt(0) & table["memory_gb"].gt(0)
    names = [*table.index[known], *table.index[~known]][:25]
    models, batches = list(arithmetic().index), np.geomspace(1, 512, 64)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        grid(names, models, batches)
        times.append(time.perf_counter() - start)
    pairs = pd.MultiIndex.from_product([names, models], names=["accelerator", "llm"]).to_frame(index=False)
    some = pairs.sample(CELLS, replace=True, random_state=0, ignore_index=True)
    cells = performance._grid(some, "decode", "fp8", 1024, 512)
    cells = cells.assign(requests=16.0, pool=cells["instance"])
    start = time.perf_counter()
    loop(cells)
    size = len(names) * len(models) * len(batches) * len(PHASES)
    each = (time.perf_counter() - start) / CELLS * size
    print(
        f"{len(names)} accelerators x {len(models)} models x {len(batches)} batches x {len(PHASES)} phases = {size:,}"
    )
    print(f"grid {min(times):.2f} s; loop {each:.1f} s (scaled from {CELLS} cells); ratio {each / min(times):.0f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
