# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""User as the API document describes it."""

from __future__ import annotations

from typing import Any

from attrs import field, frozen

from ..types import (
    readers,
    refuse,
    refuse_field,
    slot_setters,
)


@frozen(kw_only=True)
class User:
    """A person who is a member of the organization. Roles are in the role bindings.

    Attributes:
        id: The id of the user. It differs from the id of the invite that the user accepted.
        email: The mail address of the user.
        name: The name of the user. It is absent if the user has not set one.
    """

    id: str
    email: str = field(metadata={"format": "email"})
    name: str | None = None


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
    return model


(
    set_id,
    set_email,
    set_name,
) = slot_setters(User)
readers[User] = decode_user
