# Derived from pinecone_admin/_async/workflows/rename_key.py by scripts/unasync.py: change that, not this file.
"""Rename a key of a rotation."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pinecone_admin._sync.workflows.change_log import ChangeLog
from pinecone_admin.models import APIKey
from pinecone_admin.workflows.steps import describe_rename

if TYPE_CHECKING:
    from pinecone_admin._sync.client import Admin


def rename_key(admin: Admin, key: APIKey, final: APIKey, changes: ChangeLog) -> APIKey:
    """Give a key its final name and roles; nothing is sent if it has them."""
    if key == final:
        return key
    roles = final.roles if final.roles != key.roles else None
    rename = partial(admin.api_keys.update, api_key_id=key.id, name=final.name, roles=roles)
    return changes.apply(describe_rename(key, final), rename, preview=final)
