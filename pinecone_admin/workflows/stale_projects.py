"""Decide which projects are stale, and what has changed since a plan was made."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from generated_client.models import APIKey, Project
from pinecone_admin._http.server_clock import plausible_date
from pinecone_admin._text.durations import describe_duration
from pinecone_admin._text.moments import describe_minute
from pinecone_admin._text.quoting import quote_name
from pinecone_admin.workflows import name_tags
from pinecone_admin.workflows.changes import Ref
from pinecone_admin.workflows.plans import StaleProject
from pinecone_admin.workflows.reports import Content
from pinecone_admin.workflows.retired_keys import is_temporary_key

NOT_SEEN = "the server does not show it to this account now, but it may still exist"
"""Why a project of a plan that the server does not find is left, unless the account is seen to own the organization."""


def matches_name(name: str, name_pattern: str) -> bool:
    """Return whether the name of a project matches a pattern, as names of files do in a shell."""
    return fnmatchcase(name, name_pattern)


def find_reason_to_keep(project: Project, *, older_than: timedelta, now: datetime) -> str | None:
    """Return why a project, whose name matches, is not stale, or None if it is."""
    if project.created_at is None:
        return "it has no date of creation"
    if plausible_date(project.created_at) is None:
        return f"its creation date is implausible: {describe_minute(project.created_at)}"
    if now - project.created_at <= older_than:
        limit = describe_duration(older_than)
        return f"it was created {describe_minute(project.created_at)}, and is not older than {limit}"
    return None


def find_change(planned: StaleProject, project: Project) -> str | None:
    """Return how a project differs from its plan, or None if it does not."""
    if project.name != planned.name:
        return f"it is now named {quote_name(project.name)}"
    if project.created_at != planned.created_at:
        return f"its date of creation is now {project.created_at or 'unknown'}"
    return None


def find_planned_refusal(planned: StaleProject, contents: Sequence[Content]) -> str | None:
    """Return which contents are protected or not in the plan, or None; an earlier run may have deleted others."""
    known = {content.key for content in planned.contents}
    new = [f"{content.kind} {quote_name(content.name)}" for content in contents if content.key not in known]
    return f"it contains {', '.join(new)}, which is not in the plan" if new else find_protection(contents)


def list_lasting_keys(keys: Sequence[APIKey]) -> list[Ref]:
    """Return the API keys that no workflow made for a time: with one that is not in the plan, a project is in use."""
    return [Ref("api_key", key.name, key.id) for key in keys if not is_temporary_key(key)]


def find_new_keys(planned: StaleProject, keys: Sequence[APIKey]) -> str | None:
    """Return which API keys are not in the plan, or None; an earlier run may have deleted others."""
    known = {each.id for each in planned.api_keys}
    added = [each for each in list_lasting_keys(keys) if each.id not in known]
    new = [f"API key {name_tags.describe_name(str(each.name), quote_name)}" for each in added]
    return f"it has {', '.join(new)}, which is not in the plan" if new else None


def find_protection(contents: Sequence[Content]) -> str | None:
    """Return which contents are protected from deletion, or None if there are none."""
    protected = ", ".join(str(content) for content in contents if content.protected)
    return f"deletion protection is on for {protected}: turn it off" if protected else None
