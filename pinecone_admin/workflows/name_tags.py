"""Name tags that mark unfinished work of a workflow, so that a later run recognizes it without stored state.

A tag is in front of the name: ``~rotates:1f0c2a9b reader``. Each ends with a digest of its subject:

- ``~makes:``: a resource that is being created; digest of its final name. The random mark of the run follows, and then
  perhaps a digest of the value of a key: ``~makes:1f0c2a9b:m04be6a1f:5d2e8f01 reader``. Before 0.4, runs had no mark.
- ``~rotates:``: the new key of a rotation; digest of the id of the old key, and the same two.
- ``~delete-after:20261203T0545Z:``: an old key whose successor is stored, and the UTC minute from which it may be
  deleted; digest of the id of the new key.
- ``~lives-until:20261203T0545Z:``: a temporary key, and the UTC minute from which it may be deleted unless it is
  renewed; digest of the id of its project. The random mark of the run is the end of the name.
- ``~empties:``: before 0.4, a temporary key that emptied a project; digest of the id of its project.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from hashlib import blake2b

from attrs import frozen

from pinecone_admin._http.argument_checks import value_error
from pinecone_admin._http.lookup import is_same_name, normalize_name
from pinecone_admin._text.quoting import quote_name

MAX_NAME_LENGTH = 80
"""Limit of the API: characters in the name of a key, UTF-8 bytes in the name of a service account."""

_KEPT_LENGTH = 41
"""Characters of a name that fit after the longest tag, with an ellipsis."""

_MINUTE = "%Y%m%dT%H%MZ"
# Only after the first two purposes may a mark and the digest of a value follow.
_TAG = re.compile(
    r"~(?:(makes|rotates)|(empties)|(delete-after|lives-until):(\d{8}T\d{4}Z)):([0-9a-f]{8})"
    r"(?(1)(?::m([0-9a-f]{8}))?(?::([0-9a-f]{8}))?) ",
    re.ASCII,
)

_MEANINGS: Mapping[str, str] = {
    "makes": "unfinished",
    "rotates": "unfinished",
    "delete-after": "old",
    "empties": "temporary",
}
"""A word for each other purpose of a tag."""


@frozen
class NameTag:
    """A tag in front of a name.

    Attributes:
        purpose: The use of the resource, as in the list above.
        digest: Digest of the subject.
        mark: A mark of the run that created the resource; empty if the tag has none.
        value_digest: Digest of the value of a key; None if the tag has none.
        delete_after: When an old key may be deleted; None for other purposes.
        lives_until: When a temporary key may be deleted, unless it is renewed; None for other purposes.
        rest: The name after the tag.
    """

    purpose: str
    digest: str
    mark: str
    value_digest: str | None
    delete_after: datetime | None
    lives_until: datetime | None
    rest: str

    def refers_to(self, subject: str) -> bool:
        """Return whether this is the digest of a subject, which is a name or an id."""
        return self.digest == digest_value(subject)


def check_untagged(name: str) -> None:
    """Raise PineconeValueError if a name has a tag: a workflow would take what has it for unfinished work."""
    if parse_tag(name) is not None:
        raise value_error("name", f"must not have the form of a temporary name, as {quote_name(name)} is")


def has_purpose(name: str, purpose: str) -> bool:
    """Return whether a name has a tag of this purpose."""
    tag = parse_tag(name)
    return tag is not None and tag.purpose == purpose


def parse_tag(name: str) -> NameTag | None:
    """Return the tag of a name, or None if it has no valid one."""
    match = _TAG.match(name)
    if match is None:
        return None
    try:
        moment = datetime.strptime(match[4], _MINUTE).replace(tzinfo=UTC) if match[4] else None
    except ValueError:  # typed by hand: there is no such minute
        return None
    return NameTag(
        purpose=match[1] or match[2] or match[3],
        digest=match[5],
        mark=match[6] or "",
        value_digest=match[7],
        delete_after=moment if match[3] == "delete-after" else None,
        lives_until=moment if match[3] == "lives-until" else None,
        rest=name[match.end() :],
    )


def tag_as_unfinished(name: str, mark: str = "") -> str:
    """Return the temporary name of a resource that is being created, cut to both limits of ``MAX_NAME_LENGTH``.

    It is the same for each form of the name, since a server may change the form, and the next run may have another one.
    """
    name = normalize_name(name)
    return (name_tag("makes", name, mark) + name).encode()[:MAX_NAME_LENGTH].decode(errors="ignore")


def is_temporary_name_of(tagged_name: str, name: str) -> bool:
    """Return whether a name is the temporary one of a resource that is to have another name."""
    tag = parse_tag(tagged_name)
    if tag is None:
        return False
    being_made = tag_as_unfinished(name, tag.mark)
    wanted = being_made if tag.value_digest is None else add_value_digest(being_made, tag.value_digest)
    return is_same_name(tagged_name, wanted)  # a server may trim it where it was cut


def add_value_digest(tagged_name: str, value_digest: str) -> str:
    """Return the temporary name of a key with the digest of its value, which tells a later run whether it is stored."""
    tag, _, rest = tagged_name.partition(" ")
    return f"{tag}:{value_digest} {rest}"[:MAX_NAME_LENGTH]


def tag_as_temporary(project_id: str, lives_until: datetime, mark: str) -> str:
    """Return the name of a temporary key of a project.

    Args:
        project_id: Id of the project.
        lives_until: The first minute when the key may be deleted.
        mark: A text that distinguishes it from the other temporary keys of the project, at most 30 characters.
    """
    return f"{name_tag(f'lives-until:{lives_until.astimezone(UTC):{_MINUTE}}', project_id)}temporary {mark}"


def tag_as_successor(old_id: str, name: str, mark: str = "") -> str:
    """Return the temporary name of the key that replaces an old one.

    A name longer than 41 characters is split: the name of the old key keeps the first 41, and this name holds the rest.
    """
    return name_tag("rotates", old_id, mark) + (name[_KEPT_LENGTH:] or name)


def tag_as_retired(new_id: str, name: str, delete_after: datetime) -> str:
    """Return the name of the old key once the value of the new one is stored."""
    kept = name if len(name) <= _KEPT_LENGTH else name[:_KEPT_LENGTH] + "…"
    return name_tag(f"delete-after:{delete_after.astimezone(UTC):{_MINUTE}}", new_id) + kept


def original_name(old_name: str, new_name: str = "") -> str:
    """Return the original name of an old key, from its present name and that of its successor."""
    old, new = parse_tag(old_name), parse_tag(new_name)
    if old is None:
        return old_name
    if len(old.rest) <= _KEPT_LENGTH or new is None:
        return old.rest
    return old.rest[:_KEPT_LENGTH] + new.rest


def describe_name(name: str, show: Callable[[str], str] = str) -> str:
    """Return a name as people see it: without its tag, and with what the tag means, such as ``reader (old)``.

    Args:
        name: The name.
        show: Returns the name without its tag as it is shown.
    """
    tag = parse_tag(name)
    if tag is None:
        return show(name)
    # The rest of the name of a temporary key says that it is one.
    return show(tag.rest) if tag.purpose == "lives-until" else f"{show(tag.rest)} ({_MEANINGS[tag.purpose]})"


def is_cut(old_name: str) -> bool:
    """Return whether the name of an old key lacks its end, which only the name of its successor holds."""
    tag = parse_tag(old_name)
    return tag is not None and tag.delete_after is not None and len(tag.rest) > _KEPT_LENGTH


def name_tag(purpose: str, subject: str, mark: str = "") -> str:
    """Return the tag of a purpose and its subject, which is a name or an id, with the mark of a run if there is one."""
    return f"~{purpose}:{digest_value(subject)}{mark and f':m{mark}'} "


def digest_value(subject: str) -> str:
    """Return eight hexadecimal digits by which a later run recognizes a name, an id or the value of a key."""
    return blake2b(subject.encode(errors="surrogatepass"), digest_size=4).hexdigest()
