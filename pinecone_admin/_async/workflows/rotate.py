"""Rotate secrets: where the server allows two at once, the new one is stored before the old one is deleted.

The docstring of ``retired_keys.py`` defines the states of the old and the new key, and their names. Read it first.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from datetime import datetime, timedelta
from functools import partial
from typing import Literal

from attrs import evolve

from pinecone_admin._async.workflows.check_allowed import check_allowed
from pinecone_admin._async.workflows.client_state import max_rotations, server_now
from pinecone_admin._async.workflows.create_with_secret import (
    LEFTOVER,
    Store,
    create_key,
    find_stored_key,
    has_kept_name,
    is_found,
    note_deleted,
    store_key,
    store_secret,
    update_key,
)
from pinecone_admin._async.workflows.delete_retired import delete_retired_key, refer_to_retired
from pinecone_admin._async.workflows.run import LISTING_TIMEOUT, AsyncRun
from pinecone_admin._concurrency.clock import PollBackoff
from pinecone_admin._concurrency.waiting import (
    COMPLETION_TIMEOUT,
    async_complete_if_interrupted,
    async_shield_from_cancellation,
)
from pinecone_admin._http.argument_checks import (
    async_check_function,
    check_bool,
    check_timedelta,
    set_operation_on_errors,
)
from pinecone_admin._http.attempt_event import warn
from pinecone_admin._text.moments import describe_minute
from pinecone_admin._text.quoting import quote_name
from pinecone_admin.errors import (
    LeftoverError,
    Masked,
    NotFoundError,
    PineconeError,
    RefusedError,
    ResponseParsingError,
    SecretNotStoredError,
)
from pinecone_admin.models import APIKey, APIKeyWithSecret, ServiceAccount, ServiceAccountWithSecret
from pinecone_admin.workflows import name_tags, retired_keys
from pinecone_admin.workflows.changes import Change, Ref, Settings
from pinecone_admin.workflows.ending import ALREADY_DELETED, may_have_been_made
from pinecone_admin.workflows.guard import check_client_id
from pinecone_admin.workflows.reports import Rotation
from pinecone_admin.workflows.sent_changes import ROTATED, STILL_WORKS, add_note, is_api_404, may_have_been_processed

_CLOCK_TOLERANCE = timedelta(minutes=2)
"""By how much an overlap may be shorter than requested."""

_MOST_RENAMES = 3
"""How often an old key is renamed at most because the server's time turned out to be later."""


async def rotate_api_key(
    run: AsyncRun, *, api_key_id: str, store: Store[APIKeyWithSecret], keep_old_for: timedelta
) -> Rotation:
    """Create a new key, store its value, rename both keys, and delete the old one now or leave it to a later run.

    The old key is renamed once the new value is stored, so that the next run knows that it only has to finish.
    """
    with set_operation_on_errors("rotate_api_key"):
        async_check_function("store", store)
        check_timedelta("keep_old_for", keep_old_for, allow_zero=True)
    old = await run.admin.api_keys.describe(api_key_id=api_key_id)
    keys = await run.admin.api_keys.list(project_id=old.project_id)
    old = retired_keys.find_predecessor(old, keys) or old
    if (moment := retired_keys.expiry_of_temporary_key(old)) is not None:
        raise RefusedError(
            f"API key {old.id} is temporary, and may be deleted from {describe_minute(moment)}, so it is not "
            "rotated: create a permanent key",
            operation="rotate_api_key",
        )
    tag = name_tags.parse_tag(old.name)
    if tag is not None and tag.delete_after is None:
        raise RefusedError(
            f"API key {old.id} is named {quote_name(old.name)}, because {retired_keys.UNFINISHED}",
            operation="rotate_api_key",
        )
    # With the name, or with the id of the new key, the next run would replace the new key once it has its name.
    repetition = f"run this again with the id of the old key, {old.id}"
    # A key has a successor only once it is retired; before that, interrupted runs have left candidates.
    new = retired_keys.find_successor(old, keys)
    if new is None:
        return await replace_key(run, old, keys, store=store, keep_old_for=keep_old_for, repetition=repetition)
    moment = retired_keys.delete_after(old)
    if moment is not None and retired_keys.time_of_deletion(server_now(run.admin), keep_old_for) < moment:
        raise RefusedError(
            f"an earlier run keeps API key {old.id} until {describe_minute(moment)}, which is longer; if it must end "
            "sooner, for example because it leaked, delete it",
            operation="rotate_api_key",
        )
    run.keep(
        _describe_next_run(new, repetition, keep_old_for),
        first=partial(_describe_old_key, run, old, keep_old_for),
    )
    new = await _update_stored_key(run, new, retired_keys.finish_successor(old, new))
    keys = [new if key.id == new.id else key for key in keys]
    return await _finish_rotation(run, old, new, keys=keys, keep_old_for=keep_old_for)


