"""Convert results to plain JSON values."""

from __future__ import annotations

from typing import Any, TypeGuard


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Return whether a plain value is an object."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Return whether a plain value is a list."""
    return isinstance(value, list)


def to_plain(value: object, *, for_people: bool = False) -> Any:
    """Return a result as plain JSON values; secrets are masked, and for people steps are texts."""
    if hasattr(type(value), "__attrs_attrs__"):
        from pinecone_admin.cli.output.documents import build_document  # noqa: PLC0415 - a help needs no models

        return build_document(value, for_people=for_people)
    if is_object(value):
        return {name: to_plain(each, for_people=for_people) for name, each in value.items()}
    return [to_plain(each, for_people=for_people) for each in value] if is_list(value) else value


def without_null(value: Any) -> Any:
    """Return a plain value without the fields that are null, which a request leaves out."""
    if is_object(value):
        return {name: without_null(each) for name, each in value.items() if each is not None}
    return [without_null(each) for each in value] if is_list(value) else value
