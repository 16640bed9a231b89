"""Programs of the guides and runbooks: after a failure at any of their requests, a second run ends the work."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pinecone_admin import (
    ForbiddenError,
    LeftoverError,
    NotFoundError,
    PineconeError,
    SecretNotStoredError,
    ServiceError,
    UnauthorizedError,
)
from pinecone_admin.emulator import Emulator
from pinecone_admin.testing import emulate
from tests.support.page_setups import SETUPS
from tests.support.recipes import PAGES, Block, list_blocks

RUNBOOKS = "docs/runbooks/"
NOT_REPEATED = {
    "docs/how-to/create-and-find.md": "plain creates: the runbook of an unknown outcome is about their failures",
    "docs/how-to/invite-a-person.md": "a plain create, whose second run is refused",
    "docs/how-to/django-celery-fastapi.md": "test_retry_recipes.py",
    "docs/how-to/organization-in-a-file.md": "needs a file of the command line; tests/faults repeat applies",
    "docs/how-to/share-tokens.md": "need other packages, and change nothing",
}
"""Pages whose programs are not run twice, with the reason."""
ENDS_WITH_NOTHING_LEFT = ("users.offboard(", "delete_with_cleanup(", 'name="draft"')
"""Programs whose second run may find that another run has removed their target."""
OTHER_PACKAGES = re.compile("import (pandas|polars)")  # test_data_frames_section.py
PROGRAMS = [
    block
    for page in PAGES
    if page.startswith(("docs/how-to/", RUNBOOKS)) and page not in NOT_REPEATED
    for block in list_blocks(page)
    if block.language == "python" and not block.is_recipe and not OTHER_PACKAGES.search(block.text)
]
WAITS = re.compile("~(delete-after|lives-until):")
"""Keys that are deleted after their deletion time."""
FAILURES: dict[str, Callable[[Emulator, int], object]] = {
    "outage": lambda emulator, skip: emulator.faults.add("*", skip=skip, status=503, times=None),
    "lost response": lambda emulator, skip: [
        emulator.faults.add("*", skip=skip, drop="after"),
        emulator.faults.add("*", skip=skip, unreachable=True, times=None),
    ],
    "not found": lambda emulator, skip: emulator.faults.add("*", skip=skip, status=404),
}
CASES = [
    pytest.param(
        program,
        failure,
        id=f"{program.name}-{failure}",
        marks=[pytest.mark.long] * (not program.page.startswith(RUNBOOKS) or failure != "lost response"),
    )
    for program in PROGRAMS
    for failure in FAILURES
    if failure != "not found" or program.page.startswith(RUNBOOKS)
    # If the only response with a client's own new secret is lost, no second run can sign in, as the page warns.
    if failure != "lost response" or "allow_own=True" not in program.text
]


pytestmark = pytest.mark.usefixtures("one_authority")


class Reader:
    """Somebody who runs the programs of a page, in one folder, with one secret store.

    Args:
        emulator: Stands in for the organization.
    """

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.secret_store: dict[Any, Any] = {}

    def run(self, program: Block) -> BaseException | None:
        """Run a program, and return the exception that ended it, if one did."""
        text = re.sub(
            r"^(secret_store|secrets|records)(: .*)? = \{\}", r"\1 = SECRET_STORE", program.text, flags=re.MULTILINE
        )
        try:
            exec(compile(text, program.name, "exec"), {"__name__": "__main__", "SECRET_STORE": self.secret_store})
        except (Exception, SystemExit, KeyboardInterrupt) as error:  # noqa: BLE001 - whatever ends a program of a page
            return error
        return None

    def list_lost_secrets(self, old: set[str]) -> set[str]:
        """Return the secrets that work, are not old ones, and are not in the store."""
        return list_secrets(self.emulator) - old - {str(value) for value in self.secret_store.values()}


def list_secrets(emulator: Emulator) -> set[str]:
    """Return the secrets that work until somebody ends them."""
    keys = {key.value for key in emulator.state.api_keys.values() if not WAITS.match(key.name)}
    return keys | {account.client_secret for account in emulator.state.service_accounts.values()}


def summarize(emulator: Emulator) -> Counter[tuple[str, ...]]:
    """Return what the organization has, without ids."""
    with emulator.admin() as admin:
        found = admin.inventory()
    names = {user.id: user.email for user in found.users} | {invite.id: invite.email for invite in found.invites}
    names |= {project.id: project.name for project in found.projects}
    names |= {account.id: account.name for account in found.service_accounts}
    names |= {key.id: key.name for key in found.api_keys if not WAITS.match(key.name)}
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
    """Give a reader the organization that the page needs, after the programs above."""
    with emulate() as emulator:
        with emulator.admin() as admin:
            if program.page in SETUPS:
                SETUPS[program.page](emulator, admin, Path())
        reader = Reader(emulator)
        for before in PROGRAMS:
            if before.page == program.page and before.line < program.line:
                assert reader.run(before) is None
        yield reader


@cache
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
        assert error is None or was_done_before(program, error)
        return changes, [once, summarize(reader.emulator)]


def was_done_before(program: Block, error: BaseException) -> bool:
    """Return whether an error says that an earlier run has removed what the program removes, or written its file."""
    is_api_404 = isinstance(error, NotFoundError) and any(part in program.text for part in ENDS_WITH_NOTHING_LEFT)
    return is_api_404 or (isinstance(error, FileExistsError) and '.open("x"' in program.text)


@pytest.mark.parametrize(("program", "failure"), CASES)
def test_a_second_run_ends_the_work(
    program: Block,
    failure: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stride: Callable[[int], int],
) -> None:
    """After a failure at any request, it leaves what a run without a failure leaves, and loses no secret.

    A runbook's program that ends without an error has left that at once.
    """

    def enter_folder(name: str) -> None:
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)

    enter_folder("without")
    changes, expected = run_twice(program)
    at = [skip for skip, is_change in enumerate(changes) if is_change or (failure != "lost response" and any(changes))]
    for skip in at[:: 1 if program.page.startswith(RUNBOOKS) else stride(3)]:
        enter_folder(str(skip))
        with prepare_reader(program) as reader:
            old = list_secrets(reader.emulator)
            FAILURES[failure](reader.emulator, skip)
            first = reader.run(program)
            reader.emulator.faults.clear()
            if first is None and program.page.startswith(RUNBOOKS):  # guides may end with a report of failures
                assert summarize(reader.emulator) in expected, skip
            if isinstance(first, LeftoverError):  # it names two keys, of which somebody has to delete one
                continue
            error = reader.run(program)
            assert error is None or was_done_before(program, error), skip
            assert reader.list_lost_secrets(old) == set(), skip
            assert summarize(reader.emulator) in expected, skip


@pytest.mark.parametrize(
    "program",
    [
        pytest.param(each, id=each.name)
        for each in PROGRAMS
        if each.page.startswith(RUNBOOKS) and "service_accounts.rotate(" not in each.text
    ],
)
def test_a_second_run_ends_no_new_secret(program: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A runbook's program takes no secret for the leaked one that its first run has made."""
    monkeypatch.chdir(tmp_path)
    with prepare_reader(program) as reader:
        assert reader.run(program) is None
        made = list_secrets(reader.emulator)
        error = reader.run(program)
        assert error is None or was_done_before(program, error)
        assert list_secrets(reader.emulator) == made


