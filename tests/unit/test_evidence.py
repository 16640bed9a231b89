"""Measured figures: how they are kept, written into pages and checked."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

import evidence
from evidence import PAGES, SOURCES, Measurement, find_differences, find_stale, read_records, render_page
from evidence_tables import BLOCKS

FIGURE = re.compile(
    r"\d[\d.,]*(?:\s|\N{NO-BREAK SPACE})?(?:ms|µs|MB|MiB|KB|%)(?!\w)|\d[\d.,]* times\b|\d[\d,]* creates\b"
)
MEASURED = ("README.md", "performance.md", "reliability.md", "platforms.md", "installation.md")
ALLOWED = {"4 MiB", "700 MB", "95 %", "100 creates"}
"""Limits and sizes that programs have, and what an installation takes."""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Replace the checkout by one with a program that prints what a file has, and a page with its block."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "program.py").write_text(
        "import json, sys\nprinted = json.load(open('printed.json'))\n"
        "print(json.dumps({'shape': printed['shape']} if '--shape' in sys.argv else printed))\n"
    )
    page = tmp_path / "docs/page.md"
    page.write_text("Before.\n\n<!-- Begin: evidence thing -->\n<!-- End -->\n\nAfter.\n")
    source = Measurement(command=("program.py",), watches=("program.py",), most_commits=1, needs_quiet=False)
    monkeypatch.setattr(evidence, "ROOT", tmp_path)
    monkeypatch.setattr(evidence, "FIGURES", tmp_path / "docs/figures.json")
    monkeypatch.setattr(evidence, "HISTORY", tmp_path / "docs/figures-history.jsonl")
    monkeypatch.setattr(evidence, "PAGES", [page])
    monkeypatch.setattr(evidence, "SOURCES", {"thing": source})
    monkeypatch.setattr(
        evidence, "BLOCKS", {"thing": lambda records: str(records["thing"]["figures"]["n"]) if records else "?"}
    )
    print_figures(tmp_path, n=1)
    (tmp_path / ".gitignore").write_text("printed.json\n")
    commit(tmp_path, "init")
    return tmp_path


def print_figures(folder: Path, *, n: int, **shape: Any) -> None:
    """Let the program print these figures from now on."""
    printed = {"shape": shape, "figures": {"n": n}, "rounds": 1, "versions": {}}
    (folder / "printed.json").write_text(json.dumps(printed))


def commit(folder: Path, *before: str) -> None:
    """Commit everything."""
    for words in ((*before,), ("add", "."), ("commit", "--allow-empty", "-m", "x")):
        if words:
            author = ("-c", "user.name=a", "-c", "user.email=a@example.com")
            subprocess.run(["git", *author, *words], cwd=folder, check=True, capture_output=True)


def test_a_run_is_kept_with_its_commit_and_written_into_the_page(checkout: Path) -> None:
    """The record has what was measured and where; each run is appended to the history, and the page has the figure."""
    assert evidence.main(["run"]) == 0
    record = read_records()["thing"]
    head = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=checkout, text=True).strip()
    assert (record["commit"], record["figures"], record["is_busy"]) == (head, {"n": 1}, False)
    assert evidence.main(["check"]) == 1
    assert evidence.main(["render"]) == 0
    page = (checkout / "docs/page.md").read_text()
    assert page == "Before.\n\n<!-- Begin: evidence thing -->\n1\n<!-- End -->\n\nAfter.\n"
    assert evidence.main(["check"]) == 0
    commit(checkout)
    print_figures(checkout, n=2)
    assert evidence.main(["run", "thing"]) == 0
    history = [
        json.loads(line)["figures"]["n"] for line in (checkout / "docs/figures-history.jsonl").read_text().splitlines()
    ]
    assert history == [1, 2]


def test_what_no_commit_names_is_not_measured(checkout: Path) -> None:
    """With changes that are not committed, nothing is measured and nothing is kept."""
    (checkout / "program.py").write_text("raise SystemExit(1)\n")
    with pytest.raises(SystemExit, match="not committed"):
        evidence.main(["run"])
    commit(checkout)
    with pytest.raises(SystemExit, match="its figures are not kept"):
        evidence.main(["run"])
    assert read_records() == {}


def test_a_changed_program_an_edited_page_and_a_changed_exact_figure_are_found(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is one line, which names what to run."""
    assert find_differences({})[1:] == ["thing was never measured: run scripts/evidence run thing"]
    evidence.main(["run"])
    evidence.main(["render"])
    records = read_records()
    assert find_differences(records) == []
    page = checkout / "docs/page.md"
    page.write_text(page.read_text().replace("1", "2"))
    assert find_differences(records) == [
        "docs/page.md: its figures differ from docs/figures.json: run scripts/evidence render"
    ]
    evidence.main(["render"])
    print_figures(checkout, n=3)
    assert find_differences(records) == []
    exact = Measurement(command=("program.py",), is_exact=True, needs_quiet=False)
    monkeypatch.setattr(evidence, "SOURCES", {"thing": exact})
    assert find_differences(records) == ["thing has changed: run scripts/evidence run thing"]
    print_figures(checkout, n=1, rows=2)
    assert find_differences(records) == ["thing measures something else than it did: run scripts/evidence run thing"]


