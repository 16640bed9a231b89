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
