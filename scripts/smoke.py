#!/usr/bin/env python3
"""Call every public method of both clients once, workflows included, and the command line, against the emulator.

Usage: smoke.py

Needs only what the package itself, its command line and its emulator need. Exits with status 0 only if every call had a
result, and every public method was called. ``scripts/smoke`` runs it on other versions of Python.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from pinecone_admin import Admin, AsyncAdmin, ConflictError, FailedPreconditionError, on_organization
from pinecone_admin._sync.client import NAMESPACES
from pinecone_admin.emulator import Emulator, serving
from pinecone_admin.operations import fetch_project
from pinecone_admin.workflows import DesiredState

sys.path.append(str(Path(__file__).resolve().parent.parent))  # after the installed package
from tests.support.resources import CREATES, METHODS, PREVIEWED, SINGLE, add_second, fill_ids, keep_id

CLOSING = {"close", "aclose"}
"""Called at the end of ``call_methods``."""


def list_methods(admin: object) -> set[str]:
    """Return the names of all public methods of a client."""
    owners = {f"{name}.": getattr(admin, name) for name in NAMESPACES} | {"": admin}
    return {
        f"{prefix}{name}"
        for prefix, owner in owners.items()
        for name, member in inspect.getmembers_static(type(owner), inspect.isfunction)
        if not name.startswith("_") and name not in CLOSING
    }


def add_resources(emulator: Emulator) -> dict[str, str]:
    """Add what the calls are about, and return the ids."""
    state, now = emulator.state, emulator.clock.now()
    ids = {name: state.add_project(name, now).id for name in ("search", "other", "full", "stale-1")}
    emulator.hold(ids["full"], "indexes", "articles", protected=True)
    ids["eve"] = emulator.add_user("eve@example.com").id
    for name in ("ada", "bao", "chi", "dev"):
        ids[name] = emulator.add_user(f"{name}@example.com", roles=["OrgMember", ("ProjectViewer", ids["search"])]).id
    with emulator.admin() as admin:
        ids["key"] = admin.api_keys.create(project_id=ids["search"], name="reader").key.id
        ids["old key"] = admin.api_keys.create(project_id=ids["search"], name="rotated").key.id
    ids |= {"organization_id": emulator.organization_id, "resource_id": emulator.organization_id}
    ids |= {"user_id": ids["bao"], "principal_id": ids["eve"]}
    for method in METHODS:
        add_second(emulator, method, second := {"project_id": ids["search"]})
        ids |= {name: id for name, id in second.items() if name.startswith("from_")}
    emulator.clock.advance(7200)
    emulator.clock.start_ticking()  # the deletion of contents takes a moment
    return ids


def list_calls(ids: dict[str, str]) -> dict[str, Callable[[Any], Any]]:
    """Return a call of each method; a method with two steps, a plan and its run, is called twice."""
    stored: list[Any] = []
    member = [on_organization("OrgMember")]
    person = {"principal_type": "user", "principal_id": ids["ada"], "resource_type": "project"}
    person |= {"resource_id": ids["search"]}

    async def call_plainly(admin: Any, *, method: str) -> Any:
        namespace, _, name = method.partition(".")
        result = getattr(getattr(admin, namespace), name)(**fill_ids(method, ids))
        response = await wait(result.to_list() if hasattr(result, "to_list") else result)
        return keep_id(method, response, ids) if method in CREATES.values() else response

    async def delete_stale(admin: Any) -> Any:
        plan = await wait(admin.projects.delete_stale(name_pattern="stale-*", older_than=timedelta(hours=1)))
        return await wait(admin.projects.delete_stale(plan=plan))

    async def offboard_many(admin: Any) -> Any:
        plan = await wait(admin.users.offboard_many(emails=["chi@example.com", "dev@example.com"]))
        return await wait(admin.users.offboard_many(emails=["chi@example.com", "dev@example.com"], plan=plan))

    async def use_temporary_key(admin: Any) -> Any:
        context = admin.api_keys.temporary(project_id=ids["search"], roles=["DataPlaneViewer"])
        if isinstance(admin, AsyncAdmin):
            async with context as made:
                return made
        with context as made:
            return made

    desired = DesiredState.from_dict({"organization": ids["organization_id"], "projects": [{"name": "desired"}]})

    async def apply(admin: Any) -> Any:
        return await wait(admin.apply(await wait(admin.plan(desired))))

    plain = {method: partial(call_plainly, method=method) for method in METHODS if method in SINGLE}
    # They come last and in reverse, so that a key is deleted before its project.
    deletes = [method for method in plain if method.partition(".")[2].startswith(("delete", "remove"))]
    calls: dict[str, Callable[[Any], Any]] = {
        **{method: call for method, call in plain.items() if method not in deletes},
        "token": lambda admin: admin.token(),
        "send": lambda admin: admin.send(fetch_project(project_id=ids["search"])),
        "with_options": lambda admin: admin.with_options(timeout=20).projects.list(),
        "inventory": lambda admin: admin.inventory(),
        "plan": lambda admin: admin.plan(desired),
        "apply": apply,
        "update_secret": lambda admin: admin.update_secret(ids["secret"]),
        "projects.ensure": lambda admin: admin.projects.ensure(name="ensured"),
        "projects.describe_by_name": lambda admin: admin.projects.describe_by_name(name="search"),
        "projects.exists": lambda admin: admin.projects.exists(name="search"),
        "projects.provision": lambda admin: admin.projects.provision(
            name="tenant", key_roles=["DataPlaneEditor"], store=stored.append
        ),
        "projects.delete_with_cleanup": lambda admin: admin.projects.delete_with_cleanup(
            project_id=ids["full"], lift_protection=True
        ),
        "projects.delete_stale": delete_stale,
        "api_keys.ensure": lambda admin: admin.api_keys.ensure(
            project_id=ids["search"], name="ensured", store=stored.append
        ),
        "api_keys.describe_by_name": lambda admin: admin.api_keys.describe_by_name(
            project_id=ids["search"], name="reader"
        ),
        "api_keys.rotate": lambda admin: admin.api_keys.rotate(api_key_id=ids["old key"], store=stored.append),
        "api_keys.temporary": use_temporary_key,
        "api_keys.identify": lambda admin: admin.api_keys.identify(value="pcsk_label_x"),
        "api_keys.rotate_due": lambda admin: admin.api_keys.rotate_due(
            older_than=timedelta(days=1), keep_old_for=timedelta(0), store=stored.append
        ),
        "api_keys.delete_retired": lambda admin: admin.api_keys.delete_retired(),
        "users.describe_by_email": lambda admin: admin.users.describe_by_email(email="ada@example.com"),
        "users.ensure": lambda admin: admin.users.ensure(email="ada@example.com", role_bindings=member),
        "invites.ensure": lambda admin: admin.invites.ensure(email="fay@example.com", role_bindings=member),
        "invites.describe_by_email": lambda admin: admin.invites.describe_by_email(email="fay@example.com"),
        "service_accounts.ensure": lambda admin: admin.service_accounts.ensure(
            name="ensured", role_bindings=member, store=stored.append
        ),
        "service_accounts.describe_by_name": lambda admin: admin.service_accounts.describe_by_name(name="ensured"),
        "service_accounts.rotate": lambda admin: admin.service_accounts.rotate(
            service_account_id=ids["service_account_id"], store=stored.append
        ),
        "service_accounts.rotate_due": lambda admin: admin.service_accounts.rotate_due(
            older_than=timedelta(days=1), store=stored.append, allow_unreadable=True
        ),
        "role_bindings.ensure": lambda admin: admin.role_bindings.ensure(**person, role="DataPlaneViewer"),
        "role_bindings.change_role": lambda admin: admin.role_bindings.change_role(
            **person, from_role="DataPlaneViewer", to_role="ProjectManager"
        ),
        "users.offboard": lambda admin: admin.users.offboard(email="ada@example.com", dry_run=False),
        "users.offboard_many": offboard_many,
    }
    return {
        **calls,
        **{method: partial(call_plainly, method=method) for method in METHODS if method in PREVIEWED - calls.keys()},
        **{method: plain[method] for method in reversed(deletes)},
        "organizations.delete": lambda admin: refuse_organization(admin, ids["organization_id"]),
    }


async def refuse_organization(admin: Any, organization_id: str) -> str:
    """Try to delete the organization, which has projects."""
    try:
        await wait(admin.organizations.delete(organization_id=organization_id))
    except (ConflictError, FailedPreconditionError) as error:  # which one differs by what is in the way
        return type(error).__name__
    raise AssertionError("an organization with projects was deleted")


async def wait(value: Any) -> Any:
    """Return a value, or what it is when it is awaited."""
    return await value if inspect.isawaitable(value) else value


async def call_methods(kind: type[Admin | AsyncAdmin]) -> int:
    """Call every method of a client, and return how many it has."""
    emulator = Emulator(seed=1, plan="Enterprise")
    ids = add_resources(emulator) | {"secret": emulator.client_secret}
    with serving(emulator):
        admin: Any = kind(
            host=emulator.host,
            oauth_url=emulator.oauth_url,
            client_id=emulator.client_id,
            client_secret=emulator.client_secret,
        )
        calls = list_calls(ids)
        if missing := list_methods(admin) ^ calls.keys():
            sys.exit(f"smoke: {kind.__name__} and the table of calls differ in {', '.join(sorted(missing))}")
        for name, call in calls.items():
            try:
                await wait(call(admin))
            except Exception as error:
                raise RuntimeError(f"{kind.__name__}.{name} failed") from error
        await wait(admin.aclose() if isinstance(admin, AsyncAdmin) else admin.close())
    return len(calls)


def use_command_line(folder: Path) -> None:
    """Create a project and a key, whose value goes to a file, and list the projects."""
    emulator = Emulator(seed=1)
    with serving(emulator):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PINECONE_")} | {
            "PINECONE_CONTROLLER_HOST": emulator.host,
            "PINECONE_OAUTH_URL": emulator.oauth_url,
            "PINECONE_CLIENT_ID": emulator.client_id,
            "PINECONE_CLIENT_SECRET": emulator.client_secret,
            "HOME": str(folder),
        }

        def run(*words: str) -> str:
            command = [sys.executable, "-m", "pinecone_admin.cli", *words]
            done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=folder, check=False)
            if done.returncode:
                sys.exit(f"smoke: pinecone-admin {' '.join(words)} ended with {done.returncode}: {done.stderr}")
            return done.stdout

        run("project", "create", "search", "--yes")
        target = folder / "key.env"
        run("api-key", "create", "reader", "--project", "search", "--store", f"env-file:{target}#KEY", "--yes")
        assert "KEY=" in target.read_text(encoding="utf-8")  # noqa: S101 - this is a check
        names = [project["name"] for project in json.loads(run("project", "list", "--output", "json"))]
        assert names == ["search"], names  # noqa: S101 - as above


def main() -> None:
    """Call everything."""
    started = time.monotonic()
    counts = [asyncio.run(call_methods(kind)) for kind in (Admin, AsyncAdmin)]
    with tempfile.TemporaryDirectory() as folder:
        use_command_line(Path(folder))
    seconds = time.monotonic() - started
    print(f"smoke: Python {platform.python_version()} called {counts[0]} methods of each client in {seconds:.0f} s")


if __name__ == "__main__":
    main()
