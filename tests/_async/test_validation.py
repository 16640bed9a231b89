"""Validation of every argument of every method: a value is rejected before a request, or sent unchanged."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Mapping
from enum import Enum
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from attrs import evolve
from pinecone.models.admin import role_binding as official

from pinecone_admin import (
    AsyncAdmin,
    NotFoundError,
    Operation,
    PineconeError,
    PineconeTypeError,
    PineconeValueError,
    Unlisted,
    on_organization,
    on_project,
)
from pinecone_admin._async.client import NAMESPACES
from pinecone_admin.models import RoleBindingInput
from pinecone_admin.workflows import ProjectRole
from tests.support.errors import check_promises, raises
from tests.support.resources import METHODS, Place
from tests.support.scripted_transport import ScriptedResponse, ScriptedTransport

pytestmark = pytest.mark.anyio

LONG = "x" * 10_000
HOSTILE: dict[str, Any] = {
    "empty": "",
    "blank": "   ",
    "dot": ".",
    "dots": "..",
    "slash": "a/b",
    "NUL": "a\x00b",
    "CR LF": "a\r\nb",
    "surrogate": "a\ud800",
    "long": LONG,
    "None": None,
    "int": 5,
    "bool": True,
    "bytes": b"x",
    "list": ["x"],
}

# V: PineconeValueError, T: PineconeTypeError, s: sent, -: omitted; in the order of HOSTILE.
KINDS = {
    "id": "VVVVsVVVs TTTTT",
    "optional id": "VVVVsVVVs -TTTT",
    "optional id of a type": "VVVVsVVVs -TTTT",
    "name": "VssssVsVV TTTTT",
    "optional name": "VssssVsVV -TTTT",
    "only name": "VssssVsVV VTTTT",
    "email": "VVVVVVVVV TTTTT",
    "optional email": "VVVVVVVVV -TTTT",
    "optional count": "TTTTTTTTT -sTTT",
    "optional switch": "TTTTTTTTT -TsTT",
    "optional roles": "TTTTTTTTT -TTTs",
    "bindings": "TTTTTTTTT TTTTT",
    "optional bindings": "TTTTTTTTT -TTTT",
    "needed type": "VVVVsVVVs VTTTT",
    "question": "VVVVsVVVs VTTTT",
    "switch": "TTTTTTTTT TTsTT",
    "seconds": "TTTTTTTTT TsTTT",
    "duration": "TTTTTTTTT TTTTT",
    "needed duration": "TTTTTTTTT VTTTT",
    "optional duration": "TTTTTTTTT -TTTT",
    "pattern": "VssssVsVs VTTTT",
    "optional plan": "TTTTTTTTT -TTTT",
    "emails": "TTTTTTTTT VTTTV",
    "choice": "VVVVVVVVV TTTTT",
    "function": "TTTTTTTTT TTTTT",
    "optional function": "TTTTTTTTT -TTTT",
    "roles": "TTTTTTTTT TTTTs",
    "ids": "TTTTTTTTT TTTTs",
    "optional names": "TTTTTTTTT -TTTs",
    "key value": "VVVVVVVVV TTTTT",
    "name question": "VssssVsVV VTTTT",
}


CASES = [(method, name) for method, arguments in METHODS.items() for name in arguments]


async def call_method(
    script: ScriptedTransport, make_client: Callable[..., AsyncAdmin], method: str, **arguments: Any
) -> None:
    """Call a method of a namespace, and read its list if it returns one, or enter its context."""
    namespace, name = method.split(".")
    result = getattr(getattr(make_client(script), namespace), name)(**arguments)
    if hasattr(result, "__aenter__"):
        async with result:
            return
    await (result.to_list() if hasattr(result, "to_list") else result)


async def classify_call(
    script: ScriptedTransport, make_client: Callable[..., AsyncAdmin], method: str, **arguments: Any
) -> str:
    """Return V, T or s as in KINDS, followed by the message of the error if there is one."""
    error = await find_rejection(script, make_client, method, **arguments)
    return "s" if error is None else f"{'V' if isinstance(error, PineconeValueError) else 'T'} {error.message}"


async def find_rejection(
    script: ScriptedTransport, make_client: Callable[..., AsyncAdmin], method: str, **arguments: Any
) -> PineconeError | None:
    """Return the error that refuses the arguments, or None if a request was sent."""
    try:
        await call_method(script, make_client, method, **arguments)
    except (PineconeValueError, PineconeTypeError) as exc:
        check_rejection(exc, script)
        return exc
    except NotFoundError:
        pass
    # offboard_many goes on to read the whole organization, as an inventory does.
    assert len(script.requests) == 1 or method == "users.offboard_many"
    return None


def check_rejection(error: PineconeError, script: ScriptedTransport) -> None:
    """Check that nothing was sent and that the error says so."""
    check_promises(error)
    assert (error.outcome, error.safe_to_retry, error.attempts) == ("not_sent", True, 0)
    assert error.operation is not None
    assert script.requests == []


def find_sent_value(request: httpx.Request, name: str, place: Place) -> object:
    """Return the value of an argument in the request, as text unless it is in the body."""
    if place == "path":
        return request.url.raw_path.decode().split("?")[0]
    if place == "query":
        return request.url.params.get({"pagination_token": "paginationToken"}.get(name, name))
    return json.loads(request.content).get(name)


@pytest.mark.parametrize(("method", "name"), CASES, ids=[f"{method}-{name}" for method, name in CASES])
async def test_a_hostile_value_is_rejected_or_sent_unchanged(
    method: str, name: str, make_client: Callable[..., AsyncAdmin]
) -> None:
    """Each value raises before any request, with the name of its argument apart and in the message, or is sent."""
    arguments = METHODS[method]
    place = arguments[name].place
    script = ScriptedTransport(ScriptedResponse(404))
    admin = make_client(script)
    for (label, value), expected in zip(HOSTILE.items(), KINDS[arguments[name].kind].replace(" ", ""), strict=True):
        script.requests.clear()
        given = {other: argument.valid for other, argument in arguments.items()} | {name: value}
        error = await find_rejection(script, lambda _: admin, method, **given)
        kind = {PineconeValueError: "V", PineconeTypeError: "T", type(None): "s"}[type(error)]
        assert kind == expected.replace("-", "s"), f"{label}: {error!r}"
        if error is not None:
            assert name in error.message, f"{label}: {error}"
            # Of several arguments that contradict one another, none is the wrong one.
            assert error.argument == name or not error.message.startswith(name), f"{label}: {error}"
            assert "--given" in error.message_with_names({name: "--given"}), f"{label}: {error}"
        elif place == "path":
            assert quote(value, safe="") in str(find_sent_value(script.request, name, place)).split("/"), label
        elif place != "none":
            sent_value = value if value is None or place == "body" else str(value)
            assert find_sent_value(script.request, name, place) == sent_value, label


def as_member(value: Any) -> Any:
    """Return a value with members of Enums in the place of its texts and numbers."""
    if isinstance(value, str | int) and not isinstance(value, bool):
        make_enum: Callable[..., Any] = Enum
        return make_enum("Choice", {"MEMBER": value}, type=type(value)).MEMBER
    if isinstance(value, Mapping):
        return {as_member(key): as_member(each) for key, each in value.items()}
    if isinstance(value, RoleBindingInput):
        return evolve(value, resource_type=as_member(value.resource_type), role=as_member(value.role))
    return [as_member(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("method", METHODS)
async def test_a_member_of_an_enum_is_sent_as_its_value(method: str, make_client: Callable[..., AsyncAdmin]) -> None:
    """Members of str and int Enums lead to the same request and the same message as their values."""
    found: list[object] = []
    conversions: list[Callable[[Any], Any]] = [lambda value: value, as_member]
    for convert in conversions:
        script = ScriptedTransport(ScriptedResponse(404))
        given = {name: convert(argument.valid) for name, argument in METHODS[method].items()}
        outcome = await classify_call(script, make_client, method, **given)
        # offboard_many sends several at once, in any order.
        found.append((outcome, sorted((str(each.url), each.content) for each in script.requests)))
    assert found[0] == found[1]


async def test_a_role_binding_may_be_any_object_with_its_attributes(make_client: Callable[..., AsyncAdmin]) -> None:
    """Models of other packages, such as the official SDK's, are mixed with mappings and our models, and sent alike."""
    for form in (RoleBindingInput, official.RoleBindingInput, SimpleNamespace):
        bindings = [
            form(resource_type="organization", resource_id=None, role="OrgMember"),
            form(resource_type="project", resource_id="p", role="ProjectViewer"),
            {"resource_type": as_member("project"), "resource_id": "q", "role": as_member("ProjectEditor")},
        ]
        script = ScriptedTransport(ScriptedResponse(404))
        assert await classify_call(script, make_client, "invites.create", email="a@b", role_bindings=bindings) == "s"
        assert find_sent_value(script.request, "role_bindings", "body") == [
            {"resource_type": "organization", "role": "OrgMember"},
            {"resource_type": "project", "resource_id": "p", "role": "ProjectViewer"},
            {"resource_type": "project", "resource_id": "q", "role": "ProjectEditor"},
        ]


