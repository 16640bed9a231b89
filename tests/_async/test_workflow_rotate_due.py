"""Rotations of the keys that are due, as a job does them every night."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from pinecone_admin import (
    AsyncAdmin,
    ForbiddenError,
    NotFoundError,
    PineconeError,
    ReadOnlyError,
    RefusedError,
    UnauthorizedError,
)
from pinecone_admin.emulator import Emulator
from pinecone_admin.workflows import DueRotations
from pinecone_admin.workflows.name_tags import tag_as_temporary, tag_as_unfinished
from pinecone_admin.workflows.retired_keys import UNFINISHED
from tests.support.errors import raises
from tests.support.fault_injection import (
    KILLS,
    FaultyTransport,
    InjectedFault,
    KilledError,
    OtherDates,
    UndatedTransport,
)
from tests.support.old_names import tag_as_emptying
from tests.support.rotated_keys import KEEP_OLD_FOR, OLDER_THAN, RotatedKeys
from tests.support.steps import as_planned

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)


def fill(projects: int, keys: int, **options: Any) -> RotatedKeys:
    """Return an organization whose keys are just old enough."""
    organization = RotatedKeys(Emulator(seed=1))
    organization.fill(projects, keys, **options)
    organization.advance(OLDER_THAN + timedelta(seconds=1))
    return organization


async def rotate_due(organization: RotatedKeys, admin: AsyncAdmin | None = None, **options: Any) -> DueRotations:
    """Rotate what is due."""
    admin = admin or organization.emulator.async_admin()
    options = {"older_than": OLDER_THAN, "keep_old_for": KEEP_OLD_FOR, "store": organization.store, **options}
    return await admin.api_keys.rotate_due(**options)


async def rotate_until_killed(organization: RotatedKeys, number: int, kill: InjectedFault) -> bool:
    """Rotate what is due in a process that is killed at a request, and return whether it was."""
    transport = FaultyTransport(organization.emulator, {number: kill})
    try:
        await rotate_due(organization, transport.async_admin())
    except KilledError:
        return True
    # <async only>
    except BaseExceptionGroup as group:  # the requests that list keys are sent in tasks
        return group.split(KilledError)[1] is None
    # </async only>
    return False


def names(organization: RotatedKeys) -> list[str]:
    """Return the names of all keys, without the digits of tags."""
    return [key.name.partition(":")[0] if key.name.startswith("~") else key.name for key in organization.keys]


async def test_old_keys_are_rotated_the_oldest_first_and_deleted_when_due() -> None:
    """Only keys older than the limit are rotated. In the night after their deletion time, the old keys are deleted."""
    organization = RotatedKeys(Emulator(seed=1))
    organization.fill(1, 3, apart=DAY)
    organization.advance(OLDER_THAN - timedelta(days=1))
    (project,) = organization.emulator.state.projects
    report = await rotate_due(organization, project_id=project)
    assert [each.key.name for each in report.rotated] == organization.stored == ["key00", "key01" + "…" * 40]
    assert (report.deleted, report.failed, report.unknown_age, report.dry_run) == ([], [], [], False)
    steps = report.rotated[0].steps
    assert [step.change.action for step in steps] == ["create", "update", "update", "delete"]
    assert [step.state for step in steps] == ["done", "done", "done", "skipped"]
    assert {each.name for step in report.steps for each in step.change.projects} == {"project0"}
    assert str(report).splitlines()[0].startswith("created key ")
    assert json.loads(json.dumps(report.to_dict()))["rotated"][0]["replaced"] == report.rotated[0].replaced

    again = await rotate_due(organization)
    assert (again.rotated, again.deleted) == ([], [])
    assert [each.key.id for each in again.kept] == [each.replaced for each in report.rotated]
    organization.advance(KEEP_OLD_FOR + timedelta(minutes=1))
    later = await rotate_due(organization)
    assert [key.id for key in later.deleted] == [each.replaced for each in report.rotated]
    assert [each.key.name for each in later.rotated] == ["key02"]
    assert organization.find_faults() + organization.find_leftovers() == []
    assert str(await rotate_due(fill(1, 0))) == "no key is due"


async def test_old_keys_can_be_deleted_at_once() -> None:
    """With an overlap of 0, each old key is deleted as soon as the new value is stored."""
    organization = fill(2, 2)
    report = await rotate_due(organization, keep_old_for=timedelta(0))
    assert [each.delete_after for each in report.rotated] == [None] * 4
    assert len(organization.keys) == 4
    assert organization.find_leftovers() == []


async def test_a_dry_run_sends_only_reads_and_has_the_report_of_a_real_run() -> None:
    """A dry run previews the rotations, those that were interrupted too, and sends only GET requests."""
    organization = fill(2, 3)
    await rotate_until_killed(organization, 12, InjectedFault.KILL_AFTER)
    transport = FaultyTransport(organization.emulator)
    preview = await rotate_due(organization, transport.async_admin(), dry_run=True)
    assert all(request.startswith("GET") for request in transport.requests)
    assert str(preview).endswith("\nnothing was changed")
    report = await rotate_due(organization)
    assert as_planned(preview.steps) == as_planned(report.steps)
    assert [each.replaced for each in preview.rotated] == [each.replaced for each in report.rotated]


@pytest.mark.parametrize("kill", KILLS, ids=str)
@pytest.mark.long
async def test_a_run_that_is_killed_at_any_request_is_completed_by_the_next_one(
    kill: InjectedFault, stride: Callable[[int], int]
) -> None:
    """Of twelve keys none is lost or rotated twice, no old key goes before its time, and each goes then."""
    number = 0
    while True:
        number += stride(7)
        organization = fill(3, 4)
        was_killed = await rotate_until_killed(organization, number, kill)
        assert organization.find_faults() == []
        report = await rotate_due(organization)
        assert report.failed == []
        assert organization.find_faults() + organization.find_leftovers() == []
        # The value of one key may be stored twice: it was not known to be stored.
        assert len(set(organization.stored)) == 12
        assert len(organization.stored) <= 12 + was_killed
        assert (await rotate_due(organization)).rotated == []
        organization.advance(KEEP_OLD_FOR + timedelta(minutes=1))
        await rotate_due(organization)
        assert len(organization.keys) == 12
        assert organization.find_faults() == []
        if not was_killed:
            break
    assert number > 12 * 5


async def test_a_key_that_a_killed_run_may_have_stored_lives_as_long_as_the_old_one() -> None:
    """If a run was killed after it stored a value, services may use it: the next run stores another, and keeps both."""
    organization = fill(1, 1)
    await rotate_until_killed(organization, 5, InjectedFault.KILL_BEFORE)
    (place,) = organization.vault
    used = organization.vault[place]
    assert organization.stored == ["key00"]
    organization.advance(DAY)
    report = await rotate_due(organization)
    assert [(step.state, step.change.reason is not None) for step in report.steps[-2:]] == [
        ("done", True),
        ("skipped", True),
    ]
    organization.advance(KEEP_OLD_FOR - timedelta(minutes=1))
    assert (await rotate_due(organization)).deleted == []
    assert used in {key.value for key in organization.keys}
    organization.advance(timedelta(minutes=2))
    assert len((await rotate_due(organization)).deleted) == 2
    assert names(organization) == ["key00"]


@pytest.mark.parametrize("kill", KILLS, ids=str)
async def test_no_value_that_may_be_in_use_makes_room(kill: InjectedFault) -> None:
    """In a project with room for two keys, a run after a kill ends no stored value; with room, the next one goes on."""
    number, failed = 0, 0
    was_killed = True
    while was_killed:
        number += 1
        organization = fill(1, 1)
        organization.emulator.configure(api_key_quota=2)
        was_killed = await rotate_until_killed(organization, number, kill)
        report = await rotate_due(organization)
        assert organization.find_faults() == []
        if report.failed:
            failed += 1
            (left,) = {key.id for key in organization.keys} - {report.failed[0].key and report.failed[0].key.id}
            assert f"an earlier run left 1 API key whose value may be in use, {left}:" in report.failed[0].reason
            organization.emulator.configure(api_key_quota=3)
            assert (await rotate_due(organization)).failed == []
        assert organization.find_faults() + organization.find_leftovers() == []
    assert failed > 1


async def test_a_rotation_that_was_left_is_finished_however_young_the_key_is() -> None:
    """Keys whose rotation was killed before or after the value was stored are finished, whatever their age."""
    organization = fill(1, 3)
    first, second, third = (key.id for key in organization.keys)
    for key_id, number in ((first, 4), (second, 7)):
        killed = FaultyTransport(organization.emulator, {number: InjectedFault.KILL_BEFORE}).async_admin()
        with pytest.raises(KilledError):
            await killed.api_keys.rotate(api_key_id=key_id, store=organization.store, keep_old_for=KEEP_OLD_FOR)
    assert names(organization).count("~rotates") == 2
    report = await rotate_due(organization, older_than=20 * DAY)
    assert [each.replaced for each in report.rotated] == [first]
    assert [key.name for key in report.finished] == ["key01" + "…" * 40]
    assert organization.emulator.state.api_keys[third].name == "key02"
    assert organization.find_faults() + organization.find_leftovers() == ["key02 is too old"]


@pytest.mark.parametrize("reason", [OSError("the vault is sealed"), ValueError("bad value pcsk_" + "x" * 40)])
async def test_a_store_that_fails_for_one_key_does_not_stop_the_others(reason: Exception) -> None:
    """The failed key stays as it was, the report says why without its value, and the next run rotates it."""
    organization = fill(2, 3)

    def store(made: Any) -> None:
        if made.key.name == "key02":
            raise reason
        organization.store(made)

    report = await rotate_due(organization, store=store)
    assert [each.key.name for each in report.rotated] == [name for _, name in organization.vault if name != "key02"]
    (failed,) = report.failed
    assert failed.key is not None
    assert failed.key.name == "key02"
    assert failed.reason.startswith(str(reason).partition("x")[0])
    assert failed.reason.endswith("was deleted")
    assert "xxx" not in str(report)
    project = f"{failed.project_name} ({failed.project_id})"
    assert f"failed to rotate key key02 ({failed.key.id}) in project {project}: " in str(report)
    assert names(organization).count("key02") == 1
    report = await rotate_due(organization)
    assert [each.key.name for each in report.rotated] == ["key02"]
    assert organization.find_faults() + organization.find_leftovers() == []


async def test_a_project_that_fails_does_not_stop_the_others() -> None:
    """If retired keys of a project cannot be deleted, the others are cleaned up and rotated all the same."""
    organization = fill(2, 1)
    await rotate_due(organization)
    organization.advance(OLDER_THAN + KEEP_OLD_FOR)
    first = next(iter(organization.emulator.state.projects))
    organization.emulator.faults.add("delete_api_key", status=400)
    report = await rotate_due(organization)
    (failed,) = report.failed
    name = organization.emulator.state.projects[first].name
    assert (failed.project_id, failed.project_name, failed.key) == (first, name, None)
    assert f"failed in project {name} ({first}), where no key was rotated: delete_api_key: [400" in str(report)
    assert [len(report.deleted), len(report.rotated)] == [1, 1]
    assert (await rotate_due(organization)).failed == []
    assert organization.find_faults() + organization.find_leftovers() == []


@pytest.mark.parametrize("fault", [{"status": 403}, {"status": 500, "times": None}, {"drop": "before", "times": None}])
@pytest.mark.usefixtures("clock")
async def test_a_project_whose_keys_cannot_be_listed_does_not_stop_the_others(fault: dict[str, Any]) -> None:
    """It is in the report as failed, and the keys of the others are rotated; the next run rotates its own."""
    organization = fill(3, 1)
    _, second, _ = organization.emulator.state.projects
    added = organization.emulator.faults.add("list_project_api_keys", id=second, **fault)
    report = await rotate_due(organization)
    (failed,) = report.failed
    name = organization.emulator.state.projects[second].name
    assert (failed.project_id, failed.project_name, failed.key) == (second, name, None)
    assert f"failed in project {name} ({second}), where no key was rotated: list_project_api_keys: " in str(report)
    assert len(report.rotated) == 2
    organization.emulator.faults.remove(added)
    assert [each.key.project_id for each in (await rotate_due(organization)).rotated] == [second]
    assert organization.find_faults() + organization.find_leftovers() == []


async def test_projects_that_cannot_be_listed_are_an_error() -> None:
    """Nothing is rotated then, nor after a 401 to the list of one project's keys."""
    organization = fill(2, 1)
    organization.emulator.faults.add("list_projects", status=403)
    with raises(ForbiddenError):
        await rotate_due(organization)
    organization.emulator.faults.add("list_project_api_keys", status=401, times=None)
    with raises(UnauthorizedError):
        await rotate_due(organization)
    assert organization.stored == []


