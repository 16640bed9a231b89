# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""ServiceAccountWithSecret as the API document describes it."""

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
    masked,
    read_field,
    readers,
    refuse,
    refuse_field,
    represent,
)


@frozen(kw_only=True, repr=False, weakref_slot=False)
class ServiceAccountWithSecret:
    """A service account together with its new client secret.

    Attributes:
        service_account: A program that is a member of the organization, without its secret. The
            role bindings contain the roles.
        client_secret: The secret part of the credentials, 64 letters, digits, hyphens and
            underscores. Only this response contains it, and it cannot be fetched again.
        extra: Fields that the API document does not list, by their names in JSON.
    """

    service_account: ServiceAccount
    """A program that is a member of the organization, without its secret. The role bindings contain
    the roles."""
    client_secret: str = field(
        repr=masked,
    )
    """The secret part of the credentials, 64 letters, digits, hyphens and underscores. Only this
    response contains it, and it cannot be fetched again."""
    extra: Mapping[str, Any] = field(default=NO_EXTRA, converter=as_extra_fields, eq=False, repr=False)
    """Fields that the API document does not list, by their names in JSON."""

    __hash__ = hash_listed_fields
    __repr__ = represent


def decode_service_account_with_secret(json: Any) -> ServiceAccountWithSecret:
    """Decode ServiceAccountWithSecret from JSON."""
    fields: dict[str, Any] = json
    if type(json) is not dict:
        refuse(json, dict)
    draft: Any = _Draft()
    try:
        draft.service_account = read_field(fields, "service_account", decode_service_account)
        draft.client_secret = (
            value if type(value := fields["client_secret"]) is str else refuse_field(fields, "client_secret", str)
        )
    except KeyError as missing:  # names the first missing field
        raise Misfit("is missing", missing.args[0]) from None
    draft.extra = NO_EXTRA if len(fields) == 2 else fields
    draft.__class__ = ServiceAccountWithSecret
    model: ServiceAccountWithSecret = draft
    return model


_Draft = draft_class(ServiceAccountWithSecret, "extra")
readers[ServiceAccountWithSecret] = decode_service_account_with_secret


# Imported below the class because models may refer to each other in a circle.
from ..models.service_account import ServiceAccount, decode_service_account
