# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""Project as the API document describes it."""

from __future__ import annotations

import datetime

from attrs import frozen


@frozen(kw_only=True)
class Project:
    """A project of the organization.

    Attributes:
        id: The id of the project.
        name: The name of the project, 1 to 512 characters. It is not unique.
        max_pods: The maximum number of pods that the project may use.
        force_encryption_with_cmek: Whether a customer-managed encryption key (CMEK) is required. Once true, it stays true.
        organization_id: The id of the organization that owns the project.
        created_at: When the project was created. It can be absent.
    """

    id: str
    name: str
    max_pods: int
    force_encryption_with_cmek: bool
    organization_id: str
    created_at: datetime.datetime | None = None
