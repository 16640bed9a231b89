"""The documented errors of the methods of namespaces."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest
import yaml

from pinecone_admin import Admin, AsyncAdmin
from pinecone_admin._sync.client import NAMESPACES
from tests.test_docstrings import read_section

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_a_method_that_takes_an_id_says_what_is_raised_if_it_is_unknown(namespace: str) -> None:
    """The errors of a method that needs the id of something name NotFoundError."""
    for name, method in inspect.getmembers(getattr(Admin, namespace), inspect.isfunction):
        required = [each.name for each in inspect.signature(method).parameters.values() if each.default is each.empty]
        if not name.startswith("_") and any(each.endswith("_id") for each in required):
            assert "NotFoundError" in read_section(inspect.getdoc(method) or "", "Raises"), name


def test_a_request_that_is_not_repeated_says_what_an_unknown_outcome_means() -> None:
    """A method that sends a POST, which the client repeats only if it was not processed, names the outcomes."""
    for client in (Admin, AsyncAdmin):
        for each in (getattr(client, namespace) for namespace in NAMESPACES):
            for name in {"create", "resend", "rotate_secret"} & vars(each).keys():
                raised = read_section(inspect.getdoc(getattr(each, name)) or "", "Raises")
                assert '``outcome`` is ``"unknown"``' in raised["PineconeError"], (each, name)


def test_a_method_names_the_errors_of_its_statuses() -> None:
    """A method names the error of each status that is documented for its operation and tells a program what to do."""
    document = yaml.safe_load((ROOT / "openapi" / "admin.yaml").read_text(encoding="utf-8"))
    operations = [each for path in document["paths"].values() for each in path.values() if "operationId" in each]
    statuses = {each["operationId"]: each["responses"].keys() for each in operations}
    kinds = {"404": "NotFoundError", "409": "ConflictError", "412": "FailedPreconditionError", "429": "RateLimitError"}
    unnamed = set[tuple[str, str, str]]()
    for namespace in NAMESPACES:
        for name, method in vars(getattr(Admin, namespace)).items():
            sent = re.search(r"\.send\(api\.(\w+)\(", inspect.getsource(method)) if inspect.isfunction(method) else None
            raised = read_section(inspect.getdoc(method) or "", "Raises")
            missing = [each for each in (kinds.keys() & statuses[sent[1]] if sent else ()) if kinds[each] not in raised]
            unnamed |= {(namespace, name, each) for each in missing}
    assert unnamed == {("projects", "create", "404")}, "the document does not say when that comes"


def test_no_error_has_a_status_that_no_server_sent() -> None:
    """No error is raised with a status that stands in the code: what reads have found has none."""
    invented = [
        f"{path}:{call.lineno}"
        for path in sorted((ROOT / "pinecone_admin").rglob("*.py"))
        if "emulator" not in path.parts
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        for keyword in call.keywords
        if keyword.arg == "status_code" and not isinstance(keyword.value, ast.Attribute | ast.Name | ast.IfExp)
    ]
    assert invented == []