async def test_a_hand_built_operation_may_have_members_of_enums(make_client: Callable[..., AsyncAdmin]) -> None:
    """Every text and number of an Operation may be a member of an Enum."""
    script = ScriptedTransport(ScriptedResponse(204))
    await make_client(script).send(
        Operation(
            id=as_member("x"),
            method=as_member("PATCH"),
            path=as_member("/x/{id}"),
            path_parameters={as_member("id"): as_member("a/b")},
            query={as_member("role"): as_member("OrgOwner"), "n": as_member(5), "each": [as_member("y")]},
            headers={as_member("x-tag"): as_member("z")},
            body={as_member("role"): as_member("OrgOwner"), as_member("n"): [as_member(5)]},
            api_version=as_member("2026-07"),
            returns=None,
        )
    )
    request = script.request
    assert (request.method, str(request.url)) == ("PATCH", "https://api.pinecone.io/x/a%2Fb?role=OrgOwner&n=5&each=y")
    assert (request.headers["x-tag"], request.headers["x-pinecone-api-version"]) == ("z", "2026-07")
    assert json.loads(request.content) == {"role": "OrgOwner", "n": [5]}


def test_every_argument_is_covered(make_client: Callable[..., AsyncAdmin]) -> None:
    """The table has every argument of every public method."""
    admin = make_client(ScriptedTransport(), lazy=True)
    found = {
        f"{namespace}.{name}": set(inspect.signature(method).parameters)
        for namespace in NAMESPACES
        for name, method in inspect.getmembers(getattr(admin, namespace), inspect.ismethod)
        if not name.startswith("_")
    }
    assert found == {method: set(arguments) for method, arguments in METHODS.items()}, "see tests/support/resources.py"


