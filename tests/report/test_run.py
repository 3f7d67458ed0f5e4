"""What a run does and keeps."""

import json
import signal
import sys
import threading
import time
from pathlib import Path

import nbformat
import pytest
from conftest import PARAMETERS_CELL, install, notebook, run

from gigafleet import report
from gigafleet.report import collect, plan
from gigafleet.report import run as runner


def outputs(made: nbformat.NotebookNode) -> list:
    return [output for cell in made.cells if cell.cell_type == "code" for output in cell.outputs]


def streams(made: nbformat.NotebookNode) -> str:
    return "".join(output.text for output in outputs(made) if output.output_type == "stream")


def test_failures_stop_no_other_run_and_are_told(batch):
    assert batch.status == 1
    assert batch.said.splitlines() == [
        f"3 of 7 reports done, 4 failed: {batch.folder / 'index.html'}",
        "  b-raise/01_fragile: TypeError: the JSON object must be str, bytes or bytearray, not NoneType",
        "  b-two-lines/01_fragile: ValueError: second line",
        "  b-exit/01_fragile: SystemExit: 0",
        "  b-die/01_fragile: DeadKernelError: the kernel died",
    ]
    assert "7 in texas" in streams(batch.notebook("other/00_sample.ipynb"))
    assert "came through" in streams(batch.notebook("b-not/01_fragile.ipynb"))


def test_a_failed_run_keeps_its_notebook_and_traceback(batch):
    made = batch.notebook("b-raise/01_fragile.ipynb")
    assert "about to fail" in streams(made)
    (error,) = (output for output in outputs(made) if output.output_type == "error")
    assert error.ename == "TypeError"
    assert any("File json/__init__.py:" in line for line in map(runner.clean.plain, error.traceback))
    assert 'print("the end")' in made.cells[-1].source
    assert made.cells[-1].execution_count is None
    died = batch.notebook("b-die/01_fragile.ipynb")
    assert died.metadata.gigafleet.failure == "DeadKernelError: the kernel died"


def test_parameters_are_injected(batch):
    made = batch.notebook("other/00_sample.ipynb")
    (injected,) = (cell for cell in made.cells if "injected-parameters" in cell.metadata.get("tags", []))
    for line in ("share = 0.5", "count = 7", 'place = "texas"', 'parts = ["x", "y"]'):
        assert line in injected.source.splitlines()
    assert made.metadata.gigafleet.parameters == {"count": 7, "parts": ["x", "y"], "place": "texas", "share": 0.5}


def test_two_batches_give_the_same_bytes(batch, tmp_path, monkeypatch):
    install(batch.folder.parent / "notebooks", monkeypatch)
    again = run(batch.file, tmp_path / "again", jobs=1)
    made = sorted(p.relative_to(batch.folder) for p in batch.folder.rglob("*") if p.is_file())
    assert made == sorted(p.relative_to(again.folder) for p in again.folder.rglob("*") if p.is_file())
    assert len(made) == 2 * 7 + 1
    for path in made:
        if path.name != "index.html":
            assert (batch.folder / path).read_bytes() == (again.folder / path).read_bytes(), path


def test_nothing_of_the_machine_is_kept(batch):
    roots = {str(batch.folder.parent), sys.prefix, str(Path(report.__file__).parents[2]), str(Path.home()) + "/"}
    for path in batch.folder.rglob("*.*"):
        content = path.read_text(encoding="utf-8")
        for root in (*roots, "ipykernel_", '"papermill"', "iopub"):
            assert root not in content, (path.name, root)
    said = streams(batch.notebook("base/00_sample.ipynb"))
    assert ". gigafleet/__init__.py <object object at 0x0>" in said
    assert "cell:3: UserWarning: from this cell" in said


def test_metadata_and_ids_are_stable(batch):
    made = batch.notebook("base/00_sample.ipynb")
    assert made.metadata.kernelspec.name == "python3"
    assert "version" not in made.metadata.language_info
    assert [cell.id for cell in made.cells if not cell.id.endswith("-of-00-sample")] == ["injected-parameters"]
    nbformat.validate(made)


def test_a_cell_that_takes_too_long(notebooks, tmp_path):
    job = plan.Job("slow", "01_fragile", notebooks / "01_fragile.ipynb", {"how": "sleep"})
    outcome = runner.one(job, tmp_path, timeout_s=1)
    assert outcome.failure == "CellTimeoutError: a cell took longer than 1 s"
    assert outcome.seconds < 15
    made = nbformat.read(outcome.notebook, as_version=4)
    assert made.metadata.gigafleet.failure == outcome.failure
    assert 'how = "sleep"' in made.cells[2].source


