"""Rotations of the secrets of service accounts that are due: the destination is tried before an old secret ends."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from attrs import define, field

from pinecone_admin import (
    AsyncAdmin,
    PineconeError,
    PineconeValueError,
    RefusedError,
    RetryPolicy,
    SecretNotStoredError,
    UnauthorizedError,
)
from pinecone_admin.emulator import Emulator
from pinecone_admin.emulator.model.records import ServiceAccountRecord
from pinecone_admin.models import ServiceAccount, ServiceAccountWithSecret
from pinecone_admin.workflows import DueAccountRotations, ReadableStore
from pinecone_admin.workflows.name_tags import tag_as_unfinished
from tests.support.errors import raises
from tests.support.fault_injection import FaultyTransport, InjectedFault, OtherDates, fail_to_store
from tests.support.sampling import some_daily

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)


@define
class Accounts(ReadableStore):
    """Service accounts, and a secret store that their programs read.

    Attributes:
        emulator: The organization.
        vault: The secret of each account, by its client id.
        failing: Names of the accounts whose secrets the vault refuses.
        forgetting: Names of the accounts whose secrets it does not keep, without an error.
        on_store: Called before a secret is stored.
    """

    emulator: Emulator
    vault: dict[str, str] = field(factory=dict)
    failing: set[str] = field(factory=set)
    forgetting: set[str] = field(factory=set)
    on_store: Callable[[], object] = str

    def __call__(self, made: ServiceAccountWithSecret, /) -> None:
        """Store a secret, or raise."""
        self.on_store()
        if made.service_account.name in self.failing:
            fail_to_store(made)
        if made.service_account.name not in self.forgetting:
            self.vault[made.service_account.client_id] = made.client_secret

    def read(self, made: ServiceAccount, /) -> str | None:
        """Return the stored secret."""
        return self.vault.get(made.client_id)

    def add(self, *names: str, age: timedelta = 91 * DAY) -> list[ServiceAccountRecord]:
        """Add accounts with secrets in the vault, of an age."""
        state, now = self.emulator.state, self.emulator.clock.now()
        made = [state.add_service_account(each, now - age) for each in names]
        self.vault.update((each.client_id, each.client_secret) for each in made)
        return made

    def find(self, name: str) -> ServiceAccountRecord:
        """Return an account by its name."""
        return next(each for each in self.emulator.state.service_accounts.listing if each.name == name)

    def find_own(self) -> ServiceAccountRecord:
        """Return the account of the caller."""
        listing = self.emulator.state.service_accounts.listing
        return next(each for each in listing if each.client_id == self.emulator.client_id)

    def find_lost(self) -> set[str]:
        """Return the names of the accounts whose secrets are not in the vault."""
        own, listing = self.find_own(), self.emulator.state.service_accounts.listing
        return {
            each.name for each in listing if each is not own and self.vault.get(each.client_id) != each.client_secret
        }

    def list_changes(self) -> list[str]:
        """Return the operations that change something, without token requests."""
        sent = [each for each in self.emulator.requests if each.method != "GET"]
        return [each.operation_id for each in sent if each.operation_id != "get_token"]

    async def rotate(self, admin: AsyncAdmin | None = None, **options: Any) -> DueAccountRotations:
        """Rotate what is due."""
        self.emulator.requests.clear()
        admin = admin or self.emulator.async_admin()
        return await admin.service_accounts.rotate_due(**{"older_than": 90 * DAY, "store": self, **options})


_LOSSES = (InjectedFault.RESPONSE_LOST, InjectedFault.INTERNAL_ERROR, InjectedFault.INVALID_JSON)

UPDATE, ROTATE = "update_service_account", "rotate_service_account_secret"


@pytest.fixture
def accounts() -> Accounts:
    """An organization with a new account that is the caller's."""
    return Accounts(Emulator(seed=1))


def names(rotated: list[ServiceAccount]) -> list[str]:
    """Return the names of accounts."""
    return [each.name for each in rotated]


async def test_what_is_old_is_tried_rotated_and_stored(accounts: Accounts) -> None:
    """The oldest first; the first is updated with its own name before; the next run finds nothing due."""
    accounts.add("new", age=89 * DAY)
    accounts.add("old")
    accounts.add("oldest", age=200 * DAY)
    old = dict(accounts.vault)
    preview = await accounts.rotate(dry_run=True)
    assert (names(preview.rotated), accounts.list_changes()) == (["oldest", "old"], [])
    report = await accounts.rotate()
    assert [each.change for each in preview.steps] == [each.change for each in report.steps]
    assert (names(report.rotated), report.failed, report.ended) == (["oldest", "old"], [], None)
    assert accounts.list_changes() == [UPDATE, ROTATE, ROTATE]
    assert (accounts.find_lost(), len(old.items() & accounts.vault.items())) == (set(), 1)
    assert not set(accounts.vault.values()) & set(json.dumps(report.to_dict()).split('"'))
    assert "its updated_at, from which the age of its secret is counted" in str(report.steps[0])
    assert "makes this call, so it is never rotated" in str(report)
    again = await accounts.rotate()
    assert (again.rotated, again.steps, accounts.list_changes()) == ([], [], [])
    assert str(again).startswith("no service account is due")