LONG_EMAIL = "a" * 248 + "@b.com"

# Method, argument, values within the limit, values beyond it.
LIMITS: list[tuple[str, str, list[Any], list[Any]]] = [
    ("organizations.update", "name", ["x", "é" * 512], ["é" * 513]),
    ("projects.create", "name", ["x", "é" * 512, "😀" * 512], ["é" * 513]),
    ("projects.update", "name", ["x", "é" * 512], ["é" * 513]),
    ("projects.describe_by_name", "name", ["é" * 512], ["é" * 513]),
    ("projects.exists", "name", ["é" * 512], ["é" * 513]),
    ("projects.create", "max_pods", [0, 1, 2**31], [-1]),
    ("projects.update", "max_pods", [0, 1], [-1, -(10**5000)]),
    ("api_keys.create", "name", ["x", "é" * 80], ["é" * 81]),
    ("api_keys.update", "name", ["x", "é" * 80], ["é" * 81]),
    ("service_accounts.create", "name", ["x" * 80, "é" * 40], ["x" * 81, "é" * 41]),
    ("service_accounts.update", "name", ["x" * 80, "é" * 40], ["x" * 81, "é" * 41]),
    ("service_accounts.describe_by_name", "name", ["x" * 80, "é" * 40], ["x" * 81, "é" * 41]),
    ("users.list", "email", ["a@b", LONG_EMAIL], ["a" + LONG_EMAIL, "ab", "@b", "a@", "a@b@c", "a b@c", "a@b\n"]),
    ("invites.create", "email", ["a@b", LONG_EMAIL], ["a" + LONG_EMAIL, "ab", "@b", "a@", "a@b@c", "a b@c", "a@b\n"]),
    *(
        (method, name, [["ProjectViewer"]], [[], ()])
        for method, given in METHODS.items()
        for name, argument in given.items()
        if argument.kind in {"roles", "optional roles"}
    ),
    *((method, "limit", [1, 100], [0, 101, -1, 10**5000]) for method, given in METHODS.items() if "limit" in given),
]


