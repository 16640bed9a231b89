"""Rename a key of a rotation."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pinecone_admin._async.workflows.change_log import AsyncChangeLog
from pinecone_admin.models import APIKey
from pinecone_admin.workflows.steps import describe_rename

if TYPE_CHECKING:
    from pinecone_admin._async.client import AsyncAdmin


async def rename_key(admin: AsyncAdmin, key: APIKey, final: APIKey, changes: AsyncChangeLog) -> APIKey:
    """Give a key its final name and roles; nothing is sent if it has them."""
    if key == final:
        return key
    roles = final.roles if final.roles != key.roles else None
    rename = partial(admin.api_keys.update, api_key_id=key.id, name=final.name, roles=roles)
    return await changes.apply(describe_rename(key, final), rename, preview=final)
