"""Measure the figures of the pages, keep them with what was measured and when, and write them into the pages.

Usage: evidence.py run [--busy] [NAME ...] | render | check [--release]

A figure has one way to a page: a program of SOURCES prints it, ``run`` keeps it in docs/figures.json with commit, date,
machine and load, and ``render`` writes it between ``<!-- Begin: evidence NAME -->`` and ``<!-- End -->``.
docs/contributing/evidence.md has the rules.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from attrs import frozen

from evidence_tables import BLOCKS
from pinecone_admin._text.counts import count_noun

ROOT = Path(__file__).resolve().parent.parent
FIGURES = ROOT / "docs/figures.json"
HISTORY = ROOT / "docs/figures-history.jsonl"
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]

Record: TypeAlias = dict[str, Any]

_CLIENT = (
    "pinecone_admin/_async",
    "pinecone_admin/_http",
    "pinecone_admin/_concurrency",
    "pinecone_admin/auth",
    "generated_client",
)
_BENCHMARKS = "tests/benchmarks"
_CLIENT_COMMITS = 60
_EMULATOR_COMMITS = 30
MOST_LOAD = 0.5
"""Load for each processor above which a run needs --busy."""
WAIT = 120.0
"""Seconds to wait for a quiet machine."""


@frozen(kw_only=True)
class Measurement:
    """A program that measures.

    Attributes:
        command: Its words, after the interpreter.
        watches: Paths whose commits count.
        most_commits: Commits to these paths after which a release measures again.
        is_exact: Whether its figures are equal in every run with the same Python and versions.
        needs_quiet: Whether other programs on the machine change the figures.
    """

    command: Sequence[str]
    watches: Sequence[str] = _CLIENT
    most_commits: int = _CLIENT_COMMITS
    is_exact: bool = False
    needs_quiet: bool = True


_CALL = f"{_BENCHMARKS}/call.py"
_COMPARED = ("import", "response", "alone", "rss", "get", "create", "cpu", "pages", "threads", "tasks")
SOURCES: Mapping[str, Measurement] = {
    "own_calls": Measurement(command=(_CALL, "--rows", "own-calls"), is_exact=True, needs_quiet=False),
    "outage": Measurement(command=("tests/faults/reliability_report.py", "--exact"), is_exact=True, needs_quiet=False),
    "calls": Measurement(command=(_CALL, "--isolated", "--rows", *_COMPARED)),
    "growth": Measurement(command=(_CALL, "--isolated", "--rows", "growing-tasks", "growing-threads", "memory")),
    "commands": Measurement(
        command=(f"{_BENCHMARKS}/command_line.py", "--isolated"), watches=("pinecone_admin/cli", *_CLIENT)
    ),
    "access_page": Measurement(command=(f"{_BENCHMARKS}/access_page.py",), watches=("pinecone_admin/workflows",)),
    "large_body": Measurement(command=(f"{_BENCHMARKS}/large_body.py",)),
    "emulator_load": Measurement(
        command=(f"{_BENCHMARKS}/emulator_load.py", "--moto"),
        watches=("pinecone_admin/emulator",),
        most_commits=_EMULATOR_COMMITS,
    ),
    "faults": Measurement(command=("tests/faults/reliability_report.py",), needs_quiet=False),
    "checkers": Measurement(
        command=("tests/typing/checkers.py",), watches=("pinecone_admin", "tests/typing"), needs_quiet=False
    ),
    "versions": Measurement(
        command=(f"{_BENCHMARKS}/suites.py",), watches=("pinecone_admin", "generated_client"), needs_quiet=False
    ),
}
"""The programs, by the names of their records; the quick ones come first."""


def read_records() -> dict[str, Record]:
    """Return the records, by their sources."""
    records: dict[str, Record] = json.loads(FIGURES.read_text("utf-8")) if FIGURES.exists() else {}
    return records


def run_program(source: Measurement, *options: str) -> Record:
    """Run the program of a source and return what it prints.

    Raises:
        SystemExit: The program fails.
    """
    command = [sys.executable, *source.command, *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"evidence: {' '.join(source.command)} ended with {done.returncode}; its figures are not kept")
    printed: Record = json.loads(done.stdout)
    return printed


def run_git(*arguments: str) -> str:
    """Return what git prints."""
    command = ["git", *arguments]
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def wait_for_quiet(*, is_busy_allowed: bool) -> None:
    """Wait until the machine is quiet.

    Raises:
        SystemExit: It is not quiet in time, and that is not allowed.
    """
    most = MOST_LOAD * len(os.sched_getaffinity(0))
    deadline = time.monotonic() + WAIT
    while os.getloadavg()[0] > most and not is_busy_allowed:
        if time.monotonic() > deadline:
            raise SystemExit(
                f"evidence: the load is {os.getloadavg()[0]:.1f}: wait, or pass --busy, which the pages show"
            )
        time.sleep(5)


def measure(name: str, *, is_busy_allowed: bool) -> Record:
    """Return the record of a new run of a source."""
    source = SOURCES[name]
    if source.needs_quiet:
        wait_for_quiet(is_busy_allowed=is_busy_allowed)
    commit, before, started = run_git("rev-parse", "HEAD"), os.getloadavg()[0], time.monotonic()
    printed = run_program(source)
    return {
        **printed,
        "commit": commit,
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "machine": f"{count_noun(len(os.sched_getaffinity(0)), 'core')}, {platform.system()} {platform.machine()}",
        "load": round(before, 1),
        "is_busy": source.needs_quiet and before > MOST_LOAD * len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "seconds": round(time.monotonic() - started),
        "program": " ".join(source.command),
    }


def run(names: Sequence[str], *, is_busy_allowed: bool) -> None:
    """Measure sources, and keep each as soon as it is measured.

    Raises:
        SystemExit: The checkout is not clean, or a program fails.
    """
    if run_git("status", "--porcelain", "--", ":!docs/figures.json", ":!docs/figures-history.jsonl"):
        raise SystemExit(
            "evidence: the checkout has changes that are not committed, so no commit names what is measured"
        )
    for name in names or SOURCES:
        print(f"measuring {name}", file=sys.stderr, flush=True)
        record = measure(name, is_busy_allowed=is_busy_allowed)
        with HISTORY.open("a", encoding="utf-8") as history:
            history.write(json.dumps({"source": name, **record}) + "\n")
        records = {**read_records(), name: record}
        FIGURES.write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")


_BLOCK = re.compile(r"(<!-- Begin: evidence (\w+) -->\n)(.*?)(<!-- End -->)", re.DOTALL)


def render_page(text: str, records: Mapping[str, Record]) -> str:
    """Return a page with the figures of the records in its blocks."""
    return _BLOCK.sub(lambda found: f"{found[1]}{BLOCKS[found[2]](records)}\n{found[4]}", text)


def find_differences(records: Mapping[str, Record]) -> list[str]:
    """Return what differs between the pages, the records and the programs."""
    wrong = [
        f"{page.relative_to(ROOT)}: its figures differ from docs/figures.json: run scripts/evidence render"
        for page in PAGES
        if render_page(page.read_text("utf-8"), records) != page.read_text("utf-8")
    ]
    for name, source in SOURCES.items():
        if name not in records:
            wrong.append(f"{name} was never measured: run scripts/evidence run {name}")
        elif run_program(source, "--shape")["shape"] != records[name]["shape"]:
            wrong.append(f"{name} measures something else than it did: run scripts/evidence run {name}")
        elif source.is_exact and records[name]["python"] == platform.python_version():
            again = run_program(source)
            if again["versions"] == records[name]["versions"] and again["figures"] != records[name]["figures"]:
                wrong.append(f"{name} has changed: run scripts/evidence run {name}")
    return wrong


def find_stale(records: Mapping[str, Record], *, is_release: bool) -> list[str]:
    """Return the sources whose code has changed since they were measured: by many commits, or for a release by any."""
    stale: list[str] = []
    for name, source in SOURCES.items():
        if name in records and not source.is_exact:
            commits = run_git("rev-list", "--count", f"{records[name]['commit']}..HEAD", "--", *source.watches)
            if int(commits) > (0 if is_release else source.most_commits):
                stale.append(f"{name} was measured {commits} commits ago: run scripts/evidence run {name}")
    return stale


def main(arguments: Sequence[str]) -> int:
    """Run a command, and return the exit status."""
    parser = argparse.ArgumentParser(prog="scripts/evidence", description=(__doc__ or "").partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    runner = commands.add_parser("run", help="measure, and keep the figures")
    runner.add_argument("names", nargs="*", choices=[*SOURCES, []], metavar="NAME", help=", ".join(SOURCES))
    runner.add_argument("--busy", action="store_true", help="measure on a busy machine, which the pages then show")
    commands.add_parser("render", help="write the figures into the pages")
    checker = commands.add_parser("check", help="compare pages, figures and programs")
    checker.add_argument("--release", action="store_true", help="fail if the measured code has changed at all")
    given = parser.parse_args(arguments)
    if given.command == "run":
        run(given.names, is_busy_allowed=given.busy)
        return 0
    records = read_records()
    if given.command == "render":
        for page in PAGES:
            text = page.read_text("utf-8")
            if (rendered := render_page(text, records)) != text:
                page.write_text(rendered, encoding="utf-8")
        return 0
    wrong, stale = find_differences(records), find_stale(records, is_release=given.release)
    for line in wrong:
        print(line, file=sys.stderr)
    for line in stale:
        print(line if given.release else f"warning: {line}", file=sys.stderr)
    return 1 if wrong or (given.release and stale) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
