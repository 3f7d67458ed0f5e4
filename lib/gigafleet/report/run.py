"""Runs jobs: one notebook each through papermill, several at once, each in a kernel of its own.

Papermill and nbclient keep a kernel within one thread, so threads are enough. What a run leaves behind is its executed
notebook, which carries what collecting it needs.
"""

import asyncio
import concurrent.futures
import logging
import os
import signal
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import nbformat
import papermill
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import ensure_event_loop
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from papermill.exceptions import PapermillExecutionError
from traitlets import default

from gigafleet.report import clean
from gigafleet.report.plan import Job

TIMEOUT_S = 600
CUT = ("CellTimeoutError", "DeadKernelError")
Item = TypeVar("Item")
Result = TypeVar("Result")
_kernels: "weakref.WeakSet[_Kernel]" = weakref.WeakSet()
_stopping = threading.Event()

# What goes wrong is in the outcome; without a handler of its own, papermill would print it as well.
logging.getLogger("papermill").setLevel(logging.CRITICAL)


@dataclass(frozen=True)
class Outcome:
    """What became of a job: its executed notebook, and the last line of the exception that ended it, "" if none did."""

    job: Job
    notebook: Path
    failure: str
    seconds: float


class _OwnInterpreter(KernelSpecManager):
    """Knows one kernel: the interpreter that runs this process, whatever is registered for the user or on the path."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        return KernelSpec(
            argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            display_name=clean.KERNELSPEC["display_name"],
            language="python",
            metadata={"supported_encryption": ["curve"]},
            env={"PYTHONHASHSEED": "0", "MPLBACKEND": "module://matplotlib_inline.backend_inline"},
        )


class _Kernel(AsyncKernelManager):
    def __init__(self, **options: object) -> None:
        super().__init__(**options)
        _kernels.add(self)

    @default("kernel_spec_manager")
    def _own_interpreter(self) -> KernelSpecManager:
        return _OwnInterpreter()

    # Without encryption ipykernel prints a notice for each kernel; it costs nothing.
    @default("transport_encryption")
    def _encrypted(self) -> str:
        return "auto"


def _last_line(name: str, message: str) -> str:
    lines = [line.strip() for line in clean.plain(message).splitlines() if line.strip()]
    return f"{name}: {lines[-1]}" if lines else name


def _unfinished(notebook: NotebookNode) -> str:
    """Say why a notebook that raised nothing is not whole; "" if it is."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    for number, cell in enumerate(cells, 1):
        for output in cell.outputs:
            if output.output_type == "error":
                return _last_line(output.ename, output.evalue or f"in code cell {number} of {len(cells)}")
        if cell.execution_count is None:
            return f"Stopped: code cell {number} of {len(cells)} did not run"
    return ""


def _unnumber(notebook: NotebookNode) -> None:
    """Take the number off the cell that was cut off: whether it came through is chance."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    started = [cell for cell in code if cell.metadata.get("papermill", {}).get("start_time")]
    if started:
        started[-1].execution_count = None


def execute(
    source: Path, parameters: dict[str, object], timeout_s: float = TIMEOUT_S
) -> tuple[NotebookNode, NotebookNode, str]:
    """Execute a notebook in its folder, as JupyterLab does.

    Parameters
    ----------
    source
        The notebook, which stays as it is.
    parameters
        Parameter -> value, injected after the cell tagged ``parameters``.
    timeout_s
        Longest time for one cell [s].

    Returns
    -------
    tuple
        The source; the notebook with outputs as far as they came, cleaned; the last line of the exception, "" if there
        is none.

    Raises
    ------
    CancelledError
        Where :func:`parallel` killed the kernel, so that what was made earlier is not replaced.
    """
    original = nbformat.read(source, as_version=nbformat.NO_CONVERT)
    live = []
    failure = ""
    try:
        papermill.execute_notebook(
            str(source.resolve()).replace("{", "{{").replace("}", "}}"),
            None,
            parameters,
            kernel_name=clean.KERNELSPEC["name"],
            language="python",
            progress_bar=False,
            request_save_on_cell_execute=False,
            execution_timeout=timeout_s,
            kernel_manager_class=_Kernel,
            shutdown_kernel="immediate",
            coalesce_streams=True,
            resources={"metadata": {"path": str(source.resolve().parent)}},
            on_notebook_start=lambda notebook: live.append(notebook),
        )
    except PapermillExecutionError as error:
        failure = _last_line(error.ename, error.evalue)
    except CellTimeoutError:
        failure = f"CellTimeoutError: a cell took longer than {timeout_s:g} s"
    except DeadKernelError:
        failure = "DeadKernelError: the kernel died"
    except Exception as error:
        failure = _last_line(type(error).__name__, str(error))
    finally:
        _close_loop()
    if _stopping.is_set():
        raise concurrent.futures.CancelledError
    executed = live[0] if live else nbformat.v4.upgrade(nbformat.from_dict(original))
    if failure.startswith(CUT):
        _unnumber(executed)
    failure = failure or _unfinished(executed)
    return original, clean.clean(executed, original, source.parent), failure


def one(job: Job, output: Path, timeout_s: float = TIMEOUT_S) -> Outcome:
    """Run one job and keep its notebook as ``<scenario>/<notebook>.ipynb`` in the output folder, failed or not."""
    start = time.monotonic()
    _, notebook, failure = execute(job.source, job.parameters, timeout_s)
    notebook.metadata["gigafleet"] = {
        "scenario": job.scenario,
        "notebook": job.notebook,
        "parameters": job.parameters,
        "failure": failure,
    }
    path = output / job.scenario / f"{job.notebook}.ipynb"
    clean.write(path, clean.text(notebook))
    return Outcome(job, path, failure, time.monotonic() - start)


def _close_loop() -> None:
    """Close the event loop that Jupyter opens in each thread and leaves open; not one that somebody else runs."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        ensure_event_loop().close()


def _kill() -> None:
    for kernel in list(_kernels):
        process = getattr(kernel.provisioner, "process", None)
        if process is None:
            continue
        if hasattr(os, "killpg"):
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        else:
            process.kill()


def parallel(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int, finished: Callable[[Result], None]
) -> None:
    """Call a function that runs kernels for each item, several at once.

    Parameters
    ----------
    function
        Called in threads.
    items
        One call each.
    workers
        Calls at once.
    finished
        Called in this thread with each result, as it comes. What it raises, or the keyboard does, stops all kernels and
        is raised again.
    """
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(function, item) for item in items]
        try:
            pending = set(futures)
            while pending:  # with a timeout: a library's own handler of SIGINT may restart a wait that has none
                done, pending = concurrent.futures.wait(pending, 0.2, concurrent.futures.FIRST_COMPLETED)
                for future in done:
                    finished(future.result())
        except BaseException:
            _stopping.set()
            pool.shutdown(wait=False, cancel_futures=True)
            running = [future for future in futures if not future.cancelled()]  # a canceled one never counts as done
            try:
                while concurrent.futures.wait(running, timeout=0.1).not_done:
                    _kill()
            finally:
                _stopping.clear()
            raise
