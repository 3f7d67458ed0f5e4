"""The command line: ``gigafleet report | list | check``. Heavy modules load only in the command that needs them."""

import argparse
import sys

LISTS = ("accelerators", "systems", "notebooks", "scenarios")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gigafleet", description="What gigawatts of AI accelerators are, from sourced figures."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="report | list | check")
    report = commands.add_parser("report", help="run notebooks by a scenario file and make an index of the reports")
    report.add_argument("scenarios", nargs="?", help="scenario file (YAML); the default one if left out")
    report.add_argument("--output", default="reports", help="folder of the reports (default: reports)")
    report.add_argument("--jobs", type=int, default=2, help="notebooks that run at once (default: 2)")
    report.add_argument("--quiet", action="store_true", help="no progress bar")
    listing = commands.add_parser("list", help="print what there is")
    listing.add_argument("what", choices=LISTS)
    commands.add_parser("check", help="check the tables in data/, and print a summary or all that is wrong")
    return parser


def _report(options: argparse.Namespace) -> int:
    from gigafleet import catalog, report

    if options.jobs < 1:
        raise ValueError(f"--jobs must be at least 1, not {options.jobs}")
    path = options.scenarios or catalog.folder() / "scenarios" / "default.yaml"
    return report.make(path, options.output, options.jobs, not options.quiet)


def _check() -> int:
    from gigafleet import check

    found = check.problems()
    for problem in found:
        print(problem, file=sys.stderr)
    if found:
        print(f"{len(found)} problems in the tables", file=sys.stderr)
        return 1
    print(check.summary().to_string())
    return 0


def _scenarios() -> str:
    from gigafleet import catalog

    lines = []
    for path in sorted((catalog.folder() / "scenarios").glob("*.yaml")):
        for entry in catalog.read_yaml(path)["scenarios"]:
            chosen = ", ".join(f"{k}: {v}" for k, v in entry.get("parameters", {}).items())
            lines.append(f"{path.name:16} {entry['name']:28} {entry['notebook']:18} {chosen}")
    return "\n".join(lines)


def _list(what: str) -> str:
    import pandas as pd

    from gigafleet import catalog, parameters

    if what == "scenarios":
        return _scenarios()
    if what == "notebooks":
        return "\n\n".join(
            f"{name}: {parameters.model(name).__doc__}\n{pd.DataFrame(parameters.described(name)).to_string(index=False)}"
            for name in parameters.notebooks()
        )
    table = catalog.table(what.removesuffix("s"))
    columns = {
        "accelerators": [
            "vendor",
            "release",
            "status",
            "tdp_w",
            "all_in_kw",
            "memory_gb",
            "memory_tb_s",
            "bf16_tflops",
            "fp8_tflops",
            "fp4_tflops",
        ],
        "systems": [
            "vendor",
            "accelerator",
            "accelerators_per_system",
            "server_kw",
            "rack_kw",
            "fp8_pflops",
            "memory_tb",
        ],
    }[what]
    return table[columns].to_string(na_rep="-", float_format=lambda x: f"{x:,.5g}")


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return the exit status: 0, or 1 where something failed, or 2 on bad input."""
    options = _parser().parse_args(arguments)
    try:
        if options.command == "report":
            return _report(options)
        if options.command == "check":
            return _check()
        print(_list(options.what))
    except (ValueError, FileNotFoundError) as error:
        print(f"gigafleet: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
