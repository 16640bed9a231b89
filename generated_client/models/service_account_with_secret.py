# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""ServiceAccountWithSecret as the API document describes it."""

from __future__ import annotations

from attrs import field, frozen

from ..types import masked


@frozen(kw_only=True)
class ServiceAccountWithSecret:
    """A service account together with its new client secret.

    Attributes:
        service_account: A program that is a member of the organization, without its secret. Roles are in the role
            bindings.
        client_secret: The secret half of the credentials, 64 letters, digits, hyphens and underscores. It is shown
            only in this response and cannot be fetched again.
    """

    service_account: ServiceAccount
    client_secret: str = field(
        repr=masked,
    )


# Imported below the class because models may refer to each other in a circle.
from ..models.service_account import ServiceAccount