async def test_keys_that_a_workflow_made_are_not_rotated() -> None:
    """Temporary keys, and those that another workflow makes, stay until their own time; an old unfinished one fails.

    Its value may be stored and in use.
    """
    organization = fill(1, 0)
    admin = organization.emulator.async_admin()
    (project,) = organization.emulator.state.projects
    lives_until = organization.emulator.clock.now() + 30 * DAY
    tagged = [
        tag_as_emptying(project),
        tag_as_unfinished("reader"),
        tag_as_temporary(project, lives_until, "1"),
    ]
    for name in tagged:
        await admin.api_keys.create(project_id=project, name=name)
    assert (await rotate_due(organization)).failed == []
    organization.advance(20 * DAY)
    report = await rotate_due(organization)
    assert (report.rotated, report.unknown_age) == ([], [])
    [left] = report.failed
    assert (left.key and left.key.name, left.reason, left.help_code) == (tagged[1], UNFINISHED, None)
    assert [(step.state, step.change.target.name) for step in report.steps] == [("skipped", "temporary 1")]
    assert [key.name for key in organization.keys] == tagged
    organization.advance(11 * DAY)
    assert [key.name for key in (await rotate_due(organization)).deleted] == tagged[2:]
    assert [key.name for key in organization.keys] == tagged[:2]


