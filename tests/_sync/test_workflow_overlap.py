# Derived from tests/_async/test_workflow_overlap.py by scripts/unasync.py: change that, not this file.
"""Rotations that keep the old key for a time, and the deletion of old keys that are due."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx
import pytest
from attrs import define, field

from pinecone_admin import (
    Admin,
    ForbiddenError,
    LeftoverError,
    NotFoundError,
    RefusedError,
    UnauthorizedError,
)
from pinecone_admin._text.quoting import quote_name
from pinecone_admin.emulator import Clock, Emulator
from pinecone_admin.models import APIKey
from pinecone_admin.workflows import Rotation, Settings
from pinecone_admin.workflows.name_tags import tag_as_retired
from tests._sync.test_workflow_resume import Target
from tests.support.clock import VirtualClock
from tests.support.errors import raises
from tests.support.fault_injection import FaultyTransport, InjectedFault, KilledError, OtherDates
from tests.support.steps import as_planned, list_ids

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)
LONG_NAME = "reader é" * 10
EACH_NAME = ("reader", LONG_NAME)


@define
class RotatedProject:
    """A project with one key, whose value is stored, and what rotations of it store.

    Attributes:
        emulator: The organization.
        name: Name of the key.
        id: Id of the project.
        vault: The latest value by name.
    """

    emulator: Emulator
    name: str = "reader"
    id: str = ""
    vault: dict[str, str] = field(factory=dict)

    def create(self) -> str:
        """Create the project and the key, and return the id of the key."""
        admin = self.emulator.admin()
        self.id = (admin.projects.create(name="p")).id
        made = admin.api_keys.create(project_id=self.id, name=self.name)
        self.store(made)
        return made.key.id

    def store(self, made: Any) -> object:
        """Store a value, and return something, as clients of vaults do."""
        self.vault[made.key.name] = made.value
        return {"version": len(self.vault)}

    def rotate(self, key_id: str, keep_old_for: timedelta = HOUR, **options: Any) -> Rotation:
        """Rotate a key."""
        admin = options.pop("admin", None) or self.emulator.admin()
        return admin.api_keys.rotate(api_key_id=key_id, store=self.store, keep_old_for=keep_old_for, **options)

    def rotate_until_killed(self, key_id: str, keep_old_for: timedelta = HOUR, *, at: int) -> None:
        """Rotate a key in a process that is killed before a request, by its number from 1."""
        admin = FaultyTransport(self.emulator, {at: InjectedFault.KILL_BEFORE}).admin()
        with pytest.raises(KilledError):
            self.rotate(key_id, keep_old_for, admin=admin)

    def find_holder(self) -> APIKey:
        """Return the key that holds the name."""
        return self.emulator.admin().api_keys.describe_by_name(project_id=self.id, name=self.name)

    def advance(self, time: timedelta) -> None:
        """Advance the server's clock."""
        self.emulator.clock.advance(time.total_seconds())

    def names(self) -> dict[str, str]:
        """Return the name of each key by id."""
        return {key.id: key.name for key in self.emulator.state.api_keys.values()}

    def check_stored(self, key_id: str) -> None:
        """Check that a key is the only one, with its name, and that its value is stored."""
        (key,) = self.emulator.state.api_keys.values()
        assert (key.id, key.name, key.value) == (key_id, self.name, self.vault[self.name])


@pytest.fixture
def emulator() -> Emulator:
    """Return an emulator whose clock shows 05:44:30."""
    return Emulator(seed=1, clock=Clock(datetime(2026, 12, 3, 5, 44, 30, tzinfo=UTC)))


@pytest.mark.parametrize("days", [0, 30, -30])
def test_the_old_key_lives_until_its_minute(emulator: Emulator, clock: VirtualClock, days: int) -> None:
    """Both keys work until the minute in the old key's name, by the server's clock, and nothing sleeps."""
    clock.shift_wall((emulator.clock.now().timestamp() - clock.wall()) + days * 86_400)
    project = RotatedProject(emulator)
    old = project.create()
    rotation = project.rotate(old)
    assert rotation.delete_after == datetime(2026, 12, 3, 6, 45, tzinfo=UTC)
    assert project.names()[old].startswith("~delete-after:20261203T0645Z:")
    assert project.names()[rotation.key.id] == "reader"
    admin = emulator.admin()
    for seconds, deleted in ((0, []), (3629, []), (1, [old])):
        emulator.clock.advance(seconds)
        assert [key.id for key in (admin.api_keys.delete_retired()).deleted] == deleted
    project.check_stored(rotation.key.id)
    assert clock.slept == []


def test_the_time_of_the_store_is_not_taken_from_the_overlap(emulator: Emulator, clock: VirtualClock) -> None:
    """The overlap begins when the value is stored, even if storing it takes long."""
    project = RotatedProject(emulator)
    old = project.create()

    def store(_: object) -> None:
        clock.advance(600)
        emulator.clock.advance(600)

    rotation = emulator.admin().api_keys.rotate(api_key_id=old, store=store, keep_old_for=HOUR)
    assert rotation.delete_after == datetime(2026, 12, 3, 6, 55, tzinfo=UTC)


@pytest.mark.parametrize("date", ["", "noon", "Mon, 01 Jan 9999 00:00:00 GMT", "Mon, 01 Jan 1000 00:00:00 GMT"])
def test_a_server_without_a_valid_date_has_the_time_of_this_machine(emulator: Emulator, date: str) -> None:
    """If responses have no Date, or an impossible one, this machine's clock is used."""
    project = RotatedProject(emulator)
    old = project.create()
    rotation = project.rotate(old, admin=OtherDates(emulator, date).admin())
    assert rotation.delete_after == datetime(2023, 11, 14, 23, 14, tzinfo=UTC)


