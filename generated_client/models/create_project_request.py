# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""CreateProjectRequest as the API document describes it."""

from __future__ import annotations

from attrs import field, frozen


@frozen(kw_only=True)
class CreateProjectRequest:
    """The project to create.

    Attributes:
        name: The name, 1 to 512 characters without NUL; anything else is refused with 400
            INVALID_ARGUMENT. Other projects may have the same name.
        max_pods: The maximum number of pods that the project may use, 0 if omitted. More than 0 is refused
            with 400 INVALID_ARGUMENT for an organization without access to pods.
        force_encryption_with_cmek: Whether to require a customer-managed encryption key (CMEK), false if omitted. Once true, it
            cannot be turned off.
    """

    name: str = field(metadata={"minLength": 1, "maxLength": 512})
    max_pods: int | None = field(default=None, metadata={"minimum": 0})
    force_encryption_with_cmek: bool | None = None
