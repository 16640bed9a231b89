# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""CreateServiceAccountRequest as the API document describes it."""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class CreateServiceAccountRequest:
    """The service account to create and the roles to give it.

    Attributes:
        name: The name, 1 to 80 bytes of UTF-8; any other length is refused with 400 INVALID_ARGUMENT.
            Another service account may have it already.
        role_bindings: The roles that the service account starts with, 0 to 100, none when left out. More are
            refused with 400 INVALID_ARGUMENT.
    """

    name: str
    role_bindings: list[RoleBindingInput] | None = None


# Below the class, so that models may refer to each other in a circle.
from ..models.role_binding_input import RoleBindingInput