async def test_an_age_or_names_are_needed(accounts: Accounts) -> None:
    """An empty list of names chooses nothing; without one, nothing would say what is due."""
    accounts.add("old")
    with raises(PineconeValueError, match="pass older_than, or the names of service accounts"):
        await accounts.rotate(older_than=None)
    assert {each.operation_id for each in accounts.emulator.requests} <= {"get_token"}
    assert (await accounts.rotate(older_than=None, names=[])).rotated == []


async def test_a_later_change_may_hide_the_age(accounts: Accounts) -> None:
    """An account that was created long ago and changed since is listed, and not rotated."""
    (account,) = accounts.add("renamed", age=200 * DAY)
    account.mark_updated(accounts.emulator.clock.now() - DAY)
    accounts.add("new", age=DAY)
    report = await accounts.rotate()
    assert (names(report.may_be_older), report.rotated) == (["renamed"], [])
    assert "if that was a rename, its secret may be from" in str(report)
    report = await accounts.rotate(names=["renamed", "nobody"], older_than=None)
    assert (names(report.rotated), report.may_be_older) == (["renamed"], [])
    assert [str(each) for each in report.failed] == [
        "service account nobody is not rotated: no service account has this name"
    ]


@pytest.mark.parametrize("held", ["nothing", "another secret", "no text"])
async def test_a_destination_without_the_present_secret_keeps_the_old_one(accounts: Accounts, held: str) -> None:
    """The account fails alone, and nothing of it is changed, not even its date."""
    first, second = accounts.add("a", "b")
    before = first.client_secret, first.updated_at
    if held == "nothing":
        del accounts.vault[first.client_id]
    else:
        accounts.vault[first.client_id] = second.client_secret if held == "another secret" else "\n"
    report = await accounts.rotate()
    assert (names(report.rotated), [each.name for each in report.failed]) == (["b"], ["a"])
    assert (first.client_secret, first.updated_at) == before
    assert ("does not accept" in report.failed[0].reason) == (held == "another secret")


async def test_a_store_that_cannot_be_read_is_refused_unless_allowed(accounts: Accounts) -> None:
    """Nothing is sent; with allow_unreadable the destination is relied on."""
    accounts.add("a")
    with raises(PineconeValueError, match="store cannot be read back.*pass allow_unreadable=True"):
        await accounts.rotate(store=accounts.__call__)
    assert {each.operation_id for each in accounts.emulator.requests} <= {"get_token"}
    report = await accounts.rotate(store=accounts.__call__, allow_unreadable=True)
    assert (names(report.rotated), accounts.find_lost()) == (["a"], set())


async def test_the_own_account_is_left_out_and_a_token_needs_its_client_id(accounts: Accounts) -> None:
    """It fails if it is due; with a token alone, client_id tells whose it is."""
    accounts.add("a", age=DAY)
    accounts.emulator.clock.advance(100 * 86_400)
    own = accounts.find_own()
    report = await accounts.rotate()
    assert (names(report.rotated), [each.name for each in report.failed]) == (["a"], [own.name])
    assert report.own is not None
    assert report.own.client_id == own.client_id
    assert str(report).count(f"service account {own.name} ") == 1
    token = (await accounts.emulator.async_admin().token()).value
    transport = FaultyTransport(accounts.emulator)
    admin = AsyncAdmin(access_token=token, transport=transport)
    with raises(RefusedError, match="a due service account may be the caller's own, because .*; pass client_id"):
        await accounts.rotate(admin, names=["a"])
    assert accounts.list_changes() == []
    report = await accounts.rotate(admin, names=["a"], client_id=own.client_id)
    assert (names(report.rotated), accounts.find_lost()) == (["a"], set())
    with raises(PineconeValueError):
        await accounts.rotate(client_id="another")


async def test_accounts_that_share_a_name_fail_alone(accounts: Accounts) -> None:
    """Also beside a young one; a temporary name is left to its workflow."""
    accounts.add("twin", "twin", "single", "half")
    accounts.add("half", age=DAY)
    accounts.add(tag_as_unfinished("x", "0a1b2c3d"))
    report = await accounts.rotate()
    assert names(report.rotated) == ["single"]
    assert [each.name for each in report.failed] == ["twin", "twin", "half"]
    assert {each.reason for each in report.failed} == {
        "other service accounts have the same name; rename them, or rotate this one by its id"
    }


