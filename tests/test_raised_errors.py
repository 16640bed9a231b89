"""The documented errors of the methods of namespaces."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
import yaml

from pinecone_admin import Admin, AsyncAdmin, NotFoundError, PaymentRequiredError, on_organization, on_project
from pinecone_admin._sync.client import NAMESPACES
from pinecone_admin.emulator import Emulator
from tests.test_docstrings import read_section

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_a_method_that_takes_an_id_says_what_is_raised_if_it_is_unknown(namespace: str) -> None:
    """The errors of a method that needs the id of something, or takes roles on projects, name NotFoundError."""
    for name, method in inspect.getmembers(getattr(Admin, namespace), inspect.isfunction):
        parameters = inspect.signature(method).parameters.values()
        required = [each.name for each in parameters if each.default is each.empty]
        takes_id = any(each.endswith("_id") for each in required) or any(
            each.name == "role_bindings" for each in parameters
        )
        if not name.startswith("_") and takes_id:
            assert "NotFoundError" in read_section(inspect.getdoc(method) or "", "Raises"), name


@pytest.mark.parametrize("roles", [["OrgOwner"], ["OrgManager"]], ids=["unknown", "invisible"])
def test_a_role_on_a_project_that_cannot_be_seen_raises_not_found(roles: list[str]) -> None:
    """Every method that takes roles raises NotFoundError if a project does not exist or the account cannot see it."""
    emulator = Emulator()
    with emulator.admin() as owner:
        project = owner.projects.create(name="search").id if roles == ["OrgManager"] else str(UUID(int=1))
    bindings = [on_organization("OrgMember"), on_project(project, "ProjectViewer")]
    with emulator.admin(roles=roles) as admin:
        accounts = admin.service_accounts
        calls: list[Callable[[], object]] = [
            lambda: admin.invites.create(email="bob@example.com", role_bindings=bindings),
            lambda: admin.invites.ensure(email="bob@example.com", role_bindings=bindings),
            lambda: admin.users.ensure(email="bob@example.com", role_bindings=bindings),
            lambda: accounts.create(name="ci", role_bindings=bindings),
            lambda: accounts.ensure(name="ci", role_bindings=bindings, store=str),
        ]
        for call in calls:
            with pytest.raises(NotFoundError):
                call()


def test_a_payment_status_that_forbids_creating_raises_a_documented_error() -> None:
    """Every method that creates a project or an API key raises PaymentRequiredError, and its docstring names it."""
    emulator = Emulator()
    with emulator.admin() as admin:
        projects, keys = admin.projects, admin.api_keys
        project_id = projects.create(name="search").id
        key_id = keys.create(project_id=project_id, name="ci").key.id
        emulator.configure(payment_status="Restricted")
        calls: list[tuple[Callable[..., object], Callable[[], object]]] = [
            (projects.create, lambda: projects.create(name="chat")),
            (projects.ensure, lambda: projects.ensure(name="chat")),
            (projects.provision, lambda: projects.provision(name="chat", key_roles=["ProjectViewer"], store=str)),
            (projects.delete_with_cleanup, lambda: projects.delete_with_cleanup(project_id=project_id)),
            (keys.create, lambda: keys.create(project_id=project_id, name="web")),
            (keys.ensure, lambda: keys.ensure(project_id=project_id, name="web", store=str)),
            (keys.rotate, lambda: keys.rotate(api_key_id=key_id, store=str)),
            (keys.temporary, lambda: keys.temporary(project_id=project_id, roles=["ProjectViewer"]).__enter__()),
        ]
        for method, call in calls:
            with pytest.raises(PaymentRequiredError):
                call()
            assert "PaymentRequiredError" in read_section(inspect.getdoc(method) or "", "Raises"), method


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
