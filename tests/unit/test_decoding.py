"""Decoding: exact types, the first misfit and its path, in generated decoders and in that of saved records."""

from __future__ import annotations

import importlib
import json
import os
import pickle
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from copy import deepcopy
from random import Random
from types import FrameType
from typing import Any

import attrs
import pytest
from attrs import evolve

from generated_client import models
from generated_client.types import Misfit, read_date_time, readers
from pinecone_admin._http.codec import DecodeFailure, decode_body, decode_value, encode_body
from pinecone_admin.models import Project, RoleBindingList, User, UserList, to_dict
from pinecone_admin.workflows.saved_json import decode_record

MOMENT = "2026-07-01T10:00:00.5Z"
PROJECT: dict[str, Any] = {
    "id": "p",
    "name": "Ü",
    "max_pods": 0,
    "force_encryption_with_cmek": False,
    "organization_id": "o",
    "created_at": MOMENT,
}
BINDING: dict[str, Any] = {
    "id": "b",
    "principal_type": "user",
    "principal_id": "u",
    "resource_type": "project",
    "resource_id": "p",
    "role": "ProjectViewer",
    "created_at": MOMENT,
}
USER = {"id": "u", "email": "a@b", "name": "N"}
KEY = {"id": "k", "name": "x", "project_id": "p", "roles": ["ProjectEditor", "ProjectViewer"]}
ACCOUNT = {"id": "s", "name": "x", "client_id": "c", "created_at": MOMENT, "updated_at": MOMENT}
PAGE = {"next": "token"}
RESPONSES: list[tuple[Any, Any]] = [
    (Project, PROJECT),
    (models.Invite, {"id": "i", "email": "a@b", "status": "pending", "created_at": MOMENT, "processed_at": None}),
    (models.ListApiKeysResponse, {"data": [KEY, KEY]}),
    (UserList, {"data": [USER, USER], "pagination": PAGE}),
    (RoleBindingList, {"data": [BINDING] * 4, "pagination": PAGE}),
    (models.APIKeyWithSecret, {"key": KEY, "value": "v"}),
    (models.ServiceAccountWithSecret, {"service_account": ACCOUNT, "client_secret": "v"}),
]
VALUES: list[Any] = [
    *(
        None,
        True,
        False,
        0,
        1,
        1.0,
        -1.5,
        10**30,
        "",
        "x",
        MOMENT,
        MOMENT.lower(),
        "2026-07-01",
        "2026-13-01",
        "\ud800",
    ),
    *([], [1], [None], [{}], [[]], {}, {"id": "x"}, {"data": []}),
]