def read_search() -> Block:
    """Return the program that looks for a leaked key."""
    (program,) = [each for each in PROGRAMS if "def find_and_replace(" in each.text]
    return program


def test_a_dead_value_has_no_key_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program that looks for a leaked key changes nothing if the value is refused already, or was cut off."""
    monkeypatch.chdir(tmp_path)
    with prepare_reader(read_search()) as reader:
        leaked = Path("leaked.txt")
        leaked.write_text(leaked.read_text().strip()[:-1])
        before = list(reader.emulator.state.api_keys)
        assert reader.run(read_search()) is None
        assert list(reader.emulator.state.api_keys) == before


def test_a_second_run_replaces_no_key_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a failure, the program that looks for a leaked key keeps the new keys of the first run."""
    monkeypatch.chdir(tmp_path)
    with emulate() as emulator:
        with emulator.admin() as admin:
            project = admin.projects.create(name="search")
            for name in ("a", "b", "c"):
                admin.api_keys.create(project_id=project.id, name=name)
            other = admin.projects.create(name="other")
            leaked = admin.api_keys.create(project_id=other.id, name="leaked")
        Path("leaked.txt").write_text(leaked.value)
        reader = Reader(emulator)
        emulator.faults.add("delete_api_key", skip=2, status=503, times=None)
        assert isinstance(reader.run(read_search()), ServiceError)
        first = {key.id for key in emulator.state.api_keys.values() if key.name in {"a", "b"}}
        assert first <= set(reader.secret_store)
        emulator.faults.clear()
        assert reader.run(read_search()) is None
        assert first | {leaked.key.id} <= set(emulator.state.api_keys)
        assert len(emulator.state.api_keys) == 4


