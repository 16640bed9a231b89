#!/usr/bin/env python3
"""Measure the processor time of short commands, in an environment with the extra ``cli`` and nothing else.

Usage: tests/benchmarks/command_line.py [--isolated] [--rounds 15] [--users 20000] [--shape]

Short commands, and ``project list`` of three projects, served over loopback, are compared with
``python -c "import click"``. Then a program that describes a project runs with the extra and without it, many users are
listed as JSON and as a table, and a command runs once and for 1,000 rows. Each figure is the median of the rounds, in
which the programs alternate, and so is each ratio to the first program of a group. Prints JSON, which scripts/evidence
keeps; --shape prints what is measured and how, and measures nothing. Needs Linux.
"""

from __future__ import annotations

import argparse
import json
import os
import pty
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from operator import truediv
from pathlib import Path
from typing import Any, NamedTuple

from pinecone_admin.emulator import Emulator, serving

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]

COMPLETION = {"_PINECONE_ADMIN_COMPLETE": "bash_complete", "COMP_WORDS": "pinecone-admin proj", "COMP_CWORD": "1"}
CREATE_CLIENT = "from pinecone_admin import Admin; Admin(client_id='a', client_secret='b', lazy=True)"
DESCRIBE = """
from pinecone_admin import Admin
with Admin() as admin:
    admin.projects.describe_by_name(name="project-1")
"""


class Program(NamedTuple):
    """A program to measure.

    Attributes:
        words: Its words, after those that start Python.
        python: The interpreter.
        env: Variables besides those of the emulator.
        on_terminal: Whether stdout is a terminal, and not a pipe.
    """

    words: Sequence[str]
    python: Path
    env: Mapping[str, str] = {}
    on_terminal: bool = False


def measure(program: Program, env: Mapping[str, str]) -> float:
    """Run a program, and return its processor time in seconds."""
    complete = {**env, **program.env, "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TERM": "xterm"}
    ours, its = pty.openpty() if program.on_terminal else os.pipe()
    reader = threading.Thread(target=drain, args=[ours])
    reader.start()
    command = [str(program.python), *program.words]
    # From the folder of a package, Python would import that one.
    process = subprocess.Popen(command, env=complete, cwd=FOLDER, stdin=subprocess.DEVNULL, stdout=its)
    os.close(its)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    reader.join()
    if process.returncode:
        raise SystemExit(f"command_line.py: {program.words} ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime


def drain(descriptor: int) -> None:
    """Read all that a program writes."""
    try:
        while os.read(descriptor, 65536):
            pass
    except OSError:  # a terminal says so when the other end is closed
        pass
    os.close(descriptor)


def compare(programs: Mapping[str, Program], env: Mapping[str, str], rounds: int) -> dict[str, list[float]]:
    """Measure programs in turn, in an order that changes from round to round; the first, of several, does not count."""
    times: dict[str, list[float]] = {name: [] for name in programs}
    for number in range(rounds + 1):
        start = number % len(programs)
        for name in [*programs, *programs][start : start + len(programs)]:
            seconds = measure(programs[name], env)
            if number or not rounds:
                times[name].append(seconds)
    return times


def summarize(times: Mapping[str, Sequence[float]]) -> dict[str, dict[str, float]]:
    """Return the median seconds of each program, and the median of its ratios to the first one."""
    base, *_ = times.values()
    return {
        name: {"seconds": statistics.median(own), "ratio": statistics.median(map(truediv, own, base))}
        for name, own in times.items()
    }


@contextmanager
def create_environments() -> Generator[tuple[Path, Path], None, None]:
    """Create an environment with what the extra needs and one without; yield their interpreters, then remove them."""
    with tempfile.TemporaryDirectory() as folder:
        full, plain = (Path(folder) / name for name in ("full", "plain"))
        for environment, target in ((full, f"{ROOT}[cli]"), (plain, str(ROOT))):
            subprocess.run([sys.executable, "-m", "venv", environment], check=True)
            pip = [str(environment / "bin/python"), "-m", "pip", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*pip, "install", target], check=True)
            subprocess.run([*pip, "uninstall", "--yes", "pinecone-admin"], check=True)  # each program has its own tree
        yield full / "bin/python", plain / "bin/python"