@pytest.mark.parametrize("moves", [True, False])
async def test_nothing_is_rotated_unless_an_update_moves_the_date(*, moves: bool) -> None:
    """After a rotation whose response shows no newer date, the account is updated, so that it is not due again."""
    accounts = Accounts(Emulator(seed=1, rotation_changes_updated_at=False, same_name_changes_updated_at=moves))
    accounts.add("a", "b", "c")
    report = await accounts.rotate()
    if moves:
        assert accounts.list_changes() == [UPDATE, ROTATE, ROTATE, UPDATE, ROTATE, UPDATE]
        assert (await accounts.rotate()).rotated == []
        assert accounts.find_lost() == set()
    else:
        assert accounts.list_changes() == [UPDATE]
        assert (report.rotated, names(report.not_tried)) == ([], ["b", "c"])
        assert [each.name for each in report.failed] == ["a"]
        assert "did not move updated_at" in str(report)


async def test_an_account_that_changes_meanwhile_is_left(accounts: Accounts) -> None:
    """One that another run has rotated, or that was deleted, fails alone."""
    first, second, third = accounts.add("a", "b", "c")

    def change() -> None:
        accounts.on_store = str
        second.mark_updated(accounts.emulator.clock.now())
        accounts.emulator.state.remove_service_account(third)

    accounts.on_store = change
    report = await accounts.rotate()
    assert (names(report.rotated), [each.name for each in report.failed]) == (["a"], ["b", "c"])
    assert first.name not in accounts.find_lost()
    assert ["somebody else" in each.reason for each in report.failed] == [True, False]


@pytest.mark.parametrize("way", ["raises", "keeps nothing"])
async def test_the_run_ends_at_a_secret_that_is_not_stored(accounts: Accounts, way: str) -> None:
    """The error has the secret, and its notes name what was done before; the next account keeps its secret."""
    _, second, third = accounts.add("a", "b", "c")
    (accounts.failing if way == "raises" else accounts.forgetting).add("b")
    before = third.client_secret
    with raises(SecretNotStoredError) as failed:
        await accounts.rotate()
    assert failed.value.service_account_id == second.id
    assert failed.value.secret.reveal() == second.client_secret
    assert "rotated the secret of service account a" in "; ".join(failed.value.__notes__)
    assert (third.client_secret, accounts.find_lost()) == (before, {"b"})


async def test_the_run_ends_if_every_response_is_lost(accounts: Accounts) -> None:
    """The outcome is unknown or done, and a later run does not rotate the account, whose secret nobody has."""
    accounts.add("a", "b")
    accounts.emulator.faults.add(ROTATE, after_change=True, status=500, times=None)
    admin = accounts.emulator.async_admin(timeout=0.5)
    with pytest.raises(PineconeError) as lost:
        await accounts.rotate(admin)
    assert lost.value.outcome in {"unknown", "done"}
    assert "may have been rotated, and then the new one is lost" in "; ".join(lost.value.__notes__)
    accounts.emulator.faults.clear()
    assert accounts.find_lost() == {"a"}
    report = await accounts.rotate(names=["a", "b"])
    assert (names(report.rotated), [each.name for each in report.failed]) == (["b"], ["a"])


async def test_a_refused_rotation_names_the_age_that_began_again(accounts: Accounts) -> None:
    """The first account was updated, so the next run does not find it due; the others go on."""
    accounts.add("a", "b")
    accounts.emulator.faults.add(ROTATE, status=403, times=1)
    report = await accounts.rotate()
    assert (names(report.rotated), [each.name for each in report.failed]) == (["b"], ["a"])
    assert "its age began again with an update, so rotate it by its name" in report.failed[0].reason
    accounts.add("c")
    accounts.emulator.faults.add(UPDATE, status=403, times=1)
    report = await accounts.rotate()
    assert [each.name for each in report.failed] == ["c"]
    assert "age" not in report.failed[0].reason


async def test_a_token_endpoint_that_fails_is_no_proof_against_a_secret(accounts: Accounts) -> None:
    """The account is not rotated, and the reason is that of the endpoint."""
    accounts.add("a", "b")
    admin = accounts.emulator.async_admin(retry=RetryPolicy(max_attempts=1))
    await admin.token()
    accounts.emulator.faults.add("get_token", status=503, times=1)
    report = await accounts.rotate(admin)
    assert (names(report.rotated), [each.name for each in report.failed]) == (["b"], ["a"])
    assert "503" in report.failed[0].reason