async def replace_key(
    run: AsyncRun,
    old: APIKey,
    keys: Sequence[APIKey],
    *,
    store: Store[APIKeyWithSecret],
    keep_old_for: timedelta,
    repetition: str,
) -> Rotation:
    """Rotate a key that has no stored successor yet.

    Args:
        run: The run.
        old: The key.
        keys: The keys of its project.
        store: Stores the value of the new key.
        keep_old_for: How long both keys work.
        repetition: How the caller's user goes on after an interruption, for the note of an error.
    """
    name = name_tags.original_name(old.name)
    run.known.update(each.id for each in (old, *keys))
    _refuse_without_name_or_role(old)
    # The name after the tag is not compared: the old key may have been renamed since an interrupted run.
    leftovers = [key for key in keys if retired_keys.is_unfinished_successor(key, old)]
    if (stored := await find_stored_key(leftovers, name, store)) is not None:
        leftovers.remove(stored)

    if stored is None:
        new_key = await create_key(
            run,
            key=Ref("api_key", name, project=Ref("project", run.project, old.project_id)),
            temporary_name=name_tags.tag_as_successor(old.id, name, run.mark),
            roles=old.roles,
            leftovers=leftovers,
            store=store,
            makes_room=not keep_old_for,
        )
        stored = new_key.key
        if not run.dry_run:
            present = await _list_keys(run, old)
            if (reason := retired_keys.find_concurrent_rotation(old, stored, leftovers, present)) is not None:
                raise RefusedError(
                    f"API key {quote_name(name)} ({old.id}) was not rotated, because {reason}; run this again when the "
                    "other run has ended",
                    operation="rotate_api_key",
                )
            await store_key(run, new_key, name, store)
    run.keep(
        _describe_next_run(stored, repetition, keep_old_for), first=partial(_describe_old_key, run, old, keep_old_for)
    )
    old = await _read_again(run, old)
    name = name_tags.original_name(old.name)
    stored = await _update_stored_key(run, stored, retired_keys.hold_end_of_name(stored, old, name))
    retired, moment = await _retire(run, old, stored, name=name, keep_old_for=keep_old_for)
    final = retired_keys.finish_successor(retired, stored)
    try:
        new = await _update_stored_key(run, stored, final)
    except NotFoundError as lost:
        if run.is_gone(stored.id):
            await _restore_old_name(run, retired, final, before=keys, moment=moment, lost=lost)
        raise
    if run.dry_run:
        keys = [*(key for key in keys if key.id != new.id), new]
        report = await _finish_rotation(run, retired, new, keys=keys, keep_old_for=keep_old_for)
        return evolve(report, key=new if new.id else old)
    present, namesake = await _list_after_renames(run, retired, new, before=keys)
    if namesake is not None:
        run.keep(f"the value of API key {new.id} is stored")
        why = "another run seems to have finished"
        if namesake.id == old.id:
            why = "somebody, perhaps another run, seems to have given the old key its name back"
        message = (
            f"API keys {namesake.id} and {new.id} are both named {quote_name(name)}, because {why}; "
            "keep the key whose value is in your secret store, and delete the other one"
        )
        left = [
            f"one of API keys {namesake.id} and {new.id}, named {quote_name(name)}: keep the one whose value is stored"
        ]
        # The next run may not find out what this one has done.
        raise LeftoverError(message, left=left, operation="rotate_api_key", safe_to_retry=False)
    # Leftovers are deleted only now, in _finish_rotation: one may be the key of another run, which finds out by the
    # name of this one. A key that was renamed while the value was stored is no longer a leftover.
    unchanged = {(key.id, key.name) for key in present if key.id != new.id}
    keys = [
        new,
        *(key for key in present if key.id == old.id),
        *(key for key in keys if (key.id, key.name) in unchanged),
    ]
    return await _finish_rotation(run, retired, new, keys=keys, keep_old_for=keep_old_for)


async def _update_stored_key(run: AsyncRun, stored: APIKey, final: APIKey) -> APIKey:
    """Update a key whose value is stored; if somebody has deleted it, the notes of the error say so."""
    try:
        return await update_key(run, stored, final)
    except NotFoundError:
        if run.is_gone(stored.id):
            note_deleted(run, stored)
        raise


