"""Keys for the time of a block: renewed while it lasts, deleted at its end, and found by their names after a kill."""

from __future__ import annotations

import logging
import os
import warnings
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from pinecone_admin import (
    AsyncAdmin,
    ForbiddenError,
    LeftoverError,
    NotFoundError,
    PineconeError,
    PineconeTypeError,
    PineconeValueError,
    RefusedError,
    RetryPolicy,
    ServiceError,
)
from pinecone_admin.emulator import Clock, Emulator
from pinecone_admin.emulator.model.records import Principal
from pinecone_admin.testing import emulate
from pinecone_admin.workflows import name_tags
from tests.support.clock import VirtualClock
from tests.support.concurrency import async_wait_for_background, async_wait_until, wait_for_child
from tests.support.errors import raises
from tests.support.fault_injection import FaultyTransport, InjectedFault, KilledError, OtherDates

pytestmark = pytest.mark.anyio

ROLES: list[Any] = ["DataPlaneViewer"]
HOUR = timedelta(hours=1)


@pytest.fixture
def emulator() -> Emulator:
    """Return an emulator whose clock shows 05:44:30."""
    return Emulator(seed=1, clock=Clock(datetime(2026, 12, 3, 5, 44, 30, tzinfo=UTC)))


@pytest.fixture
def project_id(emulator: Emulator) -> str:
    """Create a project, and return its id."""
    with emulator.admin() as admin:
        return admin.projects.create(name="search").id


def names(emulator: Emulator) -> list[str]:
    """Return the names of all keys."""
    return [key.name for key in emulator.state.api_keys.values()]


def is_named(emulator: Emulator, moment: str) -> bool:
    """Return whether the only key lives until a moment, by its name."""
    return [name.partition(":")[2][:14] for name in names(emulator)] == [moment]


def fail_deletions(emulator: Emulator, *, kind: InjectedFault = InjectedFault.FORBIDDEN) -> AsyncAdmin:
    """Return a client that cannot delete a key."""
    return FaultyTransport(emulator, dict.fromkeys(range(1, 99), kind), only_method="DELETE").async_admin()


async def leave_key(emulator: Emulator, project_id: str, ttl: timedelta = HOUR) -> str:
    """Leave a key behind, as a process that is killed in the block does, and return its id."""
    before = set(emulator.state.api_keys)
    with pytest.raises(LeftoverError):
        async with fail_deletions(emulator).api_keys.temporary(project_id=project_id, roles=ROLES, ttl=ttl):
            pass
    (left,) = emulator.state.api_keys.keys() - before
    return left


async def test_the_key_exists_for_the_time_of_the_block(admin: AsyncAdmin, emulator: Emulator, project_id: str) -> None:
    """It has the roles, and its name contains its deletion time. After the block, it does not exist."""
    async with admin.api_keys.temporary(project_id=project_id, roles=ROLES) as made:
        assert [record.value for record in emulator.state.api_keys.values()] == [made.value]
        assert await admin.api_keys.describe(api_key_id=made.key.id) == made.key
        assert made.key.roles == ROLES
        assert made.key.name.startswith("~lives-until:20261203T1145Z:")
    assert names(emulator) == []


async def test_the_block_may_end_in_any_way(admin: AsyncAdmin, emulator: Emulator, project_id: str) -> None:
    """An error, Ctrl-C or an exit leaves the block as it is, with a note, and without the key."""
    for kind in (ValueError, KeyboardInterrupt, SystemExit):
        with pytest.raises(kind) as caught:
            async with admin.api_keys.temporary(project_id=project_id, roles=ROLES) as made:
                raise kind
        assert caught.value.__notes__ == [f"temporary API key {made.key.id} in project {project_id} was deleted"]
        assert names(emulator) == []


