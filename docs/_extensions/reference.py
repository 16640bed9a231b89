"""The reference: directives that document public names as users write them.

``client-methods`` documents a method as ``admin.projects.create``, the name in users' code, although it belongs to a
private class. ``public-names`` documents names of a public module.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from types import ModuleType
from typing import Any, Union, get_args, get_origin

import attrs
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata, stringify_annotation

import pinecone_admin
from generated_client.types import Unlisted
from pinecone_admin._sync.client import NAMESPACES
from pinecone_admin.emulator.control.faults import Faults
from pinecone_admin.emulator.control.request_log import RequestLog

INTERNAL = {
    *("Emulator.handle", "Emulator.read_state", "Emulator.served_at"),
    *("Fault.fires_on", "Faults.add_document", "Faults.next_match", "Faults.remove_number"),
    *("Faults.respond", "RequestLog.add"),
}
"""Methods that other modules of the emulator call, and users do not."""

_ATTRIBUTE = re.compile(r"(:vartype \w+: )(.+)")
_TYPE_VARIABLE = re.compile(r"~?\b(?:[a-z_]\w*\.)*_T(?:_co)?\b")
_QUALIFIED = re.compile(r"~?\b((?:[a-z_]\w*\.)+)(\w+)")
_PACKAGES = ("generated_client", "pinecone_admin")


def register_names_of_users() -> None:
    """Let autodoc import ``admin.projects`` and ``emulator.faults``, which are objects in users' code, as classes."""
    admin, emulator = ModuleType("admin"), ModuleType("emulator")
    vars(admin).update({namespace: find_namespace_class(namespace) for namespace in NAMESPACES})
    vars(emulator).update(faults=Faults, requests=RequestLog)
    sys.modules.update(admin=admin, emulator=emulator)


def find_namespace_class(namespace: str) -> type:
    """Return the class of a namespace of the client."""
    module = importlib.import_module(f"pinecone_admin._sync.{namespace}")
    kind: type = getattr(module, inspect.get_annotations(vars(pinecone_admin.Admin)[namespace].func)["return"])
    return kind


class ClientMethods(SphinxDirective):
    """Document the methods of an object in users' code, such as ``admin.projects``."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return a list of the methods with their first sentences, then each method."""
        path = self.arguments[0]
        module, _, name = path.partition(".")
        members = vars(getattr(sys.modules[module], name))
        methods = [each for each, member in members.items() if callable(member) and is_for_users(each, member)]
        rows = "".join(f"* :py:meth:`{each} <{path}.{each}>`: {summarize(members[each])}\n" for each in methods)
        entries = "".join(f".. automethod:: {path}.{each}\n" for each in methods)
        return self.parse_text_to_nodes(f"{rows}\n{entries}")


def is_for_users(name: str, member: object) -> bool:
    """Return whether a member of a class is public, and not one that only the emulator calls."""
    return not name.startswith("_") and getattr(member, "__qualname__", "") not in INTERNAL


def hide_internal_members(
    _app: Sphinx,
    _what: str,
    name: str,
    member: object,
    _skip: bool,  # noqa: FBT001 - the handler of an event has no keywords
    _options: object,
) -> bool | None:
    """Hide methods that only the emulator calls."""
    return None if is_for_users(name.rpartition(".")[2], member) else True


def summarize(documented: object) -> str:
    """Return the first sentence of a docstring."""
    return re.split(r"(?<=\.)\s", inspect.getdoc(documented) or "", maxsplit=1)[0].replace("\n", " ")


class PublicNames(SphinxDirective):
    """Document the names of a public module that the content lists, in that order; ``*`` stands for any text."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return an entry for each name."""
        module = importlib.import_module(self.arguments[0])
        names = [name for each in " ".join(self.content).split() for name in match_names(module, each)]
        return self.parse_text_to_nodes("\n".join(write_entry(module, name) for name in names))