def test_the_search_goes_on_after_a_key_that_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A rotation that deletes what an interrupted run left does not end the search for the leaked key."""
    monkeypatch.chdir(tmp_path)
    with emulate() as emulator:
        with emulator.admin() as admin:
            project = admin.projects.create(name="search")
            reader_key = admin.api_keys.create(project_id=project.id, name="reader").key
            emulator.faults.add("update_api_key", unreachable=True, times=None)
            with pytest.raises(PineconeError):
                admin.api_keys.rotate(api_key_id=reader_key.id, store=lambda _: None)
            emulator.faults.clear()
            last = admin.api_keys.create(project_id=project.id, name="last")
        Path("leaked.txt").write_text(last.value)
        assert Reader(emulator).run(read_search()) is None
        assert last.key.id not in emulator.state.api_keys
    assert f"{last.key.id} False" in capsys.readouterr().out


def test_a_replaced_account_has_the_roles_of_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program that replaces the leaked account makes one of another id, with the same roles."""
    monkeypatch.chdir(tmp_path)
    (program,) = [each for each in PROGRAMS if "service_accounts.delete(" in each.text]
    with prepare_reader(program) as reader:
        before, ids = summarize(reader.emulator), set(reader.emulator.state.service_accounts)
        assert reader.run(program) is None
        assert summarize(reader.emulator) == before
        assert len(ids - set(reader.emulator.state.service_accounts)) == 1


def test_a_leaked_secret_that_somebody_has_rotated_ends_in_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program that keeps a token says so, and that the account is to be replaced, and writes no file."""
    monkeypatch.chdir(tmp_path)
    (program,) = [each for each in PROGRAMS if "token = leaked.token()" in each.text]
    with prepare_reader(program) as reader:
        Path("leaked.txt").write_text("another", encoding="utf-8")
        error = reader.run(program)
        assert isinstance(error, SystemExit)
        assert "replace the account at once" in str(error)
        assert not Path("old-token.txt").exists()


def test_a_replaced_account_has_another_client_id_which_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also of an account that an earlier run has made, the program prints the client id that programs need now."""
    monkeypatch.chdir(tmp_path)
    (program,) = [each for each in PROGRAMS if "service_accounts.delete(" in each.text]
    with prepare_reader(program) as reader:
        old = json.loads(Path("nightly.json").read_text(encoding="utf-8"))["client_id"]
        for _ in range(2):
            assert reader.run(program) is None
            (new,) = [
                each.client_id for each in reader.emulator.state.service_accounts.listing if each.name == "nightly"
            ]
            assert capsys.readouterr().out.endswith(f"set PINECONE_CLIENT_ID to {new}\n")
            assert new != old