def test_old_figures_are_a_warning_and_stop_a_release(checkout: Path) -> None:
    """Commits that touch the measured code count, and no others."""
    evidence.main(["run"])
    evidence.main(["render"])
    records = read_records()
    commit(checkout)
    assert find_stale(records, is_release=True) == []
    for number in range(2):
        program = checkout / "program.py"
        program.write_text(f"{program.read_text()}# {number}\n")
        commit(checkout)
        assert len(find_stale(records, is_release=True)) == 1
        assert len(find_stale(records, is_release=False)) == number
    assert (evidence.main(["check"]), evidence.main(["check", "--release"])) == (0, 1)


def test_a_busy_machine_is_waited_for_and_then_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """With --busy, it is measured at once."""
    clock = iter(range(0, 1000, 50))
    monkeypatch.setattr("os.getloadavg", lambda: (99.0, 0.0, 0.0))
    monkeypatch.setattr("evidence.time.monotonic", lambda: float(next(clock)))
    monkeypatch.setattr("evidence.time.sleep", lambda _: None)
    evidence.wait_for_quiet(is_busy_allowed=True)
    with pytest.raises(SystemExit, match="the load is 99"):
        evidence.wait_for_quiet(is_busy_allowed=False)


def test_pages_show_measured_figures_in_blocks_only() -> None:
    """A figure with a unit outside of a block was typed by hand, and would grow old unseen."""
    for page in PAGES:
        is_measured = page.name in MEASURED and page.parent.name in {evidence.ROOT.name, "docs"}
        if is_measured or page.parent.name == "contributing":
            text = re.sub(r"<!-- Begin: evidence \w+ -->.*?<!-- End -->", "", page.read_text("utf-8"), flags=re.DOTALL)
            typed = {" ".join(found.split()) for found in FIGURE.findall(text)}
            assert typed <= ALLOWED, page


def test_blocks_show_the_load_and_count_upwards() -> None:
    """A reader sees whether the machine was busy, also in the README, and the numbers of threads in order."""
    records = read_records()
    calls, growth = records["calls"], records["growth"]
    for is_busy, state in ((True, "busy"), (False, "quiet")):
        changed = {**records, "calls": {**calls, "is_busy": is_busy, "load": 0.25}}
        assert f"{state} machine: load 0.25.*" in " ".join(BLOCKS["readme"](changed).split())
        assert ("**busy machine, load 0.25**" if is_busy else "; load 0.25.*") in " ".join(
            BLOCKS["calls"](changed).split()
        )
    rates = growth["figures"]["growing-threads"]
    shuffled = {**growth["figures"], "growing-threads": dict(sorted(rates.items()))}
    text = BLOCKS["growth"]({**records, "growth": {**growth, "figures": shuffled}})
    counts = [int(each) for each in re.findall(r"^\| (\d+) \|", text.partition("threads on")[2], flags=re.MULTILINE)]
    assert counts == sorted(counts) == [1, 8, 32, 128]


def test_every_block_is_on_a_page() -> None:
    """A block that no page shows would be measured for nobody, and one that has no function cannot be written."""
    shown = [name for page in PAGES for name in re.findall(r"<!-- Begin: evidence (\w+) -->", page.read_text("utf-8"))]
    assert sorted(name for name in shown if name != "NAME") == sorted(BLOCKS)
    assert set(read_records()) == set(SOURCES)
    for page in PAGES:
        assert render_page(page.read_text("utf-8"), read_records()) == page.read_text("utf-8"), page
