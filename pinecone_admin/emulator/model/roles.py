"""The roles: where each may be bound, and which other roles each includes."""

ORGANIZATION_ROLES = ("OrgOwner", "OrgManager", "OrgMember", "OrgBillingAdmin")
API_KEY_ROLES = (
    "ProjectEditor",
    "ProjectViewer",
    "ControlPlaneEditor",
    "ControlPlaneViewer",
    "DataPlaneEditor",
    "DataPlaneViewer",
)
PROJECT_ROLES = ("ProjectOwner", "ProjectManager", "ProjectMember", *API_KEY_ROLES)
ROLES = ORGANIZATION_ROLES + PROJECT_ROLES
ROLES_BY_RESOURCE = {"organization": ORGANIZATION_ROLES, "project": PROJECT_ROLES}

# Pinecone publishes no table of the roles that a role includes. This one follows from the names: an owner holds
# every role below it, an editor is also a viewer, and every organization role includes membership.
_INCLUDED = {
    "OrgOwner": ROLES,
    "OrgManager": ("OrgBillingAdmin", "OrgMember"),
    "OrgBillingAdmin": ("OrgMember",),
    "ProjectOwner": PROJECT_ROLES,
    "ProjectManager": ("ProjectMember", *API_KEY_ROLES),
    "ProjectEditor": API_KEY_ROLES,
    "ProjectViewer": ("ControlPlaneViewer", "DataPlaneViewer"),
    "ControlPlaneEditor": ("ControlPlaneViewer",),
    "DataPlaneEditor": ("DataPlaneViewer",),
}


def role_includes(held: str, role: str) -> bool:
    """Return whether holding one role means holding the other."""
    return held == role or role in _INCLUDED.get(held, ())
