# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""User as the API document describes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from ..types import (
    NO_EXTRA,
    Misfit,
    as_extra_fields,
    draft_class,
    hash_listed_fields,
    readers,
    refuse,
    refuse_field,
    represent,
)


@frozen(kw_only=True, repr=False, weakref_slot=False)
class User:
    """A person who is a member of the organization. The role bindings contain the roles.

    Attributes:
        id: The id of the user. It differs from the id of the invite that the user accepted.
            Example: "9c000000-0000-4000-8000-000000000001"
        email: The email address of the user.
            Example: "ada@harbour.example"
        name: The name of the user. It is absent if the user has not set one.
            Example: "Ada Moreno"
        extra: Fields that the API document does not list, by their names in JSON.
    """

    id: str
    """The id of the user. It differs from the id of the invite that the user accepted."""
    email: str = field(metadata={"format": "email"})
    """The email address of the user."""
    name: str | None = None
    """The name of the user. It is absent if the user has not set one."""
    extra: Mapping[str, Any] = field(default=NO_EXTRA, converter=as_extra_fields, eq=False, repr=False)
    """Fields that the API document does not list, by their names in JSON."""

    __hash__ = hash_listed_fields
    __repr__ = represent


def decode_user(json: Any) -> User:
    """Decode User from JSON."""
    fields: dict[str, Any] = json
    if type(json) is not dict:
        refuse(json, dict)
    draft: Any = _Draft()
    try:
        draft.id = value if type(value := fields["id"]) is str else refuse_field(fields, "id", str)
        draft.email = value if type(value := fields["email"]) is str else refuse_field(fields, "email", str)
    except KeyError as missing:  # names the first missing field
        raise Misfit("is missing", missing.args[0]) from None
    draft.name = (
        value if (value := fields.get("name")) is None or type(value) is str else refuse_field(fields, "name", str)
    )
    draft.extra = NO_EXTRA if len(fields) == 2 + ("name" in fields) else fields
    draft.__class__ = User
    model: User = draft
    return model


_Draft = draft_class(User, "extra")
readers[User] = decode_user
