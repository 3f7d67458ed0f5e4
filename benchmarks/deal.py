"""Times a million samples of the whole deal against the same call one sample at a time, and prints growth and memory.

On a machine with other work, the seconds of cores say more than those of the clock.

Usage: python benchmarks/deal.py [--most 1048576]
"""

import argparse
import resource
import sys
import time

from gigafleet import deal

ONE_BY_ONE = 50  # samples of the loop; its time is scaled


def main() -> int:
    """Print seconds and memory by number of samples, and the ratio to a loop."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--most", type=int, default=2**20, help="most samples, a power of two")
    most = parser.parse_args().most
    deal.evaluate(n=64)
    n, seconds = 2**14, 0.0
    while n <= most:
        start, busy = time.perf_counter(), time.process_time()
        deal.evaluate(n=n)
        seconds, busy = time.perf_counter() - start, time.process_time() - busy
        used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        each = f"{1e6 * seconds / n:6.2f} us each"
        print(f"{n:>9,} samples: {seconds:6.2f} s ({busy:6.2f} s of cores), {each}, {used:.2f} GiB at most so far")
        n *= 4
    n //= 4
    drawn = deal.draw(n=64).head(ONE_BY_ONE)
    start = time.perf_counter()
    for i in range(len(drawn)):
        deal.evaluate(drawn.iloc[[i]])
    each = (time.perf_counter() - start) / len(drawn)
    print(f"one sample at a time: {each * n:,.0f} s (scaled from {len(drawn)}), ratio {each * n / seconds:,.0f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
