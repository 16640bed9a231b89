"""Run a command with a temporary API key: the parts of the command ``run``."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, suppress
from datetime import timedelta
from math import inf
from typing import Any

from pinecone_admin._concurrency.waiting import complete_if_interrupted
from pinecone_admin._sync.workflows.temporary_key import find_overdue_keys, name_temporary_key
from pinecone_admin.cli.calls.confirmation import Consent, ask, require_change_allowed
from pinecone_admin.cli.calls.naming import Thing
from pinecone_admin.cli.error_output import write_failure
from pinecone_admin.cli.failures import CLIError, describe_failure, reason_of
from pinecone_admin.cli.identity.client import limit_core_dumps
from pinecone_admin.cli.identity.sources import without_credentials
from pinecone_admin.cli.output.progress import show_progress
from pinecone_admin.cli.output.writing import write_preview
from pinecone_admin.cli.parameters import Reference
from pinecone_admin.cli.sentences import as_sentences
from pinecone_admin.cli.session import Session
from pinecone_admin.errors import LeftoverError
from pinecone_admin.models import APIKeyRole
from pinecone_admin.workflows.changes import Change, Ref, Settings, Step
from pinecone_admin.workflows.ending import refer_to
from pinecone_admin.workflows.name_tags import original_name

_DEFAULT_TTL = timedelta(hours=6)
_KILLED = 128
"""The number that shells add to the number of the signal that ended a command."""


def run_with_key(
    session: Session,
    command: Sequence[str],
    *,
    project: Reference,
    roles: Sequence[APIKeyRole],
    ttl: timedelta = _DEFAULT_TTL,
) -> None:
    """Run a command with a temporary API key, and end with its exit code.

    Raises:
        CLIError: The command was not started.
    """
    core_limit = limit_core_dumps(0)
    shown = "run shows the output of its command, so"
    if not session.is_dry_run and "query" in session.settings:
        raise CLIError(f"{shown} --query has no place here. Leave it out.", says_if_unchanged=True)
    if not session.is_dry_run and session.settings.get("output") not in {None, "json"}:
        raise CLIError(f"{shown} -o can only be json, which is for errors.", says_if_unchanged=True)
    require_change_allowed(session)
    if shutil.which(command[0], path=session.env.get("PATH")) is None:
        raise CLIError(f"There is no program {command[0]} to run.", says_if_unchanged=True)
    with show_progress(session, "looking up names"):
        found = session.names.find(project.noun, project.text)
    session.ledger.note_name(found.id, found.name)
    arguments: dict[str, Any] = {"project_id": found.id, "roles": roles, "ttl": ttl}
    if session.is_dry_run:
        project_found = session.names.describe(found)
        write_preview(session, [*_plan(session, project_found, roles=roles, ttl=ttl)], [project_found])
        return
    what = f"run {shlex.join(command)} with a temporary API key of {found}, which has {', '.join(roles)}"
    ask(session, Consent(what=what, details=map(as_sentences, map(str, _plan(session, found, roles=roles, ttl=ttl)))))
    status: int | None = None
    try:
        with ExitStack() as stack:
            with show_progress(session, "making a temporary API key"):
                new_key = stack.enter_context(session.admin.api_keys.temporary(**arguments))
            env = without_credentials(session.env) | {"PINECONE_API_KEY": new_key.value}
            status = _run(session, command, env, core_limit)
            with show_progress(session, "deleting the temporary API key"):
                stack.close()
    except LeftoverError as error:
        if status is None:
            raise
        error.add_note("to delete the key after its expiry time, run pinecone-admin api-key delete-retired")
        failure = describe_failure(error, ledger=session.ledger)
        status = status or failure.exit
        failure = failure._replace(exit=status)
        with suppress(OSError):
            write_failure(session.stderr, failure, as_json=session.expects_json_errors)
    session.exit_code = status


def _plan(session: Session, project: Thing, *, roles: Sequence[APIKeyRole], ttl: timedelta) -> Generator[Step]:
    """Yield the changes that come before the command; nothing is read until the first one is wanted."""
    with show_progress(session, "reading the keys of the project"):
        overdue = find_overdue_keys(session.admin, project.id)
    name = name_temporary_key(session.admin, project.id, ttl, "…")
    created = Change(
        action="create",
        target=Ref("api_key", original_name(name), project=Ref("project", project.name, project.id)),
        settings=Settings(name=name, roles=tuple(roles)),
    )
    changes = [*(Change(action="delete", target=refer_to(each, project=project.name)) for each in overdue), created]
    yield from (Step(change=each, state="planned") for each in changes)


def _run(session: Session, command: Sequence[str], env: Mapping[str, str], core_limit: int) -> int:
    """Run a command on our standard streams, and return its exit code as a shell does.

    From now on, signals go to the command, and no longer interrupt us: so the key is deleted after it has ended.

    Args:
        session: The session.
        command: The command.
        env: Its environment.
        core_limit: Its limit of core dumps, which ours must not be.
    """
    running: list[subprocess.Popen[bytes]] = []
    early: list[int] = []

    def receive(number: int) -> None:
        if not running:
            early.append(number)
        elif not _gets_signal_from_terminal(running[0], number):
            running[0].send_signal(number)

    session.interruptions.pass_on(receive)
    try:
        limit_core_dumps(core_limit)  # a child inherits it
        # A file that the client secret was read from could be read again.
        stdin = subprocess.DEVNULL if session.settings.get("client_secret_stdin") else None
        running.append(subprocess.Popen(command, stdin=stdin, env=env))  # noqa: S603 - the user names the command
    except (OSError, ValueError) as error:
        raise CLIError(f"{command[0]} cannot be run: {reason_of(error)}") from error
    finally:
        limit_core_dumps(0)
    # The command may have begun before Popen returned, and have got these from the terminal itself. To get one twice is
    # worse than not at all: programs take a second Ctrl-C for an order to end without cleaning up.
    while early:
        receive(early.pop())
    # It waits in a thread, because a wait for a process would handle a signal only when the process has ended.
    status = complete_if_interrupted(running[0].wait, inf)
    return status if status >= 0 else _KILLED - status


def _gets_signal_from_terminal(process: subprocess.Popen[bytes], number: int) -> bool:
    """Return whether a process got a signal itself: the terminal sends one to all of its foreground processes."""
    if number not in {signal.SIGINT, getattr(signal, "SIGQUIT", signal.SIGINT)}:
        return False
    if not hasattr(os, "tcgetpgrp"):  # Windows
        return True
    try:
        with open("/dev/tty", "rb") as terminal:  # noqa: PTH123 - a device
            return os.tcgetpgrp(terminal.fileno()) == os.getpgid(process.pid)
    except OSError:  # there is no terminal, or the process has ended
        return False