@pytest.mark.parametrize(
    ("method", "name", "valid", "rejected"), LIMITS, ids=[f"{method}-{name}" for method, name, _, _ in LIMITS]
)
async def test_limits_match_the_api_document(
    method: str, name: str, valid: list[Any], rejected: list[Any], make_client: Callable[..., AsyncAdmin]
) -> None:
    """The last valid value is sent, and the first invalid one raises."""
    others = {other: argument.valid for other, argument in METHODS[method].items()}
    for value in valid:
        assert (
            await classify_call(ScriptedTransport(ScriptedResponse(404)), make_client, method, **others | {name: value})
            == "s"
        )
    for value in rejected:
        outcome = await classify_call(
            ScriptedTransport(ScriptedResponse(404)), make_client, method, **others | {name: value}
        )
        assert outcome.startswith(f"V {name} ")


UPDATES = [method for method in METHODS if method.endswith(".update")]


@pytest.mark.parametrize("value", ["pcsk_5P6t4_secret", "pckey_5P6t4_secret"])
async def test_the_value_of_a_key_is_rejected_as_an_id(value: str, make_client: Callable[..., AsyncAdmin]) -> None:
    """The value of an API key raises where an id is expected, and is not in the error."""
    script = ScriptedTransport()
    with raises(PineconeValueError, match="api_key_id is the value of an API key") as caught:
        await make_client(script, lazy=True).api_keys.delete(api_key_id=value)
    assert value not in repr(caught.value)
    assert (script.requests, script.exchanges) == ([], [])


@pytest.mark.parametrize("method", UPDATES)
async def test_an_update_needs_a_field(method: str, make_client: Callable[..., AsyncAdmin]) -> None:
    """An update without any field raises, with an error that lists the fields."""
    (target, *fields) = METHODS[method]
    nothing: dict[str, Any] = {target: "p"} | ({"name": None} if method == "organizations.update" else {})
    outcome = await classify_call(ScriptedTransport(), make_client, method, **nothing)
    assert outcome == f"V pass at least one of {', '.join(fields)}"


@pytest.mark.parametrize(("given", "needed"), [("principal_id", "principal_type"), ("resource_id", "resource_type")])
async def test_a_filter_by_id_needs_its_type(given: str, needed: str, make_client: Callable[..., AsyncAdmin]) -> None:
    """A filter by id without its type raises."""
    outcome = await classify_call(ScriptedTransport(), make_client, "role_bindings.list", **{given: "x"})
    assert outcome == f"V {given} requires {needed}"
    assert await classify_call(ScriptedTransport(), make_client, "role_bindings.list", **{needed: "x"}) == "s"


ORG = {"resource_type": "organization", "role": "OrgMember"}
PROJECT = {"resource_type": "project", "resource_id": "p", "role": "ProjectViewer"}

# Role binding → the problem; "must be" marks a PineconeTypeError, None a valid one.
ENTRIES: list[tuple[Any, str | None]] = [
    (ORG, None),
    (PROJECT, None),
    (ORG | {"resource_id": "org"}, None),
    (ORG | {"resource_id": None}, None),
    (ORG | {"role": "OrgAuditor"}, None),
    (PROJECT | {"role": "IndexReader"}, None),
    ({"resource_type": "folder", "role": "ProjectViewer"}, None),
    ({}, "resource_type is missing"),
    ({"role": "OrgMember"}, "resource_type is missing"),
    ({"resource_type": "organization"}, "role is missing"),
    (ORG | {"role": None}, "role is missing"),
    ({"resource_type": "project", "role": "ProjectViewer"}, "resource_id is missing"),
    (PROJECT | {"resource_id": None}, "resource_id is missing"),
    (PROJECT | {"role": "OrgMember"}, "role 'OrgMember' is not a role for a project"),
    (ORG | {"role": "ProjectViewer"}, "role 'ProjectViewer' is not a role for an organization"),
    (ORG | {"rôle": "x"}, "'rôle' is not one of resource_type, role, resource_id"),
    (ORG | {5: "x"}, "5 is not one of resource_type, role, resource_id"),
    *(({**PROJECT, field: value}, f"{field} ") for field in PROJECT for value in ("", " ", ".", "a\x00", "\ud800")),
    *(({**PROJECT, field: value}, f"{field} must be") for field in PROJECT for value in (5, True, b"x", ["x"])),
    ("OrgMember", "must be a RoleBindingInput or a mapping"),
    (None, "must be a RoleBindingInput or a mapping"),
    (["organization", "OrgMember"], "must be a RoleBindingInput or a mapping"),
]


