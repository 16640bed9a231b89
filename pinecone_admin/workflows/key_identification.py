"""The result of ``identify``, and what the value of an API key shows by itself.

Sources: Pinecone's page "Manage API keys" names the form ``pcsk_…`` of values, and its control plane returns the hosts
of indexes, which have a part that all indexes of a project share. According to a secret scanner (the detector of
trufflehog, April 2026), the text between the first two underscores is the label in the console. No other source states
this.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Literal, TypeAlias

from attrs import field, frozen

from generated_client.models import APIKey, Project
from generated_client.types import Operation, list_of, read_field, read_object, read_optional_field, read_string
from pinecone_admin._text.printable import make_printable
from pinecone_admin._text.quoting import describe_resource
from pinecone_admin.models import to_dict
from pinecone_admin.workflows.project_contents import API_VERSION

KeyState: TypeAlias = Literal["accepted", "restricted", "not_accepted", "no_response"]

_LABELLED = re.compile(r"(?:pcsk|pckey)_(?:([^_]{1,16})_)?.*", re.DOTALL)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_READERS = frozenset({"ProjectEditor", "ProjectViewer", "ControlPlaneEditor", "ControlPlaneViewer"})
"""Roles of API keys that may list indexes (`guides/production/manage-rbac`)."""


@frozen(kw_only=True)
class KeyCandidate:
    """An API key that may have the value that you passed to ``identify``.

    Attributes:
        key: The API key.
        project: The project of the key.
        evidence: Why the key is a candidate.

    Example:
        >>> created = admin.api_keys.create(project_id=project.id, name="writer")
        >>> found = admin.api_keys.identify(value=created.value, project_ids=[project.id])
        >>> print(*found.candidates)
    """

    key: APIKey
    """The API key."""
    project: Project
    """The project of the key."""
    evidence: str
    """Why the key is a candidate."""

    def __str__(self) -> str:
        name = describe_resource("API key", self.key.name, self.key.id)
        return make_printable(
            f"{name} in {describe_resource('project', self.project.name, self.project.id)}: {self.evidence}"
        )


@frozen(kw_only=True)
class KeyIdentification:
    """The facts that the value of an API key shows, and the keys that may have it. It does not contain the value.

    Attributes:
        checked_at: When the value was checked, by the server's clock.
        label: The text between the first two underscores of the value, or None. It is only a hint.
        state: ``accepted``, ``restricted``, ``not_accepted`` or ``no_response``. A ``restricted`` value is accepted,
            but may not list indexes. ``no_response`` means that no response of the API has decided that.
        slugs: The parts of index hosts that identify a project, as the value lists them.
        compared: Ids of the projects whose indexes were compared with those of the value.
        candidates: The API keys in the projects of ``project_ids`` that may have the value.
        temporary_keys: Ids of the temporary API keys that were created and deleted.
        evidence: The evidence, one line each.

    Example:
        >>> print(admin.api_keys.identify(value="pcsk_label_of-a-key-that-does-not-exist").state)
        not_accepted
    """

    checked_at: datetime
    """When the value was checked, by the server's clock."""
    label: str | None
    """The text between the first two underscores of the value, or None. It is only a hint."""
    state: KeyState
    """``accepted``, ``restricted``, ``not_accepted`` or ``no_response``."""
    slugs: list[str] = field(factory=list[str])
    """The parts of index hosts that identify a project, as the value lists them."""
    compared: list[str] = field(factory=list[str])
    """Ids of the projects whose indexes were compared with those of the value."""
    candidates: list[KeyCandidate] = field(factory=list[KeyCandidate])
    """The API keys in the projects of ``project_ids`` that may have the value."""
    temporary_keys: list[str] = field(factory=list[str])
    """Ids of the temporary API keys that were created and deleted."""
    evidence: list[str] = field(factory=list[str])
    """The evidence, one line each."""

    def __str__(self) -> str:
        """Return the evidence and the candidates as text, one in each line."""
        return "\n".join([*map(make_printable, self.evidence), *map(str, self.candidates)])

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain JSON types.

        Example:
            >>> json.dumps(admin.api_keys.identify(value="pcsk_label_rest").to_dict())
        """
        return to_dict(self)


def is_legacy_value(value: str) -> bool:
    """Return whether a text has the form of the value of an older API key, which is a UUID."""
    return _UUID.fullmatch(value) is not None


def read_label(value: str) -> str | None:
    """Return the label of a value, or None if it has none; a text that is too long for a label may be the secret."""
    found = _LABELLED.fullmatch(value)
    return found[1] or None if found else None


def describe_form(value: str) -> str:
    """Return what the form of a value shows."""
    label = read_label(value)
    if label is not None:
        return f"the label of the value is {make_printable(label, most=100)!r}, which the console may show beside a key"
    if _UUID.fullmatch(value):
        return "the value has the form of an older API key, without a label"
    return "the value has no label, which the console may show beside a key"


@frozen
class IndexHosts:
    """One page of the indexes of a project.

    Attributes:
        slugs: The part of their hosts that identifies the project.
        next_page: Token of the next page, or None on the last page.
        names: The names of the indexes.
    """

    slugs: list[str]
    next_page: str | None
    names: list[str]


def list_index_hosts(token: str | None) -> Operation[IndexHosts]:
    """Build the operation that lists the indexes of the project of an API key."""
    return Operation(
        id="list_indexes",
        method="GET",
        path="/indexes",
        query={"paginationToken": token},
        returns=_read_hosts,
        api_version=API_VERSION,
    )


def _read_hosts(json: Any) -> IndexHosts:
    fields = read_object(json)
    indexes = read_field(fields, "indexes", list_of(read_object))
    hosts = [
        (read_field(index, "name", read_string), read_optional_field(index, "host", read_string)) for index in indexes
    ]
    pagination: dict[str, Any] = read_optional_field(fields, "pagination", read_object) or {}
    return IndexHosts(
        slugs=[slug for name, host in hosts if host is not None and (slug := find_slug(name, host)) is not None],
        next_page=read_optional_field(pagination, "next", read_string),
        names=[name for name, _ in hosts],
    )


def find_slug(index: str, host: str) -> str | None:
    """Return the part of the host of an index that names its project, or None if the host has another form."""
    label = host.removeprefix("https://").partition(".")[0]
    slug = label.removeprefix(f"{index}-")
    return slug if slug and slug != label else None


def find_candidates(project: Project, keys: Iterable[APIKey], *, without: Sequence[str]) -> list[KeyCandidate]:
    """Return the keys in the project of a value whose roles permit to list indexes, as the value may.

    Args:
        project: The project.
        keys: Its API keys.
        without: Ids of keys that cannot have the value.
    """
    evidence = "it is in the project whose indexes the value lists, and its roles permit listing them"
    return [
        KeyCandidate(key=key, project=project, evidence=evidence)
        for key in keys
        if key.id not in without and not _READERS.isdisjoint(key.roles)
    ]
