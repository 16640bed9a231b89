"""Workflows whose store can be read: what an interrupted run has stored is not made again."""

from __future__ import annotations

import re
import traceback
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any, cast

import pytest
from attrs import Factory, define

from pinecone_admin import AsyncAdmin, NotFoundError, PineconeError, PineconeTypeError, RetryPolicy, on_organization
from pinecone_admin.emulator import Emulator
from pinecone_admin.models import APIKey, APIKeyWithSecret, ServiceAccount, ServiceAccountWithSecret
from pinecone_admin.workflows import DesiredState, ReadableStore, Settings, name_tags
from pinecone_admin.workflows.readable_store import PlacedStore
from tests.support.fault_injection import KILLS, FaultyTransport, InjectedFault, KilledError
from tests.support.sampling import some_daily
from tests.support.steps import strip_mark

pytestmark = pytest.mark.anyio

LONG_NAME = "reader é" * 10


@define
class Target(PlacedStore):
    """One place for a secret, which refuses to replace another one.

    Attributes:
        value: The secret; empty if there is none.
        client_id: Client id of the account; empty for a key.
        replaces: Whether it replaces a secret.
        count: How many secrets it took.
    """

    value: str = ""
    client_id: str = ""
    replaces: bool = False
    count: int = 0

    def __call__(self, made: APIKeyWithSecret | ServiceAccountWithSecret, /) -> None:
        """Take the secret."""
        self.check_unused()
        self.count += 1
        if isinstance(made, APIKeyWithSecret):
            self.value = made.value
        else:
            self.value, self.client_id = made.client_secret, made.service_account.client_id

    def check_unused(self) -> None:
        """Refuse to replace another secret."""
        if self.value and not self.replaces:
            raise OSError("occupied")

    def read(self, made: APIKey | ServiceAccount, /) -> str | None:
        """Return the value, or the secret of the account."""
        is_of_other = isinstance(made, ServiceAccount) and made.client_id != self.client_id
        return None if is_of_other else self.value or None


@define
class Workflow:
    """A workflow that makes a secret.

    Attributes:
        run: Runs it.
        name: Name of the key or account in the end.
        replaces: Whether it replaces a secret.
    """

    run: Callable[[AsyncAdmin, str, ReadableStore], Awaitable[Any]]
    name: str = "reader"
    replaces: bool = False


async def rotate(admin: AsyncAdmin, key_id: str, target: ReadableStore) -> object:
    """Rotate the key that exists from the start. After a completed run, it does not exist."""
    with suppress(NotFoundError):
        return await admin.api_keys.rotate(api_key_id=key_id, store=target)
    return None


WORKFLOWS = {
    "ensure key": Workflow(
        lambda admin, project, target: admin.api_keys.ensure(project_id=project, name="reader", store=target)
    ),
    "ensure key of a long name": Workflow(
        lambda admin, project, target: admin.api_keys.ensure(project_id=project, name=LONG_NAME, store=target),
        LONG_NAME,
    ),
    "ensure account": Workflow(
        lambda admin, _, target: admin.service_accounts.ensure(name="robot", store=target), "robot"
    ),
    "provision": Workflow(
        lambda admin, _, target: admin.projects.provision(
            name="tenant", key_roles=["ProjectViewer"], store=target, bindings=[]
        ),
        "tenant",
    ),
    "rotate": Workflow(rotate, replaces=True),
    "rotate a key of a long name": Workflow(rotate, LONG_NAME, replaces=True),
}
each_workflow = pytest.mark.parametrize("workflow", WORKFLOWS.values(), ids=list(WORKFLOWS))


async def prepare(workflow: Workflow) -> tuple[Emulator, str, Target]:
    """Return an organization with a project, the id of the project or of the key to rotate, and an empty place."""
    emulator = Emulator(seed=1)
    admin = emulator.async_admin()
    start_id = (await admin.projects.create(name="p")).id
    if workflow.run is rotate:
        start_id = (await admin.api_keys.create(project_id=start_id, name=workflow.name)).key.id
    return emulator, start_id, Target(replaces=workflow.replaces)


def check_completed(emulator: Emulator, workflow: Workflow, secret: str) -> None:
    """Check that one key or account is left, and that it has its name and this secret."""
    keys = [(key.name, key.value) for key in emulator.state.api_keys.values()]
    accounts = [(each.name, each.client_secret) for each in list(emulator.state.service_accounts.listing)[1:]]
    assert [*keys, *accounts] == [(workflow.name, secret)]