@pytest.mark.parametrize(("entry", "problem"), ENTRIES, ids=ascii)
@pytest.mark.parametrize("method", ["invites.create", "service_accounts.create"])
async def test_a_role_binding_is_checked_in_both_forms(
    method: str, entry: Any, problem: str | None, make_client: Callable[..., AsyncAdmin]
) -> None:
    """A role binding is checked alike as a mapping and as a model, and the error has its index."""
    forms = [entry]
    if isinstance(entry, Mapping) and {"resource_type", "role"} <= entry.keys() <= {*PROJECT}:
        forms.append(RoleBindingInput(**entry))
    others = {other: argument.valid for other, argument in METHODS[method].items()}
    for form in forms:
        script = ScriptedTransport(ScriptedResponse(404))
        bindings = (on_organization("OrgOwner"), form)
        outcome = await classify_call(script, make_client, method, **others | {"role_bindings": bindings})
        if problem is None:
            sent_value = {key: value for key, value in entry.items() if value is not None}
            assert find_sent_value(script.request, "role_bindings", "body") == [ORG | {"role": "OrgOwner"}, sent_value]
        else:
            assert outcome.startswith(f"{'T' if 'must be' in problem else 'V'} role_bindings[1]: {problem}")


REPEATED: Mapping[str, list[Any]] = {
    "roles": ["ProjectViewer", "ProjectEditor", as_member("ProjectViewer")],
    "role_bindings": [ORG, PROJECT, on_organization("OrgMember")],
    "bindings": [
        {"principal_type": "user", "principal_id": "u", "role": "ProjectViewer"},
        {"principal_type": "user", "principal_id": "v", "role": "ProjectViewer"},
        ProjectRole(principal_type="user", principal_id="u", role="ProjectViewer"),
    ],
}
"""Roles of which the third is the first one, by the argument that has them."""


@pytest.mark.parametrize(
    ("method", "name"), [(method, name) for method, name in CASES if name.removeprefix("key_") in REPEATED]
)
async def test_a_role_that_is_given_twice_is_refused(
    method: str, name: str, make_client: Callable[..., AsyncAdmin]
) -> None:
    """Most likely another role was meant. Every method that takes several roles refuses it before any request."""
    others = {other: argument.valid for other, argument in METHODS[method].items()}
    roles = REPEATED[name.removeprefix("key_")]
    for some, is_refused in ((roles[:2], False), (roles, True)):
        script = ScriptedTransport(ScriptedResponse(404))
        error = await find_rejection(script, make_client, method, **others | {name: some})
        assert (error is not None) is is_refused, error
        if error is not None:
            assert error.argument == name
            assert re.match(rf"{name}\[2\] repeats '(OrgMember|ProjectViewer)'", error.message), error


@pytest.mark.parametrize(
    ("method", "count", "rejected"),
    [
        ("invites.create", 0, True),
        ("invites.create", 1, False),
        ("invites.create", 100, False),
        ("invites.create", 101, True),
        ("service_accounts.create", 0, False),
        ("service_accounts.create", 100, False),
        ("service_accounts.create", 101, True),
    ],
)
async def test_the_number_of_role_bindings_is_limited(
    method: str, count: int, rejected: bool, make_client: Callable[..., AsyncAdmin]
) -> None:
    """An invite has 1 to 100 role bindings, and a service account 0 to 100."""
    others = {other: argument.valid for other, argument in METHODS[method].items()}
    bindings = [on_organization("OrgMember"), *(on_project(str(n), "ProjectViewer") for n in range(99)), PROJECT][
        :count
    ]
    outcome = await classify_call(
        ScriptedTransport(ScriptedResponse(404)), make_client, method, **others | {"role_bindings": bindings}
    )
    assert outcome.startswith("V role_bindings must have " if rejected else "s")


