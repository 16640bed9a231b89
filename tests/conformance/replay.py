"""Replay a recording against an emulator that has what the recorded organization had, and grade each response.

The first response with a placeholder decides its value. Later, the placeholder stands for this value only. So the
replay compares references, repeated values and the order of lists without knowing the recorded values.
"""

import json
import re
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Any, TypeAlias

import httpx
from attrs import define, field, frozen

from pinecone_admin.emulator import Clock, Emulator
from tests.conformance import vocabulary
from tests.conformance.audit import PLACEHOLDER
from tests.conformance.recording import PRODUCTION, Recording
from tests.conformance.sanitizer import Line, describe_secret, read_time

Records: TypeAlias = list[dict[str, Any]]

START = datetime(2026, 7, 1, tzinfo=UTC)
"""The start of each replay; the recording has only the seconds since its own start."""

SECONDS = 60.0
"""The accepted difference between two times, because the service is slower than the emulator."""


class Axis(StrEnum):
    """An aspect of a response. Counts of different axes are never added, because they are not alike."""

    STATUS = "status"
    CODE = "code"
    FIELDS = "fields"
    TYPES = "types"
    NULLABILITY = "nullability"
    VALUES = "values"
    ORDER = "order"
    HEADERS = "headers"


@frozen
class Difference:
    """A place where the emulator differs from a recording."""

    place: str
    axis: Axis
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.axis}: {self.text}"


@define
class Replay:
    """The result of a replay.

    Attributes:
        compared: How often each axis was compared.
        differences: Where the emulator differs.
        skipped: The requests that could not be sent, because the emulator never returned a value that they need.
    """

    compared: Counter[Axis] = field(factory=Counter[Axis])
    differences: list[Difference] = field(factory=list[Difference])
    skipped: list[str] = field(factory=list[str])

    def __str__(self) -> str:
        counts = Counter(each.axis for each in self.differences)
        rows = [f"{axis:<12} {self.compared[axis]:>6} compared, {counts[axis]:>4} differ" for axis in Axis]
        return "\n".join([*map(str, self.differences), *self.skipped, "", *rows])


def replay(recording: Recording) -> Replay:
    """Send the recorded requests to an emulator, and compare its responses with the recorded ones."""
    values = Values()
    emulator = Emulator(seed=0, clock=Clock(START - timedelta(days=1)))
    document = describe_organization(recording.lines, values)
    emulator.load(document)
    emulator.configure(**choose_settings(document))
    result = Replay()
    returned: set[str] = set()
    with httpx.Client(transport=emulator.transport, base_url=PRODUCTION) as client:
        for number, line in enumerate(recording.lines, 2):
            place = f"line {number}, {line['request']['method']} {line['request']['path']}"
            needed = set(find_placeholders(line["request"]))
            missing = sorted(each for each in needed & returned if each not in values.known)
            if missing:
                result.skipped.append(f"{place}: not sent, because the emulator has returned no {', '.join(missing)}")
            else:
                moment = START + timedelta(seconds=line["at"])
                emulator.clock.advance(max(0.0, (moment - emulator.clock.now()).total_seconds()))
                grade = Grade(place, values, result)
                grade.compare_response(line["response"], send_request(client, line["request"], values))
            returned |= set(find_placeholders(line["response"])) - needed
    return result


# Values of the emulator for placeholders


@define
class Values:
    """The values that placeholders stand for.

    Attributes:
        known: The value of each placeholder.
    """

    known: dict[str, str] = field(factory=dict[str, str])
    _reverse: dict[str, str] = field(factory=dict[str, str], init=False)

    def bind(self, placeholder: str, value: str) -> str | None:
        """Let a placeholder stand for a value from now on; return what is wrong with it, or None."""
        known, other = self.known.get(placeholder), self._reverse.get(value)
        if known is None and other is None:
            self.known[placeholder], self._reverse[value] = value, placeholder
            return None
        if known == value:
            return None
        return f"{placeholder} is another value than before" if known else f"{placeholder} is the value of {other}"

    def resolve(self, placeholder: str) -> str:
        """Return the value of a placeholder; a new one, if the recording has it in a request at first."""
        plain = placeholder.replace("|upper>", ">")
        if plain not in self.known:
            self.bind(plain, make_value(plain))
        value = self.known[plain]
        return value if plain == placeholder else value.upper()

    def fill(self, node: Any) -> Any:
        """Return a part of a recording with values in place of its placeholders."""
        if isinstance(node, str):
            return PLACEHOLDER.sub(lambda found: self.resolve(found[0]), node)
        if isinstance(node, dict):
            return {self.fill(name): self.fill(value) for name, value in node.items()}
        return [self.fill(each) for each in node] if isinstance(node, list) else node