async def test_two_keys_of_one_name_are_both_rotated() -> None:
    """Names are not unique: each of two keys gets a successor, and neither is taken for that of another run."""
    organization = fill(1, 1)
    (project,) = organization.emulator.state.projects
    organization.keys[0].name = "twin"
    await organization.emulator.async_admin().api_keys.create(project_id=project, name="twin")
    organization.advance(OLDER_THAN + DAY)
    values: list[str] = []
    report = await rotate_due(organization, store=lambda made: values.append(made.value))
    assert (len(report.rotated), report.failed) == (2, [])
    assert {key.value for key in organization.keys if key.name == "twin"} == set(values)


async def test_the_age_of_a_key_without_a_date_is_that_of_its_oldest_role_binding() -> None:
    """Where responses have no ``created_at``, bindings date keys; what may be older than they say is in the report."""
    organization = fill(1, 2)
    transport = UndatedTransport(organization.emulator)
    young = organization.keys[1]
    await organization.emulator.async_admin().api_keys.update(api_key_id=young.id, roles=["ProjectViewer"])
    report = await rotate_due(organization, transport.async_admin(), project_id=young.project_id)
    assert [each.key.name for each in report.rotated] == ["key00"]
    assert [key.id for key in report.unknown_age] == [young.id]
    assert f"({young.id}) is unknown" in str(report).splitlines()[-1]
    assert sum("role-bindings" in request for request in transport.requests) == 1