@pytest.mark.parametrize("fault", some_daily([*KILLS, InjectedFault.UNAVAILABLE, InjectedFault.INTERNAL_ERROR], 2))
@each_workflow
async def test_a_secret_that_an_interrupted_run_stored_is_not_made_again(
    workflow: Workflow, fault: InjectedFault
) -> None:
    """If a run is killed or fails at any request, the next run finishes it, with one secret if possible."""
    number, sent = 0, 0
    while sent >= number:
        number += 1
        emulator, start_id, target = await prepare(workflow)
        transport = FaultyTransport(emulator, {number: fault})
        with suppress(KilledError, PineconeError):
            await workflow.run(transport.async_admin(retry=RetryPolicy(max_attempts=1)), start_id, target)
        is_stored, sent = bool(target.count), len(transport.requests)
        await workflow.run(emulator.async_admin(), start_id, target)
        check_completed(emulator, workflow, target.value)
        assert target.count == 1 or not is_stored
    assert number > 3


@pytest.mark.parametrize("kind", [TimeoutError, KeyboardInterrupt])
@each_workflow
async def test_what_was_stored_before_the_store_failed_stays_valid(
    workflow: Workflow, kind: type[BaseException]
) -> None:
    """Only the response of the secret store was lost: the error names what is kept, and the next run finishes it."""
    emulator, start_id, target = await prepare(workflow)

    class LateTarget(ReadableStore):
        """A place that fails once it has the secret."""

        def __call__(self, made: APIKeyWithSecret | ServiceAccountWithSecret, /) -> None:
            target(made)
            raise kind

        def read(self, made: APIKey | ServiceAccount, /) -> str | None:
            return target.read(made)

    with pytest.raises(kind) as caught:
        await workflow.run(emulator.async_admin(), start_id, LateTarget())
    assert target.value in {
        *(each.value for each in emulator.state.api_keys.values()),
        *(each.client_secret for each in emulator.state.service_accounts.listing),
    }
    assert any("is kept because its" in note for note in caught.value.__notes__)
    await workflow.run(emulator.async_admin(), start_id, target)
    check_completed(emulator, workflow, target.value)
    assert target.count == 1


@pytest.mark.parametrize("found", ["another", None, OSError("the vault is sealed")])
async def test_what_a_failed_store_does_not_show_is_deleted(found: str | Exception | None) -> None:
    """If another secret is there, or none, or it cannot be read, nothing of this run remains, and notes say both."""

    class Sealed(ReadableStore):
        """A store that fails."""

        def __call__(self, _: APIKeyWithSecret, /) -> None:
            raise TimeoutError

        def read(self, _: APIKey, /) -> str | None:
            if isinstance(found, Exception):
                raise found
            return found

    emulator, project, _ = await prepare(WORKFLOWS["ensure key"])
    with pytest.raises(TimeoutError) as caught:
        await emulator.async_admin().api_keys.ensure(project_id=project, name="reader", store=Sealed())
    assert not emulator.state.api_keys
    doubt, deletion = caught.value.__notes__
    assert doubt == "if the new value was stored all the same, it stops working when the key is deleted"
    assert deletion.endswith("was deleted")


@each_workflow
@pytest.mark.parametrize("encode", [str.encode, lambda _: True, lambda _: object()], ids=["bytes", "True", "an object"])
async def test_what_a_failed_store_may_have_is_kept(workflow: Workflow, encode: Callable[[str], object]) -> None:
    """If ``read`` returns neither a text nor None, the secret may be stored, and a run with a right one finishes."""
    emulator, start_id, target = await prepare(workflow)

    class Bytes(ReadableStore):
        """A place that fails once it has the secret, and that is read with the wrong type."""

        def __call__(self, made: APIKeyWithSecret | ServiceAccountWithSecret, /) -> None:
            target(made)
            raise TimeoutError

        def read(self, made: APIKey | ServiceAccount, /) -> Any:
            value = target.read(made)
            return None if value is None else encode(value)

    with pytest.raises(TimeoutError) as caught:
        await workflow.run(emulator.async_admin(), start_id, Bytes())
    assert target.value in {
        *(each.value for each in emulator.state.api_keys.values()),
        *(each.client_secret for each in emulator.state.service_accounts.listing),
    }
    (note,) = [each for each in caught.value.__notes__ if "may be stored" in each]
    assert "read of store returned neither a str nor None" in note
    await workflow.run(emulator.async_admin(), start_id, target)
    check_completed(emulator, workflow, target.value)
    assert target.count == 1