def test_nothing_is_deleted_by_the_clock_of_this_machine(emulator: Emulator, clock: VirtualClock) -> None:
    """Where responses have no valid Date, nothing counts as due or stale, however far this machine's clock is ahead."""
    project = RotatedProject(emulator)
    project.rotate(project.create(), 24 * HOUR)
    project.advance(2 * HOUR)
    plan = emulator.admin().projects.delete_stale(name_pattern="*", older_than=HOUR)
    clock.shift_wall(3 * 365 * 86_400)
    deletions: list[Callable[[Admin], Any]] = [
        lambda admin: admin.api_keys.delete_retired(),
        lambda admin: admin.projects.delete_stale(name_pattern="*", older_than=HOUR),
        lambda admin: admin.projects.delete_stale(plan=plan),
    ]
    for date in ("", "noon"):
        transport = OtherDates(emulator, date)
        for delete in deletions:
            with raises(RefusedError, match="no valid Date"):
                delete(transport.admin())
        assert all(request.startswith("GET") for request in transport.requests)


@pytest.mark.parametrize("name", EACH_NAME)
@pytest.mark.parametrize("keep_old_for", [HOUR, 2 * HOUR])
def test_repeating_with_the_same_or_a_longer_time_changes_nothing(
    emulator: Emulator, keep_old_for: timedelta, name: str
) -> None:
    """A repeated rotation returns the moment of the first and sends no change, also after that moment."""
    project = RotatedProject(emulator, name)
    old = project.create()
    first = project.rotate(old)
    for pause in (0, 0.4, 45, 3600, 86_400):
        emulator.clock.advance(pause)
        transport = FaultyTransport(emulator)
        again = project.rotate(old, keep_old_for, admin=transport.admin())
        assert (again.delete_after, again.key.id, again.replaced) == (first.delete_after, first.key.id, old)
        assert all(request.startswith("GET") for request in transport.requests)


@pytest.mark.parametrize("keep_old_for", [timedelta(0), timedelta(minutes=58)])
def test_a_shorter_time_is_refused(emulator: Emulator, keep_old_for: timedelta) -> None:
    """A shorter time is refused with the moment, and says what ends the key before; later, the run finishes."""
    project = RotatedProject(emulator)
    old = project.create()
    new = (project.rotate(old)).key.id
    before = project.names()
    with raises(RefusedError, match=f"{old} until 2026-12-03 06:45 UTC.*delete it$"):
        project.rotate(old, keep_old_for)
    assert project.names() == before
    project.advance(HOUR + timedelta(minutes=1))
    assert (project.rotate(old, timedelta(0))).delete_after is None
    project.check_stored(new)
    with raises(NotFoundError):
        project.rotate(old)


@pytest.mark.parametrize("name", EACH_NAME)
@pytest.mark.parametrize("at", [6, 8])
def test_there_is_never_a_second_key_of_the_name(emulator: Emulator, at: int, name: str) -> None:
    """If a rotation dies before a rename, ``ensure`` and ``describe_by_name`` find one key."""
    project = RotatedProject(emulator, name)
    old = project.create()
    project.rotate_until_killed(old, at=at - 1)
    holder = project.find_holder()
    stored_before_the_rename = at == 6
    assert (holder.id == old) == stored_before_the_rename
    admin = emulator.admin()
    for _ in range(2):
        ensured = admin.api_keys.ensure(project_id=project.id, name=name, store=project.store)
        assert (ensured.created, ensured.value) == (False, project.find_holder())
        assert isinstance(ensured.value, APIKey)
        assert ensured.value.name == name
    assert len(project.names()) == 2
    rotation = project.rotate(old)
    assert (project.find_holder()).id == rotation.key.id
    project.advance(2 * HOUR)
    admin.api_keys.delete_retired()
    project.check_stored(rotation.key.id)


@pytest.mark.parametrize("name", EACH_NAME)
def test_a_rotation_of_the_key_that_holds_the_name_finishes_the_one_before(emulator: Emulator, name: str) -> None:
    """A run that looks the name up finds the new key of a rotation that died between its renames, and completes it."""
    project = RotatedProject(emulator, name)
    old = project.create()
    project.rotate_until_killed(old, at=7)
    holder = project.find_holder()
    rotation = project.rotate(holder.id)
    assert (rotation.key.id, rotation.replaced) == (holder.id, old)
    assert len(project.names()) == 2
    project.advance(2 * HOUR)
    emulator.admin().api_keys.delete_retired()
    project.check_stored(holder.id)


@pytest.mark.parametrize("name", EACH_NAME)
def test_a_rename_left_half_done_is_finished_before_the_deletion(emulator: Emulator, name: str) -> None:
    """``delete_retired`` gives the new key its name first; a dry run says the same and changes nothing."""
    project = RotatedProject(emulator, name)
    old = project.create()
    project.rotate_until_killed(old, at=7)
    project.advance(2 * HOUR)
    before = project.names()
    admin = emulator.admin()
    preview = admin.api_keys.delete_retired(project_id=project.id, dry_run=True)
    assert project.names() == before
    report = admin.api_keys.delete_retired(project_id=project.id)
    assert as_planned(preview.steps) == as_planned(report.steps)
    (new,) = project.names()
    assert [(each.change.action, each.change.settings.name) for each in report.steps] == [
        ("update", name),
        ("delete", None),
    ]
    assert list_ids(report.steps) == [new, old]
    project.check_stored(new)


