"""Generated packages as data: what a user's program may name, read from their source."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from jinja2.bccache import Bucket, BytecodeCache
from openapi_python_client import Project
from openapi_python_client.config import Config, ConfigFile, MetaType
from openapi_python_client.parser import GeneratorData

from generate import TEMPLATES_FOLDER, tidy_package
from generation.examples import write_examples
from generation.normalization import adapt_schemas
from generation.settings import SETTINGS_FILE

Surface: TypeAlias = dict[str, str]
"""Each operation, argument, response, class, field, literal and value: its label in a report → what a program sees."""


class _CompiledTemplates(BytecodeCache):
    """The templates compiled for earlier projects: to compile them takes longer than to fill them in."""

    def __init__(self) -> None:
        self._codes: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._codes:
            bucket.bytecode_from_string(self._codes[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._codes[bucket.key] = bucket.bytecode_to_string()


_COMPILED_TEMPLATES = _CompiledTemplates()


def generate_tree(normalized: Any, folder: Path) -> Path:
    """Generate the package of a normalized document in this process, without the formatter."""
    target = folder / "generated_client"
    project = _make_project(normalized, folder, target)
    errors = project.build()
    assert not errors, errors
    tidy_package(target)
    return target


def loaded_templates(normalized: Any, folder: Path) -> set[str]:
    """Return the names of the templates that the generator loads."""
    project = _make_project(normalized, folder, folder / "generated_client")
    project.build()
    assert project.env.cache is not None
    return {name for _, name in project.env.cache}


def _make_project(normalized: Any, folder: Path, target: Path) -> Project:
    config = Config.from_sources(
        _load_config_file(), MetaType.NONE, folder / "none", "utf-8", overwrite=True, output_path=target
    )
    data = GeneratorData.from_dict(adapt_schemas(write_examples(normalized)), config=config)
    assert isinstance(data, GeneratorData), data
    project = Project(openapi=data, config=config, custom_template_path=TEMPLATES_FOLDER)
    project.env.bytecode_cache = _COMPILED_TEMPLATES
    return project


@cache
def _load_config_file() -> ConfigFile:
    return ConfigFile.load_from_path(SETTINGS_FILE)


def read_surface(package: Path) -> Surface:
    """Return what programs may name of a generated package."""
    surface: Surface = {}
    for path in sorted(package.glob("api/*/*.py")):
        surface |= _read_api_module(path.read_text(encoding="utf-8"))
    for path in sorted(package.glob("models/*.py")):
        surface |= _read_model_module(path.read_text(encoding="utf-8"))
    return surface


# The packages that a test compares have most modules in common.
@cache
def _read_api_module(source: str) -> Surface:
    surface: Surface = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            surface |= _read_builder(node)
    return surface


@cache
def _read_model_module(source: str) -> Surface:
    surface: Surface = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef):
            surface |= _read_class(node)
        elif isinstance(node, ast.AnnAssign) and ast.unparse(node.annotation) == "TypeAlias":
            surface |= _read_literal(node)
    return surface


def _read_builder(node: ast.FunctionDef) -> Surface:
    # A builder ends with "return Operation(...)".
    call: Any = next(each for each in node.body if isinstance(each, ast.Return)).value
    stated = {
        keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords if keyword.arg in {"method", "path"}
    }
    surface = {
        node.name: f"{stated['method']} {re.sub(r'{[^{}]*}', '{}', stated['path'])}",
        f"{node.name} response": ast.unparse(node.returns) if node.returns else "",
    }
    for argument, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True):
        kind = ast.unparse(argument.annotation) if argument.annotation else ""
        surface[f"{node.name}.{argument.arg}"] = kind if default is None else f"{kind} = None"
    return surface


def _read_class(node: ast.ClassDef) -> Surface:
    surface = {node.name: "class"}
    for each in node.body:
        if isinstance(each, ast.AnnAssign):
            optional = each.value is not None and "None" in ast.unparse(each.value).replace("metadata", "")
            name, kind = ast.unparse(each.target), ast.unparse(each.annotation)
            surface[f"{node.name}.{name}"] = f"{kind} = None" if optional else kind
    return surface


def _read_literal(node: ast.AnnAssign) -> Surface:
    name = ast.unparse(node.target)
    values = [
        each.value if isinstance(each.value, str) else repr(each.value)
        for each in ast.walk(node)
        if isinstance(each, ast.Constant)
    ]
    return {name: "literal"} | {f"{name}: {value}": "value" for value in values}
