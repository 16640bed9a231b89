"""Decide which API keys are to be rotated by their age, or because a rotation of them was interrupted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from attrs import frozen

from generated_client.models import APIKey
from pinecone_admin._http.server_clock import plausible_date
from pinecone_admin.workflows.name_tags import has_purpose, parse_tag
from pinecone_admin.workflows.retired_keys import is_unfinished_successor
from pinecone_admin.workflows.roles import find_key_date


@frozen(kw_only=True)
class DueKeys:
    """The keys of a project, by whether they are to be rotated.

    Attributes:
        due: Keys to rotate: first those whose rotation was interrupted, then the oldest.
        unknown_age: Keys that may be due: nothing shows when they were created, or only a role binding that may be
            younger.
        young: All others that can be due one day.
        unfinished: Keys that are old enough, but were created by a workflow that has not finished, so that their values
            may not be stored.
    """

    due: list[APIKey]
    unknown_age: list[APIKey]
    young: list[APIKey]
    unfinished: list[APIKey]


def find_rotatable_keys(keys: Iterable[APIKey]) -> list[APIKey]:
    """Return the keys without a tag. Another one is temporary or retired, or its workflow has not finished."""
    return [key for key in keys if parse_tag(key.name) is None]


def find_due_keys(
    keys: Sequence[APIKey], oldest_bindings: Mapping[str, datetime], *, now: datetime, older_than: timedelta
) -> DueKeys:
    """Return which keys of a project are due.

    Args:
        keys: All keys of the project.
        oldest_bindings: When the oldest role binding of each key was created, by the id of the key; needed of keys
            without a ``created_at`` that can be right.
        now: The server's time.
        older_than: Age above which a key is due.
    """
    dates = {key.id: find_key_date(key, oldest_bindings) or now for key in keys}
    found = DueKeys(due=[], unknown_age=[], young=[], unfinished=[])
    unfinished: list[APIKey] = []
    for key in sorted(find_rotatable_keys(keys), key=lambda key: dates[key.id]):
        if any(is_unfinished_successor(each, key) for each in keys):
            unfinished.append(key)
        elif now - dates[key.id] > older_than:
            found.due.append(key)
        else:
            (found.unknown_age if plausible_date(key.created_at) is None else found.young).append(key)
    found.due[:0] = unfinished
    found.unfinished.extend(key for key in keys if has_purpose(key.name, "makes") and now - dates[key.id] > older_than)
    return found