def match_names(module: ModuleType, pattern: str) -> list[str]:
    """Return a name, or the public names of a module that a pattern matches, by the modules that define them."""
    if "*" not in pattern:
        return [pattern]
    found = [name for name in module.__all__ if fnmatchcase(name, pattern)]
    return sorted(found, key=lambda name: (getattr(module, name).__module__.rpartition(".")[0], name))


def write_entry(module: ModuleType, name: str) -> str:
    """Return the directive that documents a public name."""
    value, path = getattr(module, name), f"{module.__name__}.{name}"
    if inspect.isclass(value):
        kind = "exception" if issubclass(value, Exception) else "class"
        options = ["members:"]
        if attrs.has(value):  # its docstring has its fields
            fields = ", ".join(each.name for each in attrs.fields(value))
            options += ["inherited-members:", f"exclude-members: {fields}"]
        options += ["no-index-entry:"] if module.__name__.startswith("pinecone_admin.emulator.") else []  # private
        return f".. auto{kind}:: {path}\n" + "".join(f"   :{each}\n" for each in options)
    if inspect.isfunction(value):
        return f".. autofunction:: {path}\n"
    text = f"{find_comment(name)} {describe_values(value)}".strip()
    return f".. py:data:: {name}\n   :module: {module.__name__}\n\n   {text}\n"


def find_comment(name: str) -> str:
    """Return the docstring of a constant or type alias, from the module that defines it."""
    for path, module in sorted(sys.modules.items()):
        if path.startswith(_PACKAGES) and name in vars(module):
            comments = ModuleAnalyzer.for_module(path).find_attr_docs()
            if ("", name) in comments:
                return " ".join(comments["", name])
    return ""


def describe_values(value: object) -> str:
    """Return a sentence with the value of a constant, or with the values that a type alias lists."""
    if isinstance(value, str):
        return f"Value: ``{value!r}``."
    listed = value if isinstance(value, tuple) else list_literal_values(value)
    others = ", or any text as ``Unlisted``" if Unlisted in get_args(value) else ""
    return f"Values: {', '.join(f'``{each!r}``' for each in listed)}{others}." if listed else ""


def list_literal_values(alias: object) -> list[object]:
    """Return the values of a literal, or of the literals in a union."""
    parts = get_args(alias) if get_origin(alias) is Union else [alias]
    return [value for part in parts for value in get_args(part)]


def complete_signature(
    _app: Sphinx, what: str, _name: str, documented: Any, _options: object, signature: str | None, returned: str | None
) -> tuple[str | None, str | None]:
    """Show the defaults of attrs classes as users see them, and no signature of what users do not construct."""
    if what == "exception" or (what == "class" and not is_constructed(documented)):
        return "", None
    if what == "class" and attrs.has(documented):
        # The option autodoc_preserve_defaults has replaced those of the signature, for which attrs leaves no source.
        defaults = {each.alias: each.default for each in attrs.fields(documented) if each.default is not attrs.NOTHING}
        parameters = inspect.signature(documented).parameters.values()
        shown = [
            each.replace(default=defaults.get(each.name, each.default)) for each in parameters if each.name != "extra"
        ]
        return f"({', '.join(show_parameters(shown))})", None
    return signature, returned


def is_constructed(kind: type) -> bool:
    """Return whether users construct a class: not a protocol, nor what a client returns."""
    return not getattr(kind, "_is_protocol", False) and "admin" not in getattr(
        vars(kind).get("__init__"), "__annotations__", {}
    )


def show_parameters(parameters: list[inspect.Parameter]) -> Iterator[str]:
    """Yield the parameters as a signature shows them, without their types."""
    if parameters and parameters[0].kind is inspect.Parameter.KEYWORD_ONLY:
        yield "*"
    for each in parameters:
        simple = isinstance(each.default, str | int | float | tuple | None)
        default = "" if each.default is each.empty else f"={each.default!r}" if simple else "=..."
        yield each.name + default


