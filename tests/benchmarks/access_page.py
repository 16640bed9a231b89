#!/usr/bin/env python3
"""Measure what the access page of a large organization costs: its size, processor time, and memory at its peak.

Usage: tests/benchmarks/access_page.py [--people 10000] [--projects 10000] [--owners N …] [--save PATH] [--shape]

Each person has one role on the organization and ten on projects. The memory is what the process takes on top of the
inventory, from computing the access to the encoded page. Each number of owners has a process of its own. Prints JSON,
which scripts/evidence keeps; --shape prints what is measured and how, and measures nothing.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from pinecone_admin.models import Organization, User
from pinecone_admin.workflows import Inventory
from tests.support.records import make_binding, make_project

NOW = datetime(2026, 7, 20, 12, tzinfo=UTC)
NAMES = ("ada.lovelace", "grace.hopper", "alan.turing", "barbara.liskov", "edsger.dijkstra", "radia.perlman")
TEAMS = ("search", "billing", "atlas", "support", "docs", "vision", "ranker", "memory", "intake", "labs")
STAGES = ("prod", "staging", "dev")
ROLES: tuple[Any, ...] = ("ProjectOwner", "ProjectEditor", "ProjectViewer", "DataPlaneEditor", "DataPlaneViewer")


def make_inventory(*, people: int, projects: int, owners: int) -> Inventory:
    """Return the inventory of an organization with so many people, projects and owners."""
    random = Random(7)

    def make_id() -> str:
        return str(UUID(int=random.getrandbits(128), version=4))

    made = [
        make_project(make_id(), f"{TEAMS[number % 10]}-{STAGES[number % 3]}-{number:05}") for number in range(projects)
    ]
    users = [User(id=make_id(), email=f"{NAMES[number % 6]}{number:05}@example.com") for number in range(people)]
    bindings = [
        make_binding("user", user.id, "OrgOwner" if number < owners else "OrgMember", id=make_id())
        for number, user in enumerate(users)
    ]
    bindings += [
        make_binding("user", user.id, random.choice(ROLES), project.id, id=make_id())
        for user in users
        for project in random.sample(made, k=min(10, projects))
    ]
    organization = Organization(
        id="o", name="Acme", plan="Enterprise", payment_status="Active", created_at=NOW, support_tier="Enterprise"
    )
    return Inventory(
        taken_at=NOW,
        organizations=[organization],
        projects=made,
        api_keys=[],
        users=users,
        invites=[],
        service_accounts=[],
        role_bindings=bindings,
    )


def peak_megabytes() -> float:
    """Return the most memory that this process has taken so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


GOALS = {"page": 15e6, "seconds": 3.0, "memory": 200e6}
"""Largest wanted page in bytes, processor time in seconds, and growth of the peak memory in bytes."""


def measure(arguments: argparse.Namespace, owners: int) -> dict[str, float]:
    """Return what the page of an organization with so many owners costs, and save it if that is asked for."""
    inventory = make_inventory(people=arguments.people, projects=arguments.projects, owners=owners)
    before, started = peak_megabytes(), time.process_time()
    page = inventory.access().to_html().encode()
    seconds, memory = time.process_time() - started, peak_megabytes() - before
    if arguments.out:
        arguments.out.write_bytes(page)
    return {"bindings": len(inventory.role_bindings), "page": len(page), "seconds": seconds, "memory": memory * 1e6}


def main() -> None:
    """Print what the pages cost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--projects", type=int, default=10_000)
    parser.add_argument("--owners", type=int, nargs="+", default=[10, 500])
    parser.add_argument("--out", type=Path)
    parser.add_argument("--shape", action="store_true")
    arguments = parser.parse_args()
    shape = {name: getattr(arguments, name) for name in ("people", "projects", "owners")} | {"goals": GOALS}
    if arguments.shape:
        print(json.dumps({"shape": shape}))
        return
    figures: dict[str, Any] = {}
    for owners in arguments.owners:
        words = ["--people", arguments.people, "--projects", arguments.projects, "--owners", owners]
        if len(arguments.owners) == 1:
            figures[str(owners)] = measure(arguments, owners)
        else:
            command = [sys.executable, __file__, *map(str, words)]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            figures |= json.loads(done.stdout)["figures"]
    print(json.dumps({"shape": shape, "figures": figures, "rounds": 1}))


if __name__ == "__main__":
    main()