@pytest.mark.parametrize("name", EACH_NAME)
@pytest.mark.parametrize("keep_old_for", [timedelta(0), HOUR])
def test_a_deleted_new_key_leaves_the_old_one(emulator: Emulator, keep_old_for: timedelta, name: str) -> None:
    """If the new key is deleted while it is stored, the old key gets its name back, and can be rotated again."""
    project = RotatedProject(emulator, name)
    old = project.create()

    def withdraw(made: Any) -> None:
        emulator.state.remove_api_key(emulator.state.api_keys[made.key.id])

    with raises(NotFoundError):
        emulator.admin().api_keys.rotate(api_key_id=old, store=withdraw, keep_old_for=keep_old_for)
    assert project.names() == {old: name}
    project.rotate(old, timedelta(0))
    project.check_stored((project.find_holder()).id)


@pytest.mark.parametrize("name", EACH_NAME)
def test_an_old_key_outlives_its_deleted_successor(emulator: Emulator, name: str) -> None:
    """If the new key is deleted later, the old one is never deleted, and the report says why."""
    project = RotatedProject(emulator, name)
    old = project.create()
    new = (project.rotate(old)).key.id
    emulator.admin().api_keys.delete(api_key_id=new)
    project.advance(2 * HOUR)
    report = emulator.admin().api_keys.delete_retired()
    assert (report.deleted, [kept.key.id for kept in report.kept], list(project.names())) == ([], [old], [old])
    assert "the key that replaced it does not exist, or cannot be seen: rotate it again, or delete this key" in str(
        report
    )
    with raises(NotFoundError):
        project.find_holder()
    if name == LONG_NAME:  # its end was in the name of the new key
        with raises(RefusedError, match="rename the key"):
            project.rotate(old)
        emulator.admin().api_keys.update(api_key_id=old, name=name)
    again = project.rotate(old)
    assert again.delete_after == datetime(2026, 12, 3, 8, 45, tzinfo=UTC)
    project.advance(2 * HOUR)
    emulator.admin().api_keys.delete_retired()
    project.check_stored(again.key.id)


def test_the_reason_names_the_key_to_rotate_again(emulator: Emulator) -> None:
    """If a successor was itself replaced by a key that was deleted, both old keys are kept, and it is rotated again."""
    project, admin = RotatedProject(emulator), emulator.admin()
    first = project.create()
    second = (project.rotate(first)).key.id
    third = (project.rotate(second)).key.id
    admin.api_keys.delete(api_key_id=third)
    project.advance(2 * HOUR)
    with raises(RefusedError, match=f"{first} cannot be deleted: .*: rotate {second} again"):
        project.rotate(first, timedelta(0))
    kept = (admin.api_keys.delete_retired()).kept
    assert [(each.reason.split(": ")[1].split(",")[0], each.is_due) for each in kept] == [
        (f"rotate {second} again", True),
        ("rotate it again", True),
    ]
    again = (project.rotate(second, timedelta(0))).key.id
    admin.api_keys.delete_retired()
    project.check_stored(again)


def test_a_successor_deleted_during_the_run_saves_the_old_key(emulator: Emulator) -> None:
    """The keys are read again before each deletion: a key is kept if it was renamed or its successor was deleted."""
    for change in ("withdraw", "rename"):
        project = RotatedProject(emulator)
        old = project.create()
        new = (project.rotate(old)).key.id
        project.advance(2 * HOUR)
        transport = FaultyTransport(emulator)

        def interfere(change: str = change, old: str = old, new: str = new, by: FaultyTransport = transport) -> None:
            if len(by.requests) != 2:
                return
            if change == "withdraw":
                emulator.state.remove_api_key(emulator.state.api_keys[new])
            else:
                emulator.state.api_keys[old].name = "precious"

        transport.before_request = interfere
        report = transport.admin().api_keys.delete_retired(project_id=project.id)
        assert (report.deleted, [kept.key.id for kept in report.kept]) == ([], [old])
        assert old in emulator.state.api_keys


def interfere_at(transport: FaultyTransport, number: int, change: Callable[[], object]) -> None:
    """Make a change in another process before a request, by its number from 1."""
    transport.before_request = lambda: change() if len(transport.requests) == number else None


def test_retired_keys_are_deleted_although_a_project_is_deleted_meanwhile(emulator: Emulator) -> None:
    """Where another process deletes a project at any request, those of the other projects are deleted all the same."""
    projects = [RotatedProject(emulator) for _ in range(3)]
    for each in projects:
        each.rotate(each.create())
    projects[0].advance(2 * HOUR)
    document = emulator.dump()
    for number in range(1, 12):
        emulator.load(document)
        transport, other = FaultyTransport(emulator), emulator.admin()
        interfere_at(transport, number, partial(other.projects.delete, project_id=projects[1].id))
        transport.admin().api_keys.delete_retired()
        for each in (projects[0], projects[2]):
            kept = [key.name for key in emulator.state.api_keys.values() if key.project_id == each.id]
            assert kept == ["reader"]


def test_a_successor_withdrawn_before_its_rename_saves_the_old_key(emulator: Emulator) -> None:
    """Where the new key is withdrawn right before it would get its name, the key that it replaced is kept."""
    project = RotatedProject(emulator)
    old = project.create()
    project.rotate_until_killed(old, at=7)
    (new,) = project.names().keys() - {old}
    project.advance(2 * HOUR)
    transport = FaultyTransport(emulator)
    interfere_at(transport, 2, partial(emulator.admin().api_keys.delete, api_key_id=new))
    report = transport.admin().api_keys.delete_retired(project_id=project.id)
    assert transport.requests[1] == f"PATCH /admin/api-keys/{new}"
    assert (report.deleted, [kept.key.id for kept in report.kept]) == ([], [old])
    step = report.steps[-1]
    assert (step.state, step.change.target.id, step.change.reason) == ("skipped", old, report.kept[0].reason)


