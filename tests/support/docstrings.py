"""The examples in docstrings of generated code, evaluated as a user would."""

from __future__ import annotations

import inspect
import re
from datetime import datetime
from doctest import DocTestParser
from types import ModuleType
from typing import Any

import attrs

import generated_client.api
import generated_client.models
import generated_client.types


def evaluate_example(documented: Any, package: ModuleType = generated_client) -> Any:
    """Return what the example of a builder or model evaluates to, or None if there is no example."""
    found = DocTestParser().get_examples(inspect.getdoc(documented) or "")
    return _evaluate(found[0].source, package) if found else None


def evaluate_field_examples(model: type[Any], package: ModuleType = generated_client) -> dict[str, Any]:
    """Return the examples of the fields of a model."""
    found, name = {}, ""
    for line in (inspect.getdoc(model) or "").splitlines():
        if entry := re.match(r" {4}(\w+):", line):
            name = entry[1]
        elif line.startswith(" " * 8 + "Example: "):
            found[name] = _evaluate(line.split(": ", 1)[1], package)
    return found


def encode_value(value: Any, package: ModuleType) -> Any:
    """Return the JSON value that a client of a package sends for a value."""
    if isinstance(value, package.types.Null):
        return None
    if not attrs.has(type(value)):
        return [encode_value(each, package) for each in value] if isinstance(value, list) else value
    fields = {name: field for name, field, _ in package.types.wire_fields(value) if field is not None}
    encoded = {name: encode_value(field, package) for name, field in fields.items()}
    return encoded | dict(package.types.extra_fields(value))


def _evaluate(source: str, package: ModuleType) -> Any:
    modules = (package.api, package.models)
    names = {name: getattr(module, name) for module in modules for name in module.__all__}
    return eval(source, names | {"datetime": datetime, "Null": package.types.Null})
