# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""Organization as the API document describes it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from ..models.organization_plan import OrganizationPlan
from ..models.payment_status import PaymentStatus
from ..models.support_tier import SupportTier
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
class Organization:
    """An organization, which owns projects and has users and service accounts as members.

    Attributes:
        id: The id of the organization: any text, which can start with a hyphen. It is not a
            UUID.
            Example: "-NharbourExampleOrg1"
        name: The name of the organization, 1 to 512 characters. It is not unique.
            Example: "Harbour Labs"
        plan: The plan of the organization. It decides on the quotas, and on the roles that
            exist.
            Example: "Enterprise"
        payment_status: The billing state of the organization. In some states, the server
            refuses to create resources with 402.
            Example: "Active"
        created_at: When the organization was created.
            Example: datetime.fromisoformat("2026-01-12T08:30:00Z")
        support_tier: The support level of the organization.
            Example: "Enterprise"
        extra: Fields that the API document does not list, by their names in JSON.
    """

    id: str
    """The id of the organization: any text, which can start with a hyphen. It is not a UUID."""
    name: str = field(metadata={"minLength": 1, "maxLength": 512})
    """The name of the organization, 1 to 512 characters. It is not unique."""
    plan: OrganizationPlan
    """The plan of the organization. It decides on the quotas, and on the roles that exist."""
    payment_status: PaymentStatus
    """The billing state of the organization. In some states, the server refuses to create resources
    with 402."""
    created_at: datetime.datetime
    """When the organization was created."""
    support_tier: SupportTier
    """The support level of the organization."""
    extra: Mapping[str, Any] = field(default=NO_EXTRA, converter=as_extra_fields, eq=False, repr=False)
    """Fields that the API document does not list, by their names in JSON."""

    __hash__ = hash_listed_fields
    __repr__ = represent


def decode_organization(json: Any) -> Organization:
    """Decode Organization from JSON."""
    fields: dict[str, Any] = json
    if type(json) is not dict:
        refuse(json, dict)
    draft: Any = _Draft()
    try:
        draft.id = value if type(value := fields["id"]) is str else refuse_field(fields, "id", str)
        draft.name = value if type(value := fields["name"]) is str else refuse_field(fields, "name", str)
        draft.plan = value if type(value := fields["plan"]) is str else refuse_field(fields, "plan", str)
        draft.payment_status = (
            value if type(value := fields["payment_status"]) is str else refuse_field(fields, "payment_status", str)
        )
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
        draft.support_tier = (
            value if type(value := fields["support_tier"]) is str else refuse_field(fields, "support_tier", str)
        )
    except KeyError as missing:  # names the first missing field
        raise Misfit("is missing", missing.args[0]) from None
    draft.extra = NO_EXTRA if len(fields) == 6 else fields
    draft.__class__ = Organization
    model: Organization = draft
    return model


_Draft = draft_class(Organization, "extra")
readers[Organization] = decode_organization