@pytest.mark.parametrize("moment", ["its name gets an end", "it gets its name", "a later run names it"])
def test_a_successor_that_somebody_deletes_is_not_said_to_be_kept(emulator: Emulator, moment: str) -> None:
    """Whichever update of it fails, the error does not say that the next run finishes the rotation with its value."""
    project = RotatedProject(emulator)
    old = project.create()
    transport = FaultyTransport(emulator)
    if moment == "a later run names it":
        project.rotate_until_killed(old, at=7)
        (new,) = project.names().keys() - {old}
        project.advance(2 * HOUR)
        interfere_at(transport, 3, partial(emulator.admin().api_keys.delete, api_key_id=new))

    def store(made: Any) -> None:
        project.store(made)
        if moment == "its name gets an end":
            emulator.state.api_keys[old].name = "writer" * 12
        emulator.state.remove_api_key(emulator.state.api_keys[made.key.id])

    with raises(NotFoundError) as caught:
        transport.admin().api_keys.rotate(api_key_id=old, store=store)
    assert caught.value.__notes__[-1].endswith("is stored, but somebody deleted the key")
    assert not any("to finish the rotation" in each for each in caught.value.__notes__)
    assert old in project.names()


def test_a_stored_value_is_left_where_a_run_that_made_room_for_its_key_dies(emulator: Emulator) -> None:
    """Where another run deletes the new key to make room for its own, and dies at any request, a stored value works."""
    project = RotatedProject(emulator)
    old = project.create()
    emulator.configure(api_key_quota=2)
    document, first, messages = emulator.dump(), dict(project.vault), set[str]()
    for at in range(1, 14):
        emulator.load(document)
        project.vault = dict(first)
        stored = {*first.values()}
        other = FaultyTransport(emulator, {at: InjectedFault.KILL_BEFORE}).admin()

        def keep(made: Any, stored: set[str] = stored) -> None:
            project.store(made)
            stored.add(made.value)

        def store(made: Any, keep: Callable[[Any], None] = keep, other: Admin = other) -> None:
            keep(made)
            with suppress(KilledError):
                other.api_keys.rotate(api_key_id=old, store=keep)

        try:
            emulator.admin().api_keys.rotate(api_key_id=old, store=store)
        except LeftoverError as error:
            messages.add(error.message.partition(" API key")[0])
        except NotFoundError as error:  # the other run had not made its key
            messages.add(error.message.partition("'")[0])
        project.advance(2 * HOUR)
        emulator.admin().api_keys.delete_retired(project_id=project.id)
        assert stored & {key.value for key in emulator.state.api_keys.values()}, at
        with suppress(NotFoundError):  # the other run may have deleted it
            project.rotate(old, timedelta(0))
        assert [key.value for key in emulator.state.api_keys.values()] == [project.vault[project.name]], at
    assert messages == {"API Key ", "another run has begun to replace", "another run replaced"}


def test_two_processes_delete_retired_keys_at_once(emulator: Emulator) -> None:
    """Where another process does the same at any request, the key with the name is left, and no error is raised."""
    project = RotatedProject(emulator)
    first = project.create()
    second = (project.rotate(first, 2 * HOUR)).key.id
    project.rotate_until_killed(second, at=7)
    project.advance(3 * HOUR)
    document = emulator.dump()
    for number in range(1, 12):
        emulator.load(document)
        transport = FaultyTransport(emulator)
        interfere_at(transport, number, emulator.admin().api_keys.delete_retired)
        transport.admin().api_keys.delete_retired()
        project.check_stored(*project.names())


@pytest.mark.parametrize("name", EACH_NAME)
@pytest.mark.parametrize("hours", [(1, 1, 1), (1, 2, 3), (3, 2, 1)])
def test_a_chain_of_rotations_within_one_overlap(emulator: Emulator, hours: tuple[int, ...], name: str) -> None:
    """Three rotations within one overlap leave one key in the end, whatever their times, at each kill of a deletion."""
    project = RotatedProject(emulator, name)
    keys = [project.create()]
    for each in hours:
        keys.append((project.rotate(keys[-1], each * HOUR)).key.id)
    for at in range(1, 30):
        for _ in hours:
            project.advance(HOUR)
            admin = FaultyTransport(emulator, {at: InjectedFault.KILL_BEFORE}).admin()
            try:
                report = admin.api_keys.delete_retired(project_id=project.id)
            except (KilledError, BaseExceptionGroup):
                continue
            assert [key.id for key in report.deleted] == [key for key in keys if key in {x.id for x in report.deleted}]
    project.check_stored(keys[-1])


def test_the_keys_that_are_due_are_deleted_oldest_first(emulator: Emulator) -> None:
    """Keys of a project are deleted in the order of their moments, and each before the key that replaced it."""
    project = RotatedProject(emulator)
    first = project.create()
    other = (emulator.admin().api_keys.create(project_id=project.id, name="other")).key.id
    project.rotate(other, 2 * HOUR)
    second = (project.rotate(first, HOUR)).key.id
    project.rotate(second, HOUR)
    project.advance(3 * HOUR)
    report = emulator.admin().api_keys.delete_retired()
    assert [key.id for key in report.deleted] == [first, second, other]