def find_placeholders(node: Any) -> Iterator[str]:
    """Yield the placeholders of a part of a recording, without those of times."""
    if isinstance(node, str):
        yield from (each[0].replace("|upper>", ">") for each in PLACEHOLDER.finditer(node) if each[0][1:5] != "time")
    elif isinstance(node, dict):
        yield from (each for pair in node.items() for part in pair for each in find_placeholders(part))
    elif isinstance(node, list):
        yield from (each for part in node for each in find_placeholders(part))


def make_value(placeholder: str) -> str:
    """Return a value of the kind of a placeholder."""
    kind, _, rest = placeholder[1:-1].partition(":")
    if kind == "time":
        return (START + timedelta(seconds=float(rest.removesuffix("s")))).isoformat()
    number = int(rest.split()[0])
    days = timedelta(days=30, seconds=number)
    return {
        "uuid": f"5eed0000-0000-4000-8000-{number:012x}",
        "email": f"person-{number}@example.com",
        "client": f"{number:032}",
        "secret": make_secret(rest.partition(" ")[2], number),
        "time before": (START - days).isoformat(),
        # Within the seven days of a valid invite.
        "time after": (START + timedelta(days=3, seconds=number)).isoformat(),
    }.get(kind, f"{kind}-{number}")


def make_secret(form: str, number: int) -> str:
    """Return a secret of the form that a placeholder describes."""
    if form == "jwt":
        claims = urlsafe_b64encode(json.dumps({"exp": int(START.timestamp())}).encode()).decode().rstrip("=")
        return f"eyJ.{claims}.{number}"
    prefix, *lengths = form.split("_")
    if lengths:
        label, unique = map(int, lengths)
        return f"{prefix}_{number:0{label}}_{number:0{unique}}"
    return f"{number:0{form}}" if form.isdigit() else f"!{number}"


# The organization


def describe_organization(lines: Iterable[Line], values: Values) -> dict[str, Any]:
    """Return a state of the emulator with the records that the first requests of a recording have read."""
    read = [line for line in lines if line["rule"] == "" and line["response"]["status"] == 200]
    lists: dict[str, Records] = {}
    for line in read:
        records = line["response"].get("json", {}).get("data")
        # By id, because the list of organizations is read twice: the first request finds out whether it can be read.
        if isinstance(records, list):
            known = {each["id"]: each for each in lists.get(line["request"]["path"], [])}
            lists[line["request"]["path"]] = list((known | {each["id"]: each for each in records}).values())
    credentials = read[0]["request"]["json"]
    organization: dict[str, Any] = next(iter(lists.get("/admin/organizations", [])), {})
    document: dict[str, Any] = {
        "organization": _pick(organization, "id", "name", "plan", "payment_status", "created_at"),
        "projects": [
            _pick(each, "id", "name", "max_pods", "force_encryption_with_cmek", "created_at")
            | {
                "api_keys": [
                    _pick(key, "id", "name", "created_at")
                    for key in lists.get(f"/admin/projects/{each['id']}/api-keys", [])
                ]
            }
            for each in lists.get("/admin/projects", [])
        ],
        "users": [_pick(each, "id", "email", "name") | _without_name(each) for each in lists.get("/admin/users", [])],
        "invites": [
            _pick(each, "id", "email", "created_at", "expires_at", "processed_at")
            for each in lists.get("/admin/invites", [])
        ],
        "service_accounts": [
            _pick(each, "id", "name", "client_id", "created_at", "updated_at")
            | _secret_of(each["client_id"], credentials)
            for each in lists.get("/admin/service-accounts", [])
        ],
        "role_bindings": _list_bindings(lists),
    }
    own = [each["id"] for each in document["service_accounts"] if each["client_id"] == credentials["client_id"]]
    if own:
        document["caller"] = own[0]
    filled: dict[str, Any] = values.fill(document)
    return filled


def _list_bindings(lists: Mapping[str, Records]) -> Records:
    """Return the role bindings whose principal and project were read, and those of keys that no list has."""
    keys = [key for path, records in lists.items() if path.endswith("/api-keys") for key in records]
    principals = ("/admin/users", "/admin/invites", "/admin/service-accounts")
    known = {each["id"] for path in principals for each in lists.get(path, [])} | {key["id"] for key in keys}
    places = {each["id"] for path in ("/admin/organizations", "/admin/projects") for each in lists.get(path, [])}
    listed = lists.get("/admin/role-bindings", [])
    bound = {each["principal_id"] for each in listed}
    of_keys = [
        {"principal_type": "api_key", "principal_id": key["id"], "role": role}
        | {"resource_type": "project", "resource_id": key["project_id"]}
        for key in keys
        if key["id"] not in bound
        for role in key["roles"]
    ]
    return [each for each in (*listed, *of_keys) if each["principal_id"] in known and each["resource_id"] in places]


