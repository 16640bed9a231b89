# Derived from pinecone_admin/_async/workflows/create_with_secret.py by scripts/unasync.py: change that, not this file.
"""Create keys and service accounts so that the caller gets the secret of everything that remains.

Until its secret is stored, a new resource has a tagged name, which shows what is in progress. Resources that an
interrupted run left under that name are deleted only after a new secret is stored, because their own secret may be in
use.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from attrs import evolve

from pinecone_admin._concurrency.clock import PollBackoff
from pinecone_admin._concurrency.waiting import call_store, read_store
from pinecone_admin._http.attempt_event import logger
from pinecone_admin._sync.workflows.client_state import max_attempts
from pinecone_admin._sync.workflows.rollback import Deletion, Rollback, describe_deletion
from pinecone_admin._text.counts import count_noun
from pinecone_admin.errors import ForbiddenError, LeftoverError, PineconeError
from pinecone_admin.models import (
    APIKey,
    APIKeyRole,
    APIKeyWithSecret,
    RoleBindingInput,
    ServiceAccount,
    ServiceAccountWithSecret,
)
from pinecone_admin.workflows.name_tags import add_value_digest, digest_value, parse_tag, tag_as_being_made
from pinecone_admin.workflows.quoting import describe_thing
from pinecone_admin.workflows.readable_store import PlacedStore, ReadableStore
from pinecone_admin.workflows.sent_changes import IgnoreGone, is_gone, marking_undo
from pinecone_admin.workflows.steps import Step, describe_key_step

if TYPE_CHECKING:
    from pinecone_admin._sync.client import Admin

_T = TypeVar("_T")

Store: TypeAlias = Callable[[_T], object]
"""A function that stores a secret, or raises if it did not; its result is ignored, but awaited if it is awaitable."""

_Deletions: TypeAlias = list[tuple[str, Deletion]]

_LEFTOVER = "an earlier run left it"

_LISTING_TIMEOUT = 5.0
"""Seconds within which a list shows a new item."""


def new_mark() -> str:
    """Return the mark of a run in temporary names: what a lost create made is found by it, and nothing of others is."""
    return secrets.token_hex(4)


def may_have_been_processed(error: PineconeError) -> bool:
    """Return whether the request of a failed call may have been processed."""
    return error.outcome in {"unknown", "done"}


def create_stored_key(
    admin: Admin,
    *,
    project_id: str,
    temporary_name: str,
    name: str,
    roles: Sequence[APIKeyRole] | None,
    leftovers: Sequence[APIKey],
    store: Store[APIKeyWithSecret] | None,
    rollback: Rollback,
    check_before_store: Callable[[APIKey], None] | None = None,
    makes_room: bool = True,
) -> tuple[APIKeyWithSecret, list[Step]]:
    """Create a key under a temporary name, and store its value.

    If a later run can read the target of ``store``, a digest of the value is added to the name first, by which that run
    recognizes the key.

    Args:
        admin: The client.
        project_id: Id of the project.
        temporary_name: Name of the key until its value is stored.
        name: Name that ``store`` sees.
        roles: Roles of the key; None for the server's default.
        leftovers: Keys that interrupted runs left.
        store: Stores the value; None if nobody does.
        rollback: Deletes the key if this fails.
        check_before_store: Gets the new key, and raises if its value must not be stored.
        makes_room: Whether the leftovers are deleted if there is no room for one more key.

    Returns:
        The key as it was created, without the digest in its name, and the deletions.
    """
    deleted: list[Step] = []
    make_key = partial(
        create_key_with_value, admin, project_id=project_id, name=temporary_name, roles=roles, rollback=rollback
    )
    try:
        made = make_key()
    except ForbiddenError as error:
        if not leftovers or error.error_code is None:  # without a code, it says nothing of the API's room
            raise
        if not makes_room:
            error.add_note(
                f"an earlier run left {count_noun(len(leftovers), 'API key')} whose value may be in use, "
                f"{', '.join(each.id for each in leftovers)}: if the project is full, make room for one more key, or "
                "delete what nothing uses"
            )
            raise
        deleted = _make_room(admin, leftovers, rollback)
        made = make_key()
    if store is not None:
        if isinstance(store, ReadableStore):
            noted = add_value_digest(temporary_name, digest_value(made.value))
            admin.api_keys.update(api_key_id=made.key.id, name=noted)
        if check_before_store is not None:
            check_before_store(made.key)
        call_store(store, evolve(made, key=evolve(made.key, name=name)))
        rollback.keep(
            f"{_describe_key(made.key)} is kept, since its value is stored; the next run completes the work, or stores "
            "the value of a new key and then deletes this one"
        )
    return made, deleted


def _make_room(admin: Admin, leftovers: Sequence[APIKey], rollback: Rollback) -> list[Step]:
    """Delete what interrupted runs left, since the quota may have no room for one more key."""
    deleted = delete_leftover_keys(admin, leftovers)
    for step in deleted:
        rollback.note(
            f"{step}; that was to make room: if that run stored its value, the stored value is no longer valid"
        )
    return deleted


def create_named_key(
    admin: Admin,
    *,
    project_id: str,
    name: str,
    roles: Sequence[APIKeyRole] | None,
    leftovers: Sequence[APIKey],
    store: Store[APIKeyWithSecret] | None,
    rollback: Rollback,
) -> tuple[APIKeyWithSecret, list[Step]]:
    """Create a key, store its value, delete what interrupted runs left, and give the key its name."""
    made, deleted = create_stored_key(
        admin,
        project_id=project_id,
        temporary_name=tag_as_being_made(name, new_mark()),
        name=name,
        roles=roles,
        leftovers=leftovers,
        store=store,
        rollback=rollback,
    )
    deleted += delete_leftover_keys(admin, leftovers)
    return evolve(made, key=admin.api_keys.update(api_key_id=made.key.id, name=name)), deleted


def find_stored_key(leftovers: Sequence[APIKey], name: str, store: Store[APIKeyWithSecret] | None) -> APIKey | None:
    """Return the key whose value an interrupted run has stored, or None if there is none or ``store`` cannot tell.

    Args:
        leftovers: Keys that interrupted runs left.
        name: The final name of each.
        store: The store.
    """
    if isinstance(store, ReadableStore):
        for key in leftovers:
            tag = parse_tag(key.name)
            if tag is None or tag.value_digest is None:
                continue
            value = read_store(store.read, evolve(key, name=name))
            if isinstance(value, str) and value and digest_value(value) == tag.value_digest:
                return key
    return None


def check_unused(store: Store[Any] | None) -> None:
    """Raise if a store can tell that it would refuse a new secret, since its target has another one."""
    if isinstance(store, PlacedStore):
        store.check_unused()


def create_key_with_value(
    admin: Admin,
    *,
    project_id: str,
    name: str,
    roles: Sequence[APIKeyRole] | None,
    rollback: Rollback | None = None,
) -> APIKeyWithSecret:
    """Create a key under a name that only this run gives; if its value is lost, delete it and create another."""

    def find_orphans() -> _Deletions:
        return [_undo_key(key) for key in list_keys_named(admin, project_id=project_id, name=name)]

    return _create_until_readable(
        admin,
        f"API key {name!r} of project {project_id}",
        partial(admin.api_keys.create, project_id=project_id, name=name, roles=roles),
        undo=lambda made: _undo_key(made.key),
        find_orphans=find_orphans,
        rollback=rollback,
    )


def _create_until_readable(
    admin: Admin,
    description: str,
    send: Callable[[], _T],
    *,
    undo: Callable[[_T], tuple[str, Deletion]],
    find_orphans: Callable[[], _Deletions],
    rollback: Rollback | None,
) -> _T:
    """Send a create until its response, with the secret, can be read; delete what the lost ones created."""
    send_once = send if rollback is None else partial(rollback.create, description, send, undo)

    def delete_orphans(lost_response: PineconeError) -> None:
        orphans = poll_until_listed(find_orphans)
        for described, delete in orphans:
            delete_and_report(lost_response, described, partial(delete, admin))
        if orphans and rollback is not None:
            rollback.settle()

    return repeat_if_response_is_lost(admin, send_once, delete_orphans, most=max_attempts(admin))


def delete_leftover_keys(admin: Admin, leftovers: Sequence[APIKey]) -> list[Step]:
    """Delete keys that interrupted runs left, except those renamed since, which belong to a run in progress."""
    deleted: list[Step] = []
    for key in leftovers:
        with IgnoreGone():
            if (admin.api_keys.describe(api_key_id=key.id)).name == key.name:
                admin.api_keys.delete(api_key_id=key.id)
                deleted.append(describe_leftover_key(key))
    return deleted


def describe_leftover_key(key: APIKey) -> Step:
    """Return the deletion of a key that an interrupted run left."""
    return describe_key_step("delete", key, reason=_LEFTOVER)


def _undo_key(key: APIKey) -> tuple[str, Deletion]:
    return _describe_key(key), lambda client: client.api_keys.delete(api_key_id=key.id)


def _describe_key(key: APIKey) -> str:
    return f"{describe_thing('API key', key.name, key.id)} of project {key.project_id}"


def list_keys_named(admin: Admin, *, project_id: str, name: str) -> list[APIKey]:
    """Return the keys of a project that have this name."""
    return [key for key in admin.api_keys.list(project_id=project_id) if key.name == name]


def create_stored_account(
    admin: Admin,
    *,
    name: str,
    leftovers: Sequence[ServiceAccount],
    role_bindings: Sequence[RoleBindingInput] | None,
    store: Store[ServiceAccountWithSecret] | None,
    rollback: Rollback,
) -> tuple[ServiceAccountWithSecret, list[Step]]:
    """Create a service account as ``create_stored_key`` creates a key."""
    temporary_name = tag_as_being_made(name, new_mark())

    def find_orphans() -> _Deletions:
        return [_undo_account(account) for account in list_accounts_named(admin, temporary_name)]

    made = _create_until_readable(
        admin,
        f"service account {temporary_name!r}",
        partial(admin.service_accounts.create, name=temporary_name, role_bindings=role_bindings),
        undo=lambda made: _undo_account(made.service_account),
        find_orphans=find_orphans,
        rollback=rollback,
    )
    account = made.service_account
    if store is not None:
        call_store(store, evolve(made, service_account=evolve(account, name=name)))
        rollback.keep(
            f"service account {account.id} is kept, since its secret is stored; the next run completes the work, or "
            "stores the secret of a new account and then deletes this one"
        )
    return made, delete_leftover_accounts(admin, leftovers)


def create_named_account(
    admin: Admin,
    *,
    name: str,
    leftovers: Sequence[ServiceAccount],
    role_bindings: Sequence[RoleBindingInput] | None,
    store: Store[ServiceAccountWithSecret] | None,
    rollback: Rollback,
) -> tuple[ServiceAccountWithSecret, list[Step]]:
    """Create a service account as ``create_named_key`` creates a key."""
    made, deleted = create_stored_account(
        admin, name=name, leftovers=leftovers, role_bindings=role_bindings, store=store, rollback=rollback
    )
    account = admin.service_accounts.update(service_account_id=made.service_account.id, name=name)
    return evolve(made, service_account=account), deleted


def find_stored_account(
    leftovers: Sequence[ServiceAccount], name: str, store: Store[ServiceAccountWithSecret] | None
) -> ServiceAccount | None:
    """Return the account whose secret an interrupted run has stored, as ``find_stored_key`` returns a key."""
    if isinstance(store, ReadableStore):
        for account in leftovers:
            if read_store(store.read, evolve(account, name=name)):
                return account
    return None


def delete_leftover_accounts(admin: Admin, leftovers: Sequence[ServiceAccount]) -> list[Step]:
    """Delete service accounts as ``delete_leftover_keys`` deletes keys."""
    deleted: list[Step] = []
    for each in leftovers:
        with IgnoreGone():
            if (admin.service_accounts.describe(service_account_id=each.id)).name == each.name:
                admin.service_accounts.delete(service_account_id=each.id)
                deleted.append(describe_leftover_account(each))
    return deleted


def describe_leftover_account(account: ServiceAccount) -> Step:
    """Return the deletion of an account that an interrupted run left."""
    return Step(action="delete", kind="service_account", name=account.name, id=account.id, reason=_LEFTOVER)


def _undo_account(account: ServiceAccount) -> tuple[str, Deletion]:
    return (
        describe_thing("service account", account.name, account.id),
        lambda client: client.service_accounts.delete(service_account_id=account.id),
    )


def list_accounts_named(admin: Admin, name: str) -> list[ServiceAccount]:
    """Return the service accounts that have this name."""
    return [account for account in admin.service_accounts.list() if account.name == name]


def poll_until_listed(list_named: Callable[[], _T]) -> _T:
    """Repeat a search while it finds nothing, since a list may show a new item late."""
    backoff = PollBackoff(_LISTING_TIMEOUT)
    while True:
        found = list_named()
        if found or not backoff.wait():
            return found


def repeat_if_response_is_lost(
    admin: Admin,
    call: Callable[[], _T],
    prepare_next: Callable[[PineconeError], None] | None = None,
    most: float = inf,
) -> _T:
    """Make a call that returns a secret; until the deadline, repeat it if its response, with the secret, is lost.

    Args:
        admin: The client.
        call: The call.
        prepare_next: Undoes what a call whose response was lost may have done; called after each of them.
        most: How many calls are made at most.
    """
    backoff = PollBackoff(admin.timeout)
    lost_response: PineconeError | None = None
    lost = 0
    while True:
        try:
            return call()
        except PineconeError as error:
            for note in [*getattr(lost_response, "__notes__", ())]:
                error.add_note(note)
            if not may_have_been_processed(error):
                raise error from lost_response
            lost_response = error
        if prepare_next is not None:
            prepare_next(lost_response)
        lost += 1
        if lost >= most or not backoff.wait():
            raise lost_response


def delete_if_exists(delete: Callable[..., object], **arguments: object) -> None:
    """Delete something, and succeed if it is already gone."""
    with IgnoreGone():
        delete(**arguments)


def delete_and_report(
    error: BaseException | None, description: str, delete: Callable[..., None], **arguments: object
) -> None:
    """Delete a temporary or half-made resource, and note the deletion on the error that led to it, if any.

    Raises:
        LeftoverError: It could not be deleted, unless an interruption or a cancellation led here: that gets a note.
    """
    end = describe_deletion()
    try:
        with marking_undo():
            delete(**arguments)
    except PineconeError as exc:
        if not is_gone(exc):
            report_leftover(error, description, exc)
            return
        end = describe_deletion(exc)
    if error is not None:
        error.add_note(f"{description} {end}")
    elif end != describe_deletion():
        logger.warning("%s %s", description, end)


def report_leftover(error: BaseException | None, description: str, reason: PineconeError | str) -> None:
    """Name something that this call made and could not delete.

    Raises:
        LeftoverError: No interruption or cancellation led here: that is never replaced, and gets a note instead.
    """
    message = f"{description}, made by this call, could not be deleted: {reason}"
    if error is not None and not isinstance(error, Exception):
        error.add_note(message)
        logger.warning("%s", message)  # asyncio replaces a CancelledError that it hands on, without its notes
        return
    after = f", after: {error}" if error is not None else ""
    cause = error or (reason if isinstance(reason, PineconeError) else None)
    raise LeftoverError(f"{message}{after}", left=[description]) from cause
