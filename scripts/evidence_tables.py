"""The blocks of the pages that show measured figures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from textwrap import fill
from typing import Any, TypeAlias

from derived_page import render_table

Record: TypeAlias = Mapping[str, Any]
Records: TypeAlias = Mapping[str, Record]

SPACE = "\N{NO-BREAK SPACE}"  # keeps a figure and its unit on one line of a narrow column
_FACTORS = {"ms": 1e3, "µs": 1e6, "MB": 1e-6, "s": 1.0}
OURS, OFFICIAL, HTTPX, STDLIB = "ours", "official", "httpx", "http.client"
_MISSING = "*Not measured yet: `scripts/evidence run` measures it.*"
_BOUND = 3.0
"""If an event was seen 0 times in n trials, its rate is below 3/n with 95 % confidence."""


def show(value: float, unit: str, digits: int = 0) -> str:
    """Return a figure in seconds or bytes with its unit."""
    return f"{value * _FACTORS[unit]:,.{digits}f}{SPACE}{unit}"


def describe_runs(records: Records, *names: str) -> str:
    """Return where the figures of a block are from: one line for each run."""
    lines: list[str] = []
    for name in names:
        record = records[name]
        versions = ", ".join(f"{key} {value}" for key, value in record.get("versions", {}).items())
        load = f"**busy machine, load {record['load']}**" if record["is_busy"] else f"load {record['load']}"
        lines.append(
            f"*`{record['program']}`, commit {record['commit'][:8]}, {record['date']}, Python {record['python']}"
            f"{', ' + versions if versions else ''}, {record['machine']}; {load}.*"
        )
    return "\n\n".join(map(_wrap, dict.fromkeys(lines)))


def _wrap(text: str) -> str:
    return fill(text, 120, break_on_hyphens=False)


def _judge(value: float, goal: float | None, text: str) -> str:
    return "" if goal is None else f"≤ {text}{'' if value <= goal else ', missed'}"


def compare_calls(records: Records) -> str:
    """Return the table that compares a call of the clients."""
    record = records["calls"]
    rows: list[Sequence[str]] = []
    for name, row in record["shape"]["rows"].items():
        figures = record["figures"][name]
        digits = 1 if row["unit"] == "MB" else 0
        medians = figures["medians"]
        cells = [show(medians[client], row["unit"], digits) if client in medians else "" for client in _CLIENTS]
        note = "" if row["other"] == OFFICIAL else f" of {row['other']}"
        middle = "{:.2f} to {:.2f}".format(*figures["middle_half"])
        goal = _judge(figures["ratio"], row["goal"], str(row["goal"]))
        rows.append([row["title"], *cells, f"{figures['ratio']:.2f}{note}", middle, goal])
    heads = ["", *_CLIENTS.values(), "ratio", "middle half of the rounds", "goal"]
    sizes = record["shape"]["sizes"]
    text = _wrap(
        f"Each figure is the median of {sizes['rounds']} rounds. The ratio is the median of the ratios of the rounds: "
        "ours to the official SDK, or to httpx if the official SDK has no async client."
    )
    return _join(render_table(heads, rows), text, describe_runs(records, "calls"))


_CLIENTS = {OURS: "ours", OFFICIAL: "official SDK", HTTPX: "httpx", STDLIB: "`http.client`"}


def count_calls(records: Records) -> str:
    """Return the table of what one create enters."""
    record = records["own_calls"]
    figures = record["figures"]["own-calls"]
    rows = [
        [
            count["title"],
            f"{figures[OURS][name]:,}",
            f"{figures[OFFICIAL][name]:,}",
            _judge(figures[OURS][name], count["goal"], str(count["goal"])),
        ]
        for name, count in record["shape"]["counts"].items()
    ]
    return _join(
        render_table(["a warm create", "ours", "official SDK", "goal"], rows), describe_runs(records, "own_calls")
    )


def show_growth(records: Records) -> str:
    """Return the tables of calls per second by tasks and threads, and of the memory that a process gains."""
    record = records["growth"]
    figures, sizes = record["figures"], record["shape"]["sizes"]
    tasks = {OURS: "ours, calls per second", HTTPX: "`httpx.AsyncClient`"}
    threads = {OURS: "ours, calls per second", OFFICIAL: "official SDK", HTTPX: "`httpx.Client`"}
    tables = [
        render_table(
            [f"{kind} on one client", *titles.values()],
            [
                [f"{int(count):,}", *(f"{rates[client]:,.0f}" for client in titles)]
                for count, rates in sorted(figures[row].items(), key=lambda item: int(item[0]))
            ],
        )
        for kind, row, titles in (("tasks", "growing-tasks", tasks), ("threads", "growing-threads", threads))
    ]
    memory = figures["memory"]
    titles = {
        "calls": f"after {sizes['memory_calls']:,} calls",
        "bindings": f"at most, while {sizes['bindings']:,} role bindings are paged",
    }
    rows = [
        [title, *(show(memory[kind][client], "MB", 1) for client in (OURS, OFFICIAL))] for kind, title in titles.items()
    ]
    tables.append(render_table(["growth of RSS", "ours", "official SDK"], rows))
    text = _wrap(
        f"Each rate is the median of {sizes['growth_rounds']} rounds. The [first table](#a-call) was measured in "
        f"another run, with {sizes['rounds']} rounds, and its load can differ. If the two disagree on the same number "
        "of threads or tasks, believe the first table. The rates only show how a client behaves when it has more to do."
    )
    return _join(*tables, text, describe_runs(records, "growth"))


def compare_commands(records: Records) -> str:
    """Return the table of the processor time of commands."""
    record = records["commands"]
    rows: list[Sequence[str]] = []
    for group, goals in record["shape"]["goals"].items():
        if group != "imports":
            for position, (name, goal) in enumerate(goals.items()):
                figures = record["figures"][group][name]
                ratio = f"{figures['ratio']:.2f}" if position else ""
                rows.append([name, show(figures["seconds"], "ms"), ratio, _judge(figures["ratio"], goal, f"{goal}")])
    text = _wrap(
        f"Each figure is the median of {record['shape']['rounds']} rounds. Each ratio compares a row with the nearest "
        f"row above it that has no ratio. `user list` lists {record['shape']['users']:,} users."
    )
    heads = ["command", "processor time", "ratio", "goal"]
    return _join(render_table(heads, rows), text, describe_runs(records, "commands"))


def show_imports(records: Records) -> str:
    """Return the table of what an import costs."""
    figures: Mapping[str, Mapping[str, float]] = records["commands"]["figures"]["imports"]
    bare, *others = figures
    rows = [[name, show(figures[name]["seconds"] - figures[bare]["seconds"], "ms")] for name in others]
    heads = ["program", "processor time beyond that of Python alone"]
    return _join(render_table(heads, rows), describe_runs(records, "commands"))


def show_access_page(records: Records) -> str:
    """Return the table of what the access page of a large organization costs."""
    record = records["access_page"]
    shape, goals = record["shape"], record["shape"]["goals"]
    rows: list[Sequence[str]] = []
    for owners, costs in record["figures"].items():
        missed = ", missed" if any(costs[name] > goal for name, goal in goals.items()) else ""
        held = f"{costs['bindings']:,} role bindings of {shape['people']:,} people"
        what = f"{held} on {shape['projects']:,} projects, {owners} owners"
        goal = f"≤ {show(goals['page'], 'MB')}, {show(goals['seconds'], 's')}, {show(goals['memory'], 'MB')}{missed}"
        cells = (show(costs["page"], "MB", 1), show(costs["seconds"], "s", 1), show(costs["memory"], "MB"))
        rows.append([what, *cells, goal])
    heads = ["organization", "page", "processor time", "growth of the peak memory", "goal"]
    return _join(render_table(heads, rows), describe_runs(records, "access_page"))


def show_large_body(records: Records) -> str:
    """Return the table of what the largest accepted responses cost."""
    record = records["large_body"]
    rows = [
        [name, show(costs["seconds"], "s", 2), show(costs["memory"], "MB"), costs["found"]]
        for name, costs in record["figures"].items()
    ]
    table = render_table(
        [f"a body of {record['shape']['bytes']:,} bytes with", "processor time", "memory", "result"], rows
    )
    return _join(table, describe_runs(records, "large_body"))


def show_emulator_load(records: Records) -> str:
    """Return the tables of the emulator under load."""
    record = records["emulator_load"]
    shape, figures = record["shape"], record["figures"]

    def show_load(load: Mapping[str, float]) -> str:
        return f"{load['rate']:,.0f}, {show(load['median'], 'ms')}, {show(load['late'], 'ms')}"

    kinds = list(next(iter(figures["loads"].values())))
    heads = [f"{shape['connections']} connections: requests a second, p50, p99", *kinds]
    loads = [[name, *(show_load(carried[kind]) for kind in kinds)] for name, carried in figures["loads"].items()]
    costs = [
        [name, show(value, "MB") if "memory" in name else show(value, "s", 2)]
        for name, value in figures["costs"].items()
    ]
    return _join(
        render_table(heads, loads),
        render_table([f"{shape['users']:,} users who each have a role", "measured"], costs),
        describe_runs(records, "emulator_load"),
    )


def show_faults(records: Records) -> str:
    """Return the table of what happens under faults."""
    record = records["faults"]
    columns, figures = record["shape"]["columns"], record["figures"]["rows"]
    rows = [
        [f"**{row}**" if each["must_be_zero"] else row, *(f"{figures[column][row]:,}" for column in columns)]
        for row, each in record["shape"]["rows"].items()
    ]
    creates = figures[columns[0]]["creates under random faults"]
    text = _wrap(
        f"Figures in bold rows must be 0. A row with 0 of {creates:,} creates means that the rate is below "
        f"{_BOUND / creates:.3%} with 95{SPACE}% confidence."
    )
    return _join(render_table(["", *columns], rows), text, describe_runs(records, "faults"))


def show_outage(records: Records) -> str:
    """Return the table of the load during an outage."""
    record = records["faults"]
    shape = record["shape"]
    rows = [
        [title, f"{each['requests']:,}", str(each["complete_calls"])]
        for title, each in record["figures"]["outages"].items()
    ]
    heads = [f"{shape['calls_in_outage']:,} reads", "requests", f"calls that were sent {shape['attempts']} times"]
    return _join(render_table(heads, rows), describe_runs(records, "faults"))


def show_creates(records: Records) -> str:
    """Return the table of one create under each permanent fault."""
    record = records["faults"]
    columns = record["shape"]["columns"]
    ours, official = record["figures"]["creates"][columns[0]], record["figures"]["creates"][columns[-1]]
    faults: dict[tuple[str, str], list[str]] = {}
    for fault in ours:
        faults.setdefault((ours[fault], official[fault]), []).append(fault)
    rows = [[", ".join(names), *results] for results, names in faults.items()]
    return _join(render_table(["faults", columns[0], columns[-1]], rows), describe_runs(records, "faults"))


def show_checkers(records: Records) -> str:
    """Return the table of what type checkers find in correct code and in mistakes."""
    record = records["checkers"]
    mistakes = record["shape"]["mistakes"]
    rows = [
        [
            f"{name} {found['version']}",
            "in every run of the tests" if found["is_in_tests"] else "for this table",
            str(found["errors_in_correct_code"] or "none"),
            f"{found['mistakes_found']} of {mistakes}",
        ]
        for name, found in record["figures"].items()
    ]
    table = render_table(["checker, strict where it can be", "runs", "errors in correct code", "mistakes found"], rows)
    return _join(table, describe_runs(records, "checkers"))


def show_versions(records: Records) -> str:
    """Return the table of how all tests ended on each version of Python."""
    rows = [
        [version, "not run", *[""] * 5]
        if found is None
        else [
            found["python"],
            found["system"],
            f"`{found['commit'][:8]}`, {found['date']}",
            "whole" if found["whole_grids"] else "sampled",
            *(f"{found[outcome]:,}" for outcome in ("passed", "failed", "skipped")),
        ]
        for version, found in records["versions"]["figures"].items()
    ]
    return render_table(["Python", "system", "commit", "grids of cases", "passed", "failed", "skipped"], rows)


def show_readme(records: Records) -> str:
    """Return the five figures of the README."""
    calls, faults = records["calls"]["figures"], records["faults"]
    columns, rows = faults["shape"]["columns"], faults["figures"]["rows"]
    ours, official = rows[columns[0]], rows[columns[-1]]
    twice, random_twice = "POSTs processed twice", "creates processed twice under random faults"
    table = [
        [
            f"creates that took effect twice, among {ours['fault cases']:,} calls with planned faults",
            str(ours[twice]),
            str(official[twice]),
        ],
        [
            f"creates that took effect twice, among {ours['creates under random faults']:,} creates with random faults",
            str(ours[random_twice]),
            str(official[random_twice]),
        ],
        [
            "secrets found in errors, tracebacks and logs, and in pickles of errors and clients",
            str(ours["secrets found"]),
            str(official["secrets found"]),
        ],
        *(
            [title, f"{calls[row]['ratio']:.2f} times", "1"]
            for title, row in (("time of a GET", "get"), ("time of a create", "create"))
        ),
    ]
    sources = " and ".join(
        f"commit {each['commit'][:8]} on {each['date']}"
        for each in {records[name]["commit"]: records[name] for name in ("faults", "calls")}.values()
    )
    state = "busy" if records["calls"]["is_busy"] else "quiet"
    text = f"*Measured at {sources}. The times are from a {state} machine: load {records['calls']['load']}.*"
    return _join(render_table(["", "this client", columns[-1]], table), _wrap(text))


def _join(*parts: str) -> str:
    return "\n\n".join(part.rstrip("\n") for part in parts)


def _if_measured(block: Callable[[Records], str], names: Iterable[str]) -> Callable[[Records], str]:
    return lambda records: block(records) if all(name in records for name in names) else _MISSING


BLOCKS: Mapping[str, Callable[[Records], str]] = {
    "calls": _if_measured(compare_calls, ["calls"]),
    "own_calls": _if_measured(count_calls, ["own_calls"]),
    "growth": _if_measured(show_growth, ["growth"]),
    "commands": _if_measured(compare_commands, ["commands"]),
    "imports": _if_measured(show_imports, ["commands"]),
    "access_page": _if_measured(show_access_page, ["access_page"]),
    "large_body": _if_measured(show_large_body, ["large_body"]),
    "emulator_load": _if_measured(show_emulator_load, ["emulator_load"]),
    "faults": _if_measured(show_faults, ["faults"]),
    "outage": _if_measured(show_outage, ["faults"]),
    "creates": _if_measured(show_creates, ["faults"]),
    "checkers": _if_measured(show_checkers, ["checkers"]),
    "versions": _if_measured(show_versions, ["versions"]),
    "readme": _if_measured(show_readme, ["calls", "faults"]),
}
"""The functions that write the blocks, by the names of the blocks."""