async def _read_again(run: AsyncRun, old: APIKey) -> APIKey:
    """Return the old key as it is now if somebody has renamed it while the value was stored: it keeps the new name.

    A name with a tag is of another run, which is found out later.
    """
    if run.dry_run:
        return old
    async with run.ignore_gone(run.refer_to(old)):
        present = await run.admin.api_keys.describe(api_key_id=old.id)
        if name_tags.parse_tag(present.name) is None:
            return present
    return old


async def _list_keys(run: AsyncRun, old: APIKey) -> list[APIKey]:
    """Return the keys of the project of an old key, with that key unless it is gone: a list may be behind."""
    keys = await run.admin.api_keys.list(project_id=old.project_id)
    if not run.is_gone(old.id) and all(key.id != old.id for key in keys):
        async with run.ignore_gone(run.refer_to(old)):
            keys.append(await run.admin.api_keys.describe(api_key_id=old.id))
    return keys


async def _list_after_renames(
    run: AsyncRun, old: APIKey, new: APIKey, *, before: Sequence[APIKey]
) -> tuple[list[APIKey], APIKey | None]:
    """Return the keys after both renames, and another one that has the name of the new key, if there is one.

    A list that is behind shows the name that this run has just taken from the old key, so it is read again.
    """
    backoff = PollBackoff(LISTING_TIMEOUT)
    while True:
        keys = await _list_keys(run, old)
        namesake = retired_keys.find_namesake(old, new, before, keys)
        if namesake is None or namesake.id != old.id or not await backoff.async_wait():
            return keys, namesake


def _refuse_without_name_or_role(old: APIKey) -> None:
    if name_tags.is_cut(old.name):
        raise RefusedError(
            f"the successor of API key {old.id} was deleted, so the end of its name is lost: {quote_name(old.name)}; "
            "rename the key, and rotate it again",
            operation="rotate_api_key",
        )
    if not old.roles:
        raise RefusedError(
            f"API key {old.id} has no role, and a new key needs one: give it a role, and rotate it again",
            operation="rotate_api_key",
        )


def _describe_next_run(new: APIKey, repetition: str, keep_old_for: timedelta) -> str:
    end = "keeps this one as long as the old key" if keep_old_for else "deletes this one"
    return (
        f"the value of API key {new.id} is stored; to finish the rotation, {repetition}; if that creates another new "
        f"key, it {end}"
    )


def _describe_old_key(run: AsyncRun, old: APIKey, keep_old_for: timedelta, error: BaseException) -> str:
    """Return whether an old key that was to be deleted still works, given the error; or an empty text."""
    deletions = [each for each in run.steps if (each.change.action, each.change.target.id) == ("delete", old.id)]
    if keep_old_for or run.is_gone(old.id) or any(each.state == "done" for each in deletions):
        return ""
    is_certain = not any(map(may_have_been_made, deletions)) and not (deletions and is_api_404(error))
    return f"the old key, API key {old.id}, {STILL_WORKS[is_certain]}"


async def _retire(
    run: AsyncRun, old: APIKey, new: APIKey, *, name: str, keep_old_for: timedelta
) -> tuple[APIKey, datetime]:
    """Rename an old key, so that a later run finds that the new value is stored. Return the key and its deletion time.

    The estimate of the server's time does not know for how long this machine was suspended. If the response shows that
    the estimate was too early, the key is renamed again, within a limit: a server may show a later hour each time.
    """
    moment = later = retired_keys.time_of_deletion(server_now(run.admin), keep_old_for)
    for _ in range(_MOST_RENAMES):
        moment = later
        present, old = old, evolve(old, name=name_tags.tag_as_retired(new.id, name, moment))
        async with run.ignore_gone(run.refer_to(old)):  # the new key still has to get its name
            old = await update_key(run, present, old)
        later = retired_keys.time_of_deletion(server_now(run.admin), keep_old_for)
        if not keep_old_for or later - moment <= _CLOCK_TOLERANCE:
            return old, moment
    warn(
        "API key %s may be deleted from %s, not from %s: the server's time was far ahead after each of %s renames",
        old.id,
        describe_minute(moment),
        describe_minute(later),
        _MOST_RENAMES,
    )
    return old, moment


