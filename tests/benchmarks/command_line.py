#!/usr/bin/env python3
"""Measure the processor time of short commands, in an environment with the extra ``cli`` and nothing else.

Usage: tests/benchmarks/command_line.py [--isolated] [--rounds 15] [--before REVISION] [--users 20000]

Commands that send nothing are compared with ``python -c "import click"``; ``project list`` of three projects, served
over loopback, with the same command of an earlier revision. Then a program that describes a project runs with the extra
and without it, many users are listed as JSON and as a table, and a command runs once and for 1,000 rows. Prints a
Markdown table. Each figure is the median of the rounds, in which the programs alternate, and so is each difference and
each ratio. Needs Linux.
"""

from __future__ import annotations

import argparse
import os
import pty
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from operator import sub, truediv
from pathlib import Path
from typing import Any, NamedTuple

from pinecone_admin.emulator import Emulator, serving

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parents[1]

SPACE = "\N{NO-BREAK SPACE}"
COMPLETION = {"_PINECONE_ADMIN_COMPLETE": "bash_complete", "COMP_WORDS": "pinecone-admin proj", "COMP_CWORD": "1"}
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
        tree: The tree from which it imports the package.
        env: Variables besides those of the emulator.
        on_terminal: Whether stdout is a terminal, and not a pipe.
    """

    words: Sequence[str]
    python: Path
    tree: Path = ROOT
    env: Mapping[str, str] = {}
    on_terminal: bool = False


def measure(program: Program, env: Mapping[str, str]) -> float:
    """Run a program, and return its processor time in seconds."""
    complete = {**env, **program.env, "PATH": os.environ["PATH"], "PYTHONPATH": str(program.tree), "TERM": "xterm"}
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


def print_rows(
    times: Mapping[str, Sequence[float]],
    relate: Callable[[Sequence[float], Sequence[float]], str],
    goals: Sequence[str],
) -> None:
    """Print the times of programs, and how each but the first one compares with that; ``relate`` takes medians."""
    base, *_ = times.values()
    for (name, own), goal in zip(times.items(), ["", *goals], strict=True):
        related = "" if own is base else relate(own, base)
        print(f"| {name} | {statistics.median(own) * 1e3:.0f}{SPACE}ms | {related} | {goal} |")


def show_difference(own: Sequence[float], base: Sequence[float]) -> str:
    """Return the median of the differences of two times, in milliseconds."""
    return f"{statistics.median(map(sub, own, base)) * 1e3:+.0f}{SPACE}ms"


def show_ratio(own: Sequence[float], base: Sequence[float]) -> str:
    """Return the median of the ratios of two times."""
    return f"{statistics.median(map(truediv, own, base)):.2f}"


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


def extract(revision: str, folder: Path) -> Path:
    """Write the tree of a revision to a folder."""
    archive = subprocess.run(["git", "archive", revision], cwd=ROOT, stdout=subprocess.PIPE, check=True)
    subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)
    return folder


def measure_all(full: Path, plain: Path, before: Path, arguments: argparse.Namespace) -> None:
    """Measure with the interpreters of two environments, and print the tables.

    Args:
        full: The interpreter that has the extra.
        plain: The interpreter that has no extra.
        before: The tree of the earlier revision.
        arguments: The options.
    """

    def command(*words: str, **attributes: Any) -> Program:
        return Program(["-m", "pinecone_admin.cli", *words], full, **attributes)

    silent = {
        "`import click`": Program(["-c", "import click"], full),
        "`--version`": command("--version"),
        "`--help`": command("--help"),
        "`project list --help`": command("project", "list", "--help"),
        "completing `proj`": command(env=COMPLETION),
    }
    lists = {
        "`project list`, before": command("project", "list", tree=before),
        "`project list`": command("project", "list"),
        "`project list --output table`": command("project", "list", "--output", "table"),
        "`project list` on a terminal": command("project", "list", on_terminal=True),
    }
    starts = {
        "a program without extras": Program(["-c", DESCRIBE], plain),
        "the same with `[cli]` installed": Program(["-c", DESCRIBE], full),
    }
    large = {
        f"`user list` of {arguments.users:,}": command("user", "list"),
        f"`user list --output table` of {arguments.users:,}": command("user", "list", "--output", "table"),
    }
    emulator = Emulator(seed=0)
    with emulator.admin() as admin:
        for number in range(3):
            admin.projects.create(name=f"project-{number}")
    for number in range(arguments.users):
        emulator.add_user(f"user-{number}@example.com", name=f"User {number}")
    print("| processor time of | | beside the first one | goal |\n| --- | --- | --- | --- |")
    with serving(emulator), tempfile.NamedTemporaryFile("w", suffix=".csv") as names:
        names.writelines(["name\n", *(f"project-{number % 3}\n" for number in range(1000))])
        names.flush()
        rows = {
            "`project exists`": command("project", "exists", "project-1"),
            "`each` with 1,000 rows of it": command("each", names.name, "--", "project", "exists", "{name}"),
        }
        env = {
            "HOME": str(before),
            "PINECONE_CLIENT_ID": emulator.client_id,
            "PINECONE_CLIENT_SECRET": emulator.client_secret,
            "PINECONE_CONTROLLER_HOST": emulator.host,
            "PINECONE_OAUTH_URL": emulator.oauth_url,
        }
        print_rows(compare(silent, env, arguments.rounds), show_difference, [f"≤ +15{SPACE}ms"] * 4)
        print_rows(compare(lists, env, arguments.rounds), show_ratio, ["≤ 0.65", "≤ 0.75", "≤ 0.75"])
        print_rows(compare(starts, env, arguments.rounds), show_difference, [""])
        print_rows(compare(large, env, arguments.rounds), show_ratio, ["≤ 1.5"])
        print_rows(compare(rows, env, arguments.rounds), show_difference, [f"≤ 3{SPACE}s in all"])


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--isolated", action="store_true", help="measure in environments made for it")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--before", metavar="REVISION", help="the earlier revision; by default, this tree itself")
    parser.add_argument("--users", type=int, default=20_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as environments:
        before = extract(arguments.before, Path(folder)) if arguments.before else ROOT
        here = Path(sys.executable)
        full, plain = environments.enter_context(create_environments()) if arguments.isolated else (here, here)
        measure_all(full, plain, before, arguments)


if __name__ == "__main__":
    main()