def list_locations(value: Any, location: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the location of each value within a JSON value, as keys and positions."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [location, *(found for key, child in children for found in list_locations(child, (*location, key)))]


def mutate(random: Random, value: Any) -> Any:
    """Return a copy of a response with up to three values removed or replaced, or fields added."""
    root = {"": deepcopy(value)}
    for _ in range(random.randrange(4)):
        *parents, last = random.choice(list_locations(root)[1:])
        holder: Any = root
        for key in parents:
            holder = holder[key]
        change = random.randrange(3)
        if change == 0 and parents:
            del holder[last]
        elif change == 1 and isinstance(holder[last], dict):
            holder[last]["new"] = 1
        else:
            holder[last] = deepcopy(random.choice(VALUES))
    return root[""]


def test_the_decoders_of_models_and_of_saved_records_agree() -> None:
    """On mutated responses both return the same values, and failures with the same path and problem."""
    random = Random(11)
    failures = 0
    for _ in range(300):
        for model, response in RESPONSES:
            # A subclass has no generated decoder, so it is decoded as a record of a workflow.
            subclass = SUBCLASSES.setdefault(model, attrs.make_class(model.__name__, {}, bases=(model,), frozen=True))
            value = json.loads(json.dumps(mutate(random, response)))
            generated, record = decode_value(value, model), decode_record(value, subclass)
            if isinstance(generated, DecodeFailure):
                failures += 1
                assert generated == record, value
            else:
                assert repr(evolve(generated, extra={})) == repr(record), value
                assert type(generated) is model
    assert 500 < failures < 1800


SUBCLASSES: dict[Any, Any] = {}


def test_a_decoded_model_equals_a_constructed_one() -> None:
    """A model that a decoder makes without the constructor has every field, and is as frozen and as equal."""
    for model, response in RESPONSES:
        decoded = decode_value(response, model)
        fields = {each.name: getattr(decoded, each.name) for each in attrs.fields(model)}
        assert decoded == model(**fields)
        assert repr(decoded) == repr(model(**fields))
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            setattr(decoded, next(iter(fields)), "other")


@pytest.mark.parametrize(("model", "response"), RESPONSES, ids=[model.__name__ for model, _ in RESPONSES])
def test_undocumented_fields_are_kept(model: Any, response: Any) -> None:
    """They are read-only, outside of comparison, masked in the repr, and part of the JSON that shows secrets."""
    new = {"added_at": MOMENT, "nested": {"value": ["canary"]}, "model": 1}
    for sent in (response, {key: value for key, value in response.items() if value is not None}):
        known: Any = decode_value(sent, model)
        decoded: Any = decode_value(sent | new, model)
        assert known.extra == {}
        assert decoded.extra == new
        assert len(decoded.extra) == len(new)
        assert not decoded.extra.keys() & sent.keys()
        assert decoded == known
        assert "canary" not in repr(decoded)
        assert repr(decoded) == repr(known)[:-1] + ", extra={'added_at': '***', 'nested': '***', 'model': '***'})"
        assert to_dict(decoded) == to_dict(known)
        assert to_dict(decoded, reveal=True) == to_dict(known, reveal=True) | new
        assert json.loads(encode_body(decoded)) == json.loads(encode_body(known)) | new
        for copied in (pickle.loads(pickle.dumps(decoded)), deepcopy(decoded), attrs.evolve(decoded)):
            assert copied.extra == new
        assert decoded.extra.__reduce__()[1] == (new,)  # alone, it takes no secret of the model along
    with pytest.raises(TypeError):
        decoded.extra["added_at"] = None


def test_undocumented_fields_of_nested_models_are_kept() -> None:
    """An absent optional field beside a new one changes nothing, and neither does null."""
    users: Any = decode_value({"data": [{"id": "u", "email": "a@b", "new": 1}, USER | {"name": None}]}, UserList)
    assert [user.extra for user in users.data] == [{"new": 1}, {}]
    assert User(id="u", email="e", extra={"a": 1}).extra == {"a": 1}


def test_every_response_model_has_a_generated_decoder() -> None:
    """A model has one exactly if a response contains it."""
    everything = {getattr(models, name) for name in models.__all__}
    generated = {model.__name__ for model in readers if model in everything}
    requests = {name for name in models.__all__ if name.endswith(("Request", "Input"))}
    literals = {name for name in models.__all__ if not attrs.has(getattr(models, name))}
    assert set(models.__all__) - generated == requests | literals | {"ErrorResponse", "ErrorResponseError"}


# ---- work and memory


def count_calls(body: bytes, returns: Any) -> tuple[Any, int]:
    """Decode a body; return the result and the number of functions called, in Python and in C."""
    calls = 0

    def count(_: FrameType, event: str, __: Any) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    sys.setprofile(count)
    try:
        return decode_body(body, returns), calls
    finally:
        sys.setprofile(None)


@pytest.mark.long
def test_a_long_list_needs_little_more_memory_than_its_json() -> None:
    """Its models use the memory of what they were decoded from, and its misfits have their own index."""
    body = json.dumps({"data": [KEY] * 20_000}).encode()
    peaks: list[int] = []
    for function in (json.loads, lambda text: decode_body(text, models.ListApiKeysResponse)):
        tracemalloc.start()
        function(body)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.1 * peaks[0]
    for index in (0, 999, 1000, 12_345, 19_999):
        items: list[Any] = [KEY] * 20_000
        items[index] = KEY | {"name": 0}
        failure = decode_body(json.dumps({"data": items}).encode(), models.ListApiKeysResponse)
        assert failure == DecodeFailure(f"data[{index}].name", "must be a string, not an integer")


def test_decoding_stops_at_the_first_misfit() -> None:
    """Nothing after it is looked at."""
    user = USER | {"id": "9c000000-0000-4000-8000-000000000001", "email": "on-call@example.com"}
    body = json.dumps({"data": [user, user | {"id": 5}] + [user] * 10_000}).encode()
    failure, calls = count_calls(body, UserList)
    assert failure == DecodeFailure("data[1].id", "must be a string, not an integer")
    assert calls < 500


# ---- date-times


def test_common_date_times_do_not_load_dateutil() -> None:
    """A lower-case z is read without dateutil, whose import takes 24 ms."""
    code = (
        "import sys; sys.modules['dateutil'] = None\n"
        "from generated_client.types import read_date_time as read\n"
        "texts = ['2026-07-01T10:00:00z', '2026-07-01t10:00:00.5z', '2026-07-01T10:00:00Z', '2026-07-01']\n"
        "print(*(read(text).isoformat() for text in texts))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [
        "2026-07-01T10:00:00+00:00",
        "2026-07-01T10:00:00.500000+00:00",
        "2026-07-01T10:00:00+00:00",
        "2026-07-01T00:00:00+00:00",
    ]


@pytest.mark.parametrize("text", ["2026-07-01T10:00:00Z", "2026-07-01"])
def test_models_read_usual_dates_without_a_call(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A function in between would double the time."""
    monkeypatch.setattr("generated_client.models.invite.read_date_time", None)
    dates = dict.fromkeys(("created_at", "expires_at", "processed_at"), text)
    invite: Any = decode_value({"id": "i", "email": "a@b", "status": "pending"} | dates, models.Invite)
    assert invite.created_at == invite.expires_at == invite.processed_at == decode_value(text, read_date_time)


@pytest.mark.parametrize("text", ["z", "2026-07-01z", "yesterday", "2026-07-01T10:00:00+25:00", "9999-12-31T24:00:00Z"])
def test_other_text_is_no_date_time(text: str) -> None:
    """The failure quotes nothing of it."""
    assert decode_value(text, read_date_time) == DecodeFailure("", "must be a date-time in ISO 8601")


DAYS = ("", "2026", "2026-07", "2026-07-01", "20260701", "2026-W27-3", "2026W27")
TIMES = (
    "",
    "T",
    " ",
    "T10",
    "t10",
    "z10",
    "T10:00",
    "T24:00",
    "T10:00:00",
    "T100000",
    "T10:00:00.5",
    "T10:00:00,123456789",
)
OFFSETS = ("", "Z", "z", "+02:00", "-0230", "+00:00Z", "zZ")
DATE_TIMES = [day + hour + offset for day in DAYS for hour in TIMES for offset in OFFSETS]


def test_date_times_are_the_same_in_each_model_and_by_themselves() -> None:
    """Required and optional ones are read in place, and all others by a function; what is read is always aware."""
    read: set[str] = set()
    for value in [*DATE_TIMES, "x" * 101, "x" * 101 + "Z", 0, True, ["Z"], [], {}, {"-1": "Z"}]:
        alone = decode_value(value, read_date_time)
        account = decode_value(ACCOUNT | {"created_at": value}, models.ServiceAccount)
        project = decode_value(PROJECT | {"created_at": value}, Project)
        if isinstance(alone, DecodeFailure):
            assert account == project == DecodeFailure("created_at", alone.problem), value
        else:
            assert isinstance(account, models.ServiceAccount), value
            assert isinstance(project, Project), value
            assert project.created_at is not None, value
            assert account.created_at.isoformat() == project.created_at.isoformat() == alone.isoformat(), value
            assert alone.tzinfo is not None, value
            read.add(str(value))
    assert read >= {"2026-07-01", "2026-07-01T10:00:00.5z", "20260701T100000Z", "2026-W27-3T24:00Z", "2026"}


# ---- functions of the caller


def test_a_function_decodes_any_json() -> None:
    """It gets the JSON value, and None for an empty body."""
    assert decode_body(b'{"data": [1]}', lambda value: value["data"]) == [1]
    assert decode_body(b"", lambda value: value) is None
    assert decode_body(b"null", lambda value: value) is None


async def parse_later(value: Any) -> Any:
    """Return a value once it is awaited."""
    return value


FAILURES: list[tuple[Callable[[Any], Any], bytes, str]] = [
    (lambda value: value["x"], b'{"canary": 1}', "cannot be decoded (KeyError)"),
    (lambda value: int(value) + 1, b'"canary"', "cannot be decoded (ValueError)"),
    (lambda value: value["x"], b"", "is empty"),
    (lambda value: value, b"{", "is not JSON (JSONDecodeError)"),
    (parse_later, b"{}", "cannot be decoded: the function in Operation.returns gave an awaitable"),
]  # fmt: skip


@pytest.mark.parametrize(("function", "body", "problem"), FAILURES)
def test_what_a_function_raises_is_not_quoted(function: Any, body: bytes, problem: str) -> None:
    """Its text may be that of the body; an awaitable is no result."""
    assert decode_body(body, function) == DecodeFailure("", problem)


def test_a_misfit_builds_its_path_from_the_inside_out() -> None:
    """Names are joined by dots and positions are not."""
    misfit = Misfit("is missing", "role")
    for step in ("[3]", "data", "[a]", "x"):
        misfit.prepend(step)
    assert misfit.path == "x[a].data[3].role"


# ---- loading


def test_models_and_builders_load_when_they_are_used() -> None:
    """One model or builder loads only what it consists of; the packages list all of them."""
    code = (
        "import sys, generated_client.api as api, generated_client.models as models\n"
        "assert {'User', 'RoleName'} <= set(dir(models)) and 'list_users' in dir(api)\n"
        "models.User, api.delete_user, models.User\n"
        "print(*(name for name in sys.modules if name.startswith('generated_client.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == {
        f"generated_client.{name}"
        for name in ("api", "api.users", "api.users.delete_user", "models", "models.user", "types")
    }


def test_misspelt_models_and_builders_are_errors(pytestconfig: pytest.Config) -> None:
    """At run time and for type checkers, as without lazy loading."""
    with pytest.raises(ImportError, match="cannot import name 'Usr'"):
        exec("from generated_client.models import Usr")
    with pytest.raises(AttributeError, match=r"generated_client\.api' has no attribute 'list_user'"):
        _ = importlib.import_module("generated_client.api").list_user
    code = "from generated_client.models import Usr\nfrom generated_client.api import list_user, list_users\n"
    # A cache of its own: with other settings, it would spoil the one of scripts/check.
    options = ["--config-file", os.devnull, "--cache-dir", str(pytestconfig.cache.mkdir("mypy-misspelt"))]
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", *options, "-c", code],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.stdout.count("error:") == 2
    assert '"generated_client.models" has no attribute "Usr"' in checked.stdout
