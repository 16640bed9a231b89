"""Check the types of the parts of an Operation: one that is built by hand may hold anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from generated_client.types import Operation
from pinecone_admin._http.argument_checks import check_string
from pinecone_admin.errors import PineconeError, PineconeTypeError

_TEXTS = ("id", "method", "path")
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
    id, method, path = given.id, given.method, given.path
    try:
        # Fast path: the texts of nearly all operations are plain ASCII.
        if not (type(id) is type(method) is type(path) is str and (id + method + path).isascii()):
            _check_texts(id, method, path)
        for name in _MAPPINGS:
            value = getattr(given, name)
            if value.__class__ is not dict or value:  # most operations have none of the three
                _check_mapping(name, value)
        is_wrong = isinstance(given.returns, _NO_TYPES)
        try:
            hash(given.returns)
        except TypeError:
            is_wrong = True
        if is_wrong:
            raise PineconeTypeError(f"returns must be a hashable type or None, not {type(given.returns).__name__}")
    except PineconeError as exc:
        exc.operation = id if type(id) is str else None
        raise


def _check_texts(*texts: object) -> None:
    for name, text in zip(_TEXTS, texts, strict=True):
        check_string(name, text)


def _check_mapping(name: str, value: object) -> None:
    if not isinstance(value, Mapping):
        raise PineconeTypeError(f"{name} must be a mapping, not {type(value).__name__}")
    for key in cast("Mapping[object, object]", value):
        check_string(f"a name in {name}", key)
