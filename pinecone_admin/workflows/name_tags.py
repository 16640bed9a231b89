"""Names that mark what a workflow has under way, so that a later run knows it without any state of its own.

A mark is a tilde, what is being done, and a digest of what it is done for: ``~rotates:1f0c2a9b reader``.
"""

from __future__ import annotations

import re
from hashlib import blake2b

MAX_NAME_LENGTH = 80
"""Characters that the name of a key may have, and UTF-8 bytes that the name of a service account may have."""

_KEPT_LENGTH = 60
_ELLIPSIS = "…"
_TAG = re.compile(r"~(makes|rotates|retired|empties):[0-9a-f]{8} ")


def name_tag(purpose: str, subject: str) -> str:
    """Give the mark of one purpose and the name or id that it is done for."""
    return f"~{purpose}:{blake2b(subject.encode(), digest_size=4).hexdigest()} "


def parse_purpose(name: str) -> str | None:
    """Tell what a workflow has under way with what is named so."""
    match = _TAG.match(name)
    return match[1] if match else None


def tag_as_being_made(name: str) -> str:
    """Name what is being made and shall have a name; both limits hold where it is cut."""
    return (name_tag("makes", name) + name).encode()[:MAX_NAME_LENGTH].decode(errors="ignore")


def tag_as_emptying(project_id: str) -> str:
    """Name the temporary key that empties a project."""
    return f"{name_tag('empties', project_id)}temporary"


def tag_as_successor(old_id: str, name: str) -> str:
    """Name the key that shall take the name of an old one; where both do not fit, the old one keeps the beginning."""
    return name_tag("rotates", old_id) + (name[_KEPT_LENGTH:] or name)


def tag_as_retired(new_id: str, name: str) -> str:
    """Name the old key once the value of the new one is stored."""
    return name_tag("retired", new_id) + (name if len(name) <= _KEPT_LENGTH else name[:_KEPT_LENGTH] + _ELLIPSIS)


def original_name(old: str, new: str = "") -> str:
    """Give the name that the old key has or had, from its name now and from that of the key which follows it."""
    head = _TAG.sub("", old)
    if head == old or len(head) <= _KEPT_LENGTH:
        return head
    return head[:_KEPT_LENGTH] + _TAG.sub("", new)