async def test_an_invite_needs_a_role_on_the_organization(make_client: Callable[..., AsyncAdmin]) -> None:
    """An invite with only project roles raises; a service account may have them."""
    bindings = [on_project("p", "ProjectViewer")]
    outcome = await classify_call(
        ScriptedTransport(), make_client, "invites.create", email="a@b", role_bindings=bindings
    )
    assert outcome == "V role_bindings must contain at least one organization role"
    script = ScriptedTransport(ScriptedResponse(404))
    assert await classify_call(script, make_client, "service_accounts.create", name="x", role_bindings=bindings) == "s"


@pytest.mark.parametrize("container", [dict, set, iter, lambda roles: (role for role in roles)])
async def test_a_list_is_a_sequence(container: Callable[[Any], Any], make_client: Callable[..., AsyncAdmin]) -> None:
    """A collection without an order, or one that can be read only once, raises."""
    roles = container({"ProjectViewer": 1} if container is dict else ["ProjectViewer"])
    outcome = await classify_call(
        ScriptedTransport(), make_client, "api_keys.create", project_id="p", name="x", roles=roles
    )
    assert outcome.startswith("T roles must be a list")


# Role of an API key → the problem.
KEY_ROLES: list[tuple[Any, str | None]] = [
    ("ProjectViewer", None),
    ("IndexReader", None),
    ("OrgOwner", "V roles[1] 'OrgOwner' is not a role for an API key"),
    ("ProjectOwner", "V roles[1] 'ProjectOwner' is not a role for an API key"),
    ("", "V roles[1] is empty"),
    ("\ud800", "V roles[1] contains an unpaired surrogate"),
    (None, "T roles[1] must be a str"),
    (5, "T roles[1] must be a str"),
    (True, "T roles[1] must be a str"),
    (["x"], "T roles[1] must be a str"),
]


@pytest.mark.parametrize(("role", "problem"), KEY_ROLES, ids=ascii)
@pytest.mark.parametrize("method", ["api_keys.create", "api_keys.update"])
async def test_a_role_of_a_key_is_checked(
    method: str, role: Any, problem: str | None, make_client: Callable[..., AsyncAdmin]
) -> None:
    """A documented role of another kind raises, and an undocumented role is sent."""
    others = {other: argument.valid for other, argument in METHODS[method].items()}
    outcome = await classify_call(
        ScriptedTransport(ScriptedResponse(404)), make_client, method, **others | {"roles": ["ProjectEditor", role]}
    )
    assert outcome.startswith(problem or "s")


# Fields of a role binding → the problem.
BINDING_FIELDS: list[tuple[dict[str, Any], str]] = [
    ({"resource_type": "project"}, "V resource_id is missing"),
    ({"resource_type": "project", "resource_id": "p"}, "V role 'OrgMember' is not a role for a project"),
    ({"role": "ProjectViewer"}, "V role 'ProjectViewer' is not a role for an organization"),
    ({"resource_id": "o"}, "s"),
    ({"role": "OrgAuditor"}, "s"),
    ({"principal_type": "robot"}, "s"),
    ({"resource_type": "folder", "role": "ProjectViewer"}, "s"),
]


@pytest.mark.parametrize(("fields", "outcome"), BINDING_FIELDS, ids=str)
async def test_a_role_must_fit_its_resource(
    fields: dict[str, Any], outcome: str, make_client: Callable[..., AsyncAdmin]
) -> None:
    """A documented role on the wrong documented resource raises, and an undocumented value is sent."""
    given = {"principal_type": "user", "principal_id": "u"} | ORG | fields
    assert (
        await classify_call(ScriptedTransport(ScriptedResponse(404)), make_client, "role_bindings.create", **given)
    ).startswith(outcome)


async def test_a_list_is_checked_when_it_is_created(make_client: Callable[..., AsyncAdmin]) -> None:
    """An invalid argument of a list raises before its first page is fetched."""
    with raises(PineconeValueError, match="limit"):
        make_client(ScriptedTransport()).users.list(limit=0)


async def test_a_role_on_an_unknown_type_of_resource_is_not_granted(make_client: Callable[..., AsyncAdmin]) -> None:
    """``role_bindings.ensure`` finds such a role, but never grants one on the organization instead."""
    script = ScriptedTransport(ScriptedResponse(body={"data": []}))
    with raises(PineconeValueError, match="resource_type must be organization or project"):
        await make_client(script).role_bindings.ensure(
            principal_type="user", principal_id="u", resource_type=Unlisted("folder"), resource_id="f", role="OrgOwner"
        )
    assert [request.method for request in script.requests] == ["GET"]