async def test_no_traceback_shows_a_stored_value_that_is_not_that_of_the_key(emulator: Emulator) -> None:
    """The value that was read for one key is no local of what fails while another one is read."""
    admin = emulator.async_admin()
    project = await admin.projects.create(name="p")
    for number in range(2):
        name = name_tags.add_value_digest(name_tags.tag_as_unfinished("reader", f"{number}" * 8), "0" * 8)
        await admin.api_keys.create(project_id=project.id, name=name)
    found = ["the value of some program"]

    class Half(Target):
        """A place that can be read once."""

        def read(self, _: APIKey | ServiceAccount, /) -> str | None:
            return found.pop()

    with pytest.raises(IndexError) as caught:
        await admin.api_keys.ensure(project_id=project.id, name="reader", store=Half())
    assert not found
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert "some program" not in "".join(shown.format())


@each_workflow
async def test_a_resumed_run_says_so(workflow: Workflow) -> None:
    """The report of a run that only renames has that step, and a dry run says the same."""
    emulator, start_id, target = await prepare(workflow)
    document = emulator.dump()
    for number in range(3, 20):
        transport = FaultyTransport(emulator, {number: InjectedFault.KILL_BEFORE})
        with pytest.raises(KilledError):
            await workflow.run(transport.async_admin(), start_id, target)
        if target.count:
            break
        emulator.load(document)
    report = await workflow.run(emulator.async_admin(), start_id, target)
    steps = report.key.steps if "provision" in str(type(report)).lower() else report.steps
    assert {each.change.action for each in steps} <= {"update", "delete"}
    assert workflow.name in {each.change.settings.name for each in steps}
    assert target.count == 1


@pytest.mark.parametrize("name", [name for name, each in WORKFLOWS.items() if not each.replaces])
@pytest.mark.parametrize("exists", [False, True])
async def test_an_occupied_place_is_refused_before_anything_is_made(name: str, *, exists: bool) -> None:
    """The place is looked at before the first change, also if the project of the key exists."""
    workflow = WORKFLOWS[name]
    emulator, start_id, _ = await prepare(workflow)
    if exists:
        await emulator.async_admin().projects.create(name=workflow.name)
    transport = FaultyTransport(emulator)
    with pytest.raises(OSError, match="occupied"):
        await workflow.run(transport.async_admin(), start_id, Target(value="another"))
    assert {request.partition(" ")[0] for request in transport.requests} == {"GET"}


async def test_a_key_of_an_earlier_version_is_made_anew(emulator: Emulator) -> None:
    """A tag without the digest of a value says nothing about the place: the key is deleted once another is stored."""
    admin = emulator.async_admin()
    project = await admin.projects.create(name="p")
    left = await admin.api_keys.create(project_id=project.id, name=name_tags.tag_as_unfinished("reader"))
    target = Target(value=left.value, replaces=True)
    await admin.api_keys.ensure(project_id=project.id, name="reader", store=target)
    assert left.key.id not in emulator.state.api_keys
    check_completed(emulator, Workflow(rotate), target.value)


@define
class WrongPlace(Target):
    """A place whose read returns what is no secret, as long as it has not got one.

    Attributes:
        found: What it returns.
    """

    found: Any = None

    def read(self, made: APIKey | ServiceAccount, /) -> str | None:
        """Return what is no secret, or the secret."""
        return super().read(made) if self.count else cast("str | None", self.found)


async def leave_stored(workflow: Workflow) -> tuple[Emulator, str, Target]:
    """Return what ``prepare`` does, after a run that was killed once its secret was stored."""
    for number in range(1, 12):
        emulator, start_id, target = await prepare(workflow)
        killed = FaultyTransport(emulator, {number: InjectedFault.KILL_BEFORE}).async_admin()
        with suppress(KilledError):
            await workflow.run(killed, start_id, target)
        if target.count:
            return emulator, start_id, target
    pytest.fail("no run stored a secret")


def list_names(emulator: Emulator) -> list[tuple[str, str]]:
    """Return the id and name of each key and account."""
    everything = [*emulator.state.api_keys.values(), *emulator.state.service_accounts.listing]
    return [(each.id, each.name) for each in everything]


@pytest.mark.parametrize("name", ["ensure key", "ensure account", "rotate"])
@pytest.mark.parametrize("found", ["", "\n", " \t", None])
async def test_a_place_with_blanks_only_has_no_secret(name: str, found: str | None) -> None:
    """A file with only a line break is no stored secret: another one is made and stored."""
    emulator, start_id, _ = await leave_stored(WORKFLOWS[name])
    target = WrongPlace(replaces=True, found=found)
    await WORKFLOWS[name].run(emulator.async_admin(), start_id, target)
    assert target.count == 1
    check_completed(emulator, WORKFLOWS[name], target.value)


