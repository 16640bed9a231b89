"""Command lines in processes of their own that can be killed, without starting an interpreter for each."""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pinecone_admin._sync
import pinecone_admin.cli
from pinecone_admin.cli.main import main
from tests.cli.command_line import Run


class CommandForker:
    """Context with a process that has loaded the command line, and forks itself for each command."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.killed_commands"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._process.communicate()

    def run(self, argv: Sequence[str], env: Mapping[str, str], folder: Path, on_start: Callable[[int], object]) -> Run:
        """Run a command with its output in two files of a folder.

        Args:
            argv: Its words.
            env: Its environment.
            folder: Where the files are.
            on_start: Function that gets the id of its process.
        """
        job = {"argv": list(argv), "env": dict(env), "out": str(folder / "stdout"), "err": str(folder / "stderr")}
        self._write(job)
        on_start(self._read())
        status = self._read()
        return Run(status, (folder / "stdout").read_text(), (folder / "stderr").read_text())

    def _write(self, job: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(job) + "\n")

    def _read(self) -> int:
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())


def import_modules() -> None:
    """Import each module of the command line and of the sync client, which takes a child a third of its time."""
    for package in (pinecone_admin.cli, pinecone_admin._sync):
        for each in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not each.name.endswith(".__main__"):
                importlib.import_module(each.name)


def fork_for_each_job() -> None:
    """Run the command of each line of stdin in a child, and write its process id and then its exit code to stdout."""
    while line := sys.stdin.readline():
        job = json.loads(line)
        child = os.fork()
        if child == 0:
            os._exit(_run_in_child(job))
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
        sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\n")
        sys.stdout.flush()


def _run_in_child(job: Mapping[str, Any]) -> int:
    os.environ.clear()
    os.environ.update(job["env"])
    for descriptor, path, flags in (
        (0, os.devnull, os.O_RDONLY),
        (1, job["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
        (2, job["err"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
    ):
        os.dup2(os.open(path, flags, 0o600), descriptor)
    code = main(job["argv"])
    sys.stdout.flush()
    sys.stderr.flush()
    return code


if __name__ == "__main__":
    import_modules()
    fork_for_each_job()