async def _restore_old_name(
    run: AsyncRun, old: APIKey, new: APIKey, *, before: Sequence[APIKey], moment: datetime, lost: NotFoundError
) -> None:
    """Restore the name of the old key after the new one was deleted, unless another run has replaced the old key.

    Raises:
        LeftoverError: Another run has replaced it, or has begun to.
    """
    keys = await run.admin.api_keys.list(project_id=old.project_id)
    others = [key for key in keys if key.id not in {old.id, new.id}]
    successor = retired_keys.find_namesake(old, new, before, others)
    if any(key.id == old.id and key.name == old.name for key in keys):  # with another name, it belongs to another run
        # A key without the name may not have been stored: in its favour, a later run would delete the only one that is.
        name = new.name if successor is None else name_tags.tag_as_retired(successor.id, new.name, moment)
        async with run.ignore_gone(run.refer_to(old)):
            await update_key(run, old, evolve(old, name=name))
    rivals = [key for key in others if retired_keys.is_unfinished_successor(key, old)]
    if successor is not None:
        done = f"another run replaced API key {old.id} with {successor.id}"
    elif rivals:
        done = f"another run has begun to replace API key {old.id} with {rivals[0].id}"
    else:
        return
    message = (
        f"{done}; this run stored the value of API key {new.id}, which no longer exists: check which value is in your "
        "secret store, or rotate the key again"
    )
    left = [f"the stored value of API key {quote_name(new.name)} ({new.id}), which no longer exists"]
    raise LeftoverError(message, left=left, operation="rotate_api_key") from lost


async def _finish_rotation(
    run: AsyncRun, old: APIKey, new: APIKey, *, keys: Sequence[APIKey], keep_old_for: timedelta
) -> Rotation:
    """Delete the old key and the leftovers, or keep both; return the report.

    Raises:
        RefusedError: The old key must not be deleted, or the server has not given it the name with its deletion time.
    """
    if keep_old_for:
        # The response to the rename may be behind, and so may the list.
        shown = [*(key for key in keys if key.id == old.id), old]
        moment = next(filter(None, map(retired_keys.delete_after, shown)), None)
        if moment is None:
            raise RefusedError(
                f"API key {old.id} is kept, but named {quote_name(shown[0].name)} now, so no later run deletes it",
                operation="rotate_api_key",
            )
        for key in keys:
            if retired_keys.is_unfinished_successor(key, old):
                await _retire_leftover(run, key, old, new, moment)
        is_there = any(key.id == old.id for key in keys)
        reason = f"it may be deleted from {describe_minute(moment)}" if is_there else ALREADY_DELETED
        run.skip(Change(action="delete", target=refer_to_retired(run, old)), reason)
        return Rotation(key=new, replaced=old.id, delete_after=moment if is_there else None, steps=run.steps)
    keys = [old if key.id == old.id else key for key in keys]
    if (obstacle := retired_keys.find_obstacle(old, keys)) is not None:
        raise RefusedError(f"API key {old.id} cannot be deleted: {obstacle}", operation="rotate_api_key")
    await delete_retired_key(run, old, keys)
    return Rotation(key=new, replaced=old.id, delete_after=None, steps=run.steps)


async def _retire_leftover(run: AsyncRun, left: APIKey, old: APIKey, new: APIKey, moment: datetime) -> None:
    """Keep a key that an interrupted rotation left as long as the old one: its value may be stored and in use.

    If it was renamed since, it belongs to a run in progress.
    """
    async with run.ignore_gone(run.refer_to(left)):
        if await has_kept_name(run, left):
            name = name_tags.tag_as_retired(new.id, name_tags.original_name(old.name, left.name), moment)
            change = Change(
                action="update",
                target=run.refer_to(left),
                settings=Settings(name=name),
                before=Settings(name=left.name),
                reason=LEFTOVER,
            )
            await run.do(change)


async def rotate_service_account(
    run: AsyncRun,
    *,
    service_account_id: str,
    store: Store[ServiceAccountWithSecret],
    allow_own: bool,
    client_id: str | None,
) -> ServiceAccount:
    """Rotate and store the secret; if the response is lost, rotate again, since the secret in it is lost too."""
    with set_operation_on_errors("rotate_service_account"):
        async_check_function("store", store)
        check_bool("allow_own", allow_own)
        check_client_id(client_id)
    if run.dry_run or not allow_own:
        account = await run.admin.service_accounts.describe(service_account_id=service_account_id)
        change = Change(action="rotate", target=run.refer_to(account))
        await check_allowed(run, [change], [], [account], client_id=client_id, allow_own=allow_own)
        if run.dry_run:
            await run.do(change)
            return account
    return await replace_account_secret(run, Ref("service_account", None, service_account_id), store)


