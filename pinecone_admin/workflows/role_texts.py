"""How a file writes roles: ``ROLE`` on the organization, ``PROJECT:ROLE`` on a project."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from generated_client.models import RoleBinding


class RoleProject(NamedTuple):
    """A project, as roles in a file name it.

    Attributes:
        text: Its name, or its id if others have the name.
        name: Its name.
        id: Its id; None if the plan creates it.
    """

    text: str
    name: str
    id: str | None


def index_projects(projects: Iterable[tuple[str, str | None]]) -> dict[str, RoleProject]:
    """Return projects, given by name and id, by what names them in a role: their id, and their name if it is unique."""
    known = list(projects)
    counts = Counter(name for name, _ in known)
    places: dict[str, RoleProject] = {}
    for name, id in known:
        place = RoleProject(name if counts[name] == 1 or id is None else id, name, id)
        places |= {place.text: place, id or place.text: place}
    return places


def format_role(binding: RoleBinding, places: Mapping[str, RoleProject]) -> str:
    """Return a role as the file has it: ``ROLE`` on the organization, or ``PROJECT:ROLE``."""
    if binding.resource_type != "project":
        return binding.role
    place = places.get(binding.resource_id)
    return f"{binding.resource_id if place is None else place.text}:{binding.role}"