GOALS: Mapping[str, Mapping[str, float | None]] = {
    "short": {
        '`python -c "import click"`': None,
        "`--version`": 1.3,
        "`--help`": None,
        "`project list --help`": None,
        "completing `proj`": None,
        "`project list`": 4.0,
        "`project list --output table`, into a pipe": None,
        "`project list` on a terminal": None,
    },
    "imports": {
        "`python -c pass`": None,
        "`import pinecone_admin`": None,
        "`from pinecone_admin import Admin`": None,
        "the same, and `Admin(lazy=True)`": None,
        "the same, with the extra `cli`": None,
    },
    "programs": {"a program without extras": None, "the same with `[cli]` installed": None},
    "large": {"`user list`": None, "`user list --output table`, into a pipe": 1.5},
    "rows": {"`project exists`": None, "`each` with 1,000 rows of it": None},
}
"""The groups of programs, with the largest wanted ratio of each to the first one, if any."""


def list_programs(full: Path, plain: Path, rows: str) -> dict[str, list[Program]]:
    """Return the programs of each group, in the order of ``GOALS``.

    Args:
        full: The interpreter that has the extra.
        plain: The interpreter that has no extra.
        rows: A file with 1,000 rows.
    """

    def command(*words: str, **attributes: Any) -> Program:
        return Program(["-m", "pinecone_admin.cli", *words], full, **attributes)

    return {
        "short": [
            Program(["-c", "import click"], full),
            command("--version"),
            command("--help"),
            command("project", "list", "--help"),
            command(env=COMPLETION),
            command("project", "list"),
            command("project", "list", "--output", "table"),
            command("project", "list", on_terminal=True),
        ],
        "imports": [
            Program(["-c", "pass"], plain),
            Program(["-c", "import pinecone_admin"], plain),
            Program(["-c", "from pinecone_admin import Admin"], plain),
            Program(["-c", CREATE_CLIENT], plain),
            Program(["-c", CREATE_CLIENT], full),
        ],
        "programs": [Program(["-c", DESCRIBE], plain), Program(["-c", DESCRIBE], full)],
        "large": [command("user", "list"), command("user", "list", "--output", "table")],
        "rows": [
            command("project", "exists", "project-1"),
            command("each", rows, "--", "project", "exists", "{name}"),
        ],
    }


def measure_all(full: Path, plain: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure with the interpreters of two environments, and return the figures of each group."""
    emulator = Emulator(seed=0)
    with emulator.admin() as admin:
        for number in range(3):
            admin.projects.create(name=f"project-{number}")
    for number in range(arguments.users):
        emulator.add_user(f"user-{number}@example.com", name=f"User {number}")
    with (
        serving(emulator),
        tempfile.TemporaryDirectory() as home,
        tempfile.NamedTemporaryFile("w", suffix=".csv") as rows,
    ):
        rows.writelines(["name\n", *(f"project-{number % 3}\n" for number in range(1000))])
        rows.flush()
        env = {
            "HOME": home,
            "PINECONE_CLIENT_ID": emulator.client_id,
            "PINECONE_CLIENT_SECRET": emulator.client_secret,
            "PINECONE_CONTROLLER_HOST": emulator.host,
            "PINECONE_OAUTH_URL": emulator.oauth_url,
        }
        programs = list_programs(full, plain, rows.name)
        groups = {name: dict(zip(GOALS[name], programs[name], strict=True)) for name in GOALS}
        return {name: summarize(compare(each, env, arguments.rounds)) for name, each in groups.items()}


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--isolated", action="store_true", help="measure in environments made for it")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--shape", action="store_true")
    arguments = parser.parse_args()
    shape = {"goals": GOALS, "users": arguments.users, "rounds": arguments.rounds}
    if arguments.shape:
        print(json.dumps({"shape": shape}))
        return
    with ExitStack() as environments:
        here = Path(sys.executable)
        full, plain = environments.enter_context(create_environments()) if arguments.isolated else (here, here)
        figures = measure_all(full, plain, arguments)
    versions = {name: version(name) for name in ("click", "httpx")}
    print(json.dumps({"shape": shape, "figures": figures, "rounds": arguments.rounds, "versions": versions}))


if __name__ == "__main__":
    main()
