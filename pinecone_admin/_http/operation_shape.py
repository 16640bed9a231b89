"""Check what an Operation consists of: one built by hand may hold anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from generated_client.types import Operation
from pinecone_admin._http.argument_checks import check_string
from pinecone_admin.errors import PineconeError, PineconeTypeError

_MAPPINGS = ("path_parameters", "query", "headers")
_NO_TYPES = (str, bytes, bytearray, int, float, list, tuple, dict, set)


def check_operation_shape(operation: object) -> None:
    """Raise unless a value is an Operation whose parts have the types that all later checks rely on.

    Raises:
        PineconeTypeError: It is not, or one of its parts has the wrong type.
        PineconeValueError: One of its texts contains an unpaired surrogate.
    """
    if not isinstance(operation, Operation):
        raise PineconeTypeError(f"operation must be an Operation, not {type(operation).__name__}")
    given = cast("Operation[object]", operation)
    check_string("id", given.id)
    try:
        check_string("method", given.method)
        check_string("path", given.path)
        for name in _MAPPINGS:
            _check_mapping(name, getattr(given, name))
        if isinstance(given.returns, _NO_TYPES):
            raise PineconeTypeError(f"returns must be a type or None, not {type(given.returns).__name__}")
    except PineconeError as exc:
        exc.operation = given.id
        raise


def _check_mapping(name: str, value: object) -> None:
    if value.__class__ is dict and not value:  # most operations have none of the three
        return
    if not isinstance(value, Mapping):
        raise PineconeTypeError(f"{name} must be a mapping, not {type(value).__name__}")
    for key in cast("Mapping[object, object]", value):
        check_string(f"a name in {name}", key)