def mark_examples(
    _app: Sphinx, _what: str, _name: str, _documented: object, _options: object, lines: list[str]
) -> None:
    """Show the code of an example as code: in docstrings, it follows a line or a word without markup."""
    for number, line in enumerate(lines):
        if line == "Example:":
            lines[number] = "Example::"
            lines.insert(number + 1, "")
        elif found := re.fullmatch(r"( +Example: )(.+)", line):
            lines[number] = f"{found[1]}``{found[2]}``"


def show_attribute_types(
    _app: Sphinx, _what: str, _name: str, _documented: object, _options: object, lines: list[str]
) -> None:
    """Show the types of attributes, which napoleon has added, by their public names."""
    lines[:] = [f"{found[1]}{show_type(found[2])}" if (found := _ATTRIBUTE.fullmatch(line)) else line for line in lines]
    lines[:] = [re.sub(r"^(:(?:ivar|vartype) \w+)_:", r"\1\\_:", line) for line in lines]  # not a link


def show_names_of_users(app: Sphinx, domain: str, kind: str, content: addnodes.desc_content) -> None:
    """Show ``admin.projects.create`` in place of ``projects.create``, and types by their public names."""
    if domain != "py" or not isinstance(content.parent, addnodes.desc):
        return
    signature: Any = content.parent[0]
    module, name = signature.get("module"), signature.get("fullname")
    if module in {"admin", "emulator"}:
        for prefix in signature.findall(addnodes.desc_addname):
            prefix.insert(0, nodes.Text(f"{module}."))
    for annotation in signature.findall(addnodes.desc_annotation):
        for each in list(annotation.findall(nodes.Text)):
            each.parent.replace(each, nodes.Text(_TYPE_VARIABLE.sub("T", each)))
    overloads = [each for each in content.parent.children if isinstance(each, addnodes.desc_signature)][1:]
    if kind == "class" and overloads:  # they differ in types only, which its attributes have
        signature.remove(next(signature.findall(addnodes.desc_parameterlist)))
        for each in overloads:
            content.parent.remove(each)
    types = app.env.current_document.autodoc_annotations.get(f"{module}.{name}", {})
    for parameter, text in list(types.items()):
        if "Unpack[" in text:  # the keywords of another function, which the description names
            del types[parameter]
        else:
            types[parameter] = show_type(text)


def show_type(text: str) -> str:
    """Return a type with the names of literals in place of their values, and with no modules shown."""
    for literal, name in list_literals().items():
        text = text.replace(literal, name)
    text = _TYPE_VARIABLE.sub("T", text)
    before, literal, after = text.partition("Literal[")  # Sphinx links nothing after a literal
    return _QUALIFIED.sub(r"~\1\2", before) + literal + _QUALIFIED.sub(r"\2", after)


@cache
def list_literals() -> Mapping[str, str]:
    """Return the public name of each type alias, by what autodoc shows in its place."""
    found: dict[str, str] = {}
    for module_name in ("errors", "models", "workflows"):
        module = importlib.import_module(f"pinecone_admin.{module_name}")
        for name in module.__all__:
            value = getattr(module, name)
            if get_args(value) and not inspect.isclass(value):
                for mode in ("smart", "fully-qualified-except-typing"):  # of parameters, of attributes
                    found[stringify_annotation(value, mode)] = f"pinecone_admin.{module_name}.{name}"
    return found


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the extension with Sphinx."""
    register_names_of_users()
    app.add_directive("client-methods", ClientMethods)
    app.add_directive("public-names", PublicNames)
    app.connect("autodoc-process-signature", complete_signature)
    app.connect("autodoc-skip-member", hide_internal_members)
    app.connect("autodoc-process-docstring", mark_examples, priority=400)  # before napoleon reads the docstring
    app.connect("autodoc-process-docstring", show_attribute_types, priority=600)  # after napoleon has read it
    app.connect("object-description-transform", show_names_of_users, priority=400)  # before autodoc adds the types
    return {"parallel_read_safe": True, "parallel_write_safe": True}