async def test_without_any_date_nothing_is_rotated() -> None:
    """Where role bindings cannot be read either, the report names every key as one of unknown age."""
    organization = fill(2, 2)
    organization.emulator.faults.add("list_role_bindings", status=403)
    report = await rotate_due(organization, UndatedTransport(organization.emulator).async_admin())
    assert (report.rotated, report.failed, len(report.unknown_age)) == ([], [], 4)


async def test_each_project_is_listed_once() -> None:
    """A run that has nothing to do lists the projects once, and the keys of each of them once."""
    organization = fill(3, 4)
    transport = FaultyTransport(organization.emulator)
    await rotate_due(organization, transport.async_admin(), older_than=20 * DAY)
    assert sorted(transport.requests) == sorted(
        ["GET /admin/projects", *(f"GET /admin/projects/{id}/api-keys" for id in organization.emulator.state.projects)]
    )


async def test_the_time_is_that_of_the_server() -> None:
    """Without a valid Date of the server nothing is rotated or deleted, whatever this machine's clock says."""
    organization = fill(1, 1)
    transport = OtherDates(organization.emulator, "")
    with raises(RefusedError, match="no valid Date"):
        await rotate_due(organization, transport.async_admin())
    assert all(request.startswith("GET") for request in transport.requests)


async def test_a_project_that_does_not_exist_is_an_error() -> None:
    """An unknown project is an error; one that is deleted after the list was read has no keys."""
    organization = fill(2, 1)
    with raises(NotFoundError):
        await rotate_due(organization, project_id="nowhere")
    transport = FaultyTransport(organization.emulator)
    gone = next(iter(organization.emulator.state.projects))
    transport.before_request = lambda: (
        organization.emulator.state.projects.pop(gone, None) if len(transport.requests) == 2 else None
    )
    report = await rotate_due(organization, transport.async_admin())
    assert [each.key.name for each in report.rotated] == ["key10"]


