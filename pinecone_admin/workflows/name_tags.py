"""Name tags that mark unfinished work of a workflow, so that a later run recognizes it without stored state.

A tag is ``~purpose:digest``, in front of the name: ``~rotates:1f0c2a9b reader``.

- ``makes``: a resource that is being created; digest of its final name.
- ``rotates``: the new key of a rotation; digest of the id of the old key.
- ``retired``: an old key whose successor is stored; digest of the id of the new key.
- ``empties``: a temporary key; digest of the id of its project.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from hashlib import blake2b

MAX_NAME_LENGTH = 80
"""Limit of the API: characters in the name of a key, UTF-8 bytes in the name of a service account."""

_KEPT_LENGTH = 60
_ELLIPSIS = "…"
_TAG = re.compile(r"~(makes|rotates|retired|empties):[0-9a-f]{8} ")


def name_tag(purpose: str, subject: str) -> str:
    """Return the tag of a purpose and its subject, which is a name or an id."""
    return f"~{purpose}:{blake2b(subject.encode(), digest_size=4).hexdigest()} "


def parse_purpose(name: str) -> str | None:
    """Return the purpose in the tag of a name, or None if it has no tag."""
    match = _TAG.match(name)
    return match[1] if match else None


def retired_until(name: str) -> datetime | None:
    """Return the moment from which a retired key may be deleted, or None if the name is not that of a retired key."""
    match = re.match(r"~delete-after:(\d{8}T\d{4})Z:[0-9a-f]{8} ", name, re.ASCII)
    try:
        return match and datetime.strptime(match[1], "%Y%m%dT%H%M").replace(tzinfo=UTC)
    except ValueError:  # typed by hand: there is no such minute
        return None


def tag_as_being_made(name: str) -> str:
    """Return the temporary name of a resource that is being created, cut to both limits of ``MAX_NAME_LENGTH``."""
    return (name_tag("makes", name) + name).encode()[:MAX_NAME_LENGTH].decode(errors="ignore")


def tag_as_emptying(project_id: str) -> str:
    """Return the name of the temporary key that empties a project."""
    return f"{name_tag('empties', project_id)}temporary"


def tag_as_successor(old_id: str, name: str) -> str:
    """Return the temporary name of the key that replaces an old one.

    A name longer than 60 characters is split: the name of the old key keeps the first 60, and this name holds the rest.
    """
    return name_tag("rotates", old_id) + (name[_KEPT_LENGTH:] or name)


def tag_as_retired(new_id: str, name: str) -> str:
    """Return the name of the old key once the value of the new one is stored."""
    return name_tag("retired", new_id) + (name if len(name) <= _KEPT_LENGTH else name[:_KEPT_LENGTH] + _ELLIPSIS)


def original_name(old_name: str, new_name: str = "") -> str:
    """Return the original name of an old key, from its present name and that of its successor."""
    head = _TAG.sub("", old_name)
    if head == old_name or len(head) <= _KEPT_LENGTH:
        return head
    return head[:_KEPT_LENGTH] + _TAG.sub("", new_name)
