"""Populated organizations, created in the emulator without requests."""

from __future__ import annotations

from datetime import timedelta
from random import Random

from pinecone_admin.emulator import Emulator
from pinecone_admin.emulator.model.records import Grant, Principal

_NAMES = ("ada", "bao", "chi", "dev", "eli", "fay", "gus", "hana", "ivo", "jun", "kai", "lea", "mia", "noor", "olu")
_WORDS = ("search", "billing", "atlas", "support", "docs", "vision", "ranker", "memory", "intake", "labs")
_STAGES = ("prod", "staging", "dev", "eval", "demo")
_ROLES = ("ProjectOwner", "ProjectManager", "ProjectEditor", "ProjectViewer", "DataPlaneEditor", "DataPlaneViewer")


def populate_organization(emulator: Emulator, *, projects: int, users: int, keys: int = 2, seed: int = 7) -> None:
    """Add projects, keys and users; each user has an eighth of the projects, at most eight; owners are few."""
    random, state, now = Random(seed), emulator.state, emulator.clock.now()
    organization_id = emulator.organization_id
    created = [
        state.add_project(f"{_WORDS[n % 10]}-{_STAGES[n // 10 % 5]}{f'-{n // 50}' if n >= 50 else ''}", now)
        for n in range(projects)
    ]
    for project in created:
        for number in range(keys):
            key = state.add_api_key(project, ("reader", "writer", "batch")[number % 3])
            role = ("DataPlaneViewer", "DataPlaneEditor", "ProjectEditor")[number % 3]
            state.bind(Principal("api_key", key.id), [Grant(role, "project", project.id)], now)
    for number in range(users):
        name = _NAMES[number % 15] + (str(number // 15) if number >= 15 else "")
        user = state.add_user(f"{name}@example.com")
        grants = [Grant("OrgOwner" if number % 20 == 4 else "OrgMember", "organization", organization_id)]
        chosen = random.sample(created, k=min(8, max(1, projects // 8)))
        grants += [Grant(random.choice(_ROLES), "project", project.id) for project in chosen]
        state.bind(Principal("user", user.id), grants, now)


def fill_project(emulator: Emulator, project_id: str, *, backups: int = 2) -> None:
    """Add resources of each kind, with a collection still being made from an index and a backup still being made."""
    project, now = emulator.state.projects[project_id], emulator.clock.now()
    names = {"indexes": ("articles", "people"), "collections": ("archive",), "assistants": ("helper",)}
    names |= {"backups": tuple(f"backup-{number:03}" for number in range(backups)), "workspaces": ("desk",)}
    for kind, each in names.items():
        for name in each:
            emulator.hold(project_id, kind, name)
    archive, backup = project.collections["archive"], project.backups["backup-000"]
    archive.source, archive.ready_at = "people", now + timedelta(seconds=3)
    backup.ready_at = now + timedelta(seconds=5)
