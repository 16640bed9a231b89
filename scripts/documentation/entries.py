"""An entry of the reference: a class, function, method or constant as users write it, with what its docstring says."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from textwrap import TextWrapper
from typing import Any, ForwardRef, Union, get_args, get_origin

import attrs
from sphinx.pycode import ModuleAnalyzer

from documentation.docstrings import Docstring, break_lines, join_lines, parse_docstring, render_item
from generated_client.types import Unlisted

INTERNAL = {
    *("Emulator.handle", "Emulator.read_state", "Emulator.served_at"),
    *("Fault.fires_on", "Faults.add_document", "Faults.next_match", "Faults.remove_number"),
    *("Faults.respond", "RequestLog.add"),
}
"""Methods that other modules of the emulator call, and users do not."""

PUBLIC_MODULES = ("auth", "emulator", "errors", "models", "operations", "retry", "testing", "workflows")

WIDTH = 90
"""How many characters of code fit a page."""

_NAME = re.compile(r"(?<![\w.\"'])(_?[A-Z]\w*)(\[_\w+\])?")
_QUALIFIER = re.compile(r"\b(?:[a-z_]\w*\.)+(?=\w)")
_UNITS = {"days": 86_400, "hours": 3600, "minutes": 60, "seconds": 1}
_PACKAGES = ("generated_client", "pinecone_admin")


def render_entry(title: str, value: Any, level: int) -> str:
    """Return the entry of a class, function, method or constant."""
    parts = [f"{'#' * level} `{title}`\n"]
    if inspect.isclass(value) and value.__name__ != title.rpartition(".")[2] and (comment := find_comment(title)):
        parts.append(break_lines(comment))  # another name of a class
    elif inspect.isclass(value):
        parts += render_class(title, value, level)
    elif inspect.isroutine(value):
        parts += render_function(title, value)
    else:
        parts.append(break_lines(f"{find_comment(title)} {describe_values(value)}".strip()))
    return "\n".join(part for part in parts if part)


def render_class(title: str, kind: type, level: int) -> Iterator[str]:
    """Yield the parts of a class: how it is made, its attributes and its methods."""
    docstring = parse_docstring(inspect.getdoc(kind) or "")
    if is_constructed(kind):
        yield render_signature(title, kind)
    elif issubclass(kind, Exception):
        yield f"```python\n{title}({', '.join(base.__name__ for base in kind.__bases__)})\n```\n"
    yield f"{docstring.text}\n"
    yield render_arguments(docstring, kind) if is_constructed(kind) else ""
    members = dict(list_members(kind))
    types = find_attribute_types(kind)
    items = [render_named(name, types.get(name), text, kind) for name, text in docstring.entries("Attributes").items()]
    items += [render_property(name, each) for name, each in members.items() if not callable(each)]
    yield f"**Attributes**\n\n{''.join(items)}" if items else ""
    yield render_raises(docstring)
    yield docstring.render_example()
    for name, member in members.items():
        if callable(member):
            yield render_entry(f"{title}.{name}", member, level + 1)


def render_function(title: str, function: Callable[..., object]) -> Iterator[str]:
    """Yield the parts of a function or method: the return type comes before the errors."""
    docstring = parse_docstring(inspect.getdoc(function) or "")
    yield render_signature(title, function)
    yield f"{docstring.text}\n"
    yield render_arguments(docstring, function)
    returned = render_type(inspect.signature(function).return_annotation, function)
    text = join_lines(docstring.sections.get("Returns", ""))
    yield break_lines(f"**Returns** `{returned}`{text and f': {text}'}") if returned not in {"", "None"} else ""
    yield render_raises(docstring)
    yield docstring.render_example()


def render_arguments(docstring: Docstring, owner: Any) -> str:
    """Return the list of the arguments of a function or constructor."""
    types = {name: each.annotation for name, each in inspect.signature(owner).parameters.items()}
    items = [render_named(name, types.get(name), text, owner) for name, text in docstring.entries("Args").items()]
    return f"**Arguments**\n\n{''.join(items)}" if items else ""


def render_raises(docstring: Docstring) -> str:
    """Return the list of errors."""
    items = [render_item(f"`{name}`", text) for name, text in docstring.entries("Raises").items()]
    return f"**Raises**\n\n{''.join(items)}" if items else ""


def render_property(name: str, member: Any) -> str:
    """Return the item of a property, or of a namespace, which has a page."""
    is_namespace = not isinstance(member, property)
    function = member.load if is_namespace else member.fget
    docstring = parse_docstring(inspect.getdoc(function) or "")
    returned = join_lines(docstring.sections.get("Returns", ""))
    raises = [f"Raises `{name}`: {reason}" for name, reason in docstring.entries("Raises").items()]
    text = " ".join([*docstring.text.split(), *filter(None, [returned]), *raises])
    if is_namespace:
        return render_item(f"[`{name}`]({name.replace('_', '-')}.md)", text)
    return render_named(name, inspect.get_annotations(function)["return"], text, function)


def render_named(name: str, annotation: Any, text: str, owner: Any) -> str:
    """Return the item of an argument or attribute, with its type."""
    written = render_type(annotation, owner)
    is_typed = written and not written.startswith("Unpack[")  # the keywords of another function, which the text names
    return render_item(f"`{name}` (`{written}`)" if is_typed else f"`{name}`", text)


def render_signature(title: str, value: Any) -> str:
    """Return a block with the signature of a function or constructor, without the types of the arguments."""
    returned = "" if inspect.isclass(value) else render_type(inspect.signature(value).return_annotation, value)
    prefix = "async " if inspect.iscoroutinefunction(value) else ""
    arguments = ", ".join(write_arguments(list_fields(value) if attrs.has(value) else list_parameters(value)))
    end = f" -> {returned}" if returned not in {"", "None"} else ""
    line = f"{prefix}{title}({arguments}){end}"
    if len(line) > WIDTH:
        wrapper = TextWrapper(WIDTH, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False)
        line = f"{prefix}{title}(\n{wrapper.fill(arguments)}\n){end}"
    return f"```python\n{line}\n```\n"


def list_parameters(function: Any) -> list[inspect.Parameter]:
    """Return the parameters that a caller passes."""
    return [each for name, each in inspect.signature(function).parameters.items() if name != "self"]


def list_fields(kind: Any) -> list[inspect.Parameter]:
    """Return the fields of a class of data as its constructor takes them, without what only a response has."""
    kinds = {True: inspect.Parameter.KEYWORD_ONLY, False: inspect.Parameter.POSITIONAL_OR_KEYWORD}
    fields = [each for each in attrs.fields(kind) if each.init and each.name != "extra"]
    defaults = [inspect.Parameter.empty if each.default is attrs.NOTHING else each.default for each in fields]
    return [
        inspect.Parameter(each.alias, kinds[each.kw_only], default=default)
        for each, default in zip(fields, defaults, strict=True)
    ]


def write_arguments(parameters: list[inspect.Parameter]) -> Iterator[str]:
    """Yield the arguments as a signature has them, with their defaults."""
    has_star = False
    for each in parameters:
        if each.kind is each.KEYWORD_ONLY and not has_star:
            yield "*"
        has_star = has_star or each.kind in {each.KEYWORD_ONLY, each.VAR_POSITIONAL}
        default = "" if each.default is each.empty else f"={write_default(each.default)}"
        stars = "*" * (each.kind is each.VAR_POSITIONAL) + "**" * (each.kind is each.VAR_KEYWORD)
        yield stars + each.name + default


def write_default(value: Any) -> str:
    """Return a default as it is written, or dots if that would be no code of one line."""
    if isinstance(value, timedelta):
        unit, seconds = next(each for each in _UNITS.items() if not value % timedelta(seconds=each[1]))
        return f"timedelta({unit}={value // timedelta(seconds=seconds)})" if value else "timedelta(0)"
    return repr(value) if isinstance(value, str | int | float | tuple | None) else "..."


def is_constructed(kind: type) -> bool:
    """Return whether users construct a class: not an error, a protocol or a dict, nor what a client returns."""
    if issubclass(kind, Exception | dict) or getattr(kind, "_is_protocol", False):
        return False
    return {"admin", "sender"}.isdisjoint(getattr(vars(kind).get("__init__"), "__annotations__", {}))


def list_members(kind: type) -> Iterator[tuple[str, Any]]:
    """Yield the documented methods and properties of a class, with those that a class of data inherits."""
    fields = {each.name for each in attrs.fields(kind)} if attrs.has(kind) else set[str]()
    for base in kind.__mro__ if attrs.has(kind) else [kind]:
        for name, member in vars(base).items():
            if name not in fields and is_for_users(name, member) and is_documented(member):
                yield name, getattr(kind, name) if isinstance(member, classmethod) else member


def is_for_users(name: str, member: object) -> bool:
    """Return whether a member of a class is public, and not one that only the emulator calls."""
    return not name.startswith("_") and getattr(member, "__qualname__", "") not in INTERNAL


def is_documented(member: Any) -> bool:
    """Return whether a member is a method or property with a docstring."""
    is_method = inspect.isroutine(member) or isinstance(member, classmethod | property) or hasattr(member, "load")
    return is_method and bool(inspect.getdoc(getattr(member, "load", member)))


def find_attribute_types(kind: type) -> dict[str, Any]:
    """Return the types of the attributes of a class, with those of its bases."""
    types: dict[str, Any] = {}
    for base in reversed(kind.__mro__):
        types |= getattr(vars(base).get("__init__"), "__annotations__", {}) | inspect.get_annotations(base)
    return types


def render_type(annotation: Any, owner: Any) -> str:
    """Return a type as users import its parts: by public names, without modules."""
    if annotation in {None, inspect.Signature.empty}:
        return ""
    names = find_globals(owner)
    text = annotation if isinstance(annotation, str) else stringify(annotation)
    text = _NAME.sub(lambda found: expand_name(found[1], found[2] or "", names), text)
    return _QUALIFIER.sub("", text)


def expand_name(name: str, argument: str, names: Mapping[str, Any]) -> str:
    """Return what a private alias stands for, and T for a variable."""
    if name.startswith("_"):
        return "T"
    value = names.get(name)
    is_private = get_origin(value) is not None and not is_public(name)
    return _QUALIFIER.sub("", stringify(value)) if is_private else name + (argument and "[T]")


def stringify(annotation: Any) -> str:
    """Return the text of a type that is no text."""
    if isinstance(annotation, ForwardRef):
        return annotation.__forward_arg__
    if inspect.isclass(annotation) and not get_args(annotation):
        return annotation.__name__
    return re.sub(r"[~+]_\w+", "T", str(annotation))


def find_globals(owner: Any) -> Mapping[str, Any]:
    """Return the names of the module that defines a class or function."""
    return vars(sys.modules[inspect.unwrap(owner).__module__])


def is_public(name: str) -> bool:
    """Return whether a public module has a name."""
    modules = [importlib.import_module(f"pinecone_admin.{each}") for each in PUBLIC_MODULES]
    return any(name in module.__all__ for module in modules)


def find_comment(name: str) -> str:
    """Return the docstring of a constant or type alias, from the module that defines it."""
    for path, module in sorted(sys.modules.items()):
        if path.startswith(_PACKAGES) and name in vars(module):
            comments = ModuleAnalyzer.for_module(path).find_attr_docs()
            if ("", name) in comments:
                return join_lines(" ".join(comments["", name]))
    return ""


def describe_values(value: object) -> str:
    """Return a sentence with the value of a constant, or with the values that a type alias lists."""
    if isinstance(value, str):
        return f"Value: `{value!r}`."
    listed = value if isinstance(value, tuple) else list_literal_values(value)
    choices = [each for each in get_args(value) if each is not Unlisted]
    if any(inspect.isclass(each) for each in (*listed, *choices)):
        return f"Stands for `{_QUALIFIER.sub('', stringify(value))}`."
    others = ", or any text as `Unlisted`" if Unlisted in get_args(value) else ""
    return f"Values: {', '.join(f'`{each!r}`' for each in listed)}{others}." if listed else ""


def list_literal_values(alias: object) -> list[object]:
    """Return the values of a literal, or of the literals in a union."""
    parts = get_args(alias) if get_origin(alias) is Union else [alias]
    return [value for part in parts for value in get_args(part)]
