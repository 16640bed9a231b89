"""The roles, where each may be bound, and which of them another includes."""

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

# Pinecone publishes no table of what a role may grant. This one says only what the names say:
# owners hold everything below them, an editor also views, and every organization role makes a member.
_INCLUDED = {
    "OrgOwner": ROLES,
    "OrgManager": ("OrgMember",),
    "OrgBillingAdmin": ("OrgMember",),
    "ProjectOwner": PROJECT_ROLES,
    "ProjectManager": ("ProjectMember", *API_KEY_ROLES),
    "ProjectEditor": API_KEY_ROLES,
    "ProjectViewer": ("ControlPlaneViewer", "DataPlaneViewer"),
    "ControlPlaneEditor": ("ControlPlaneViewer",),
    "DataPlaneEditor": ("DataPlaneViewer",),
}


def role_includes(held: str, role: str) -> bool:
    """Tell whether who holds one role holds the other with it."""
    return held == role or role in _INCLUDED.get(held, ())