async def test_the_key_is_renewed_every_third_of_its_ttl(
    emulator: Emulator, project_id: str, clock: VirtualClock
) -> None:
    """The name shows the new time, by the server's clock, which alone goes on while the machine is suspended."""
    transport = FaultyTransport(emulator)
    admin = transport.async_admin()
    async with admin.api_keys.temporary(project_id=project_id, roles=ROLES, ttl=HOUR) as made:
        assert is_named(emulator, "20261203T0645Z")
        for moment in ("20261203T0715Z", "20261203T0745Z", "20261203T0815Z"):
            emulator.clock.advance(1800)
            clock.advance(1200)
            await async_wait_until(partial(is_named, emulator, moment))
        assert (await admin.api_keys.describe(api_key_id=made.key.id)).roles == ROLES
        assert len([each for each in transport.requests if each.startswith("PATCH")]) == 3
    assert names(emulator) == []
    assert clock.slept == []


@pytest.mark.parametrize("method", ["POST", "PATCH"])
async def test_a_name_that_a_suspended_machine_gave_too_early_is_given_again(
    emulator: Emulator, project_id: str, clock: VirtualClock, method: str
) -> None:
    """Between the estimate of the time and the request, the machine slept: others must not delete the key."""
    transport, suspended = FaultyTransport(emulator), list[str]()

    def suspend() -> None:
        if transport.requests[-1].startswith(method) and not suspended:
            suspended.append(method)
            emulator.clock.advance(7200)

    transport.before_request = suspend
    async with transport.async_admin().api_keys.temporary(project_id=project_id, roles=ROLES, ttl=HOUR):
        if method == "PATCH":
            clock.advance(1200)
        await async_wait_until(partial(is_named, emulator, "20261203T0845Z"))
    assert len([each for each in transport.requests if each.startswith("PATCH")]) <= 1 + 2 * (method == "PATCH")
    assert names(emulator) == []


async def test_a_renewal_that_fails_is_tried_again_soon(
    emulator: Emulator, project_id: str, clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """A warning names the key and not its value; the renewal is tried again after a minute."""
    transport = FaultyTransport(emulator, dict.fromkeys(range(3, 99), InjectedFault.FORBIDDEN), only_method="PATCH")
    caplog.set_level(logging.DEBUG)

    def warnings() -> list[str]:
        return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]

    async with transport.async_admin().api_keys.temporary(project_id=project_id, roles=ROLES) as made:
        for number, seconds in ((1, 7200), (2, 60), (3, 60)):
            clock.advance(seconds)
            await async_wait_until(partial(lambda number: len(warnings()) == number, number))
    starts = [text.partition(": ")[0] for text in warnings()]
    assert starts == [f"temporary API key {made.key.id} was not renewed"] * 3
    assert "403" in warnings()[0]
    assert made.value not in caplog.text
    assert names(emulator) == []


