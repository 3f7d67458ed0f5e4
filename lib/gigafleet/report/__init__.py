"""Batches of reports: a scenario file is planned, its notebooks run, and their pages and index collected.

:mod:`~gigafleet.report.plan` reads and checks, :mod:`~gigafleet.report.run` executes,
:mod:`~gigafleet.report.collect` makes HTML. Each hands the next plain data: jobs, outcomes, executed notebooks on disk.
"""

import sys
import textwrap
from pathlib import Path

from gigafleet.report import plan

# jsonschema compiles the grammars of this optional package on import, which takes a second; no notebook needs them.
sys.modules.setdefault("rfc3987_syntax", None)

INTERRUPTED = 130


def _folder(output: str | Path) -> Path:
    folder = Path(output)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".gigafleet-probe"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ValueError(f"cannot write reports to {str(output)!r}: {error.strerror}") from None
    return folder


def make(path: str | Path, output: str | Path = "reports", jobs: int = 2, progress: bool | None = None) -> int:
    """Run the scenarios of a file and make their reports and an index.

    Parameters
    ----------
    path
        Scenario file, see :func:`gigafleet.report.plan.read`.
    output
        Folder of the reports: ``<scenario>/<notebook>.ipynb`` and ``.html``, and ``index.html``. Reports of other
        scenarios in it stay.
    jobs
        Notebooks that run at once.
    progress
        Whether to show a progress bar; None shows it on a terminal only.

    Returns
    -------
    int
        0; 1 where a run failed; 130 where the keyboard stopped the batch, whose finished reports are kept.

    Raises
    ------
    ScenarioError, ValueError
        Before anything runs or is written: all that is wrong with the file; a folder that cannot be written to.
    """
    planned = plan.read(path)
    folder = _folder(output)

    from tqdm import tqdm

    from gigafleet.report import collect, run

    cards = []
    bar = tqdm(
        total=len(planned),
        desc="reports",
        unit="report",
        file=sys.stderr,
        disable=None if progress is None else not progress,
    )

    def finished(outcome: run.Outcome) -> None:
        cards.append(collect.page(outcome.notebook, outcome.seconds))
        state = "failed" if outcome.failure else "done"
        bar.set_postfix_str(f"{outcome.job.scenario}/{outcome.job.notebook} {state}", refresh=False)
        bar.update()

    stopped = False
    with bar:
        try:
            run.parallel(lambda job: run.one(job, folder), planned, jobs, finished)
        except KeyboardInterrupt:
            stopped = True
    if stopped and not cards:
        print("stopped before the first report; nothing was changed")
        return INTERRUPTED
    order = [(job.scenario, job.notebook) for job in planned]
    cards.sort(key=lambda card: order.index((card.scenario, card.notebook)))
    index = collect.index(cards, folder, Path(path).name, len(planned))
    failed = [card for card in cards if card.failure]
    done = f"{len(cards) - len(failed)} of {len(planned)} reports done"
    print(f"{done}, {len(failed)} failed{', stopped early' if stopped else ''}: {index}")
    for card in failed:
        print(f"  {card.scenario}/{card.notebook}: {textwrap.shorten(card.failure, 160, placeholder=' ...')}")
    return INTERRUPTED if stopped else int(bool(failed))
