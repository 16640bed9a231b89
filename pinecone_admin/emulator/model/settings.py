"""The points on which sources disagree or organizations differ: what they are, and what they may be."""

from collections.abc import Mapping
from typing import Self

from attrs import define, evolve, frozen

from pinecone_admin.emulator.api import checks
from pinecone_admin.emulator.api.checks import Fields
from pinecone_admin.emulator.model.roles import ORGANIZATION_ROLES, PROJECT_ROLES, ROLES

PAYMENT_STATUSES = ("Active", "PaymentPending", "PastDue", "Restricted", "Suspended", "Deactivated")

_QUOTA = checks.whole_number(0, 10**6)
_YEAR = 365 * 24 * 3600


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

    @property
    def document(self) -> dict[str, object]:
        """The settings as JSON."""
        return {name: getattr(self, name) for name in SETTINGS}

    def changed(self, fields: Fields) -> Self:
        """Return the settings with those replaced that the fields name."""
        read = {name: fields.get(name, check, getattr(self, name)) for name, check in SETTINGS.items()}
        return evolve(self, **read)


SETTINGS: Mapping[str, checks.Check[object]] = {
    "project_quota": checks.nullable(_QUOTA),
    "api_key_quota": checks.nullable(_QUOTA),
    "invite_mails_per_hour": _QUOTA,
    "pod_access": checks.boolean,
    "identity_provider": checks.boolean,
    "token_lifetime": checks.whole_number(1, _YEAR),
    "rotation_revokes_tokens": checks.boolean,
    "key_prefix": checks.characters(40),
}
"""How each setting is checked. What the plans include is data of the emulator, not of a document."""