async def test_without_a_date_of_the_server_nothing_is_due(accounts: Accounts) -> None:
    """The clock of this machine may be wrong."""
    accounts.add("a")
    with raises(RefusedError):
        await accounts.rotate(OtherDates(accounts.emulator, "").async_admin())
    accounts.emulator.faults.add("list_service_accounts", status=401, times=None)
    with raises(UnauthorizedError):
        await accounts.rotate()


@pytest.mark.parametrize("seed", some_daily(range(6), 6))
async def test_a_year_of_nights_loses_no_secret_and_locks_nobody_out(seed: int) -> None:
    """Fifty accounts, lost responses, stores that fail: each secret is in the vault, or an error handed it out."""
    chosen = random.Random(seed)
    emulator = Emulator(seed=seed, rotation_changes_updated_at=seed % 2 == 0)
    accounts = Accounts(emulator)
    for number in range(50):
        accounts.add(f"service-{number}", age=chosen.randrange(1, 200) * DAY)
    lost, ended = set[str](), 0
    for _ in range(60):
        accounts.failing = {f"service-{chosen.randrange(50)}"} if chosen.random() < 0.5 else set()
        faults = dict[int, InjectedFault]()
        if chosen.random() < 0.5:
            first, kind = chosen.randrange(1, 20), chosen.choice(_LOSSES)
            faults = dict.fromkeys(range(first, first + chosen.choice([1, 2, 500])), kind)
        transport = FaultyTransport(emulator, faults, only_method=chosen.choice(["POST", "PATCH", "GET"]))
        failure: PineconeError | None = None
        try:
            await accounts.rotate(transport.async_admin())
        except PineconeError as error:
            failure = error
            ended += 1
        if isinstance(failure, SecretNotStoredError):
            account = emulator.state.service_accounts[failure.service_account_id]
            assert account.client_secret == failure.secret.reveal()
            accounts.vault[account.client_id] = failure.secret.reveal()  # as its message asks for
        elif failure is not None:
            new = accounts.find_lost() - lost
            assert len(new) <= 1
            assert all(accounts.find(each).id in str(failure.__notes__) for each in new)
            lost |= new
        assert accounts.find_lost() <= lost
        emulator.clock.advance(6 * 86_400)
    assert ended > 0
    accounts.failing = set()
    report = await accounts.rotate()
    assert {each.name for each in report.failed if each.account != report.own} <= lost


@pytest.mark.parametrize("moment", ["while the destination is read", "while the secret is stored"])
async def test_accounts_that_are_renamed_meanwhile_keep_their_new_names(moment: str) -> None:
    """The updates that set the age read the name before, so that they do not restore the former one."""

    class Renamed(Accounts):
        """Renames an account when the destination is read, or gets the secret."""

        def __call__(self, made: ServiceAccountWithSecret, /) -> None:
            super().__call__(made)
            rename("while the secret is stored", made.service_account)

        def read(self, made: ServiceAccount, /) -> str | None:
            rename("while the destination is read", made)
            return super().read(made)

    def rename(now: str, made: ServiceAccount) -> None:
        if now == moment:
            accounts.emulator.state.service_accounts[made.id].name = f"new {made.name[-1]}"

    accounts = Renamed(Emulator(seed=1, rotation_changes_updated_at=False))
    records = accounts.add("a", "b")
    report = await accounts.rotate()
    assert accounts.list_changes() == [UPDATE, ROTATE, ROTATE, UPDATE]
    assert [each.id for each in report.rotated] == [each.id for each in records]
    assert ([each.name for each in records], accounts.find_lost()) == (["new a", "new b"], set())


@pytest.mark.parametrize("status", [403, 500])
async def test_an_update_that_was_not_sent_leaves_no_doubt_about_the_age(accounts: Accounts, status: int) -> None:
    """The account is read before the update; if that fails, nothing was changed, whatever the error says of a GET."""
    accounts.add("a")
    accounts.emulator.faults.add("fetch_service_account", status=status, skip=1)
    report = await accounts.rotate(accounts.emulator.async_admin(retry=RetryPolicy(max_attempts=1)))
    assert ([each.name for each in report.failed], accounts.list_changes()) == (["a"], [])
    assert "age" not in report.failed[0].reason


async def test_a_date_that_a_rotation_moves_late_is_seen_to_have_moved() -> None:
    """The response of the rotation is behind, and the update after it comes in the same second of the server."""
    accounts = Accounts(Emulator(seed=1, rotation_changes_updated_at=False))
    _, second = accounts.add("a", "b")

    def move() -> None:
        second.mark_updated(accounts.emulator.clock.now())
        accounts.emulator.state.settings.same_name_changes_updated_at = False

    def wait() -> None:  # the date of the first account moved before its rotation
        accounts.on_store = move

    accounts.on_store = wait
    report = await accounts.rotate()
    assert (names(report.rotated), report.failed, report.ended) == (["a", "b"], [], None)
