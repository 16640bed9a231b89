"""Make what has a secret, so that the secret is in hand or nothing is left: what the other workflows build on.

Names that only workflows use tell what is under way. What a run that died left under such a name is removed once
another secret is stored, and not before: its own may have been stored.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from pinecone_admin._concurrency import PollBackoff, async_call_store
from pinecone_admin.errors import ForbiddenError, LeftoverError, NotFoundError, PineconeError
from pinecone_admin.models import (
    APIKey,
    APIKeyRole,
    APIKeyWithSecret,
    RoleBindingInput,
    ServiceAccount,
    ServiceAccountWithSecret,
)

if TYPE_CHECKING:
    from pinecone_admin._async.client import AsyncAdmin

_T = TypeVar("_T")

Store: TypeAlias = Callable[[_T], Awaitable[None] | None]
"""Keeps a secret; if it raises, it must not have kept it."""

_LISTING_TIMEOUT = 5.0
"""Seconds within which a list shows what was created."""


def may_exist(error: PineconeError) -> bool:
    """Tell whether what a failed create asked for may be there."""
    return error.outcome in {"unknown", "done"}


async def create_stored_key(
    admin: AsyncAdmin,
    *,
    project_id: str,
    name: str,
    roles: Sequence[APIKeyRole] | None,
    store: Store[APIKeyWithSecret] | None,
) -> tuple[APIKeyWithSecret, list[str]]:
    """Make a key under a name that only workflows use, have its value stored, and delete those that died runs left.

    The second value says what was deleted.
    """
    leftovers = await list_keys_named(admin, project_id=project_id, name=name)
    deleted: list[str] = []
    try:
        made = await create_key(admin, project_id=project_id, name=name, roles=roles, existing=leftovers)
    except ForbiddenError:
        if not leftovers:
            raise
        deleted = await delete_leftover_keys(admin, leftovers)  # the quota may have no room for another beside them
        leftovers = []
        made = await create_key(admin, project_id=project_id, name=name, roles=roles)
    try:
        if store is not None:
            await async_call_store(store, made)
    except Exception as error:
        await roll_back(error, _describe_key(made.key), admin.api_keys.delete, api_key_id=made.key.id)
        raise
    return made, deleted + await delete_leftover_keys(admin, leftovers)


async def create_key(
    admin: AsyncAdmin,
    *,
    project_id: str,
    name: str,
    roles: Sequence[APIKeyRole] | None,
    existing: Sequence[APIKey] = (),
) -> APIKeyWithSecret:
    """Create a key besides those of the name; one whose value was lost is deleted, and another created."""
    before = {key.id for key in existing}

    async def find_orphans() -> list[APIKey]:
        return [key for key in await list_keys_named(admin, project_id=project_id, name=name) if key.id not in before]

    backoff = PollBackoff(admin.timeout)
    while True:
        try:
            return await admin.api_keys.create(project_id=project_id, name=name, roles=roles)
        except PineconeError as error:
            if not may_exist(error):
                raise
            lost_response = error
        for key in await poll_until_listed(find_orphans):
            await roll_back(lost_response, _describe_key(key), admin.api_keys.delete, api_key_id=key.id)
        if not await backoff.async_wait():
            raise lost_response


async def delete_leftover_keys(admin: AsyncAdmin, leftovers: Sequence[APIKey]) -> list[str]:
    """Delete what runs that died left; not what has got another name since, from a run that is alive."""
    deleted: list[str] = []
    for key in leftovers:
        with suppress(NotFoundError):
            if (await admin.api_keys.describe(api_key_id=key.id)).name == key.name:
                await admin.api_keys.delete(api_key_id=key.id)
                deleted.append(f"deleted key {key.id}, which an earlier run left")
    return deleted


def _describe_key(key: APIKey) -> str:
    return f"API key {key.id} of project {key.project_id}"


async def list_keys_named(admin: AsyncAdmin, *, project_id: str, name: str) -> list[APIKey]:
    """List the keys of a project that have a name."""
    return [key for key in await admin.api_keys.list(project_id=project_id) if key.name == name]


async def create_stored_account(
    admin: AsyncAdmin,
    *,
    name: str,
    role_bindings: Sequence[RoleBindingInput] | None = None,
    store: Store[ServiceAccountWithSecret] | None = None,
) -> ServiceAccountWithSecret:
    """Make a service account as ``make_key`` makes a key; one whose secret was lost is kept, and its secret rotated."""
    leftovers = await list_accounts_named(admin, name)
    made = await _obtain_account_secret(admin, leftovers, name=name, role_bindings=role_bindings)
    try:
        if store is not None:
            await async_call_store(store, made)
    except Exception as error:
        account_id = made.service_account.id
        description = f"service account {account_id}"
        await roll_back(error, description, admin.service_accounts.delete, service_account_id=account_id)
        raise
    for account in leftovers:
        if account.id != made.service_account.id:
            await delete_if_exists(admin.service_accounts.delete, service_account_id=account.id)
    return made


async def _obtain_account_secret(
    admin: AsyncAdmin,
    find_orphans: Sequence[ServiceAccount],
    *,
    name: str,
    role_bindings: Sequence[RoleBindingInput] | None,
) -> ServiceAccountWithSecret:
    async def list_named() -> list[ServiceAccount]:
        return await list_accounts_named(admin, name)

    backoff = PollBackoff(admin.timeout)
    while True:
        try:
            if find_orphans:
                return await admin.service_accounts.rotate_secret(service_account_id=find_orphans[0].id)
            return await admin.service_accounts.create(name=name, role_bindings=role_bindings)
        except PineconeError as error:
            if not may_exist(error):
                raise
            lost_response = error
        find_orphans = await poll_until_listed(list_named)
        if not await backoff.async_wait():
            raise lost_response


async def list_accounts_named(admin: AsyncAdmin, name: str) -> list[ServiceAccount]:
    """List the service accounts that have a name."""
    return [account async for account in admin.service_accounts.list() if account.name == name]


async def poll_until_listed(list_named: Callable[[], Awaitable[_T]]) -> _T:
    """Look again where nothing is found: a list may show what was created only after a while."""
    backoff = PollBackoff(_LISTING_TIMEOUT)
    while True:
        found = await list_named()
        if found or not await backoff.async_wait():
            return found


async def delete_if_exists(delete: Callable[..., Awaitable[None]], **arguments: object) -> None:
    """Delete something; that it is gone already is as good."""
    with suppress(NotFoundError):
        await delete(**arguments)


async def roll_back(
    error: BaseException | None, description: str, delete: Callable[..., Awaitable[None]], **arguments: object
) -> None:
    """Delete what was made before a failure, or only for a while; a note of the failure says so.

    Raises:
        LeftoverError: It could not be deleted.
    """
    try:
        await delete_if_exists(delete, **arguments)
    except PineconeError as exc:
        before = f", after: {error}" if error is not None else ""
        raise LeftoverError(f"{description} could not be deleted: {exc}{before}", left=[description]) from (
            error or exc
        )
    if error is not None:
        error.add_note(f"{description} was deleted again")