def test_a_leaked_successor_can_be_replaced_during_the_overlap(emulator: Emulator) -> None:
    """If the new key is itself replaced at once, the first key still refers to an existing key, and is deleted."""
    project = RotatedProject(emulator)
    first = project.create()
    second = (project.rotate(first, 2 * HOUR)).key.id
    third = (project.rotate(second, timedelta(0))).key.id
    assert set(project.names()) == {first, third}
    assert (project.rotate(first, 2 * HOUR)).key.id == third
    project.advance(3 * HOUR)
    emulator.admin().api_keys.delete_retired()
    project.check_stored(third)


@pytest.mark.parametrize("killed_at", [8, 9])
def test_a_leaked_key_is_gone_when_its_rotation_by_name_is_repeated(emulator: Emulator, killed_at: int) -> None:
    """A run that was killed when the new key had the name is followed by one that rotates that, and deletes both."""
    project = RotatedProject(emulator)
    leaked = project.create()
    project.rotate_until_killed(leaked, timedelta(0), at=killed_at)
    assert leaked in project.names()
    again = (project.find_holder()).id
    preview = project.rotate(again, timedelta(0), dry_run=True)
    rotation = project.rotate(again, timedelta(0))
    assert list_ids(each for each in rotation.steps if each.change.action == "delete") == [leaked, again]
    assert as_planned(preview.steps) == as_planned(rotation.steps)
    project.check_stored(rotation.key.id)


@pytest.mark.parametrize("finish", ["rotate", "delete_retired"])
def test_no_key_outlives_two_killed_rotations(emulator: Emulator, finish: str) -> None:
    """The key that the first one left lives as long as the old one, since its value may be stored, and no longer."""
    project = RotatedProject(emulator)
    old = project.create()
    project.rotate_until_killed(old, at=5)
    (left,) = project.names().keys() - {old}
    project.rotate_until_killed(old, at=8)
    assert left in project.names()
    admin = emulator.admin()
    if finish == "rotate":
        rotation = project.rotate(old)
        assert [each.state for each in rotation.steps] == ["done", "skipped"]
        assert list_ids(rotation.steps) == [left, old]
    assert left in project.names()
    project.advance(2 * HOUR)
    admin.api_keys.delete_retired()
    project.check_stored((project.find_holder()).id)


def test_a_name_given_by_hand_counts(emulator: Emulator) -> None:
    """A new key renamed in the console replaces the old one all the same; an old key renamed there is kept for ever."""
    project = RotatedProject(emulator)
    old = project.create()
    new = (project.rotate(old)).key.id
    emulator.state.api_keys[new].name = "writer"
    project.advance(2 * HOUR)
    assert [key.id for key in (emulator.admin().api_keys.delete_retired()).deleted] == [old]
    newer = (project.rotate(new)).key.id
    emulator.state.api_keys[new].name = "spare"
    project.advance(2 * HOUR)
    report = emulator.admin().api_keys.delete_retired()
    assert (report.deleted, report.kept, str(report)) == ([], [], "no key is temporary or replaced by a rotation")
    assert project.names() == {new: "spare", newer: "writer"}


def test_a_key_renamed_by_hand_during_a_rotation_has_one_successor(emulator: Emulator) -> None:
    """If the old key is renamed after its rotation died, the next run deletes the key that the first one left."""
    project = RotatedProject(emulator)
    old = project.create()
    project.rotate_until_killed(old, at=5)
    emulator.state.api_keys[old].name = project.name = "writer"
    new = (project.rotate(old, timedelta(0))).key.id
    project.check_stored(new)


def test_roles_that_are_changed_while_a_value_is_stored_are_kept(emulator: Emulator) -> None:
    """Roles that are taken from the old key while the value of the new one is stored do not come back."""
    project = RotatedProject(emulator)
    old = project.create()
    reduce = partial(emulator.admin().api_keys.update, api_key_id=old, roles=["ProjectViewer"])
    rotation = emulator.admin().api_keys.rotate(api_key_id=old, store=lambda _: reduce())
    assert rotation.key.roles == ["ProjectViewer"]
    assert rotation.steps[2].change.settings == Settings(name="reader", roles=("ProjectViewer",))


@pytest.mark.parametrize("renamed", ["writer", "writer é" * 10])
@pytest.mark.parametrize("name", EACH_NAME)
@pytest.mark.parametrize("killed_at", [None, 6, 7, 8])
def test_an_old_key_that_is_renamed_while_a_value_is_stored_hands_its_new_name_on(
    emulator: Emulator, name: str, renamed: str, killed_at: int | None
) -> None:
    """The new key gets the name that somebody has given the old one, also if the run is killed and another finishes."""
    project = RotatedProject(emulator, name)
    old = project.create()

    def store(made: Any) -> None:
        project.store(made)
        emulator.state.api_keys[old].name = project.name = renamed

    faults = {} if killed_at is None else {killed_at: InjectedFault.KILL_BEFORE}
    admin = FaultyTransport(emulator, faults).admin()
    with nullcontext() if killed_at is None else pytest.raises(KilledError):
        rotation = admin.api_keys.rotate(api_key_id=old, store=store, keep_old_for=HOUR)
        assert any(f"to {quote_name(renamed)}" in str(each) for each in rotation.steps)
    project.advance(2 * HOUR)
    emulator.admin().api_keys.delete_retired()
    if old in project.names():  # it was killed before the old key was retired
        project.rotate(old, timedelta(0))
    (key,) = emulator.state.api_keys.values()
    assert (key.name, key.value in project.vault.values()) == (renamed, True)