async def test_what_fails_for_every_key_raises() -> None:
    """A client that must not change anything, or is not let in, is an error at once, and not a failure of each key."""
    organization = fill(1, 2)
    organization.emulator.faults.add("create_api_key", status=401, times=None)
    with raises(UnauthorizedError):
        await rotate_due(organization)
    organization.emulator.faults.clear()
    with raises(ReadOnlyError):
        await rotate_due(organization, organization.emulator.async_admin(read_only=True))
    await rotate_until_killed(organization, 7, InjectedFault.KILL_BEFORE)
    with raises(ReadOnlyError):
        await rotate_due(organization, organization.emulator.async_admin(read_only=True))


@pytest.mark.parametrize("by_hand", [False, True], ids=["inside a run", "around a run"])
async def test_a_rotation_by_hand_at_any_moment_loses_nothing_in_silence(
    *, by_hand: bool, stride: Callable[[int], int]
) -> None:
    """If a manual rotation and a run overlap, the stored values are valid, or one of the two says what is wrong."""
    for number in range(1, 30, stride(2)):
        organization = fill(1, 2)
        first = organization.keys[0].id
        said: list[object] = []

        def rotate_first(*, organization: RotatedKeys = organization, first: str = first) -> None:
            with suppress(NotFoundError):
                organization.emulator.admin().api_keys.rotate(
                    api_key_id=first, store=organization.store, keep_old_for=KEEP_OLD_FOR
                )

        def run_all(*, organization: RotatedKeys = organization, said: list[object] = said) -> None:
            report = organization.emulator.admin().api_keys.rotate_due(
                older_than=OLDER_THAN, keep_old_for=KEEP_OLD_FOR, store=organization.store
            )
            said.extend(report.failed)

        other = run_all if by_hand else rotate_first
        transport = FaultyTransport(organization.emulator)

        def interfere(
            *,
            transport: FaultyTransport = transport,
            other: Any = other,
            said: list[object] = said,
            number: int = number,
        ) -> None:
            if len(transport.requests) == number:
                try:
                    other()
                except PineconeError as error:
                    said.append(error)

        transport.before_request = interfere
        admin = transport.async_admin()
        try:
            if by_hand:
                await admin.api_keys.rotate(api_key_id=first, store=organization.store, keep_old_for=KEEP_OLD_FOR)
            else:
                said.extend((await rotate_due(organization, admin)).failed)
        except PineconeError as error:
            said.append(error)
        assert not organization.find_faults() or said
        assert organization.find_faults() == []
        await rotate_due(organization)
        left = [name for name in names(organization) if name == "key00"]
        assert len(left) == 1 or said


@pytest.mark.parametrize(
    ("keep_old_for", "night"), [(7 * DAY, 8), (7 * DAY - timedelta(hours=1), 7), (DAY, 2), (timedelta(hours=23), 1)]
)
async def test_the_first_run_after_the_time_deletes_the_old_key(keep_old_for: timedelta, night: int) -> None:
    """A time of whole days ends just after the run of its last night, so the old key works one night longer."""
    organization = fill(1, 1)
    # Not the first second of a minute, from which nothing would be rounded up.
    organization.advance(timedelta(seconds=90 - organization.emulator.clock.now().second))
    deleted: list[int] = []
    for each in range(10):
        report = await rotate_due(organization, keep_old_for=keep_old_for)
        deleted += [each] * len(report.deleted)
        organization.advance(DAY)
    assert deleted == [night]


async def test_a_new_key_whose_old_key_is_gone_is_named() -> None:
    """If somebody deletes the old key of an interrupted rotation, each run names the new one, and what to do."""
    organization = fill(1, 1)
    (old,) = organization.keys
    organization.emulator.faults.add("update_api_key", status=403, times=None)
    await rotate_due(organization)
    organization.emulator.faults.clear()
    admin = organization.emulator.async_admin()
    await admin.api_keys.delete(api_key_id=old.id)
    (new,) = organization.keys
    for dry_run in (True, False):
        (failed,) = (await rotate_due(organization, dry_run=dry_run)).failed
        assert failed.key is not None
        assert failed.key.id == new.id
        assert "rename it if the value is" in failed.reason
    await admin.api_keys.update(api_key_id=new.id, name="web")
    assert (await rotate_due(organization)).failed == []
