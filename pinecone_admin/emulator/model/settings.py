"""Settings: the points on which sources disagree or organizations differ."""

from collections.abc import Mapping

from attrs import define, frozen

from pinecone_admin.emulator.model.roles import ORGANIZATION_ROLES, PROJECT_ROLES, ROLES

PAYMENT_STATUSES = ("Active", "PaymentPending", "PastDue", "Restricted", "Suspended", "Deactivated")


@frozen
class Plan:
    """The limits and features of a plan.

    Args:
        projects: The number of projects that the organization may have.
        support_tier: The support tier of the plan.
        api_keys: The number of API keys that a project may have; None for no limit.
        service_accounts: Whether service accounts may be created, changed and rotated.
        roles: The roles that may be granted.
    """

    projects: int
    support_tier: str
    api_keys: int | None = None
    service_accounts: bool = True
    roles: tuple[str, ...] = ROLES


# The limits are published. That the smallest plan is the one without service accounts and without the roles on a
# single plane is an assumption: no source names the plan or the roles.
PLANS = {
    "Free": Plan(1, "Free", 5, service_accounts=False, roles=ORGANIZATION_ROLES + PROJECT_ROLES[:5]),
    "Standard": Plan(5, "Developer"),
    "Enterprise": Plan(20, "Enterprise"),
    "Dedicated": Plan(100, "Enterprise"),
}


@define(kw_only=True)
class Settings:
    """The settings of the emulated organization.

    Args:
        plans: The plans by name.
        project_quota: The number of projects that the organization may have; None for the plan's limit.
        api_key_quota: The number of API keys that a project may have; None for the plan's limit.
        invite_mails_per_hour: The number of invite mails that the organization may send in an hour.
        pod_access: Whether `max_pods` may exceed 0.
        identity_provider: Whether an identity provider manages the users.
        token_lifetime: Seconds for which an access token is valid.
        rotation_revokes_tokens: Whether rotating a secret revokes the access tokens of the service account.
        key_prefix: The prefix of an API key's value.
    """

    plans: Mapping[str, Plan] = PLANS
    project_quota: int | None = None
    api_key_quota: int | None = None
    invite_mails_per_hour: int = 100
    pod_access: bool = False
    identity_provider: bool = False
    token_lifetime: int = 1800
    rotation_revokes_tokens: bool = True
    key_prefix: str = "pcsk_"
