"""Rotate the secrets of the service accounts that are old enough, one after another.

The server ends the old secret at once. So the secret in the destination is tried before it is replaced, and the run
ends at the first new secret that is not surely stored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import timedelta

from attrs import define, evolve

from pinecone_admin._async.workflows.absence import shows_deletion
from pinecone_admin._async.workflows.client_state import (
    find_caller,
    require_server_time,
    try_credentials,
)
from pinecone_admin._async.workflows.create_with_secret import Store, is_found, is_stored, store_secret
from pinecone_admin._async.workflows.rotate import replace_account_secret
from pinecone_admin._async.workflows.run import AsyncRun
from pinecone_admin._concurrency.waiting import async_read_store
from pinecone_admin._http.argument_checks import (
    async_check_function,
    check_bool,
    check_sequence,
    check_string,
    check_timedelta,
    set_operation_on_errors,
)
from pinecone_admin._http.attempt_event import warn
from pinecone_admin._text.messages import Name
from pinecone_admin._text.printable import mask_key_values
from pinecone_admin.errors import (
    InvalidCredentialsError,
    Masked,
    PineconeError,
    PineconeValueError,
    RefusedError,
    SecretNotStoredError,
)
from pinecone_admin.models import ServiceAccount, ServiceAccountWithSecret
from pinecone_admin.workflows.changes import Change, Settings
from pinecone_admin.workflows.due_accounts import DueAccounts, find_due_accounts
from pinecone_admin.workflows.ending import ends_everything, has_failed, may_have_been_made
from pinecone_admin.workflows.guard import check_client_id, explain_unknown
from pinecone_admin.workflows.plans import find_help_code
from pinecone_admin.workflows.readable_store import ReadableStore, SecretOwner, StoreByName
from pinecone_admin.workflows.reports import DueAccountRotations, FailedAccountRotation
from pinecone_admin.workflows.sent_changes import add_note, read_reason, read_text

_OPERATION = "rotate_due_service_accounts"

_UNREADABLE = (
    " cannot be read back, so nothing shows whether it holds the present secrets, and these stop working at once; to "
    "rely on it, pass "
)
_OWN = (
    "it is the account of this client, and a lost response would leave it without a valid secret; rotate it with "
    "the credentials of another service account"
)
_NAMESAKE = "other service accounts have the same name; rename them, or rotate this one by its id"


async def rotate_due_accounts(
    run: AsyncRun,
    *,
    older_than: timedelta | None,
    store: Store[ServiceAccountWithSecret],
    names: Sequence[str] | None,
    client_id: str | None,
    allow_unreadable: bool,
    begin: Callable[[DueAccountRotations], object] | None = None,
) -> DueAccountRotations:
    """Read the service accounts, decide which are due, and rotate one after another.

    Before the first change, ``begin`` gets the report, as that of ``rotate_due_keys`` does.
    """
    with set_operation_on_errors(_OPERATION):
        if older_than is not None:
            check_timedelta("older_than", older_than)
        elif names is None:
            raise PineconeValueError("pass ", Name("older_than"), ", or the ", Name("names"), " of service accounts")
        async_check_function("store", store)
        check_client_id(client_id)
        if not check_bool("allow_unreadable", allow_unreadable) and not _is_readable(store):
            raise PineconeValueError(Name("store"), _UNREADABLE, Name("allow_unreadable=True"))
        if names is not None:
            for position, each in enumerate(check_sequence("names", names)):
                check_string(f"names[{position}]", each)
    admin = run.admin
    accounts = await admin.service_accounts.list().to_list()
    caller = find_caller(admin, client_id, operation=_OPERATION)
    if (unknown := explain_unknown(caller, accounts)) is not None:
        raise RefusedError(f"a due service account may be the caller's own, because {unknown}", operation=_OPERATION)
    now = require_server_time(admin, operation=_OPERATION)
    found = find_due_accounts(accounts, caller=caller, now=now, older_than=older_than, names=names)
    report = DueAccountRotations(
        dry_run=run.dry_run,
        own=found.own,
        may_be_older=found.may_be_older,
        unknown_age=found.unknown_age,
        steps=run.steps,
    )
    due = AsyncDueAccountRun(run, store, report)
    if begin is not None:
        begin(report)
    try:
        return await due.rotate_all(found)
    except BaseException as error:
        done = [each for each in report.steps if not has_failed(each)]
        for line in (*done, *report.failed) if begin is None else ():
            add_note(error, str(line))
        raise


def _is_readable(store: Store[ServiceAccountWithSecret]) -> bool:
    return store.is_readable if isinstance(store, StoreByName) else isinstance(store, ReadableStore)


@define
class AsyncDueAccountRun:
    """One run, which goes on after a service account that certainly keeps its secret.

    Attributes:
        run: The run.
        store: Stores the new secrets.
        report: The report so far.
        shows_age: Whether an update with the same name has moved ``updated_at`` of a service account.
        ended: Why the run ends early, or None.
    """

    run: AsyncRun
    store: Store[ServiceAccountWithSecret]
    report: DueAccountRotations
    shows_age: bool = False
    ended: str | None = None

    async def rotate_all(self, found: DueAccounts) -> DueAccountRotations:
        """Rotate what is due, and return the report."""
        if found.own is not None and found.is_own_due:
            self._add_failure(found.own, _OWN)
        for name in found.missing:
            missing = FailedAccountRotation(name=name, account=None, reason="no service account has this name")
            self.report.failed.append(missing)
        problems = self._find_problems(found)
        for position, account in enumerate(found.due):
            problem = _NAMESAKE if account in found.namesakes else problems[position]
            if problem is not None:
                self._add_failure(account, problem)
                continue
            await self._rotate(account)
            if self.ended is not None:
                return evolve(self.report, ended=self.ended, not_tried=found.due[position + 1 :])
        return self.report

    def _find_problems(self, found: DueAccounts) -> Sequence[str | None]:
        """Return why new secrets could not be stored, for each service account that is due."""
        if not isinstance(self.store, StoreByName):  # it does not know before it is called
            return [None] * len(found.due)
        owners, others = map(_describe_owner, found.due), map(_describe_owner, found.others)
        return self.store.find_problems([*owners], [*others])

    async def _rotate(self, account: ServiceAccount) -> None:
        """Try the destination, and then rotate the secret of a service account."""
        with ExitStack() as selected:  # until the account is in the report
            store = self.store
            try:
                if isinstance(store, StoreByName):
                    store = selected.enter_context(store.select(_describe_owner(account)))
                obstacle = await self._find_obstacle(account, store)
            except Exception as error:  # whatever a store raises must not stop the other rotations
                if ends_everything(error):
                    raise
                self._add_error(account, error)
                return
            if obstacle is not None:
                self._add_failure(account, obstacle)
                return
            is_first = not self.shows_age
            if is_first and not await self._refresh_updated_at(account, was_rotated=False):
                return
            rotated = await self._replace(account, store, is_first=is_first)
            if rotated is None:
                return
            self.report.rotated.append(rotated)
        if not self.run.dry_run and rotated.updated_at <= account.updated_at:
            await self._refresh_updated_at(account, was_rotated=True)

    async def _find_obstacle(self, account: ServiceAccount, store: Store[ServiceAccountWithSecret]) -> str | None:
        """Return why the secret of a service account cannot be replaced now, or None."""
        try:
            present = await self.run.admin.service_accounts.describe(service_account_id=account.id)
        except PineconeError as error:
            if await shows_deletion(self.run.admin, error, self.run.refer_to(account)):
                return "it no longer exists"
            raise
        if present != account:
            return "somebody else has changed it since this run began, perhaps another run; run this again"
        if not isinstance(store, ReadableStore):
            return None
        found = await async_read_store(store.read, account)
        secret = None if found is None else Masked(found)
        del found
        if secret is None:
            return (
                "the destination contains no secret for its client id: store its present secret there, or rotate the "
                "secret of this one account"
            )
        try:
            await try_credentials(self.run.admin, account.client_id, secret)
        except InvalidCredentialsError:
            return (
                "the token endpoint does not accept the secret in the destination: store its present secret there, or "
                "rotate the secret of this one account"
            )
        return None

    async def _refresh_updated_at(self, account: ServiceAccount, *, was_rotated: bool) -> bool:
        """Update a service account with its own name, and return whether that moved ``updated_at``.

        The name is read again: somebody may have changed it while the destination was read, or the secret stored.
        """
        reason = "this sets its updated_at, from which the age of its secret is counted"
        age = "the next run rotates it again if it still is due" if was_rotated else "its age may begin again"
        present, sent = account, len(self.run.steps)
        try:
            if not self.run.dry_run:
                present = await self.run.admin.service_accounts.describe(service_account_id=account.id)
            ref, name = self.run.refer_to(present), Settings(name=present.name)
            change = Change(action="update", target=ref, settings=name, before=name, reason=reason)
            updated = await self.run.do(change, preview=None)
        except PineconeError as error:
            if ends_everything(error):
                raise
            doubt = age if was_rotated or any(map(may_have_been_made, self.run.steps[sent:])) else ""
            self._add_error(account, error, doubt=doubt, was_rotated=was_rotated)
            return False
        if self.run.dry_run:
            self.shows_age = True
            return True
        # The rotation may have moved it after all, and the server may count whole seconds.
        before = account if was_rotated else present
        if updated is not None and updated.updated_at > before.updated_at:
            self.shows_age = True
            return True
        self.ended = (
            f"an update of service account {account.id} with its own name did not move updated_at, so nothing would "
            "show which secrets are new, and each run would rotate all of them"
        )
        reason = f"its updated_at did not move; {age}" if was_rotated else "its updated_at did not move"
        self._add_failure(account, reason, was_rotated=was_rotated)
        return False

    async def _replace(
        self, account: ServiceAccount, store: Store[ServiceAccountWithSecret], *, is_first: bool
    ) -> ServiceAccount | None:
        """Rotate and store a secret; return None if the service account certainly keeps its old one."""
        ref, sent = self.run.refer_to(account), len(self.run.steps)
        if self.run.dry_run:
            await self.run.do(Change(action="rotate", target=ref))
            return account

        async def store_and_read(new_account: ServiceAccountWithSecret) -> None:
            try:
                await store_secret(store, new_account)
            except Exception as error:
                if not await is_found(store, new_account):
                    raise
                warn("store failed, and has the new secret of service account %s: %s", account.id, read_text(error))
                return
            if isinstance(store, ReadableStore) and not await is_stored(store, new_account):
                raise PineconeError("the destination does not return the new secret after it was stored")

        try:
            return await replace_account_secret(self.run, ref, store_and_read)
        except SecretNotStoredError:
            raise
        except PineconeError as error:
            if ends_everything(error) or any(map(may_have_been_made, self.run.steps[sent:])):
                raise
            doubt = "its age began again with an update, so rotate it by its name" if is_first else ""
            self._add_error(account, error, doubt=doubt)
            return None

    def _add_failure(
        self, account: ServiceAccount, reason: str, *, help_code: str | None = None, was_rotated: bool = False
    ) -> None:
        failure = FailedAccountRotation(
            name=account.name,
            account=account,
            reason=mask_key_values(reason),
            help_code=help_code,
            was_rotated=was_rotated,
        )
        self.report.failed.append(failure)

    def _add_error(
        self, account: ServiceAccount, error: Exception, *, doubt: str = "", was_rotated: bool = False
    ) -> None:
        reason = "; ".join(filter(None, [read_reason(error), doubt]))
        self._add_failure(account, reason, help_code=find_help_code(error), was_rotated=was_rotated)


def _describe_owner(account: ServiceAccount) -> SecretOwner:
    return SecretOwner("service_account", "", account.name, account.client_id)