async def test_a_key_that_somebody_deletes_is_not_renewed(
    emulator: Emulator, project_id: str, clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """A warning says so, and the block ends as it would have."""
    transport = FaultyTransport(emulator)
    async with transport.async_admin().api_keys.temporary(project_id=project_id, roles=ROLES) as made:
        emulator.state.remove_api_key(emulator.state.api_keys[made.key.id])
        clock.advance(7200)
        await async_wait_until(lambda: "was not renewed" in caplog.text)
        await async_wait_for_background()
    # After each 404, a list shows that the key was deleted.
    assert [each.partition(" ")[0] for each in transport.requests] == ["GET", "POST", "GET", "GET", "DELETE", "GET"]
    assert f"temporary API key {made.key.id} in project {project_id} no longer existed" in caplog.text


async def test_a_404_that_is_not_from_the_api_does_not_end_the_renewals(
    emulator: Emulator, project_id: str, clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """A proxy sends one without a code; a minute later, the key is renewed."""
    emulator.faults.add("update_api_key", status=404, body="html")
    transport = FaultyTransport(emulator)
    async with transport.async_admin().api_keys.temporary(project_id=project_id, roles=ROLES) as made:
        before = names(emulator)
        emulator.clock.advance(7200)
        clock.advance(7200)
        await async_wait_until(lambda: "was not renewed" in caplog.text)
        clock.advance(60)
        await async_wait_until(lambda: names(emulator) != before)
        assert names(emulator)[0].startswith("~lives-until:20261203T1345Z:")
        assert await transport.async_admin().api_keys.describe(api_key_id=made.key.id)


async def test_a_404_means_that_the_key_is_gone_only_if_it_is_from_the_api(
    admin: AsyncAdmin, emulator: Emulator, project_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    """One without a code is from something on the way; after an attempt without a response, it is a success."""
    emulator.faults.add("delete_api_key", status=404, body="html")
    with raises(LeftoverError, match=r"could not be deleted: delete_api_key: \[404"):
        async with admin.api_keys.temporary(project_id=project_id, roles=ROLES):
            pass
    assert len(names(emulator)) == 1
    caplog.clear()
    emulator.faults.add("delete_api_key", status=503, after_change=True)
    async with admin.api_keys.temporary(project_id=project_id, roles=ROLES):
        pass
    assert (len(names(emulator)), caplog.text) == (1, "")


async def test_after_a_404_to_an_account_without_its_role_nothing_says_that_the_key_remains(
    emulator: Emulator, project_id: str
) -> None:
    """The key may be gone, or only out of sight."""
    (own,) = (each for each in emulator.state.service_accounts.listing if each.client_id == emulator.client_id)
    with raises(LeftoverError, match=r"could not be deleted: delete_api_key: \[404") as caught:
        async with emulator.async_admin().api_keys.temporary(project_id=project_id, roles=ROLES):
            emulator.state.unbind_all(Principal("service_account", own.id))
    assert (caught.value.outcome, len(names(emulator))) == ("unknown", 1)


async def test_nothing_is_renewed_after_the_block(
    emulator: Emulator, project_id: str, clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """The background work ends with the block, and neither sends anything nor warns."""
    transport = FaultyTransport(emulator)
    async with transport.async_admin().api_keys.temporary(project_id=project_id, roles=ROLES):
        pass
    clock.advance(7200)
    await async_wait_for_background()
    assert [each.partition(" ")[0] for each in transport.requests] == ["GET", "POST", "DELETE"]
    assert caplog.text == ""


async def test_nothing_is_renewed_by_the_clock_of_an_emulation() -> None:
    """There, each sleep advances the clock, so that work in the background must not sleep."""
    with emulate() as emulator:
        async with AsyncAdmin() as admin:
            project = await admin.projects.create(name="search")
            before = emulator.clock.elapsed()
            async with admin.api_keys.temporary(project_id=project.id, roles=ROLES):
                for _ in range(9):
                    await admin.projects.list()
            assert emulator.clock.elapsed() - before < HOUR


async def test_a_key_that_cannot_be_deleted_is_named(emulator: Emulator, project_id: str) -> None:
    """The error names it, and what ended the block before, if something did."""
    for before in (None, OSError("the tests failed")):
        with raises(LeftoverError, match=r"temporary API key [\w-]+ in project") as caught:
            async with fail_deletions(emulator).api_keys.temporary(project_id=project_id, roles=ROLES) as made:
                if before is not None:
                    raise before
        assert caught.value.left == [f"temporary API key {made.key.id} in project {project_id}"]
        assert (caught.value.__cause__ is before) == (before is not None)
    assert len(names(emulator)) == 2


@pytest.mark.parametrize("by", ["the next key", "delete_retired"])
async def test_a_key_that_a_kill_left_is_deleted_when_its_time_is_over(
    admin: AsyncAdmin, emulator: Emulator, project_id: str, by: str
) -> None:
    """Nothing touches it before; keys of the project that only look like one stay, as do those of other projects."""
    other = (await admin.projects.create(name="other")).id
    tag = name_tags.tag_as_temporary(other, emulator.clock.now(), "5d2e8f01")
    lookalikes = [tag, "~ lives until 05:45", "~lives-until:20261203T0545Z x", "~lives-until:20269903T0545Z:1f0c2a9b x"]
    for name in lookalikes:
        await admin.api_keys.create(project_id=project_id, name=name)
    left = await leave_key(emulator, project_id)

    async def clean() -> None:
        if by == "delete_retired":
            await admin.api_keys.delete_retired()
        else:
            async with admin.api_keys.temporary(project_id=project_id, roles=ROLES):
                pass

    for seconds, remains in ((0, True), (3629, True), (1, False)):
        emulator.clock.advance(seconds)
        await clean()
        assert (left in emulator.state.api_keys) == remains
    assert names(emulator) == lookalikes


async def test_delete_retired_reports_temporary_keys(admin: AsyncAdmin, emulator: Emulator, project_id: str) -> None:
    """One that lives is kept, with the reason; one that is overdue is deleted; a dry run says the same."""
    left = await leave_key(emulator, project_id)
    await leave_key(emulator, project_id, 2 * HOUR)
    emulator.clock.advance(3630)
    texts: list[list[str]] = []
    for dry_run in (True, False):
        report = await admin.api_keys.delete_retired(project_id=project_id, dry_run=dry_run)
        assert [key.id for key in report.deleted] == [left]
        assert [each.reason for each in report.kept] == ["it is temporary, and kept until 2026-12-03 07:45 UTC"]
        assert report.kept[0].delete_after == datetime(2026, 12, 3, 7, 45, tzinfo=UTC)
        texts.append([str(step) for step in report.steps])
    assert [text.replace("would delete", "deleted").replace("would keep", "kept") for text in texts[0]] == texts[1]
    assert texts[1][0].startswith("deleted key 'temporary ")


async def test_a_key_that_was_renewed_meanwhile_stays(emulator: Emulator, project_id: str) -> None:
    """A name is read again just before the deletion: a process that was suspended may have renewed its key."""
    left = await leave_key(emulator, project_id)
    emulator.clock.advance(3630)
    record = emulator.state.api_keys[left]
    later = name_tags.tag_as_temporary(project_id, emulator.clock.now() + HOUR, "5d2e8f01")
    for number in (2, 3):
        transport, before = FaultyTransport(emulator), record.name

        def renew(transport: FaultyTransport = transport, number: int = number) -> None:
            if len(transport.requests) == number:
                record.name = later

        transport.before_request = renew
        if number == 2:
            async with transport.async_admin().api_keys.temporary(project_id=project_id, roles=ROLES):
                pass
        else:
            (kept,) = (await transport.async_admin().api_keys.delete_retired()).kept
            assert (kept.delete_after > emulator.clock.now(), kept.is_due) == (True, False)
        assert list(emulator.state.api_keys) == [left]
        record.name = before


async def test_overdue_keys_that_cannot_be_deleted_are_no_obstacle(
    emulator: Emulator, project_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The next key is made all the same, and a warning says that they are left."""
    await leave_key(emulator, project_id)
    emulator.clock.advance(3630)
    with pytest.raises(LeftoverError):
        async with fail_deletions(emulator).api_keys.temporary(project_id=project_id, roles=ROLES):
            assert len(names(emulator)) == 2
    assert "temporary API keys of earlier runs were not deleted" in caplog.text


async def test_two_at_once_do_not_disturb_each_other(emulator: Emulator, project_id: str) -> None:
    """Each has its own key, even where the response to the creation of the second is lost, and it is made again."""
    admin, other = emulator.async_admin(), FaultyTransport(emulator, {2: InjectedFault.RESPONSE_LOST}).async_admin()
    async with admin.api_keys.temporary(project_id=project_id, roles=ROLES) as first:
        async with other.api_keys.temporary(project_id=project_id, roles=ROLES) as second:
            assert list(emulator.state.api_keys) == [first.key.id, second.key.id]
        assert list(emulator.state.api_keys) == [first.key.id]
    assert names(emulator) == []


async def test_a_create_that_fails_for_good_ends_within_the_limits_of_the_client(
    emulator: Emulator, project_id: str, clock: VirtualClock
) -> None:
    """It is repeated as often as the retry policy allows, and until the timeout. Nothing remains."""
    for retry, timeout, most in ((RetryPolicy(), 60.0, 4), (RetryPolicy(max_attempts=1), 60.0, 1), (None, 2.0, 1)):
        transport = FaultyTransport(
            emulator, dict.fromkeys(range(1, 99), InjectedFault.UNAVAILABLE), only_method="POST"
        )
        began = clock.monotonic()
        with raises(ServiceError, match="503"):
            async with transport.async_admin(retry=retry, timeout=timeout).api_keys.temporary(
                project_id=project_id, roles=ROLES
            ):
                pass
        assert len([each for each in transport.requests if each.startswith("POST")]) == most
        assert clock.monotonic() - began < 30
    assert names(emulator) == []


@pytest.mark.parametrize("fault", [InjectedFault.RESPONSE_LOST, InjectedFault.BAD_REQUEST])
@pytest.mark.parametrize("has_overdue", [False, True])
async def test_the_deletion_of_an_earlier_key_is_done_whatever_becomes_of_the_new_one(
    emulator: Emulator, project_id: str, fault: InjectedFault, *, has_overdue: bool
) -> None:
    """The outcome is about both keys: it is unknown only if nothing surely remains."""
    if has_overdue:
        await leave_key(emulator, project_id)
        emulator.clock.advance(3630)
    faults = dict.fromkeys(range(5 if has_overdue else 3, 99), fault)
    admin = FaultyTransport(emulator, faults, only_method="DELETE").async_admin()
    with raises(LeftoverError) as caught:
        async with admin.api_keys.temporary(project_id=project_id, roles=ROLES):
            pass
    is_certain = has_overdue or fault is InjectedFault.BAD_REQUEST
    assert caught.value.outcome == ("done" if is_certain else "unknown")


async def test_a_quota_without_room(admin: AsyncAdmin, emulator: Emulator, project_id: str) -> None:
    """Nothing is made and nothing deleted; an overdue key makes room."""
    emulator.configure(api_key_quota=1)
    left = await leave_key(emulator, project_id)
    with raises(ForbiddenError):
        async with admin.api_keys.temporary(project_id=project_id, roles=ROLES):
            pass
    assert list(emulator.state.api_keys) == [left]
    emulator.clock.advance(3630)
    async with admin.api_keys.temporary(project_id=project_id, roles=ROLES) as made:
        assert list(emulator.state.api_keys) == [made.key.id]


@pytest.mark.parametrize("at", range(1, 5))
async def test_an_interruption_at_any_request_leaves_no_key(emulator: Emulator, project_id: str, at: int) -> None:
    """Ctrl-C while the key is made, used or deleted ends with it deleted."""
    transport = FaultyTransport(emulator)

    def interrupt() -> None:
        if len(transport.requests) == at:
            raise KeyboardInterrupt

    transport.before_request = interrupt
    with suppress(KeyboardInterrupt):
        async with transport.async_admin().api_keys.temporary(project_id=project_id, roles=ROLES) as made:
            await transport.async_admin().api_keys.describe(api_key_id=made.key.id)
    assert len(transport.requests) >= at
    if at < 4:  # then, the deletion itself never arrives
        assert names(emulator) == []


async def test_a_killed_process_leaves_at_most_a_key_that_says_so(emulator: Emulator, project_id: str) -> None:
    """Killed at any request, it leaves nothing that delete_retired does not delete later."""
    for at in range(1, 4):
        for fault in (InjectedFault.KILL_BEFORE, InjectedFault.KILL_AFTER):
            admin = FaultyTransport(emulator, {at: fault}).async_admin()
            with suppress(KilledError):
                async with admin.api_keys.temporary(project_id=project_id, roles=ROLES, ttl=HOUR):
                    pass
            emulator.clock.advance(3660)
            await emulator.async_admin().api_keys.delete_retired()
            assert names(emulator) == []


async def test_a_forked_child_deletes_nothing(emulator: Emulator, project_id: str) -> None:
    """A child that leaves the block, too, sends nothing; the parent deletes the key at its own end."""
    transport = FaultyTransport(emulator)
    (reader, writer), child = os.pipe(), -1
    try:
        async with transport.async_admin().api_keys.temporary(project_id=project_id, roles=ROLES):
            sent = len(transport.requests)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # forking with threads is what this tests
                child = os.fork()
            if child:
                wait_for_child(child)
    finally:
        if not child:
            os.write(writer, bytes([len(transport.requests) - sent, len(names(emulator))]))
            os._exit(0)
    os.close(writer)
    assert os.read(reader, 9) == bytes([0, 1])
    os.close(reader)
    assert names(emulator) == []


async def test_wrong_arguments_send_nothing(emulator: Emulator, project_id: str) -> None:
    """Each error names the argument; a server without a Date is refused before a key is made."""
    transport = FaultyTransport(emulator)
    wrong: list[tuple[dict[str, Any], type[PineconeError], str]] = [
        ({"ttl": timedelta(seconds=59)}, PineconeValueError, "ttl must be at least a minute"),
        ({"ttl": 3600}, PineconeTypeError, "ttl must be a timedelta"),
        ({"roles": None}, PineconeTypeError, "roles must be a list"),
        ({"roles": ["OrgOwner"]}, PineconeValueError, r"roles\[0\]"),
        ({"project_id": ""}, PineconeValueError, "project_id is empty"),
    ]
    for changes, kind, text in wrong:
        arguments: dict[str, Any] = {"project_id": project_id, "roles": ROLES} | changes
        with raises(kind, match=text):
            async with transport.async_admin().api_keys.temporary(**arguments):
                pass
    assert transport.requests == []
    dateless = OtherDates(emulator, "")
    with raises(RefusedError, match="no valid Date"):
        async with dateless.async_admin().api_keys.temporary(project_id=project_id, roles=ROLES):
            pass
    assert [request.partition(" ")[0] for request in dateless.requests] == ["GET"]


async def test_a_temporary_key_is_not_rotated(admin: AsyncAdmin, emulator: Emulator, project_id: str) -> None:
    """The error says until when it lives; no name of one can be asked for."""
    async with admin.api_keys.temporary(project_id=project_id, roles=ROLES) as made:
        with raises(RefusedError, match="is temporary, and may be deleted from 2026-12-03 11:45 UTC"):
            await admin.api_keys.rotate(api_key_id=made.key.id, store=print)
        with raises(PineconeValueError, match="form of a temporary name"):
            await admin.api_keys.ensure(project_id=project_id, name=made.key.name)
        assert list(emulator.state.api_keys) == [made.key.id]
        with raises(NotFoundError):
            await admin.api_keys.describe_by_name(project_id=project_id, name="temporary")


async def test_an_interruption_is_not_replaced_if_the_key_cannot_be_deleted(
    emulator: Emulator, project_id: str
) -> None:
    """Ctrl-C leaves the block as it is, with a note that names the key."""
    with pytest.raises(KeyboardInterrupt) as caught:
        async with fail_deletions(emulator).api_keys.temporary(project_id=project_id, roles=ROLES) as made:
            raise KeyboardInterrupt
    assert type(caught.value) is KeyboardInterrupt
    assert f"temporary API key {made.key.id} in project {project_id}" in caught.value.__notes__[0]


async def test_closing_the_client_ends_a_block_that_was_interrupted_at_its_edge(
    admin: AsyncAdmin, emulator: Emulator, project_id: str
) -> None:
    """Ctrl-C between the beginning of the block and its first line prevents its end: closing deletes the key."""
    block = admin.api_keys.temporary(project_id=project_id, roles=ROLES)
    await block.__aenter__()
    assert len(names(emulator)) == 1
    await admin.aclose()
    assert names(emulator) == []
    await block.__aexit__(None, None, None)


async def test_closing_names_a_key_that_it_cannot_delete(
    emulator: Emulator, project_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It replaces no error that is on its way, so the key is in a warning."""
    admin = fail_deletions(emulator)
    block = admin.api_keys.temporary(project_id=project_id, roles=ROLES)
    made = await block.__aenter__()
    await admin.aclose()
    assert f"temporary API key {made.key.id} in project {project_id}" in caplog.text
    await block.__aexit__(None, None, None)
