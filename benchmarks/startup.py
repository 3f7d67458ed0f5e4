"""How long the package and its command line take to start, beside interpreters that import a peer.

Run it as ``.venv/bin/python benchmarks/startup.py``. Each time is the shortest of seven fresh processes.
"""

import subprocess
import sys
import time

RUNS = 7
PEERS = ("import numpy", "import pandas")
OURS = {"import gigafleet": 0.3, "gigafleet --help": 0.4}
COMMANDS = {
    "python": [sys.executable, "-c", ""],
    "import gigafleet": [sys.executable, "-c", "import gigafleet"],
    "gigafleet --help": [sys.executable, "-m", "gigafleet", "--help"],
    **{peer: [sys.executable, "-c", peer] for peer in PEERS},
}


def seconds(command: list[str]) -> float:
    """Return the shortest time that a command takes [s]."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    """Print seconds, and ratios to the peers."""
    measured = {name: seconds(command) for name, command in COMMANDS.items()}
    print(f"{'':18}{'seconds':>8}{'limit':>8}" + "".join(f"{'/ ' + peer:>18}" for peer in PEERS))
    for name, time_s in measured.items():
        limit = f"{OURS[name]:8.1f}" if name in OURS else f"{'-':>8}"
        print(f"{name:18}{time_s:8.3f}{limit}" + "".join(f"{time_s / measured[peer]:18.2f}" for peer in PEERS))


if __name__ == "__main__":
    main()