def _pick(record: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: record[name] for name in names if record.get(name) is not None}


def _without_name(user: Mapping[str, Any]) -> dict[str, Any]:
    return {} if "name" in user else {"name": None}


def _secret_of(client_id: str, credentials: Mapping[str, str]) -> dict[str, str]:
    return {"client_secret": credentials["client_secret"]} if client_id == credentials["client_id"] else {}


def choose_settings(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of the emulator that an organization shows to have."""
    is_free = document["organization"].get("plan") == "Free"
    builder = is_free and (len(document["projects"]) > 1 or len(document["users"]) > 2)
    return {"builder": builder, "pod_access": any(each.get("max_pods") for each in document["projects"])}


def send_request(client: httpx.Client, request: Line, values: Values) -> httpx.Response:
    """Send a recorded request to the emulator."""
    filled = values.fill(request)
    return client.request(
        filled["method"],
        filled["path"],
        params=[(name, value) for name, value in filled["query"]],
        headers=filled["headers"],
        json=filled.get("json"),
        data=filled.get("form"),
    )


# Grades

_FORMS: Mapping[str, re.Pattern[str]] = {
    "uuid": re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE),
    "email": re.compile(r"[^\s@]+@[^\s@]+"),
    "client": re.compile(r"\S+"),
}


@frozen
class Grade:
    """Compares one response with the recorded one.

    Args:
        place: The line of the recording.
        values: The values of its placeholders.
        result: Collects the counts and differences.
    """

    place: str
    values: Values
    result: Replay

    def compare_response(self, recorded: Line, response: httpx.Response) -> None:
        """Compare a whole response."""
        self._require(Axis.STATUS, "", recorded["status"] == response.status_code, f"{response.status_code}")
        self._compare_headers(recorded["headers"], response.headers)
        try:
            actual = response.json() if response.content else None
        except ValueError:
            actual = None
            self._require(Axis.TYPES, "", "text" in recorded, "the body is no JSON")
        has_body = "json" in recorded or "text" in recorded
        if self._require(Axis.FIELDS, "", has_body == bool(response.content), "a body or none") and "json" in recorded:
            self._compare("", recorded["json"], actual)

    def _require(self, axis: Axis, where: str, holds: bool, text: str) -> bool:
        self.result.compared[axis] += 1
        if not holds:
            place = f"{self.place}, {where.lstrip('.')}" if where else self.place
            self.result.differences.append(Difference(place, axis, text))
        return holds

    def _compare_headers(self, recorded: Mapping[str, str], headers: httpx.Headers) -> None:
        names = [name for name in vocabulary.RESPONSE_HEADERS if name in headers or name in recorded]
        for name in names:
            if not self._require(Axis.HEADERS, "", (name in headers) == (name in recorded), f"{name}, or none"):
                continue
            is_any = PLACEHOLDER.fullmatch(recorded[name]) is not None
            self._require(Axis.HEADERS, "", is_any or recorded[name] == headers[name], f"{name} is {headers[name]}")

    def _compare(self, where: str, recorded: Any, actual: Any) -> None:
        if (recorded is None) != (actual is None):
            self._require(Axis.NULLABILITY, where, False, "null" if actual is None else "not null")
            return
        self.result.compared[Axis.NULLABILITY] += 1
        if not self._require(Axis.TYPES, where, type(recorded) is type(actual), f"{type(actual).__name__}"):
            return
        if isinstance(recorded, dict):
            self._compare_objects(where, recorded, actual)
        elif isinstance(recorded, list):
            self._compare_lists(where, recorded, actual)
        elif isinstance(recorded, str):
            self._compare_strings(where, recorded, actual)
        else:
            self._require(Axis.VALUES, where, recorded == actual, f"{actual}")

    def _compare_objects(self, where: str, recorded: Mapping[str, Any], actual: Mapping[str, Any]) -> None:
        for name in sorted(recorded.keys() | actual.keys()):
            text = f"{name} is missing" if name in recorded else f"{name} is not in the recording"
            if self._require(Axis.FIELDS, where, name in recorded and name in actual, text):
                self._compare(f"{where}.{name}", recorded[name], actual[name])
        self._compare_times(where, recorded, actual)

    def _compare_times(self, where: str, recorded: Mapping[str, Any], actual: Mapping[str, Any]) -> None:
        """Compare which of two times of a record is later, such as whether a change has moved one."""
        pattern = re.compile(r"<time:([+-][\d.]+)s>")
        times = {name: pattern.fullmatch(value) for name, value in recorded.items() if isinstance(value, str)}
        seconds = [(float(found[1]), name) for name, found in times.items() if found and name in actual]
        for (first, name), (second, other) in pairwise(seconds):
            moments = read_time(actual[name]), read_time(actual[other])
            if moments[0] is not None and moments[1] is not None:
                order = (first > second) - (first < second)
                actual_order = (moments[0] > moments[1]) - (moments[0] < moments[1])
                self._require(Axis.ORDER, where, order == actual_order, f"{name} and {other}")

    def _compare_lists(self, where: str, recorded: Sequence[Any], actual: Sequence[Any]) -> None:
        length = f"{len(actual)} items, not {len(recorded)}"
        if not self._require(Axis.VALUES, where, len(recorded) == len(actual), length):
            return
        keys, found = [self._identify(each) for each in recorded], [_identity(each) for each in actual]
        same = all(each is not None for each in keys) and sorted(map(str, keys)) == sorted(map(str, found))
        if same and not self._require(Axis.ORDER, where, keys == found, "the same items in another order"):
            actual = [actual[found.index(each)] for each in keys]
        for index, (one, other) in enumerate(zip(recorded, actual, strict=True)):
            self._compare(f"{where}[{index}]", one, other)

    def _identify(self, item: Any) -> str | None:
        """Return the id of a recorded item, or the item itself, as the emulator has it; None if it is new."""
        name = _identity(item)
        return self.values.known.get(name) if name is not None and PLACEHOLDER.fullmatch(name) else name

    def _compare_strings(self, where: str, recorded: str, actual: str) -> None:
        if PLACEHOLDER.fullmatch(recorded):
            self._compare_placeholder(where, recorded, actual)
        elif where in {".error.code", ".error"}:
            self._require(Axis.CODE, where, recorded == actual, actual)
        elif where in {".error.message", ".error_description"}:
            self._compare_messages(where, recorded, actual)
        else:
            self._require(Axis.VALUES, where, recorded == actual, actual)

    def _compare_messages(self, where: str, recorded: str, actual: str) -> None:
        """Compare the fixed part of a known message, which clients in the field match on, and the values in it."""
        names = [each[0] for each in PLACEHOLDER.finditer(recorded)]
        parts = PLACEHOLDER.sub("\0", recorded).split("\0")
        found = re.fullmatch("(.+?)".join(map(re.escape, parts)), actual, re.DOTALL)
        if self._require(Axis.VALUES, where, found is not None, f"another text than {recorded!r}") and found:
            for name, value in zip(names, found.groups(), strict=True):
                # A name may also be a word of the message.
                known = None if name.startswith("<name:") else self.values.known.get(name)
                self._require(Axis.VALUES, where, known in {None, value}, f"{name} is another value than before")

    def _compare_placeholder(self, where: str, recorded: str, actual: str) -> None:
        kind, _, rest = recorded[1:-1].partition(":")
        if kind.startswith("time"):
            self._compare_time(where, recorded, read_time(actual))
            return
        form = _FORMS.get(kind)
        has_kind = form is None or form.fullmatch(actual) is not None
        if kind == "secret":
            has_kind = describe_secret(actual) == f" {rest.partition(' ')[2]}"
        if not self._require(Axis.TYPES, where, has_kind, f"no {kind} of this form"):
            return
        if kind not in {"text", "message", "request"}:
            # A text can be shortened, and a request id is always new, so they refer to nothing.
            problem = self.values.bind(recorded, actual)
            self._require(Axis.VALUES, where, problem is None, problem or "")

    def _compare_time(self, where: str, recorded: str, actual: datetime | None) -> None:
        if not self._require(Axis.TYPES, where, actual is not None, "no time") or actual is None:
            return
        if recorded.startswith("<time:"):
            expected = datetime.fromisoformat(make_value(recorded))
            near = abs((actual - expected).total_seconds()) <= SECONDS
            self._require(Axis.VALUES, where, near, f"{(actual - START).total_seconds():+.0f} s, not {recorded}")
        else:
            problem = self.values.bind(recorded, actual.isoformat())
            self._require(Axis.VALUES, where, problem is None, problem or "")


def _identity(item: Any) -> str | None:
    record = item.get("id") if isinstance(item, dict) else item
    return record if isinstance(record, str) else None
