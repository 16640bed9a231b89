# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""User as the API document describes it."""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class User:
    """A person who is a member of the organization. Roles are in the role bindings.

    Attributes:
        id: The id of the user. It differs from the id of the invite that the user accepted.
        email: The mail address of the user.
        name: The name of the user. It is absent if the user has not set one.
    """

    id: str
    email: str
    name: str | None = None