@pytest.mark.parametrize("keep_old_for", [timedelta(0), 9 * HOUR])
def test_keys_that_are_renamed_while_a_value_is_stored_keep_their_names(
    emulator: Emulator, keep_old_for: timedelta
) -> None:
    """An older key, and one that an interrupted run left, are neither tagged again nor deleted."""
    project = RotatedProject(emulator)
    first = project.create()
    second = (project.rotate(first)).key.id
    project.rotate_until_killed(second, at=4)
    (left,) = project.names().keys() - {first, second}

    def store(_: object) -> None:
        for key_id in (first, left):
            emulator.admin().api_keys.update(api_key_id=key_id, name="keep me")

    emulator.admin().api_keys.rotate(api_key_id=second, store=store, keep_old_for=keep_old_for)
    project.advance(10 * HOUR)
    emulator.admin().api_keys.delete_retired()
    assert sorted(project.names().values()) == ["keep me", "keep me", "reader"]


def test_roles_that_are_changed_while_a_rotation_is_dead_are_kept(emulator: Emulator) -> None:
    """Whichever workflow gives the new key its name, the key gets the roles that the old one has by then."""
    project = RotatedProject(emulator)
    old = project.create()
    project.rotate_until_killed(old, at=7)
    emulator.admin().api_keys.update(api_key_id=old, roles=["ProjectViewer"])
    (new,) = project.names().keys() - {old}
    document = emulator.dump()
    finishes: list[Callable[[Admin], Any]] = [
        lambda _: project.rotate(old),
        lambda admin: admin.api_keys.delete_retired(project_id=project.id),
        lambda admin: admin.api_keys.ensure(project_id=project.id, name="reader", on_difference="update"),
    ]
    for finish in finishes:
        emulator.load(document)
        done = finish(emulator.admin())
        assert emulator.state.roles_of(emulator.state.api_keys[new]) == ["ProjectViewer"]
        assert str(done.steps[0]).endswith(" to reader, and its roles to ProjectViewer")
        change = done.steps[0].change
        assert (change.target.id, change.before.roles) == (new, ("ProjectEditor",))


def test_an_overlap_needs_room_for_one_more_key(emulator: Emulator) -> None:
    """The report lists every kept key with its reason, for all projects, in the order of the projects."""
    projects = [RotatedProject(emulator) for _ in range(3)]
    olds = [project.create() for project in projects]
    for project, old in zip(projects, olds, strict=True):
        project.rotate(old)
    report = emulator.admin().api_keys.delete_retired()
    assert [(kept.key.id, kept.reason, kept.is_due) for kept in report.kept] == [
        (old, "it is kept until 2026-12-03 06:45 UTC", False) for old in olds
    ]
    assert report.to_dict()["deleted"] == []
    with raises(NotFoundError):
        emulator.admin().api_keys.delete_retired(project_id="nowhere")


@pytest.mark.parametrize("keep_old_for", [HOUR, timedelta(0)])
@pytest.mark.parametrize("killed_at", [None, 5, 6])
def test_a_dry_run_of_a_rotation_sends_only_reads(
    emulator: Emulator, killed_at: int | None, keep_old_for: timedelta
) -> None:
    """A dry run previews a rotation, an interrupted one too, and sends only GET requests."""
    project = RotatedProject(emulator)
    old = project.create()
    if killed_at is not None:
        project.rotate_until_killed(old, keep_old_for, at=killed_at)
    transport = FaultyTransport(emulator)
    preview = project.rotate(old, keep_old_for, dry_run=True, admin=transport.admin())
    assert all(request.startswith("GET") for request in transport.requests)
    rotation = project.rotate(old, keep_old_for)
    due = datetime(2026, 12, 3, 6, 45, tzinfo=UTC) if keep_old_for else None
    assert preview.delete_after == rotation.delete_after == due
    assert as_planned(preview.steps) == as_planned(rotation.steps)


def test_describe_by_name_finds_one_key(admin: Admin, emulator: Emulator) -> None:
    """A key that a workflow is making does not hold its name."""
    project = RotatedProject(emulator)
    old = project.create()
    assert (project.find_holder()).id == old
    killed = FaultyTransport(emulator, {3: InjectedFault.KILL_BEFORE}).admin()
    with pytest.raises(KilledError):
        killed.api_keys.ensure(project_id=project.id, name="writer", store=project.store)
    with raises(NotFoundError, match="no API key named writer"):
        admin.api_keys.describe_by_name(project_id=project.id, name="writer")


def test_an_overlap_makes_no_room_for_a_store_that_can_be_read(emulator: Emulator) -> None:
    """The value of a key that an interrupted run left may be stored elsewhere: the key stays, and a note names it."""
    project = RotatedProject(emulator)
    key_id = project.create()
    project.rotate_until_killed(key_id, at=5)
    value = project.vault["reader"]
    emulator.configure(api_key_quota=2)
    with raises(ForbiddenError) as caught:
        emulator.admin().api_keys.rotate(api_key_id=key_id, keep_old_for=HOUR, store=Target())
    (left,) = [key.id for key in emulator.state.api_keys.values() if key.value == value]
    assert caught.value.__notes__[0] == (
        f"an earlier run left 1 API key whose value may be in use, {left}: if the project is full, make room for one "
        "more key, or delete the keys that no program uses"
    )


@pytest.mark.parametrize("keep_old_for", [timedelta(0), HOUR])
def test_a_403_of_a_proxy_does_not_mean_that_the_project_is_full(emulator: Emulator, keep_old_for: timedelta) -> None:
    """The leftover of an interrupted run remains, and there is no advice to make room."""
    project = RotatedProject(emulator)
    key_id = project.create()
    project.rotate_until_killed(key_id, at=5)
    emulator.faults.add("create_api_key", status=403, body="html", times=None)
    with raises(ForbiddenError) as caught:
        project.rotate(key_id, keep_old_for)
    assert len(emulator.state.api_keys) == 2
    assert caught.value.outcome == "unknown"
    assert [each for each in caught.value.__notes__ if "may exist" not in each] == []


