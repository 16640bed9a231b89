"""Rotate secrets: where the server allows two at once, the new one is stored before the old one is deleted."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from pinecone_admin._async.workflows.create_with_secret import (
    Store,
    create_stored_key,
    delete_if_exists,
    repeat_if_response_is_lost,
)
from pinecone_admin._concurrency.clock import async_pause_for
from pinecone_admin._concurrency.waiting import async_call_store
from pinecone_admin._http.argument_checks import async_check_function, check_duration, set_operation_on_errors
from pinecone_admin.errors import Masked, NotFoundError, RefusedError, SecretNotStoredError
from pinecone_admin.models import APIKey, APIKeyWithSecret, ServiceAccount, ServiceAccountWithSecret
from pinecone_admin.workflows import name_tags
from pinecone_admin.workflows.reports import Rotation

if TYPE_CHECKING:
    from pinecone_admin._async.client import AsyncAdmin


async def rotate_api_key(
    admin: AsyncAdmin, *, api_key_id: str, store: Store[APIKeyWithSecret], grace: float
) -> Rotation:
    """Create a new key, store its value, rename both keys, and delete the old one.

    The old key is renamed once the new value is stored, so that the next run knows that it only has to finish.
    """
    with set_operation_on_errors("rotate_api_key"):
        async_check_function("store", store)
        check_duration("grace", grace, allow_zero=True)
    steps: list[str] = []
    old = await admin.api_keys.describe(api_key_id=api_key_id)
    new = _find_successor(old, await admin.api_keys.list(project_id=old.project_id))
    if new is None:
        name = name_tags.tag_as_successor(old.id, name_tags.original_name(old.name))
        made, deleted = await create_stored_key(
            admin, project_id=old.project_id, name=name, roles=old.roles, store=store
        )
        new = made.key
        steps += [f"created key {new.id}", "stored its value", *deleted]
        # Only now: this name tells a later run that the new value is stored.
        retired = name_tags.tag_as_retired(new.id, name_tags.original_name(old.name))
        with suppress(NotFoundError):  # deleted meanwhile: the new key still has to get its name
            old = await admin.api_keys.update(api_key_id=old.id, name=retired)
    if name_tags.parse_purpose(new.name):
        new = await admin.api_keys.update(api_key_id=new.id, name=name_tags.original_name(old.name, new.name))
        steps.append(f"renamed key {new.id} to {new.name!r}")
    await async_pause_for(grace)
    await delete_if_exists(admin.api_keys.delete, api_key_id=old.id)
    steps.append(f"deleted key {old.id}")
    return Rotation(key=new, replaced=old.id, steps=steps)


def _find_successor(old: APIKey, keys: Sequence[APIKey]) -> APIKey | None:
    """Return the key whose value an earlier run has stored; the name of the old key refers to it.

    Raises:
        RefusedError: The old key belongs to another unfinished workflow.
    """
    if name_tags.parse_purpose(old.name) not in {None, "retired"}:
        message = (
            f"API key {old.id} is named {old.name!r}: another workflow created it and has not finished; wait for it, "
            "or run it again if it was interrupted"
        )
        raise RefusedError(message, operation="rotate_api_key")
    return next((key for key in keys if old.name.startswith(name_tags.name_tag("retired", key.id))), None)


async def rotate_service_account(
    admin: AsyncAdmin, *, service_account_id: str, store: Store[ServiceAccountWithSecret]
) -> ServiceAccount:
    """Rotate and store the secret; if the response is lost, rotate again, since the secret in it is lost too."""
    with set_operation_on_errors("rotate_service_account"):
        async_check_function("store", store)

    async def rotate() -> ServiceAccountWithSecret:
        return await admin.service_accounts.rotate_secret(service_account_id=service_account_id)

    made = await repeat_if_response_is_lost(admin, rotate)
    try:
        await async_call_store(store, made)
    except Exception as error:
        raise SecretNotStoredError(
            f"the new secret of service account {service_account_id} was not stored; error.secret.reveal() returns it",
            service_account_id=service_account_id,
            secret=Masked(made.client_secret),
            operation="rotate_service_account",
        ) from error
    return made.service_account