class TextFile(Target):
    """A place that ends its text with a line break, as files do."""

    def read(self, made: APIKey | ServiceAccount, /) -> str | None:
        """Return the whole text."""
        found = super().read(made)
        return None if found is None else f"{found}\n"


@pytest.mark.parametrize("name", ["ensure key", "ensure account", "rotate"])
async def test_a_line_break_behind_a_stored_secret_is_no_part_of_it(name: str) -> None:
    """The secret is recognized, and no other one is made."""
    emulator, start_id, left = await leave_stored(WORKFLOWS[name])
    target = TextFile(value=left.value, client_id=left.client_id, replaces=True)
    await WORKFLOWS[name].run(emulator.async_admin(), start_id, target)
    assert target.count == 0
    check_completed(emulator, WORKFLOWS[name], left.value)


@pytest.mark.parametrize("name", ["ensure key", "ensure account", "rotate"])
@pytest.mark.parametrize("found", [b"s3cr3t", True, ["s3cr3t"], object()], ids=["bytes", "bool", "list", "object"])
async def test_a_place_that_returns_no_text_is_refused(name: str, found: object) -> None:
    """The error does not show what was returned, and the work is not taken for finished."""
    emulator, start_id, _ = await leave_stored(WORKFLOWS[name])
    before = list_names(emulator)
    with pytest.raises(PineconeTypeError, match=r"store must have a read that returns a str or None") as caught:
        await WORKFLOWS[name].run(emulator.async_admin(), start_id, WrongPlace(replaces=True, found=found))
    assert "s3cr3t" not in str(caught.value)
    assert list_names(emulator) == before


async def test_a_place_that_was_changed_meanwhile_counts(emulator: Emulator) -> None:
    """If the value of the interrupted run is not at the place any more, another key is made, as without a place."""
    admin = emulator.async_admin()
    project = await admin.projects.create(name="p")
    target = Target(replaces=True)
    killed = FaultyTransport(emulator, {4: InjectedFault.KILL_BEFORE}).async_admin()
    with pytest.raises(KilledError):
        await killed.api_keys.ensure(project_id=project.id, name="reader", store=target)
    assert target.count == 1
    target.value = "something"
    await admin.api_keys.ensure(project_id=project.id, name="reader", store=target)
    assert target.count == 2
    check_completed(emulator, Workflow(rotate), target.value)


@define
class Vault(ReadableStore):
    """A secret store of a caller, with a place for each name.

    Attributes:
        kept: The client id, or nothing, and the secret at each place.
        count: How many secrets it took.
    """

    kept: dict[str, tuple[str, str]] = Factory(dict)
    count: int = 0

    async def __call__(self, made: APIKeyWithSecret | ServiceAccountWithSecret, /) -> None:
        """Replace the secret at the place."""
        self.count += 1
        if isinstance(made, APIKeyWithSecret):
            self.kept[made.key.name] = "", made.value
        else:
            self.kept[made.service_account.name] = made.service_account.client_id, made.client_secret

    async def read(self, made: APIKey | ServiceAccount, /) -> str | None:
        """Return the secret at the place, unless it is that of another account."""
        client_id, secret = self.kept.get(made.name, ("", None))
        return None if isinstance(made, ServiceAccount) and made.client_id != client_id else secret


@pytest.mark.parametrize("name", ["ensure key", "ensure key of a long name", "ensure account", "rotate"])
async def test_a_store_of_a_caller_that_can_be_read_is_gone_on_with(name: str) -> None:
    """If a run is killed at any request after its secret is stored, the next run finishes the work with that secret."""
    workflow = WORKFLOWS[name]
    for number in range(1, 30):
        emulator, start_id, _ = await prepare(workflow)
        vault = Vault({workflow.name: ("another", "secret")})
        transport = FaultyTransport(emulator, {number: InjectedFault.KILL_AFTER})
        with suppress(KilledError):
            await workflow.run(transport.async_admin(), start_id, vault)
        is_stored = vault.count == 1
        await workflow.run(emulator.async_admin(), start_id, vault)
        check_completed(emulator, workflow, vault.kept[workflow.name][1])
        assert vault.count == 1 or not is_stored
        if len(transport.requests) < number:
            break
    assert is_stored


