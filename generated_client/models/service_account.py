# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""ServiceAccount as the API document describes it."""

from __future__ import annotations

import datetime

from attrs import frozen


@frozen(kw_only=True)
class ServiceAccount:
    """A program that is a member of the organization, without its secret. Roles are in the role bindings.

    Attributes:
        id: The id of the service account, as used in paths and role bindings.
        name: The name of the service account, 1 to 80 bytes of UTF-8. It is not unique.
        client_id: The public half of the credentials, 32 letters and digits, as the token endpoint takes it.
        created_at: When the service account was created.
        updated_at: When the service account was last updated. A request without fields moves it, too.
    """

    id: str
    name: str
    client_id: str
    created_at: datetime.datetime
    updated_at: datetime.datetime