def test_jobs_run_at_once(notebooks):
    """Each waits for the other to have started, which one after the other never would."""
    barrier = threading.Barrier(2, timeout=20)
    results = []
    runner.parallel(lambda item: (item, barrier.wait()), ["a", "b"], 2, results.append)
    assert sorted(item for item, _ in results) == ["a", "b"]


def test_the_kernel_is_this_interpreter_whatever_is_registered(tmp_path, monkeypatch):
    spec = tmp_path / "jupyter" / "kernels" / "python3" / "kernel.json"
    spec.parent.mkdir(parents=True)
    spec.write_text(json.dumps({"argv": ["false"], "display_name": "Another", "language": "python"}), encoding="utf-8")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    monkeypatch.setenv("PATH", "")
    source = notebook(tmp_path / "a {b}" / "which.ipynb", "x = 1", "import os, sys\nprint(sys.executable, os.getcwd())")
    assert runner.execute(source, {"x": 2})[2] == ""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner.clean, "clean", lambda made, *_: made)
        _, raw, _ = runner.execute(source, {})
    assert streams(raw) == f"{sys.executable} {tmp_path / 'a {b}'}\n"


def test_pictures_of_pyplot_are_shown_whatever_the_backend(tmp_path, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")
    source = notebook(tmp_path / "plot.ipynb", "x = 1", "import matplotlib.pyplot as plt\nplt.plot([x, 2])\nplt.show()")
    _, made, failure = runner.execute(source, {})
    assert failure == ""
    assert any("image/png" in output.get("data", {}) for output in outputs(made))


def test_output_that_comes_in_pieces_is_one(tmp_path):
    code = "import time\nfor i in range(3):\n    print(i, flush=True)\n    time.sleep(0.3)"
    _, made, _ = runner.execute(notebook(tmp_path / "slow.ipynb", "x = 1", code), {})
    assert [output.text for output in outputs(made)] == ["0\n1\n2\n"]


def test_a_bad_file_leaves_earlier_reports_alone(notebooks, scenarios, tmp_path):
    earlier = tmp_path / "reports" / "base" / "00_sample.html"
    earlier.parent.mkdir(parents=True)
    earlier.write_text("earlier", encoding="utf-8")
    before = sorted(tmp_path.rglob("*"))
    file = scenarios(("base", "00_sample"), ("bad", "00_sample", {"count": 0}))
    with pytest.raises(ValueError, match="count"):
        report.make(file, tmp_path / "reports", 1, False)
    assert sorted(set(tmp_path.rglob("*")) - {file}) == before
    assert earlier.read_text(encoding="utf-8") == "earlier"


def test_an_output_folder_that_cannot_be(notebooks, scenarios, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ValueError, match="cannot write reports to"):
        report.make(scenarios(("base", "00_sample")), tmp_path / "file", 1, False)


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_the_keyboard_stops_a_batch_and_keeps_what_was_made(notebooks, scenarios, tmp_path, monkeypatch, capsys):
    page = collect.page

    def page_then_interrupt(*arguments):
        made = page(*arguments)
        threading.Timer(0.5, lambda: signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)).start()
        return made

    monkeypatch.setattr(collect, "page", page_then_interrupt)
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # as a shell starts what runs in the background
        signal.signal(signal.SIGINT, signal.default_int_handler)
    folder = tmp_path / "reports"
    earlier = folder / "slow" / "01_fragile.ipynb"
    earlier.parent.mkdir(parents=True)
    earlier.write_text("earlier", encoding="utf-8")
    names = {"quick": "not", "slow": "sleep", "slower": "sleep", "slowest": "sleep", "never": "sleep"}
    start = time.monotonic()
    status = report.make(scenarios(*((n, "01_fragile", {"how": how}) for n, how in names.items())), folder, 2, False)
    assert time.monotonic() - start < 15
    assert status == 130
    assert "1 of 5 reports done, 0 failed, stopped early" in capsys.readouterr().out
    assert (folder / "quick" / "01_fragile.html").exists()
    assert earlier.read_text(encoding="utf-8") == "earlier"
    assert not (folder / "slower").exists()
    assert "4 not run" in (folder / "index.html").read_text(encoding="utf-8")


def test_a_failing_consumer_ends_the_kernels(tmp_path):
    source = notebook(tmp_path / "s.ipynb", PARAMETERS_CELL, "import time\ntime.sleep(count)")
    start = time.monotonic()
    with pytest.raises(OSError, match="disk full"):
        runner.parallel(lambda n: runner.execute(source, {"count": n}), [0, 30, 31, 32, 33], 2, raise_disk_full)
    assert time.monotonic() - start < 15
    assert all(p is None or p.poll() is not None for p in (k.provisioner.process for k in runner._kernels))


def raise_disk_full(_: object) -> None:
    raise OSError("disk full")
