"""JMESPath expressions: what can be known to be wrong before anything is sent, and what one selects of a result."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

from pinecone_admin._text.printable import make_printable
from pinecone_admin._text.quoting import quote_name
from pinecone_admin.cli.failures import CLIError

_MAX_DEPTH = 100
"""The library evaluates by recursion, which ends at a depth of some 400."""
MAX_QUOTED = 100
"""Characters of an expression that a message shows."""
_MAX_REASON = 200

_Node: TypeAlias = dict[str, Any]
_STEPS = frozenset({"filter_projection", "pipe", "projection", "subexpression", "value_projection"})
"""Nodes whose second child makes what they select."""


def check_query(query: str) -> None:
    """Raise CLIError unless a text is a JMESPath expression that can give a JSON value."""
    import jmespath  # noqa: PLC0415 - only --query needs it

    try:
        tree: Any = jmespath.compile(query).parsed
    except Exception as error:  # the library also raises ValueError and RecursionError
        lines = str(error).splitlines() or [type(error).__name__]  # the library draws an arrow below the first
        reason = make_printable(lines[0].rstrip(":. "), most=_MAX_REASON)
        raise _refuse(query, f"is no JMESPath expression: {reason}") from error
    problem = next(_find_problems(tree), None)
    if problem is not None:
        raise _refuse(query, problem)


def search(query: str, plain: Any) -> Any:
    """Return the part of a result that a JMESPath expression selects.

    Raises:
        CLIError: The expression does not fit the result, such as a function of a value of another type, or it gives
            what JSON cannot express. The message quotes no value of the result, which may be a secret.
    """
    import jmespath  # noqa: PLC0415 - only --query needs it

    try:
        selected = jmespath.search(query, plain)
    except Exception as error:  # noqa: BLE001 - the library also raises OverflowError, ValueError and others
        raise _refuse(query, f"does not fit the result: {_describe_misfit(error)}") from None
    if (problem := _find_json_problem(selected)) is not None:
        raise _refuse(query, f"gives what JSON cannot express: {problem}")
    return selected


def name_columns(query: str, selected: Any) -> Any:
    """Return what an expression selects, with the rows of a list that it makes, as ``[].[name, id]``, as objects."""
    import jmespath  # noqa: PLC0415 - only --query needs it

    node: Any = jmespath.compile(query).parsed
    depth = 0
    while node["type"] in _STEPS:
        depth += node["type"] not in {"pipe", "subexpression"}
        node = node["children"][1]
    if node["type"] != "multi_select_list" or depth > 1 or selected is None:
        return selected
    names = [_name_column(each) or f"{position}" for position, each in enumerate(node["children"], 1)]
    if len(set(names)) < len(names):
        names = [f"{position}" for position in range(1, len(names) + 1)]
    rows = [dict(zip(names, row, strict=True)) for row in (selected if depth else [selected])]
    return rows if depth else rows[0]


def _name_column(node: _Node) -> str:
    """Return the name of the field that an expression is; nothing if it is none."""
    if node["type"] == "subexpression":
        names = list(map(_name_column, node["children"]))
        return ".".join(names) if all(names) else ""
    return node["value"] if node["type"] == "field" else ""


def _find_problems(tree: _Node) -> Iterator[str]:
    """Yield why an expression can give no JSON value for any result."""
    from jmespath.functions import Functions  # noqa: PLC0415 - as above

    signatures: dict[str, Any] = getattr(Functions, "FUNCTION_TABLE")  # noqa: B009 - set by its metaclass
    nodes = [(tree, 1, False)]
    while nodes:
        node, depth, takes_expression = nodes.pop()
        if depth > _MAX_DEPTH:
            yield "is nested too deeply"
            return
        if node["type"] == "expref" and not takes_expression:
            yield "uses an expression reference (&) as a value"
        if node["type"] == "literal" and _find_json_problem(node["value"]):
            yield "has a literal that JSON cannot express"
        expected: list[bool] = []
        if node["type"] == "function_expression":
            function = signatures.get(node["value"])
            if function is None:
                yield f"calls {make_printable(node['value'], most=MAX_QUOTED)}(), which is no function"
                continue
            signature = function["signature"]
            given, wanted = len(node["children"]), len(signature)
            if given < wanted or (given > wanted and not signature[-1].get("variadic")):
                least = "at least " if signature[-1].get("variadic") else ""
                yield f"calls {node['value']}() with {given} instead of {least}{wanted} arguments"
            expected = ["expref" in each["types"] for each in signature]
            if all(each["type"] == "literal" for each in node["children"]) and not _gives_json(node):
                yield f"calls {node['value']}() of what gives a value that JSON cannot express"
        children: list[dict[str, Any]] = [
            each for each in node["children"] if isinstance(each, dict)
        ]  # a slice has numbers
        nodes += [
            (each, depth + 1, position < len(expected) and expected[position]) for position, each in enumerate(children)
        ]


def _gives_json(function: Any) -> bool:
    """Return whether a function of literals gives a JSON value, or fails, if it is called at all."""
    from jmespath.visitor import TreeInterpreter  # noqa: PLC0415 - as above

    try:
        value: Any = TreeInterpreter().visit(function, None)
    except Exception:  # noqa: BLE001 - of many kinds; what does not call it does not fail
        return True
    return _find_json_problem(value) is None


def _find_json_problem(value: object) -> str | None:
    """Return the name of the error if JSON cannot express a value."""
    import json  # noqa: PLC0415 - only --query needs it

    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        return type(error).__name__
    return None


def _describe_misfit(error: Exception) -> str:
    """Return what is wrong without the value, which the messages of the library quote."""
    from jmespath.exceptions import JMESPathTypeError  # noqa: PLC0415 - as above

    if not isinstance(error, JMESPathTypeError):
        return type(error).__name__
    details: dict[str, Any] = vars(error)
    expected = " or ".join(map(str, details["expected_types"]))
    return f"{details['function_name']}() takes {expected}, not {details['actual_type']}"


def _refuse(query: str, problem: str) -> CLIError:
    return CLIError(f"--query: {quote_name(make_printable(query, most=MAX_QUOTED))} {problem}")