async def replace_account_secret(run: AsyncRun, account: Ref, store: Store[ServiceAccountWithSecret]) -> ServiceAccount:
    """Rotate and store the secret of a service account that may be rotated.

    Args:
        run: The run.
        account: The service account.
        store: Stores the new secret.

    Raises:
        SecretNotStoredError: The new secret is not surely stored; the error has it.
    """
    rotation = AsyncSecretRotation(run, account, store)
    # The old secret may be invalid from the first request on, and nobody else has the new one. So whatever ends the
    # rotation, and wherever Ctrl-C comes, a secret that is not surely stored goes out with the error.
    try:
        await rotation.run()
    except BaseException as error:
        if rotation.is_stored or not rotation.issued:
            raise
        unstored, first = rotation.describe_unstored_secret(error), rotation.interruption or error
        if isinstance(first, Exception):
            raise unstored from error
        if error is not first:  # else whoever follows the causes would never come to an end
            unstored.__cause__ = error
        # An interruption or a cancellation is never replaced: whoever waits for it would go on.
        note = f"{unstored.message.partition(';')[0]}; the cause of this error, a SecretNotStoredError, has it"
        add_note(first, note)
        raise first from unstored
    return rotation.issued[-1].service_account


class AsyncSecretRotation:
    """A rotation of the secret of a service account, and how far it got, whatever ended it.

    Args:
        run: The run.
        account: The service account.
        store: Stores the new secret.

    Attributes:
        issued: The new secrets, the valid one last.
        is_stored: Whether ``store`` has returned, or has the secret although it failed.
        interruption: The exception that interrupted or cancelled the rotation before ``store`` was called, or None.
        unread: The latest response that could not be read, and may contain the valid secret; or None.
    """

    def __init__(self, run: AsyncRun, account: Ref, store: Store[ServiceAccountWithSecret]) -> None:
        self._run = run
        self._account = account
        self._store = store
        self._outcome: Literal["unknown", "done"] | None = None
        self.issued: list[ServiceAccountWithSecret] = []
        self.is_stored = False
        self.interruption: BaseException | None = None
        self.unread: ResponseParsingError | None = None

    async def run(self) -> None:
        """Rotate and store the secret; after an interruption, both are completed within a bounded time."""
        try:
            admin = self._run.admin
            rotate = partial(self._run.repeat_if_response_is_lost, self._rotate_once, most=max_rotations(admin))
            await async_complete_if_interrupted(rotate, COMPLETION_TIMEOUT)
        except BaseException as error:
            if not self.issued:
                if self._outcome is not None:
                    then = "and" if self._outcome == "done" else "and then"
                    new = "is lost" if self.unread is None else "may be in a response that could not be read"
                    owner = f"service account {self._account.id}"
                    add_note(error, f"the secret of {owner} {ROTATED[self._outcome]}, {then} the new one {new}")
                if self.unread not in {None, error}:
                    raise error from self.unread
                raise
            self.interruption = error
        with nullcontext() if self.interruption is None else async_shield_from_cancellation(COMPLETION_TIMEOUT):
            await self._store_issued()
        if self.interruption is not None:
            raise self.interruption

    async def _store_issued(self) -> None:
        try:
            await store_secret(self._store, self.issued[-1])
        except GeneratorExit:
            raise  # nothing can be awaited
        except BaseException:
            self.is_stored = await is_found(self._store, self.issued[-1]) is True
            if self.is_stored:
                self._run.keep(f"the new secret of service account {self._account.id} is stored all the same")
            raise
        self.is_stored = True

    async def _rotate_once(self) -> None:
        before, self._outcome = self._outcome, self._outcome or "unknown"
        try:
            self.issued.append(await self._run.do(Change(action="rotate", target=self._account)))
        except PineconeError as error:
            if error.outcome == "done":
                self._outcome = "done"
            elif not may_have_been_processed(error):
                self._outcome = before
            if isinstance(error, ResponseParsingError) and error.raw.reveal():
                self.unread = error
            raise

    def describe_unstored_secret(self, failure: BaseException) -> SecretNotStoredError:
        """Return the error that hands the secret over, given why it may not be stored."""
        reason = "store failed" if isinstance(failure, Exception) else "this was interrupted"
        return SecretNotStoredError(
            f"the new secret of service account {self._account.id} may not be stored: {reason}; error.secret.reveal() "
            "returns it",
            service_account_id=self._account.id or "",
            client_id=self.issued[-1].service_account.client_id,
            secret=Masked(self.issued[-1].client_secret),
            operation="rotate_service_account",
        )
