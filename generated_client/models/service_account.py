# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""ServiceAccount as the API document describes it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from ..types import (
    NO_EXTRA,
    Misfit,
    as_extra_fields,
    draft_class,
    from_iso_8601,
    hash_listed_fields,
    read_date_time,
    read_field,
    readers,
    refuse,
    refuse_field,
    represent,
)


@frozen(kw_only=True, repr=False, weakref_slot=False)
class ServiceAccount:
    """A program that is a member of the organization, without its secret. The role bindings contain
    the roles.

    Attributes:
        id: The id of the service account in paths and role bindings.
            Example: "9e000000-0000-4000-8000-000000000001"
        name: The name of the service account, 1 to 80 bytes of UTF-8. It is not unique.
            Example: "deploy"
        client_id: The public part of the credentials, 32 letters and digits, for the token
            endpoint.
            Example: "ExampleExampleExampleExample0001"
        created_at: When the service account was created.
            Example: datetime.fromisoformat("2026-04-20T11:15:00Z")
        updated_at: When the service account was last updated. A request without fields also
            changes it.
            Example: datetime.fromisoformat("2026-04-20T11:15:00Z")
        extra: Fields that the API document does not list, by their names in JSON.
    """

    id: str
    """The id of the service account in paths and role bindings."""
    name: str = field(metadata={"minLength": 1, "maxLength": 80})
    """The name of the service account, 1 to 80 bytes of UTF-8. It is not unique."""
    client_id: str
    """The public part of the credentials, 32 letters and digits, for the token endpoint."""
    created_at: datetime.datetime
    """When the service account was created."""
    updated_at: datetime.datetime
    """When the service account was last updated. A request without fields also changes it."""
    extra: Mapping[str, Any] = field(default=NO_EXTRA, converter=as_extra_fields, eq=False, repr=False)
    """Fields that the API document does not list, by their names in JSON."""

    __hash__ = hash_listed_fields
    __repr__ = represent


def decode_service_account(json: Any) -> ServiceAccount:
    """Decode ServiceAccount from JSON."""
    fields: dict[str, Any] = json
    if type(json) is not dict:
        refuse(json, dict)
    draft: Any = _Draft()
    try:
        draft.id = value if type(value := fields["id"]) is str else refuse_field(fields, "id", str)
        draft.name = value if type(value := fields["name"]) is str else refuse_field(fields, "name", str)
        draft.client_id = value if type(value := fields["client_id"]) is str else refuse_field(fields, "client_id", str)
        try:
            draft.created_at = (
                from_iso_8601(value)
                if (value := fields["created_at"])[-1] == "Z"
                else from_iso_8601(value + "T00Z")
                if len(value) == 10
                else read_date_time(value)
            )
        except (LookupError, Misfit, TypeError, ValueError):
            draft.created_at = read_field(fields, "created_at", read_date_time)
        try:
            draft.updated_at = (
                from_iso_8601(value)
                if (value := fields["updated_at"])[-1] == "Z"
                else from_iso_8601(value + "T00Z")
                if len(value) == 10
                else read_date_time(value)
            )
        except (LookupError, Misfit, TypeError, ValueError):
            draft.updated_at = read_field(fields, "updated_at", read_date_time)
    except KeyError as missing:  # names the first missing field
        raise Misfit("is missing", missing.args[0]) from None
    draft.extra = NO_EXTRA if len(fields) == 5 else fields
    draft.__class__ = ServiceAccount
    model: ServiceAccount = draft
    return model


_Draft = draft_class(ServiceAccount, "extra")
readers[ServiceAccount] = decode_service_account
