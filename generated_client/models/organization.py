# Generated from openapi/admin.yaml by scripts/generate.sh: change those, not this file.
"""Organization as the API document describes it."""

from __future__ import annotations

import datetime

from attrs import frozen

from ..models.organization_plan import OrganizationPlan
from ..models.payment_status import PaymentStatus
from ..models.support_tier import SupportTier


@frozen(kw_only=True)
class Organization:
    """An organization, which owns projects and has users and service accounts as members.

    Attributes:
        id: The id of the organization, a free string that can start with a hyphen. It is not a UUID.
        name: The name of the organization, 1 to 512 characters. It is not unique.
        plan: The plan that the organization is on. It decides quotas and which roles exist.
        payment_status: The billing state of the organization. In some states, creating is refused with 402.
        created_at: When the organization was created.
        support_tier: The support level of the organization.
    """

    id: str
    name: str
    plan: OrganizationPlan
    payment_status: PaymentStatus
    created_at: datetime.datetime
    support_tier: SupportTier