@pytest.mark.parametrize(
    ("part", "operation"),
    [("service_accounts.delete(", "delete_service_account"), ("def revoke(", "fetch_api_key")],
)
def test_what_leaked_and_is_still_there_is_reported(
    part: str, operation: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that ends what leaked fails if the server says that there is none, though there is."""
    monkeypatch.chdir(tmp_path)
    (program,) = [each for each in PROGRAMS if part in each.text]
    with prepare_reader(program) as reader:
        reader.emulator.faults.add(operation, status=404)
        assert isinstance(reader.run(program), SystemExit)


def test_the_search_ends_at_a_404_of_a_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A 404 without a code does not say that a key is gone, so that the search does not blame another project."""
    monkeypatch.chdir(tmp_path)
    with prepare_reader(read_search()) as reader:
        reader.emulator.faults.add("fetch_api_key", status=404, body="html")
        assert isinstance(reader.run(read_search()), NotFoundError)


@pytest.mark.parametrize("revoked", [True, False])
def test_a_token_from_before_the_rotation_is_tried(
    revoked: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The runbook of a leaked account says whether a rotation ended its tokens; the one kept is in a private file."""
    monkeypatch.chdir(tmp_path)
    (program,) = [each for each in PROGRAMS if "access_token=token" in each.text]
    with emulate() as emulator:
        emulator.configure(rotation_revokes_tokens=revoked)
        with emulator.admin() as admin:
            SETUPS[program.page](emulator, admin, Path())
        Path("old-token.txt").touch(mode=0o644)
        reader = Reader(emulator)
        for each in PROGRAMS:
            if each.page == program.page and each.line <= program.line:
                assert reader.run(each) is None
    assert capsys.readouterr().out.splitlines()[-1] == str(not revoked)
    assert Path("old-token.txt").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("failure", ["OSError", "KeyboardInterrupt"])
@pytest.mark.parametrize(
    "program",
    [
        pytest.param(each, id=each.name)
        for each in PROGRAMS
        if "service_accounts.rotate(" in each.text and "def store" in each.text
    ],
)
def test_a_secret_that_could_not_be_stored_is_in_a_private_file(
    program: Block, failure: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that rotates one secret writes it to a new file, which the error names; after Ctrl-C, too."""
    monkeypatch.chdir(tmp_path)
    failing = program._replace(
        text=program.text.replace("    secret_store[", f"    raise {failure}\n    secret_store[")
    )
    with prepare_reader(program) as reader:
        error = reader.run(failing)
    lost = error if failure == "OSError" else getattr(error, "__cause__", None)
    assert isinstance(lost, SecretNotStoredError)
    (file,) = Path().glob("*-secret-*.txt")
    assert (file.stat().st_mode & 0o077, file.read_text(encoding="utf-8")) == (0, lost.secret.reveal())
    assert getattr(error, "__notes__", [""])[-1].endswith(str(file))


@pytest.mark.parametrize("failure", ["OSError", "KeyboardInterrupt"])
def test_a_new_secret_of_the_job_is_in_a_private_file_if_it_was_not_stored(
    failure: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job that rotates due secrets writes what it could not store to a new file; after Ctrl-C, too."""
    monkeypatch.chdir(tmp_path)
    (program,) = [
        each
        for each in list_blocks("docs/how-to/rotate-account-secrets.md")
        if each.language == "python" and "rotate_due(" in each.text
    ]
    with emulate() as emulator, emulator.admin() as admin:
        account = admin.service_accounts.create(name="nightly")
        emulator.clock.advance(91 * 86_400)
        present = {"nightly": (account.service_account.client_id, account.client_secret)}
        text = program.text.replace("] = {}  # stands in", f"] = {present}  # stands in")
        text = text.replace("        secret_store[", f"        raise {failure}\n        secret_store[")
        with pytest.raises(SystemExit, match="9"):
            exec(text, {"__name__": "program"})
        (file,) = Path().glob("secret-*.txt")
        secret = file.read_text(encoding="utf-8")
        with emulator.admin(client_id=account.service_account.client_id, client_secret=secret) as reader:
            assert reader.token().value
    assert file.stat().st_mode & 0o077 == 0


REPLACING = [
    each
    for page in (
        "docs/how-to/offboard-a-person.md",
        "docs/runbooks/offboarding-evidence.md",
        "docs/runbooks/leaked-key.md",
    )
    for each in list_blocks(page)
    if "api_keys.delete(" in each.text and each.language == "python"
]


@pytest.mark.parametrize("program", REPLACING, ids=lambda each: each.file)
def test_a_rotation_that_was_interrupted_keeps_a_successor(
    program: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key that another run has made, but not renamed yet, is replaced and not only deleted."""
    monkeypatch.chdir(tmp_path)
    with emulate() as emulator, emulator.admin() as admin:
        project = admin.projects.create(name="search")
        leaked = admin.api_keys.create(project_id=project.id, name="writer")
        emulator.add_user("ada@example.com", roles=["OrgMember", ("ProjectEditor", project.id)])
        emulator.faults.add("update_api_key", unreachable=True, skip=1, times=None)
        with pytest.raises(PineconeError):
            admin.api_keys.rotate(api_key_id=leaked.key.id, store=lambda _: None, keep_old_for=timedelta(hours=1))
        emulator.faults.clear()
        Path("leaked-key-id.txt").write_text(leaked.key.id)
        Path("leaked.txt").write_text(leaked.value)
        variables: dict[str, Any] = {"__name__": "program"}
        exec(program.text, variables)
        if "offboard_with_evidence" in variables:
            variables["offboard_with_evidence"]("ada@example.com", Path("ada.json"))
        elif "offboard" in variables:
            variables["offboard"]("ada@example.com")
        keys = admin.api_keys.list(project_id=project.id)
    assert [each.name for each in keys] == ["writer"]
    assert leaked.key.id not in {each.id for each in keys}


def test_a_404_of_a_proxy_is_no_evidence_that_a_key_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key is recorded as not replaced, and the next run replaces it."""
    monkeypatch.chdir(tmp_path)
    (program,) = [each for each in REPLACING if "def offboard_with_evidence(" in each.text]
    with emulate() as emulator, emulator.admin() as admin:
        project = admin.projects.create(name="search")
        key = admin.api_keys.create(project_id=project.id, name="reader").key
        emulator.add_user("ada@example.com", roles=["OrgMember", ("ProjectEditor", project.id)])
        variables: dict[str, Any] = {"__name__": "program"}
        exec(program.text, variables)
        emulator.faults.add("fetch_api_key", status=404, body="html")
        with pytest.raises(RuntimeError, match="not proved"):
            variables["offboard_with_evidence"]("ada@example.com", Path("ada.json"))
        variables["offboard_with_evidence"]("ada@example.com", Path("ada.json"))
    first, second = json.loads(Path("ada.json").read_text())["rotations"]
    assert (first["not_replaced"], second["replaced"]) == (key.id, key.id)


def test_only_the_api_proves_that_a_leaked_value_is_dead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An HTML page with status 401 or 403, as of a proxy, ends the program: it neither ends nor continues a search."""
    monkeypatch.chdir(tmp_path)
    programs = [
        block
        for page in ("docs/runbooks/leaked-key.md", "docs/runbooks/leaked-account-secret.md")
        for block in list_blocks(page)
        if "def is_accepted(" in block.text
    ]
    assert len(programs) == 2
    for program in programs:
        with emulate() as emulator, emulator.admin() as admin:
            project = admin.projects.create(name="search")
            made = admin.api_keys.create(project_id=project.id, name="writer", roles=["DataPlaneViewer"])
            Path("leaked.txt").write_text("pcsk_wrong")
            Path("old-token.txt").write_text(admin.token().value)
            variables: dict[str, Any] = {"__name__": "program"}
            exec(program.text, variables)
            is_of_key = "api_key" in program.text
            values = (admin, made.value) if is_of_key else (admin.token().value,)
            for status, error in ((401, UnauthorizedError), (403, ForbiddenError)):
                emulator.faults.add(
                    "list_indexes" if is_of_key else "list_projects", status=status, body="html", times=1
                )
                with pytest.raises(SystemExit if is_of_key else error):
                    variables["is_accepted"](*values)
            assert variables["is_accepted"](*values)
            if is_of_key:
                admin.api_keys.delete(api_key_id=made.key.id)
                assert not variables["is_accepted"](*values)


@pytest.mark.parametrize("is_finished", [True, False], ids=["finished", "unfinished"])
@pytest.mark.parametrize("length", [6, 42, 80])
def test_the_successor_of_a_leaked_key_is_not_taken_for_it(
    length: int, is_finished: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a rotation, two keys can have had the name, so the program that saves the id of a leaked key stops."""
    monkeypatch.chdir(tmp_path)
    (program,) = [each for each in PROGRAMS if "write the id of the leaked key" in each.text]
    name = "".join(f"{number:02}" for number in range(40))[:length]
    assert 'name = "writer"' in program.text
    program = program._replace(text=program.text.replace('name = "writer"', f'name = "{name}"'))
    with emulate() as emulator, emulator.admin() as admin:
        project = admin.projects.create(name="search")
        leaked = admin.api_keys.create(project_id=project.id, name=name).key
        if not is_finished:
            emulator.faults.add("update_api_key", unreachable=True, skip=1, times=None)
        with nullcontext() if is_finished else pytest.raises(PineconeError):
            admin.api_keys.rotate(api_key_id=leaked.id, store=lambda _: None, keep_old_for=timedelta(hours=1))
        emulator.faults.clear()
        assert isinstance(Reader(emulator).run(program), SystemExit)
        assert not Path("leaked-key-id.txt").exists()
