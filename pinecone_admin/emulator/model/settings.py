"""The points on which sources disagree or organizations differ."""

from collections.abc import Mapping

from attrs import define, frozen

from pinecone_admin.emulator.model.roles import ORGANIZATION_ROLES, PROJECT_ROLES, ROLES

PAYMENT_STATUSES = ("Active", "PaymentPending", "PastDue", "Restricted", "Suspended", "Deactivated")


@frozen
class Plan:
    """What a plan includes.

    Args:
        projects: how many projects the organization may have.
        support_tier: the support that comes with it.
        api_keys: how many keys a project may have; None for any number.
        service_accounts: whether service accounts may be created, changed and rotated.
        roles: the roles that may be granted.
    """

    projects: int
    support_tier: str
    api_keys: int | None = None
    service_accounts: bool = True
    roles: tuple[str, ...] = ROLES


# The numbers are the server rules'. That it is the smallest plan that lacks service accounts and the
# roles on one plane alone is this emulator's choice: no source names the plan or the roles.
PLANS = {
    "Free": Plan(1, "Free", 5, service_accounts=False, roles=ORGANIZATION_ROLES + PROJECT_ROLES[:5]),
    "Standard": Plan(5, "Developer"),
    "Enterprise": Plan(20, "Enterprise"),
    "Dedicated": Plan(100, "Enterprise"),
}


@define(kw_only=True)
class Settings:
    """The points on which sources disagree or organizations differ.

    Args:
        plans: what each plan includes.
        project_quota: how many projects the organization may have, whatever its plan; None for the plan's.
        api_key_quota: how many keys a project may have, whatever the plan; None for the plan's.
        invite_mails_per_hour: how many invite mails the organization may send within an hour.
        pod_access: whether `max_pods` may exceed 0.
        identity_provider: whether an identity provider manages the users.
        token_lifetime: seconds for which an access token is accepted.
        rotation_revokes_tokens: whether the tokens of a service account die with its secret.
        key_prefix: what an API key's value begins with.
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