@pytest.mark.parametrize(
    ("is_readable", "updates", "stored", "finished"),
    [(True, 0, [0, 1], 0), (True, 1, [1, 1], 0), (True, 2, [1, 1], 1), (False, 0, [1, 2], 0), (False, 1, [1, 1], 1)],
)
async def test_the_next_night_goes_on_where_a_rotation_stopped(
    emulator: Emulator, *, is_readable: bool, updates: int, stored: list[int], finished: int
) -> None:
    """For a ReadableStore, the key is renamed before the value is stored, and a stored value is not stored again.

    The new key is in ``finished`` if the old key was retired, and its rotation is in ``rotated`` otherwise.
    """
    admin, vault, values = emulator.async_admin(), Vault(), list[object]()
    project = await admin.projects.create(name="search")
    await admin.api_keys.create(project_id=project.id, name="worker")
    emulator.clock.advance(91 * 86_400)
    emulator.faults.add("api_keys.update", unreachable=True, times=None, skip=updates)
    counts: list[int] = []
    for _ in range(2):
        report = await admin.api_keys.rotate_due(
            older_than=timedelta(days=90),
            keep_old_for=timedelta(days=7),
            store=vault if is_readable else values.append,
        )
        counts.append(vault.count + len(values))
        emulator.faults.clear()
    assert (counts, report.failed, len(report.finished), len(report.rotated)) == (stored, [], finished, 1 - finished)


async def test_a_plain_function_sends_no_digest(emulator: Emulator) -> None:
    """Nobody can ask it what it stored, so the name keeps its short tag until the key has its own."""
    admin = emulator.async_admin()
    project = await admin.projects.create(name="p")
    seen: list[str] = []

    def store(made: APIKeyWithSecret) -> None:
        seen.append(emulator.state.api_keys[made.key.id].name)

    await admin.api_keys.ensure(project_id=project.id, name="reader", store=store)
    assert [*map(strip_mark, seen)] == [name_tags.tag_as_unfinished("reader")]


@pytest.mark.parametrize("on_difference", ["report", "raise"])
@pytest.mark.parametrize("run_by", ["ensure", "apply"])
async def test_an_account_that_an_interrupted_run_left_gets_exactly_the_wanted_roles(
    emulator: Emulator, run_by: str, on_difference: Any
) -> None:
    """A run for an owner dies after its store. The file then has the role member, and so the account gets only that."""
    admin, target = emulator.async_admin(), Target()
    killed = FaultyTransport(emulator, {3: InjectedFault.KILL_BEFORE}).async_admin()
    with pytest.raises(KilledError):
        await killed.service_accounts.ensure(
            name="robot", role_bindings=[on_organization("OrgOwner"), on_organization("OrgMember")], store=target
        )
    assert target.count == 1
    if run_by == "ensure":
        ensured = await admin.service_accounts.ensure(
            name="robot", role_bindings=[on_organization("OrgMember")], store=target, on_difference=on_difference
        )
        steps = ensured.steps
    else:
        accounts = [{"name": "robot", "roles": ["OrgMember"]}]
        desired = DesiredState.from_dict({"organization": emulator.organization_id, "service_accounts": accounts})
        report = await admin.apply(await admin.plan(desired), store=target)
        steps = report.steps
        assert re.match(
            r"renamed service account '~makes:.* robot' \(.*\) to robot, because an earlier run left it", str(steps[-1])
        )
    assert [each.change.action for each in steps] == ["revoke", "update"]
    (account,) = [each for each in emulator.state.service_accounts.listing if each.name == "robot"]
    held = await admin.role_bindings.list(principal_type="service_account", principal_id=account.id)
    assert [each.role for each in held] == ["OrgMember"]
    assert (target.count, target.value) == (1, account.client_secret)


async def test_a_key_that_an_interrupted_run_left_gets_exactly_the_wanted_roles(emulator: Emulator) -> None:
    """A run dies after its store; the next one, which wants less, takes the other roles away, whatever the policy."""
    admin, target = emulator.async_admin(), Target()
    project = await admin.projects.create(name="p")
    killed = FaultyTransport(emulator, {4: InjectedFault.KILL_BEFORE}).async_admin()
    arguments: dict[str, Any] = {"project_id": project.id, "name": "reader", "store": target}
    with pytest.raises(KilledError):
        await killed.api_keys.ensure(**arguments, roles=["ProjectEditor"])
    ensured = await admin.api_keys.ensure(**arguments, roles=["ProjectViewer"], on_difference="raise")
    (key,) = emulator.state.api_keys.values()
    assert (key.name, emulator.state.roles_of(key), target.count) == ("reader", ["ProjectViewer"], 1)
    (step,) = ensured.steps
    assert step.change.settings == Settings(name="reader", roles=("ProjectViewer",))
