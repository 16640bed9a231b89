# Derived from pinecone_admin/_async/workflows/create_with_secret.py by scripts/unasync.py: change that, not this file.
"""Create keys and service accounts so that the caller gets the secret of everything that remains.

Until its secret is stored, a new resource has a tagged name, which shows what is in progress. Resources that an
interrupted run left under that name are deleted only after a new secret is stored, because their own secret may be in
use.

This is beside the run, which sends changes, because it decides over several of them: it reads the destination, deletes
leftovers after a new secret is stored, and renames last. ``ensure``, ``rotate``, ``provision`` and ``apply`` share it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeAlias, TypeVar, cast

from attrs import evolve

from pinecone_admin._concurrency.waiting import (
    COMPLETION_TIMEOUT,
    call_store,
    has_to_be_run,
    read_store,
    shield_from_cancellation,
)
from pinecone_admin._sync.workflows.client_state import find_caller, list_accounts_to_judge
from pinecone_admin._sync.workflows.reconcile import DifferencePolicy, reconcile_bindings
from pinecone_admin._sync.workflows.run import Run
from pinecone_admin._text.counts import count_noun
from pinecone_admin.errors import ForbiddenError, NotFoundError, PineconeTypeError
from pinecone_admin.models import APIKey, APIKeyRole, APIKeyWithSecret, ServiceAccount, ServiceAccountWithSecret
from pinecone_admin.workflows.change_operations import build_role_bindings
from pinecone_admin.workflows.changes import Change, Ref, RoleAt, Settings
from pinecone_admin.workflows.guard import explain_own
from pinecone_admin.workflows.name_tags import add_value_digest, digest_value, parse_tag, tag_as_unfinished
from pinecone_admin.workflows.readable_store import PlacedStore, ReadableStore
from pinecone_admin.workflows.sent_changes import LeaveOutChanges, is_foreign_refusal
from pinecone_admin.workflows.store_failures import mask_secret

_T = TypeVar("_T")

Store: TypeAlias = Callable[[_T], object]
"""A function that stores a secret, or raises if it did not; its result is ignored, but awaited if it is awaitable."""

_DEFAULT_ROLES: Sequence[APIKeyRole] = ("ProjectEditor",)
"""The roles that the server gives to a key that is created without roles."""

LEFTOVER = "an earlier run left it"
"""Why something is deleted."""


def complete_or_create_key(
    run: Run,
    *,
    key: Ref,
    roles: Sequence[APIKeyRole] | None,
    leftovers: Sequence[APIKey],
    store: Store[APIKeyWithSecret] | None,
) -> APIKeyWithSecret | APIKey:
    """Complete a key whose value an interrupted run has stored, or create one; delete the other leftovers.

    A key is completed to exactly what is wanted, since nobody has seen it under its name yet.

    Args:
        run: The run.
        key: The key, with its final name.
        roles: Its roles; None for the server's default.
        leftovers: Keys that interrupted runs left.
        store: Stores the value; None if nobody does.
    """
    name = key.name or ""
    if (stored := find_stored_key(leftovers, name, store)) is not None:
        final = evolve(stored, name=name, roles=[*_DEFAULT_ROLES] if roles is None else [*roles])
        final = update_key(run, stored, final)
        delete_left_keys(run, [each for each in leftovers if each.id != stored.id])
        return final
    check_unused(store)
    new_key = create_key(
        run,
        key=key,
        temporary_name=tag_as_unfinished(name, run.mark),
        roles=roles,
        leftovers=leftovers,
        store=store,
    )
    if store is not None and not run.dry_run:
        store_key(run, new_key, name, store)
    delete_left_keys(run, leftovers)
    try:
        named = update_key(run, new_key.key, evolve(new_key.key, name=name))
    except NotFoundError:
        if store is not None and run.is_gone(new_key.key.id):
            note_deleted(run, new_key.key)
        raise
    return evolve(new_key, key=named)


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
            if _read_digest(store, evolve(key, name=name)) == tag.value_digest:
                return key
    return None


def _read_digest(store: ReadableStore, key: APIKey) -> str | None:
    """Return the digest of the stored value of a key; what ends a later read must not show the value as a local."""
    found = read_store(store.read, key)
    return None if found is None else digest_value(found)


def check_unused(store: Store[Any] | None) -> None:
    """Raise if a store can tell that it would refuse a new secret, since its target has another one."""
    if isinstance(store, PlacedStore):
        store.check_unused()


def create_key(
    run: Run,
    *,
    key: Ref,
    temporary_name: str,
    roles: Sequence[APIKeyRole] | None,
    leftovers: Sequence[APIKey],
    store: Store[APIKeyWithSecret] | None,
    makes_room: bool = True,
) -> APIKeyWithSecret:
    """Create a key under a temporary name.

    If a later run can read the target of ``store``, a digest of the value is added to the name. By this digest, that
    run recognizes the key.

    Args:
        run: The run, which deletes the key if this fails.
        key: The key, with its final name.
        temporary_name: Name of the key until its value is stored.
        roles: Roles of the key; None for the server's default.
        leftovers: Keys that interrupted runs left.
        store: Stores the value next; None if nobody does.
        makes_room: Whether the leftovers are deleted if there is no room for one more key.

    Returns:
        The key as it is then; in a dry run, without id and value.
    """
    settings = Settings(name=temporary_name, roles=None if roles is None else tuple(roles))
    create = Change(action="create", target=key, settings=settings)
    project_id = (key.project and key.project.id) or ""
    preview = APIKey(id="", project_id=project_id, name=temporary_name, roles=list(roles or ()))
    try:
        new_key = cast("APIKeyWithSecret", run.create_secret(create, APIKeyWithSecret(key=preview, value="")))
    except ForbiddenError as error:
        if not leftovers or is_foreign_refusal(error):  # that says nothing of the API's room
            raise
        if not makes_room:
            error.add_note(
                f"an earlier run left {count_noun(len(leftovers), 'API key')} whose value may be in use, "
                f"{', '.join(each.id for each in leftovers)}: if the project is full, make room for one more key, or "
                "delete the keys that no program uses"
            )
            raise
        for leftover in delete_left_keys(run, leftovers):
            run.note(
                f"deleted {leftover}, which an earlier run left, to make room; if that run stored its value, the "
                "stored value no longer works"
            )
        new_key = cast("APIKeyWithSecret", run.create_secret(create))
    if isinstance(store, ReadableStore) and not run.dry_run:
        named = evolve(new_key.key, name=add_value_digest(temporary_name, digest_value(new_key.value)))
        new_key = evolve(new_key, key=update_key(run, new_key.key, named))
    return new_key


def store_key(run: Run, new_key: APIKeyWithSecret, name: str, store: Store[APIKeyWithSecret]) -> None:
    """Store the value of a new key under its final name, and keep the key from then on."""
    kept = (
        f"{run.refer_to(new_key.key)} is kept because its value is stored; the next run finishes the work, or stores "
        "the value of a new key and then deletes this one"
    )
    _store_and_keep(run, store, evolve(new_key, key=evolve(new_key.key, name=name)), then_keep=kept)


def _store_and_keep(
    run: Run, store: Store[Any], new_secret: APIKeyWithSecret | ServiceAccountWithSecret, *, then_keep: str
) -> None:
    """Store the secret of what was made; once ``store`` has returned, nothing is undone, wherever Ctrl-C comes."""
    results = list[object]()

    def keep_if_stored() -> None:
        if results and not has_to_be_run(results[0]):
            run.keep(then_keep)

    def store_and_keep(secret: object) -> object:
        try:
            # In C: no interruption comes between the return of ``store`` and its result.
            results.extend(map(store, (secret,)))
            keep_if_stored()
        finally:
            keep_if_stored()  # an interruption may have come before
        if not results:  # to ``extend``, this was the end
            raise RuntimeError("store raised StopIteration")
        return results[0]

    # The next note has the id of what is deleted, and a message shows an id once.
    secret, kind = ("value", "key") if isinstance(new_secret, APIKeyWithSecret) else ("secret", "account")
    run.note(f"if the new {secret} was stored all the same, it stops working when the {kind} is deleted")
    try:
        store_secret(store_and_keep, new_secret)
    except GeneratorExit:
        raise  # nothing can be awaited
    except BaseException:
        found = is_found(store, new_secret)
        if found is not False:
            run.keep(then_keep if found else _describe_unclear(new_secret))
        raise
    run.keep(then_keep)


def is_found(store: Store[Any], new_secret: APIKeyWithSecret | ServiceAccountWithSecret) -> bool | None:
    """Return whether a store that has failed, or was interrupted, has visibly stored the secret all the same.

    The response of a secret store can be lost, too, and what is deleted then would have its secret in use.

    Returns:
        None if something is there that cannot be compared, because ``read`` returned neither a text nor None.
    """
    if not isinstance(store, ReadableStore):
        return False
    with shield_from_cancellation(COMPLETION_TIMEOUT), suppress(Exception):
        try:
            return is_stored(store, new_secret)
        except PineconeTypeError:
            return None
    return False


def _describe_unclear(new_secret: APIKeyWithSecret | ServiceAccountWithSecret) -> str:
    """Return the note on what is kept because nobody can tell whether its secret is stored."""
    kind, secret, made = (
        ("API key", "value", new_secret.key)
        if isinstance(new_secret, APIKeyWithSecret)
        else ("service account", "secret", new_secret.service_account)
    )
    return (
        f"{kind} {made.id} is kept because its {secret} may be stored: read of store returned neither a str nor None; "
        "correct read, and run this again"
    )


def is_stored(store: ReadableStore, new_secret: APIKeyWithSecret | ServiceAccountWithSecret) -> bool:
    """Return whether the target of a store has exactly this secret."""
    if isinstance(new_secret, APIKeyWithSecret):
        return read_store(store.read, new_secret.key) == new_secret.value
    return read_store(store.read, new_secret.service_account) == new_secret.client_secret


def store_secret(store: Store[Any], new_secret: APIKeyWithSecret | ServiceAccountWithSecret) -> None:
    """Store the secret of what was made; an exception that ``store`` raises does not show the secret."""
    try:
        with LeaveOutChanges():
            call_store(store, new_secret)
    except BaseException as error:
        if (substitute := mask_secret(error, new_secret)) is None:
            raise
    else:
        return
    raise substitute  # outside of the except clause, which would link the exception that shows the secret


def update_key(run: Run, key: APIKey, final: APIKey) -> APIKey:
    """Give a key its final name and roles; nothing is sent if it has them."""
    if key == final:
        return key
    names = (final.name, key.name) if key.name != final.name else (None, None)
    roles = (tuple(final.roles), tuple(key.roles)) if key.roles != final.roles else (None, None)
    settings, before = (Settings(name=name, roles=some) for name, some in zip(names, roles, strict=True))
    change = Change(action="update", target=run.refer_to(key), settings=settings, before=before)
    return cast("APIKey", run.do(change, preview=final))


def delete_left_keys(run: Run, leftovers: Sequence[APIKey]) -> list[Ref]:
    """Delete keys that interrupted runs left, except what was renamed since, which belongs to a run in progress."""
    deleted: list[Ref] = []
    for each in leftovers:
        with run.ignore_gone(run.refer_to(each)):
            if has_kept_name(run, each):
                run.do(Change(action="delete", target=run.refer_to(each), reason=LEFTOVER))
                deleted.append(run.refer_to(each))
    return deleted


def has_kept_name(run: Run, key: APIKey) -> bool:
    """Return whether a key still has the name that it was listed with; if not, it belongs to a run in progress."""
    return run.dry_run or (run.admin.api_keys.describe(api_key_id=key.id)).name == key.name


def note_deleted(run: Run, stored: APIKey | ServiceAccount) -> None:
    """Note on an error that somebody deleted what the stored secret belongs to, in place of how to go on with it."""
    kind, secret = ("API key", "value") if isinstance(stored, APIKey) else ("service account", "secret")
    run.keep(f"the {secret} of {kind} {stored.id} is stored, but somebody deleted the {kind.split()[-1]}")


def complete_or_create_account(
    run: Run,
    *,
    name: str,
    roles: tuple[RoleAt, ...] | None,
    leftovers: Sequence[ServiceAccount],
    store: Store[ServiceAccountWithSecret] | None,
    client_id: str | None,
) -> ServiceAccountWithSecret | ServiceAccount | None:
    """Complete or create a service account as ``complete_or_create_key`` does a key.

    Args:
        run: The run.
        name: Its final name.
        roles: Its roles; None for none, the server's default.
        leftovers: Service accounts that interrupted runs left.
        store: Stores the secret; None if nobody does.
        client_id: Client id of the caller, if the client has only a token.

    Returns:
        The account; None if a dry run would create it.
    """
    if (stored := _find_stored_account(leftovers, name, store)) is not None:
        wanted = build_role_bindings(roles or ())
        policy = DifferencePolicy(run.operation, "update", revoke_unlisted=True)
        reconcile_bindings(run, stored, wanted=wanted, policy=policy, client_id=client_id)
        account = _rename_account(run, stored, name)
        _delete_left_accounts(run, [each for each in leftovers if each.id != stored.id], client_id)
        return account
    check_unused(store)
    create = Change(
        action="create",
        target=Ref("service_account", name),
        settings=Settings(name=tag_as_unfinished(name, run.mark)),
        roles=roles or (),
    )
    created = cast("ServiceAccountWithSecret | None", run.create_secret(create))
    if created is not None and store is not None:
        account = created.service_account
        kept = (
            f"service account {account.id} is kept because its secret is stored; the next run finishes the work, or "
            "stores the secret of a new account and then deletes this one"
        )
        named = evolve(created, service_account=evolve(account, name=name))
        _store_and_keep(run, store, named, then_keep=kept)
    _delete_left_accounts(run, leftovers, client_id)
    if created is None:
        target = Ref("service_account", create.settings.name)
        before, settings = (Settings(name=each) for each in (target.name, name))
        run.do(Change(action="update", target=target, settings=settings, before=before))
        return None
    try:
        final = _rename_account(run, created.service_account, name)
    except NotFoundError:
        if store is not None and run.is_gone(created.service_account.id):
            note_deleted(run, created.service_account)
        raise
    return evolve(created, service_account=final)


def _find_stored_account(
    leftovers: Sequence[ServiceAccount], name: str, store: Store[ServiceAccountWithSecret] | None
) -> ServiceAccount | None:
    """Return the account whose secret an interrupted run has stored, as ``find_stored_key`` returns a key."""
    if isinstance(store, ReadableStore):
        for account in leftovers:
            if read_store(store.read, evolve(account, name=name)) is not None:
                return account
    return None


def _rename_account(run: Run, account: ServiceAccount, name: str) -> ServiceAccount:
    settings, before = Settings(name=name), Settings(name=account.name)
    change = Change(action="update", target=run.refer_to(account), settings=settings, before=before)
    return cast("ServiceAccount", run.do(change, preview=evolve(account, name=name)))


def _delete_left_accounts(run: Run, leftovers: Sequence[ServiceAccount], client_id: str | None) -> None:
    """Delete service accounts that interrupted runs left, as ``delete_left_keys`` does keys; the caller's own stays."""
    for each in leftovers:
        delete = Change(action="delete", target=run.refer_to(each), reason=LEFTOVER)
        caller = find_caller(run.admin, client_id, operation=run.operation)
        accounts = list_accounts_to_judge(run.admin, caller, [each])
        if (reason := explain_own(each, caller, accounts)) is not None:
            run.skip(delete, reason)
            continue
        with run.ignore_gone(run.refer_to(each)):
            if run.dry_run or (run.admin.service_accounts.describe(service_account_id=each.id)).name == each.name:
                run.do(delete)
