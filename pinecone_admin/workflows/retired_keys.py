"""Decide which key holds a name during a rotation, and which old or temporary keys may be deleted.

The new key of a rotation is at first an *unfinished successor*. Its tag ``~rotates:`` contains the id of the old key,
and its value may not be stored. Once the value is stored, the rotation retires the old key. The tag ``~delete-after:``
of the old key then contains the id of the new key, which is now its *successor*. Finally the successor gets the name of
the old key. A *leftover* is an unfinished successor of an earlier rotation.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from attrs import evolve

from generated_client.models import APIKey, ServiceAccount
from pinecone_admin._text.moments import describe_minute
from pinecone_admin._text.quoting import quote_name
from pinecone_admin.workflows import name_tags
from pinecone_admin.workflows.resources import Resource

UNFINISHED = (
    "another workflow created it and has not finished; wait for that workflow, or run it again if it was interrupted"
)
"""Why a key with the temporary name of another workflow is not rotated."""

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)
_T = TypeVar("_T", bound=Resource)


def time_of_deletion(now: datetime, keep_old_for: timedelta) -> datetime:
    """Return the first minute when an old key may be deleted, rounded up so that it is never deleted early."""
    if not keep_old_for:
        return now.replace(second=0, microsecond=0)
    late = now + keep_old_for + _MINUTE - timedelta(microseconds=1)
    return late.replace(second=0, microsecond=0)


def delete_after(key: APIKey) -> datetime | None:
    """Return when a retired or temporary key may be deleted, or None if it is neither."""
    tag = name_tags.parse_tag(key.name)
    return None if tag is None else tag.delete_after or expiry_of_temporary_key(key)


def expiry_of_temporary_key(key: APIKey) -> datetime | None:
    """Return when a temporary key may be deleted, or None for other keys. Its tag contains the id of its project."""
    tag = name_tags.parse_tag(key.name)
    return tag.lives_until if tag is not None and tag.refers_to(key.project_id) else None


def find_successor(old: APIKey, keys: Sequence[APIKey]) -> APIKey | None:
    """Return the successor of an old key, or None if it does not exist or the old key is not retired."""
    tag = name_tags.parse_tag(old.name)
    if tag is None or tag.delete_after is None:
        return None
    return next((key for key in keys if tag.refers_to(key.id)), None)


def find_predecessor(new: APIKey, keys: Sequence[APIKey]) -> APIKey | None:
    """Return the old key that a key replaces, if the successor does not have its name yet; otherwise None."""
    if not name_tags.has_purpose(new.name, "rotates"):
        return None
    return next((key for key in keys if (found := find_successor(key, keys)) is not None and found.id == new.id), None)


def finish_successor(old: APIKey, new: APIKey) -> APIKey:
    """Return a new key as its rotation leaves it: with the name of the old key, and the roles that this has by then.

    If somebody has revoked all of them, it keeps its own: a key cannot be updated to have none.
    """
    if not name_tags.has_purpose(new.name, "rotates"):
        return new
    roles = new.roles if not old.roles or set(new.roles) == set(old.roles) else old.roles
    return evolve(new, name=name_tags.original_name(old.name, new.name), roles=roles)


def hold_end_of_name(new: APIKey, old: APIKey, name: str) -> APIKey:
    """Return an unfinished successor with the end of a long name that the old key has got since, for its own name."""
    tag = name_tags.parse_tag(new.name)
    if tag is None or name_tags.original_name(name_tags.tag_as_retired(new.id, name, _EPOCH), new.name) == name:
        return new
    renamed = name_tags.tag_as_successor(old.id, name, tag.mark)
    return evolve(
        new, name=renamed if tag.value_digest is None else name_tags.add_value_digest(renamed, tag.value_digest)
    )


def find_successors_to_rename(keys: Sequence[APIKey]) -> dict[str, APIKey]:
    """Return each successor that has no name yet, by its id, as it would be with the name."""
    pairs = [(old, find_successor(old, keys)) for old in keys]
    return {
        new.id: finish_successor(old, new)
        for old, new in pairs
        if new is not None and name_tags.has_purpose(new.name, "rotates")
    }


def find_keys_by_name(name: str, keys: Sequence[APIKey]) -> list[APIKey]:
    """Return the keys that hold a name, including a new key that an interrupted rotation has not renamed."""
    renamed = find_successors_to_rename(keys)
    return [key for key in keys if renamed.get(key.id, key).name == name]


def is_unfinished_successor(key: APIKey, old: APIKey) -> bool:
    """Return whether a key is the new key of a rotation of ``old`` that has not finished."""
    tag = name_tags.parse_tag(key.name)
    return tag is not None and tag.purpose == "rotates" and tag.refers_to(old.id)


def find_orphans(keys: Sequence[APIKey]) -> list[APIKey]:
    """Return the new keys of interrupted rotations whose old keys no longer exist."""
    unnamed = (key for key in keys if name_tags.has_purpose(key.name, "rotates"))
    return [key for key in unnamed if not any(is_unfinished_successor(key, old) for old in keys)]


def find_concurrent_rotation(
    old: APIKey, new: APIKey, leftovers: Sequence[APIKey], keys: Sequence[APIKey]
) -> str | None:
    """Return what shows that another rotation of an old key is in progress or has finished, or None.

    Args:
        old: The old key, as it was when the rotation began.
        new: The new key of this rotation.
        leftovers: The unfinished successors that existed when the rotation began; another rotation renames its own.
        keys: The keys of the project now.
    """
    present = next((key for key in keys if key.id == old.id), None)
    if present is None:
        return "somebody deleted it during this call"
    if present.name != old.name:
        return f"somebody renamed it to {quote_name(present.name)} during this call"
    known = {(key.id, key.name) for key in leftovers}
    for key in keys:
        if key.id != new.id and is_unfinished_successor(key, old) and (key.id, key.name) not in known:
            return f"another run has begun to rotate it, and created key {key.id}"
    return None


def find_namesake(old: APIKey, new: APIKey, before: Sequence[APIKey], keys: Sequence[APIKey]) -> APIKey | None:
    """Return another key that has got the name of the new key during the rotation, or None.

    A key that replaced another one of this name does not count: it was rotated at the same time. Which key replaced one
    that is gone is not seen, so each key that is gone accounts for one.

    Args:
        old: The old key.
        new: The new key, with its final name.
        before: The keys of the project when the rotation began.
        keys: The keys of the project now.
    """
    namesakes = [key for key in find_keys_by_name(new.name, before) if key.id not in {old.id, new.id}]
    present = {key.id: key for key in keys}
    remaining = [present[key.id] for key in namesakes if key.id in present]
    known = {new.id, *(each.id for key in remaining for each in _follow_successors(key, keys))}
    others = [key for key in keys if key.name == new.name and key.id not in known]
    if (again := next((key for key in others if key.id == old.id), None)) is not None:
        return again
    return next(iter(others[len(namesakes) - len(remaining) :]), None)


def is_temporary_key(key: APIKey) -> bool:
    """Return whether a key is the temporary one of a workflow or a caller, also one that is named as before 0.4."""
    tag = name_tags.parse_tag(key.name)
    return tag is not None and tag.purpose in {"empties", "lives-until"} and tag.refers_to(key.project_id)


def find_overdue_temporary_keys(keys: Sequence[APIKey], now: datetime | None) -> list[APIKey]:
    """Return the temporary keys that killed processes left.

    Their time is over, or they are named as before 0.4, without a time.

    Args:
        keys: The keys.
        now: The server's time, or None if it is unknown.
    """
    ends = [(key, expiry_of_temporary_key(key)) for key in keys if is_temporary_key(key)]
    return [key for key, end in ends if end is None or (now is not None and end <= now)]


def find_obstacle(old: APIKey, keys: Sequence[APIKey]) -> str | None:
    """Return why an old key must not be deleted even when it is due, or None.

    The last of its successors must have a name without a tag.
    """
    last = _follow_successors(old, keys)[-1]
    tag = name_tags.parse_tag(last.name)
    if tag is None:
        return None
    if tag.delete_after is None:
        return f"key {last.id} replaced it, and is still named {quote_name(last.name)}"
    replaced, rotated = ("it", "it") if last.id == old.id else (last.id, last.id)
    unseen = f"the key that replaced {replaced} does not exist, or cannot be seen"
    return f"{unseen}: rotate {rotated} again, or delete this key"


def reason_to_keep(old: APIKey, keys: Sequence[APIKey], now: datetime) -> str | None:
    """Return why a retired or temporary key is not deleted now, or None if it is."""
    moment, is_temporary = delete_after(old), expiry_of_temporary_key(old) is not None
    if moment is None:
        return "it was renamed"
    if now < moment:
        return f"it is {'temporary, and kept' if is_temporary else 'kept'} until {describe_minute(moment)}"
    return None if is_temporary else find_obstacle(old, keys)


def find_due_ancestors(old: APIKey, keys: Sequence[APIKey], now: datetime) -> list[APIKey]:
    """Return the keys that earlier rotations replaced on the way to an old key and that are due, oldest first."""
    return [
        key
        for key in sort_retired(keys)
        if key.id != old.id
        and any(each.id == old.id for each in _follow_successors(key, keys))
        and (moment := delete_after(key)) is not None
        and moment <= now
    ]


def sort_retired(keys: Sequence[APIKey]) -> list[APIKey]:
    """Return retired and temporary keys in the order of their deletion: oldest first, and each before its successor."""

    def position(key: APIKey) -> tuple[datetime, int]:
        moments = [moment for each in _follow_successors(key, keys) if (moment := delete_after(each)) is not None]
        return min(moments), -len(moments)

    return sorted((key for key in keys if delete_after(key) is not None), key=position)


def rename_predecessors(old: APIKey, keys: Sequence[APIKey]) -> dict[str, APIKey]:
    """Return the keys that an old key replaced, by id, with the names that refer to its successor."""
    new = find_successor(old, keys)
    renamed: dict[str, APIKey] = {}
    for key in keys:
        moment, successor = delete_after(key), find_successor(key, keys)
        if new is not None and moment is not None and successor is not None and successor.id == old.id:
            name = name_tags.tag_as_retired(new.id, name_tags.original_name(key.name), moment)
            renamed[key.id] = evolve(key, name=name)
    return renamed


def separate_unfinished(found: Sequence[_T], names: Iterable[str]) -> tuple[list[_T], list[_T]]:
    """Return the finished resources, and separately the keys and accounts of unfinished runs.

    A new key that an interrupted rotation has not renamed counts as finished, with its final name.

    Args:
        found: The keys of a project, or all of another kind.
        names: Names in the file, because the name after a tag may be truncated.
    """
    keys = [each for each in found if isinstance(each, APIKey)]
    unnamed: dict[str, Any] = dict(find_successors_to_rename(keys))
    created = [each for each in found if isinstance(each, APIKey | ServiceAccount) and each.id not in unnamed]
    aside = {each.id for each in created if _belongs_to_unfinished_run(each, keys, names)}
    present = [unnamed.get(each.id, each) for each in found if each.id not in aside]
    return present, [each for each in found if each.id in aside]


def _belongs_to_unfinished_run(found: APIKey | ServiceAccount, keys: Sequence[APIKey], names: Iterable[str]) -> bool:
    """Return whether a name is a temporary name of a run that is in progress or was interrupted."""
    tag = name_tags.parse_tag(found.name)
    if tag is None:
        return False
    if tag.purpose == "makes":
        return any(name_tags.is_temporary_name_of(found.name, each) for each in (tag.rest, *names))
    if not isinstance(found, APIKey):
        return False
    if tag.delete_after is not None:
        return find_successor(found, keys) is not None
    return is_temporary_key(found) or any(is_unfinished_successor(found, key) for key in keys)


def waits_for_deletion(found: APIKey, keys: Sequence[APIKey]) -> bool:
    """Return whether a key only waits for its deletion, so that no run has other work left.

    Args:
        found: The key, which has a tag.
        keys: The keys of its project.
    """
    if expiry_of_temporary_key(found) is not None:
        return True
    return delete_after(found) is not None and find_obstacle(found, keys) is None


def describe_kept_key(found: APIKey, *, now: datetime) -> str:
    """Return the kind of a key that waits for its deletion, with the time from which it may be deleted."""
    moment = delete_after(found)
    kind = "the old key of a finished rotation" if expiry_of_temporary_key(found) is None else "a temporary key"
    assert moment is not None  # noqa: S101 - a key that waits has a time
    return f"{kind}, {'kept at least until' if moment > now else 'overdue since'} {describe_minute(moment)}"


class KeyRotations:
    """The keys that rotations keep beside the keys of a project.

    Args:
        keys: The keys of the project.
    """

    def __init__(self, keys: Sequence[APIKey]) -> None:
        self._replaced = [
            (key, _follow_successors(key, keys)[-1])
            for key in sort_retired(keys)
            if expiry_of_temporary_key(key) is None
        ]
        self._unfinished = [key for key in keys if name_tags.has_purpose(key.name, "rotates")]

    def list_beside(self, name: str, found: Sequence[APIKey]) -> list[APIKey]:
        """Return the keys that a key has replaced, oldest first, and then those that were to replace it.

        Args:
            name: Name of the key.
            found: The keys of this name; none if the key itself was deleted.
        """
        ids = {each.id for each in found}
        replaced = [key for key, last in self._replaced if last.id in ids or _was_named(last, name)]
        known = ids | {each.id for each in replaced}
        left = [
            each
            for each in self._unfinished
            if each.id not in known and any(is_unfinished_successor(each, old) for old in (*replaced, *found))
        ]
        return [*replaced, *left]


def _was_named(last: APIKey, name: str) -> bool:
    """Return whether a replaced key had this name; its own successor was deleted."""
    tag = name_tags.parse_tag(last.name)
    if tag is None or tag.delete_after is None:
        return False
    known = name_tags.original_name(last.name)
    return known == name or (name_tags.is_cut(last.name) and name.startswith(known[:-1]))


def _follow_successors(old: APIKey, keys: Sequence[APIKey]) -> list[APIKey]:
    """Return the key, its successor, and so on, each once."""
    chain = [old]
    while (successor := find_successor(chain[-1], keys)) is not None and successor not in chain:
        chain.append(successor)
    return chain
