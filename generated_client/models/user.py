# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""User as the API document describes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from ..types import (
    NO_EXTRA,
    as_extra_fields,
    find_extra_fields,
    readers,
    refuse,
    refuse_field,
    represent,
    slot_setters,
)


@frozen(kw_only=True, repr=False)
class User:
    """A person who is a member of the organization. Roles are in the role bindings.

    Attributes:
        id: The id of the user. It differs from the id of the invite that the user accepted.
            Example: "9c000000-0000-4000-8000-000000000001"
        email: The mail address of the user.
            Example: "ada@harbour.example"
        name: The name of the user. It is absent if the user has not set one.
            Example: "Ada Moreno"
        extra: Fields that the API document does not list, by their names in JSON.
    """

    id: str
    email: str = field(metadata={"format": "email"})
    name: str | None = None
    extra: Mapping[str, Any] = field(default=NO_EXTRA, converter=as_extra_fields, eq=False, repr=False)

    __repr__ = represent


def decode_user(json: Any) -> User:
    """Decode User from JSON."""
    fields: dict[str, Any] = json
    if type(json) is not dict:
        refuse(json, dict)
    get = fields.get
    model: User = object.__new__(User)
    set_id(model, value if type(value := get("id")) is str else refuse_field(fields, "id", str))
    set_email(model, value if type(value := get("email")) is str else refuse_field(fields, "email", str))
    set_name(
        model, value if (value := get("name")) is None or type(value) is str else refuse_field(fields, "name", str)
    )
    set_extra(model, NO_EXTRA if len(fields) == 2 + ("name" in fields) else find_extra_fields(User, fields))
    return model


set_id, set_email, set_name, set_extra = slot_setters(User)
readers[User] = decode_user
