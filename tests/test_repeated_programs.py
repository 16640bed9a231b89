"""Programs of the guides and runbooks: after a failure at any of their requests, a second run ends the work."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pinecone_admin import NotFoundError
from pinecone_admin.emulator import Emulator
from pinecone_admin.testing import emulate
from tests.support.page_setups import SETUPS
from tests.support.recipes import EXAMPLE_PAGES, Block, list_blocks

RUNBOOKS = "docs/runbooks/"
LEAKED_KEY = "docs/runbooks/leaked-key.md"
LEAKED_ACCOUNT = "docs/runbooks/leaked-account-secret.md"
NOT_REPEATED = {
    "docs/how-to/create-and-find.md": "plain creates: the runbook of an unknown outcome is about their failures",
    "docs/how-to/invite-a-person.md": "a plain create, whose second run is refused",
    "docs/how-to/data-frames.md": "need other packages, and change nothing",
    "docs/how-to/django-celery-fastapi.md": "test_retry_recipes.py",
    "docs/how-to/share-tokens.md": "need other packages, and change nothing",
}
"""Pages whose programs are not run twice, with the reason."""
ENDS_WITH_NOTHING_LEFT = ("users.offboard(", "LEAVE_DRAFT", "delete_with_cleanup(", 'name="draft"')
"""Programs whose second run may find that what they remove is gone."""
PROGRAMS = [
    block
    for page in EXAMPLE_PAGES
    if page.startswith(("docs/how-to/", RUNBOOKS)) and page not in NOT_REPEATED
    for block in list_blocks(page)
    if block.language == "python" and not block.is_recipe
]
WAITS = re.compile("~(delete-after|lives-until):")
"""Keys that are deleted when their time is over."""
FAILURES: dict[str, Callable[[Emulator, int], object]] = {
    "outage": lambda emulator, skip: emulator.faults.add("*", skip=skip, status=503, times=None),
    "lost response": lambda emulator, skip: [
        emulator.faults.add("*", skip=skip, drop="after"),
        emulator.faults.add("*", skip=skip, unreachable=True, times=None),
    ],
}


class Reader:
    """Somebody who runs the programs of a page, in one folder, with one secret store.

    Args:
        emulator: Stands in for the organization.
    """

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.vault: dict[Any, Any] = {}

    def run(self, program: Block) -> BaseException | None:
        """Run a program, and return the exception that ended it, if one did."""
        text = re.sub(r"^(vault|secrets|records)(: .*)? = \{\}", r"\1 = VAULT", program.text, flags=re.MULTILINE)
        try:
            exec(compile(text, program.name, "exec"), {"__name__": "__main__", "VAULT": self.vault})
        except (Exception, SystemExit) as error:
            return error
        return None

    def list_lost_secrets(self, old: set[str]) -> set[str]:
        """Return the secrets that work, are not old ones, and are not in the store."""
        return list_secrets(self.emulator) - old - {str(value) for value in self.vault.values()}


def list_secrets(emulator: Emulator) -> set[str]:
    """Return the secrets that work until somebody ends them."""
    keys = {key.value for key in emulator.state.api_keys.values() if not WAITS.match(key.name)}
    return keys | {account.client_secret for account in emulator.state.service_accounts.values()}


def summarize(emulator: Emulator) -> Counter[tuple[str, ...]]:
    """Return what the organization has, without ids."""
    with emulator.admin() as admin:
        found = admin.inventory()
    people = {each.id: each.email for each in (*found.users, *found.invites)}
    named = (*found.projects, *found.service_accounts, *found.api_keys)
    names = people | {each.id: each.name for each in named if not WAITS.match(each.name)}
    return Counter(
        [(name,) for name in names.values()]
        + [
            (names[each.principal_id], each.role, names.get(each.resource_id or "", ""))
            for each in found.role_bindings
            if each.principal_id in names
        ]
    )


@contextmanager
def prepare_reader(program: Block) -> Iterator[Reader]:
    """Give a reader the organization that the page needs, in which the programs above have been run."""
    with emulate() as emulator:
        with emulator.admin() as admin:
            if program.page in SETUPS:
                SETUPS[program.page](emulator, admin, Path())
        reader = Reader(emulator)
        for before in PROGRAMS:
            if before.page == program.page and before.line < program.line:
                assert reader.run(before) is None
        yield reader


def run_twice(program: Block) -> tuple[list[bool], list[Counter[tuple[str, ...]]]]:
    """Run a program twice without a failure.

    Returns:
        Whether each request of the first run makes a change, and what there is after each run.
    """
    with prepare_reader(program) as reader:
        before = len(reader.emulator.requests)
        assert reader.run(program) is None
        sent = reader.emulator.requests[before:]
        changes = [each.method != "GET" and each.operation_id != "get_token" for each in sent]
        once = summarize(reader.emulator)
        error = reader.run(program)
        assert error is None or may_be_gone(program, error)
        return changes, [once, summarize(reader.emulator)]


def may_be_gone(program: Block, error: BaseException) -> bool:
    """Return whether an error says that the program has removed before what it is about."""
    return isinstance(error, NotFoundError) and any(part in program.text for part in ENDS_WITH_NOTHING_LEFT)


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize(
    "program",
    [
        pytest.param(each, id=each.name, marks=[pytest.mark.long] * (not each.page.startswith(RUNBOOKS)))
        for each in PROGRAMS
    ],
)
def test_a_second_run_ends_the_work(
    program: Block,
    failure: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stride: Callable[[int], int],
) -> None:
    """After a failure at any request, it leaves what a run without a failure leaves, and loses no secret."""

    def enter_folder(name: str) -> None:
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)

    enter_folder("without")
    changes, expected = run_twice(program)
    at = [skip for skip, is_change in enumerate(changes) if is_change or (failure == "outage" and any(changes))]
    for skip in at[:: 1 if program.page.startswith(RUNBOOKS) else stride(3)]:
        enter_folder(str(skip))
        with prepare_reader(program) as reader:
            old = list_secrets(reader.emulator)
            FAILURES[failure](reader.emulator, skip)
            reader.run(program)
            reader.emulator.faults.clear()
            error = reader.run(program)
            assert error is None or may_be_gone(program, error), skip
            assert reader.list_lost_secrets(old) == set(), skip
            assert summarize(reader.emulator) in expected, skip