@pytest.mark.parametrize(("suspended", "minute"), [(timedelta(hours=3), 45), (timedelta(minutes=1), 46)])
def test_an_overlap_survives_a_suspended_machine(emulator: Emulator, suspended: timedelta, minute: int) -> None:
    """A machine that is suspended while it stores the value has a clock that stood still: the response shows that."""
    project = RotatedProject(emulator)
    old = project.create()

    def store(made: Any) -> None:
        project.store(made)
        emulator.clock.advance(suspended.total_seconds())

    rotation = emulator.admin().api_keys.rotate(api_key_id=old, store=store, keep_old_for=HOUR)
    hour = 9 if suspended > HOUR else 6
    assert rotation.delete_after == datetime(2026, 12, 3, hour, minute, tzinfo=UTC)
    assert project.names()[old].startswith(f"~delete-after:20261203T{hour:02}{minute}Z:")


def test_a_server_whose_time_jumps_at_each_rename_ends_the_rotation_all_the_same(
    emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    """After three renames, the last time holds: the report has it, and a warning shows that the overlap is shorter."""
    project = RotatedProject(emulator)
    old = project.create()
    transport = FaultyTransport(emulator)

    def jump() -> None:
        if transport.requests[-1].startswith("PATCH"):
            assert len(transport.requests) < 20
            emulator.clock.advance(300)

    transport.before_request = jump
    rotation = project.rotate(old, admin=transport.admin())
    assert rotation.delete_after == datetime(2026, 12, 3, 6, 55, tzinfo=UTC)
    assert [each.change.target.id for each in rotation.steps[1:]] == [old, old, old, rotation.key.id, old]
    assert project.names()[old].startswith("~delete-after:20261203T0655Z:")
    (record,) = caplog.records
    assert "may be deleted from 2026-12-03 06:55 UTC, not from 2026-12-03 07:00 UTC" in record.getMessage()


@pytest.mark.parametrize("is_owner", [False, True])
def test_a_404_does_not_show_that_a_project_was_deleted(emulator: Emulator, *, is_owner: bool) -> None:
    """Its keys may only have become invisible, or a copy of the server is behind: they are not reported as cleaned."""
    project = emulator.admin().projects.create(name="p")
    member = emulator.admin(roles=["OrgOwner"] if is_owner else ["OrgMember", ("ProjectOwner", project.id)])
    rotate_due: dict[str, Any] = {"older_than": timedelta(days=1), "keep_old_for": timedelta(), "store": lambda _: None}
    emulator.faults.add("list_project_api_keys", status=404, times=None)
    with raises(NotFoundError):
        member.api_keys.delete_retired()
    (failed,) = (member.api_keys.rotate_due(**rotate_due)).failed
    assert (failed.project_id, failed.key, failed.help_code) == (project.id, None, NotFoundError.help_code)


def test_a_project_that_fails_does_not_keep_the_retired_keys_of_the_others(emulator: Emulator) -> None:
    """All other projects are cleaned before the first error is raised, and its notes name each project that failed."""
    projects = [RotatedProject(emulator) for _ in range(4)]
    olds = [project.create() for project in projects]
    for project, old in zip(projects, olds, strict=True):
        project.rotate(old)
    projects[0].advance(2 * HOUR)
    document = emulator.dump()
    for refused in olds[:2]:
        emulator.faults.add("delete_api_key", id=refused, status=403, times=None)
    with raises(ForbiddenError) as caught:
        emulator.admin().api_keys.delete_retired()
    assert [old in emulator.state.api_keys for old in olds] == [True, True, False, False]
    first, second, done = caught.value.__notes__
    assert (first, caught.value.outcome) == (f"this was in project p ({projects[0].id})", "done")
    assert second.startswith(f"in project p ({projects[1].id}): delete_api_key: [403 ")
    assert done.endswith(" were done")
    assert {*olds[2:]} == {*done.replace(",", "").split()} & {*olds}
    emulator.load(document)
    emulator.faults.clear()
    emulator.faults.add("delete_api_key", status=401, times=None)
    with raises(UnauthorizedError) as ended:
        emulator.admin().api_keys.delete_retired()
    assert getattr(ended.value, "__notes__", []) == []


@pytest.mark.parametrize("workflow", ["delete_retired", "rotate_due"])
def test_what_was_deleted_in_a_project_before_its_end_is_in_the_report(emulator: Emulator, workflow: str) -> None:
    """Another actor deletes the project between two keys of it."""
    admin = emulator.admin()
    project = admin.projects.create(name="p")
    new = (admin.api_keys.create(project_id=project.id, name="reader")).key
    names = [tag_as_retired(new.id, name, emulator.clock.now()) for name in ("first", "second")]
    old = [(admin.api_keys.create(project_id=project.id, name=name)).key for name in names]
    transport = FaultyTransport(emulator)

    def delete_project() -> None:
        if any(each.startswith("DELETE") for each in transport.requests[:-1]) and emulator.state.projects:
            emulator.state.remove_project(emulator.state.projects[project.id])

    transport.before_request = delete_project
    keys = transport.admin().api_keys
    due: dict[str, Any] = {"older_than": timedelta(days=1), "keep_old_for": timedelta(), "store": str}
    report = keys.delete_retired() if workflow == "delete_retired" else keys.rotate_due(**due)
    assert [each.state for each in report.steps] == ["done"]
    assert [each.id for each in report.deleted] == [old[0].id]


@pytest.mark.parametrize("is_renamed", [False, True])
def test_an_old_key_that_is_to_be_kept_is_never_deleted(emulator: Emulator, *, is_renamed: bool) -> None:
    """If the response to its rename shows the former name, a list shows when it may be deleted, or nothing is said."""
    project = RotatedProject(emulator)
    old = project.create()

    class Behind(FaultyTransport):
        """Shows the former name of the old key; then somebody gives it another one."""

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            response = super().handle_request(request)
            if request.method != "PATCH" or not request.url.path.endswith(old):
                return response
            text = (response.read()).decode().replace(project.names()[old], "reader")
            if is_renamed:
                emulator.state.api_keys[old].name = "other"
            return httpx.Response(200, text=text, headers={"date": response.headers["date"]})

    transport = Behind(emulator)
    with raises(RefusedError, "is kept, but named other now") if is_renamed else nullcontext():
        rotation = project.rotate(old, admin=transport.admin())
        assert rotation.delete_after == datetime(2026, 12, 3, 6, 45, tzinfo=UTC)
    assert old in project.names()
    assert not any(each.startswith("DELETE") for each in transport.requests)


def test_a_key_that_somebody_else_deletes_is_not_said_to_be_deleted(emulator: Emulator) -> None:
    """A key that is gone when its deletion is sent is only in the steps, also of a run that rotates."""
    project = RotatedProject(emulator)
    for is_due in (False, True):
        old = project.create()
        project.rotate(old)
        project.advance(2 * HOUR)
        transport = FaultyTransport(emulator)

        def delete(old: str = old, transport: FaultyTransport = transport) -> None:
            if transport.requests[-1].startswith("DELETE"):
                emulator.state.projects[project.id].api_keys.pop(old)

        transport.before_request = delete
        keys = transport.admin().api_keys
        options: dict[str, Any] = {"older_than": 24 * HOUR, "keep_old_for": HOUR, "store": project.store}
        report = keys.rotate_due(**options) if is_due else keys.delete_retired()
        assert report.deleted == []
        assert [each.change.reason for each in report.steps] == ["it was already deleted"]


@pytest.mark.parametrize("lists", [1, 2, 99])
def test_a_list_that_is_behind_is_read_again(emulator: Emulator, clock: VirtualClock, lists: int) -> None:
    """A list after both renames may show the old key with its former name: only if it stays so, it is an error."""
    project = RotatedProject(emulator)
    old = project.create()
    left = lists

    class Behind(FaultyTransport):
        """Shows the old key as it was in the first lists after both renames."""

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            nonlocal left
            response = super().handle_request(request)
            is_list = request.method == "GET" and request.url.path.endswith("/api-keys")
            if not is_list or sum(each.startswith("PATCH") for each in self.requests) < 2 or not left:
                return response
            left -= 1
            text = (response.read()).decode().replace(project.names()[old], "reader")
            return httpx.Response(200, text=text, headers={"date": response.headers["date"]})

    with raises(LeftoverError, "given the old key its name back") if lists == 99 else nullcontext():
        rotation = project.rotate(old, admin=Behind(emulator).admin())
        assert rotation.delete_after == datetime(2026, 12, 3, 6, 45, tzinfo=UTC)
    assert 0 < sum(clock.slept) <= 5


@pytest.mark.parametrize("overlaps", [(HOUR, HOUR), (timedelta(0), HOUR), (HOUR, timedelta(0)), (timedelta(0),) * 2])
@pytest.mark.parametrize("killed_at", [None, 5, 7, 8])
@pytest.mark.parametrize("number", range(1, 9))
def test_two_keys_of_one_name_are_rotated_at_once(
    emulator: Emulator, number: int, killed_at: int | None, overlaps: tuple[timedelta, timedelta]
) -> None:
    """A key is no rival if it replaced another key of the name, wherever in this rotation the other one came."""
    project = RotatedProject(emulator)
    old = project.create()
    other = emulator.admin().api_keys.create(project_id=project.id, name=project.name).key.id
    rotate_other = partial(emulator.admin().api_keys.rotate, api_key_id=other, store=project.store)
    if killed_at is not None:
        project.rotate_until_killed(other, overlaps[1], at=killed_at)
    transport = FaultyTransport(emulator)
    interfere_at(transport, number, partial(rotate_other, keep_old_for=overlaps[1]))
    rotation = project.rotate(old, overlaps[0], admin=transport.admin())
    assert len(transport.requests) >= number
    project.advance(2 * HOUR)
    emulator.admin().api_keys.delete_retired()
    assert rotation.key.id in project.names()
    assert [*project.names().values()] == ["reader", "reader"]


@pytest.mark.parametrize("keep_old_for", [timedelta(0), HOUR])
def test_a_successor_of_another_key_of_the_name_does_not_replace_the_old_key(
    emulator: Emulator, keep_old_for: timedelta
) -> None:
    """If the new key is deleted before its rename, the old one gets its name back, whatever key of the name is new."""
    project = RotatedProject(emulator)
    old = project.create()
    other = emulator.admin().api_keys.create(project_id=project.id, name=project.name).key.id
    transport = FaultyTransport(emulator)

    def interfere() -> None:
        emulator.admin().api_keys.rotate(api_key_id=other, store=project.store, keep_old_for=keep_old_for)
        (new,) = (key for key, name in project.names().items() if name.startswith("~rotates"))
        emulator.admin().api_keys.delete(api_key_id=new)

    interfere_at(transport, 7, interfere)
    with pytest.raises(NotFoundError):
        project.rotate(old, admin=transport.admin())
    assert project.names()[old] == "reader"
