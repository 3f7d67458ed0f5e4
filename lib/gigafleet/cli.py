"""The command line: ``gigafleet report | list | check | fit``. Heavy modules load only where they are needed."""

import argparse
import os
import re
import sys
from pathlib import Path
from typing import NoReturn

import gigafleet

LISTS = ("accelerators", "systems", "notebooks", "scenarios")
COLUMNS = {
    "accelerators": "vendor release status tdp_w all_in_kw memory_gb memory_tb_s bf16_tflops fp8_tflops fp4_tflops",
    "systems": "accelerator accelerators_per_system server_kw rack_kw fp8_pflops memory_tb vendor",
}


class _Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one line, with the nearest word that is known."""

    def __init__(self, **settings):
        super().__init__(allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        if choice := re.search(r"invalid choice: '(.*)' \(choose from (.*)\)", message):
            from gigafleet.errors import unknown

            what = "command" if self.prog == "gigafleet" else "list"
            message = str(unknown(what, choice[1], re.findall(r"\w+", choice[2])))
        self.exit(2, f"gigafleet: {message}\n")


def _jobs(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, not {text}")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="gigafleet", description="What gigawatts of AI accelerators are, from sourced figures.")
    parser.add_argument("--version", action="version", version=f"gigafleet {gigafleet.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="report | list | check | fit")
    report = commands.add_parser("report", help="run notebooks by a scenario file and make an index of the reports")
    report.add_argument("scenarios", nargs="?", help="scenario file (YAML); the default one if left out")
    report.add_argument("--output", default="reports", help="folder of the reports (default: reports)")
    report.add_argument("--jobs", type=_jobs, default=2, help="notebooks that run at once (default: 2)")
    report.add_argument("--quiet", action="store_true", help="no progress bar")
    report.set_defaults(run=_report)
    listing = commands.add_parser("list", help="print what there is")
    listing.add_argument("what", choices=LISTS, metavar=" | ".join(LISTS))
    listing.set_defaults(run=_list)
    check = commands.add_parser("check", help="check the tables in data/, and print a summary or all that is wrong")
    check.set_defaults(run=_check)
    fit = commands.add_parser("fit", help="fit the performance model to data/benchmarks.csv, and keep its efficiencies")
    fit.set_defaults(run=_fit)
    return parser


def _problems(*without: str) -> int:
    """Print all that is wrong with the tables but some, and return how much that is."""
    from gigafleet import check

    found = [problem for problem in check.problems() if problem.file not in without]
    for problem in found:
        print(problem, file=sys.stderr)
    if found:
        print(f"{len(found)} problem{'s' if len(found) > 1 else ''} in the tables", file=sys.stderr)
    return len(found)


def _report(options: argparse.Namespace) -> int:
    from gigafleet import catalog

    known = catalog.folder() / "scenarios"
    path = Path(options.scenarios) if options.scenarios else known / "default.yaml"
    if not path.is_file():
        names = ", ".join(p.name for p in sorted(known.glob("*.yaml")))
        raise ValueError(f"no scenario file {str(path)!r}; data/scenarios holds: {names or 'none'}")

    from gigafleet import report

    if _problems():
        return 2
    return report.make(path, options.output, options.jobs, False if options.quiet else None)


def _check(_: argparse.Namespace) -> int:
    from gigafleet import calibration, check

    if _problems():
        return 1
    calibration.load()  # warns where the efficiencies are older than the results
    print(check.summary().to_string())
    return 0


def _fit(_: argparse.Namespace) -> int:
    from gigafleet import calibration, catalog

    if _problems("efficiencies.csv", "accuracy.csv"):
        return 1
    path = catalog.folder() / "efficiencies.csv"
    table = calibration.fit(catalog.benchmarks())
    table.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")
    bands = table["prior"].isna().sum()
    fitted = f"{len(table) - bands} parameters and {bands} widths of bands"
    print(f"{fitted} from {int(table['rows'].max())} results in {path.name}")
    return 0


def _text(value: object) -> str:
    if not isinstance(value, int | float):
        return str(value) or "-"
    return "-" if value != value else f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _aligned(rows: list[list[object]]) -> str:
    """Return rows as lines with aligned columns: numbers flush right, a figure that is absent as a dash.

    >>> print(_aligned([["name", "tdp_w"], ["H100", 700.0], ["MI455X", 2236.1], ["MI500", float("nan")]]))
    name    tdp_w
    H100      700
    MI455X  2,236
    MI500       -
    """
    columns = []
    for column in zip(*rows, strict=True):
        texts = [_text(value) for value in column]
        width = max(map(len, texts))
        numeric = any(isinstance(value, int | float) for value in column)
        columns.append([text.rjust(width) if numeric else text.ljust(width) for text in texts])
    return "\n".join("  ".join(row).rstrip() for row in zip(*columns, strict=True))


def _figures(what: str) -> str:
    from gigafleet import catalog

    kind, columns = what.removesuffix("s"), COLUMNS[what].split()
    table = catalog.table(kind)
    table = table[[column for column in columns if column in table]]
    for name, column in table.attrs["midpoints"]:  # a source that gives a range only has no figure to show
        if column in table and name in table.index:
            table[column] = table[column].astype(object)
            ends = (catalog.table(kind, case).loc[name, column] for case in ("low", "high"))
            table.loc[name, column] = " to ".join(f"{end:,.5g}" for end in ends)
    rows = [[kind, *table.columns], *([name, *row] for name, row in zip(table.index, table.to_numpy(), strict=True))]
    note = "Throughput is dense. Each figure's sources: gigafleet.catalog.provenance(name, column). No source: -"
    return f"{_aligned(rows)}\n\n{note}"


def _notebooks() -> str:
    from gigafleet import parameters

    blocks = []
    for name in parameters.notebooks():
        rows = [["  parameter", "default", "unit", "allowed", "meaning"]]
        for entry in parameters.described(name):
            unit = re.search(r" ?\[(.+?)\]", entry["description"])
            default = entry["default"]
            rows.append(
                [
                    f"  {entry['parameter']}",
                    ", ".join(map(str, default)) if isinstance(default, list) else str(default),
                    unit[1] if unit else "",
                    entry["allowed"],
                    entry["description"].replace(unit[0], "") if unit else entry["description"],
                ]
            )
        blocks.append(f"{name}: {parameters.model(name).__doc__.splitlines()[0]}\n{_aligned(rows)}")
    return "\n\n".join(blocks)


def _scenarios() -> str:
    from gigafleet import catalog

    rows = [["file", "scenario", "notebook", "parameters that differ"]]
    for path in sorted((catalog.folder() / "scenarios").glob("*.yaml")):
        for entry in catalog.read_yaml(path)["scenarios"]:
            chosen = ", ".join(f"{name}={value}" for name, value in (entry.get("parameters") or {}).items())
            rows.append([path.name, entry["name"], entry["notebook"], chosen])
    return _aligned(rows)


def _list(options: argparse.Namespace) -> int:
    makers = {"notebooks": _notebooks, "scenarios": _scenarios}
    print(makers[options.what]() if options.what in makers else _figures(options.what))
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return the exit status: 0, or 1 where something failed, or 2 on bad input."""
    options = _parser().parse_args(arguments)
    try:
        status = options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads, such as head, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, OSError) as error:
        print(f"gigafleet: {error}", file=sys.stderr)
        return 2
    return status


if __name__ == "__main__":
    sys.exit(main())
