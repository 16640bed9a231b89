"""Shapes of bodies that are laborious to parse or to decode, for bodies.py."""

from __future__ import annotations

import json

from tests.benchmarks.body_makers import (
    DATE,
    DIGITS,
    Shape,
    account,
    after_users,
    between,
    binding,
    bindings_with,
    compact,
    dated_accounts,
    dated_bindings,
    empty_key,
    encoded,
    fields_of,
    filling,
    invite,
    key,
    list_of,
    named,
    named_apart,
    nested,
    numbers,
    of_bytes,
    one_object,
    ordinary,
    organization,
    padded,
    plain,
    project,
    repeating,
    short_binding,
    texts_of,
    user,
)
from tests.benchmarks.error_shapes import ERROR_SHAPES
from tests.benchmarks.limit_shapes import LIMIT_SHAPES

SHAPES = [
    # What the API sends, as dense as it can be.
    Shape("ordinary role bindings", ordinary),
    Shape("shortest users", list_of(user), "users"),
    Shape("shortest organizations", list_of(organization), "organizations"),
    Shape("shortest projects", list_of(project), "projects"),
    Shape("shortest keys with all roles", list_of(key), "api_keys"),
    Shape("keys with roles of an emoji", list_of(empty_key(1).replace("[]", compact(["😀a"] * 6))), "api_keys"),
    Shape("shortest keys without roles", list_of(empty_key), "api_keys"),
    Shape("shortest invites", list_of(invite), "invites"),
    Shape("shortest service accounts", list_of(account), "service_accounts"),
    # Short values.
    *(
        Shape(
            f"role bindings with texts of {width} and dates of {len(date)}", list_of(short_binding("x" * width, date))
        )
        for width in (0, 2, 4, 8, 12, 20)
        for date in ("2026-01-01", DATE)
    ),
    Shape("role bindings without any text", list_of(short_binding("", ""))),
    *(
        Shape(f"users of {width} bytes per text", list_of(compact({"id": "x" * width, "email": "x" * width})), "users")
        for width in (0, 5, 8, 10, 12, 15, 18, 20, 25, 30)
    ),
    *(
        Shape(f"numbers of {width} bytes in users", after_users("1" * width), "users")
        for width in (1, 11, 15, 19, 23, 27)
    ),
    *(Shape(f"distinct texts of {width} bytes", list_of(padded("", width)), "users") for width in (8, 14, 18, 22, 26)),
    *(
        Shape(f"one user, then {item}", after_users(item), "users")
        for item in ("{}", "[]", '""', "null", "[[[]]]", '{"a":{}}', '{"":0}', "-0", "1e5", "true")
    ),
    *(
        Shape(f"items in {gap} spaces each", after_users(" " * gap + item), "users")
        for gap in (8, 16, 24, 48)
        for item in ("{}", "[]", "0")
    ),
    *(
        Shape(f"empty containers {gap} apart", list_of("[" + "x" * 0 + '"' + "x" * gap + '"]'), "users")
        for gap in (10, 20, 30, 40, 50, 60)
    ),
    *(
        Shape(f"objects with a text {gap}", list_of('{"a":"' + "x" * gap + '"}'), "users")
        for gap in (10, 20, 30, 40, 50, 60)
    ),
    *(Shape(f"objects with a distinct name {gap}", list_of(named(gap)), "users") for gap in (10, 20, 30, 40, 50, 60)),
    # Numbers.
    *(
        Shape(f"integers of {width} digits", list_of(numbers(width)), "users")
        for width in (20, 30, 50, 100, 200, 300, 400, 600, 1000, 2000, 4000, 4300, 4301)
    ),
    *(
        Shape(
            f"max_pods of {width} digits",
            list_of(project(1).replace('"max_pods":0', f'"max_pods":{numbers(width)}')),
            "projects",
        )
        for width in (100, 400, 1000, 4300)
    ),
    Shape("one number of all digits", repeating('{"data":[', "7", "]}"), "users"),
    *(
        Shape(f"floats {text[:12]} of {len(text)}", list_of(text), "users")
        for text in (
            "1e308",
            "123456789.12345678901234567890",
            "1.7976931348623157e+308",
            "2.2250738585072011e-308",
            "0." + "0" * 20 + "1",
            "0." + "0" * 300 + "1",
            "0." + "0" * 700 + DIGITS[:60],
            numbers(800, "0."),
            numbers(4000, "0."),
            numbers(8000, "0."),
            numbers(25, "0.", "e-308"),
            numbers(700, "", "e-1000"),
            "-" + numbers(40, "0."),
            "1E-400" + "0" * 0,
        )
    ),
    *(
        Shape(f"lists of 19 of {text[:26]}", after_users(f"[{','.join([text] * 19)}]"), "users")
        for text in (
            "0",
            "0.0000000000001",
            "0.30000000000000004",
            "2.2250738585072014e-308",
            "12345678901234567890e-30",
            numbers(25),
            "-1234567890123456",
            "true",
            "null          ",
            '"aaaaaaaaaaa"',
            '"aaaaaaaaaaaaaaaaaaaaaaaaa"',
            r'"\u00e4\u00e4"',
            "{}            ",
            "[]",
        )
    ),
    Shape("one float of all digits", repeating('{"data":[0.', "7", "]}"), "users"),
    Shape("NaN", after_users("NaN" + " " * 20), "users"),
    Shape("-Infinity", after_users("-Infinity" + " " * 12), "users"),
    # Names.
    *(
        Shape(f"one object of distinct names, {width} bytes", fields_of(padded("n", width), value))
        for width in (6, 8, 12, 16, 20, 24, 30, 40, 60)
        for value in ("0",)
    ),
    *(
        Shape(f"one object of distinct names, {width} bytes, empty lists", fields_of(padded("n", width), "[]"))
        for width in (24, 40, 60)
    ),
    Shape("one object of one name", repeating('{"data":[],', '"abcdefghijklmnopqrstu":0,', '"a":0}')),
    Shape("data twenty thousand times", repeating("{", '"data":[' + binding(1) + "],", '"data":[]}')),
    Shape(
        "an object in data of distinct names",
        filling('{"data":{', lambda number: f'"{number:020d}":0', "}}"),
    ),
    Shape(
        "names that differ in every role binding",
        filling('{"data":[', lambda number: binding(number)[:-1] + f',"{number:08d}":0}}', "]}"),
    ),
    Shape(
        "many names that differ",
        filling(
            '{"data":[',
            lambda number: binding(number)[:-1] + "".join(f',"{number:08d}{i:012d}":0' for i in range(20)) + "}",
            "]}",
        ),
    ),
    *(
        Shape(f"objects of {each} names of {width} that differ, {value}", named_apart(each, width, value), "users")
        for each in (1, 4, 7, 20, 100, 10_000)
        for width, value in (
            (12, "0"),
            (20, "0"),
            (12, '"a text of some length"'),
            (30, "0"),
            (45, "0"),
            (60, "0"),
            (80, "0"),
        )
    ),
    *(
        Shape(
            f"one object of names of {width} that differ, one of {every} is {other}",
            one_object(width, every, other),
        )
        for width in (12, 16, 24, 32, 40, 50, 60, 80)
        for every, other in ((10, "[]"), (20, "{}"), (20, '"["'))
    ),
    *(
        Shape(
            f"role bindings with {each} extra fields of {width}",
            bindings_with(",".join(f'"{i:0{width}d}":0' for i in range(each))),
        )
        for each in (1, 10, 100)
        for width in (10, 18, 24)
    ),
    *(
        Shape(
            f"role bindings with 100 extra fields of {value}",
            bindings_with(",".join(f'"{i:010d}":{value}' for i in range(100))),
        )
        for value in ('""', "null", "[]", "{}")
    ),
    *(
        Shape(f"lists in lists, {gap} apart", after_users("[" + (" " * gap + "[") * 20 + "]" * 21))
        for gap in (0, 4, 7, 12)
    ),
    Shape(
        "role bindings with 100 extra fields and brackets in texts",
        bindings_with(",".join(f'"{i:010d}":' + ("0" if i % 15 else '"["') for i in range(100))),
    ),
    Shape("role bindings with an extra text", bindings_with('"extra":""')),
    Shape("role bindings with an extra object", bindings_with('"extra":{"a":{"b":[]}}')),
    Shape(
        "users with an extra object",
        filling('{"data":[', lambda number: user(number)[:-1] + ',"extra":{}}', "]}"),
        "users",
    ),
    # Nesting.
    Shape("lists in lists", nested("[", "]"), "users"),
    Shape("objects in objects", nested('{"a":', "}", "0"), "users"),
    Shape("objects in objects, spaced", nested('{"a":' + " " * 60, "}", "0"), "users"),
    *(
        Shape(f"items nested {depth} deep, spaced", list_of(("[" + " " * 50) * depth + "]" * depth), "users")
        for depth in (10, 100, 900)
    ),
    # Texts.
    *(
        Shape(f"a name of {label}", texts_of(unit), "describe")
        for label, unit in {
            "letters": "a",
            "umlauts": "ü",
            "han": "文",
            "emoji": "😀",
            "escaped NUL": r"\u0000",
            "escaped umlauts": r"\u00fc",
            "escaped han": r"\u6587",
            "escaped surrogate pairs": r"\ud83d\ude00",
            "unpaired surrogates": r"\ud83d",
            "escaped quotes": r"\"",
            "escaped backslashes": r"\\",
            "escaped slashes": r"\/",
            "escaped line ends": r"\n",
            "commas": ",",
            "brackets": "[",
            "escaped quotes and commas": r"\",",
            "quotes in backslashes": r"\\\"",
            "letters and escapes": r"aaaaaaaa\n",
        }.items()
    ),
    Shape(
        "a name of letters and one emoji",
        repeating(compact({"id": "x", "max_pods": 0})[:-1] + ',"name":"😀', "a", '"}'),
        "describe",
    ),
    Shape(
        "role bindings with one emoji",
        filling('{"data":[' + binding(0, role="😀") + ",", binding, "]}"),
    ),
    Shape(
        "role bindings that are one escape each",
        filling('{"data":[', lambda number: binding(number, role=r"é" * 10), "]}"),
    ),
    Shape("commas in texts", list_of(compact({"id": "," * 400, "email": "[" * 100})), "users"),
    Shape("short texts of commas", list_of(compact({"id": "," * 20, "email": "[" * 20})), "users"),
    *(
        Shape(
            f"shortest keys without roles, {length} of {text!r} as a name",
            list_of(empty_key(1, text * length)),
            "api_keys",
        )
        for text in (",", '"')
        for length in (1, 8, 80)
    ),
    Shape("texts of escaped quotes and commas", list_of(compact({"id": '",' * 20, "email": '"' * 20})), "users"),
    Shape("an unterminated text", repeating('{"data":["', ",", "")),
    Shape("an unterminated text of escapes", repeating('{"data":["', r",\"", "")),
    Shape("page token", repeating('{"data":[],"pagination":{"next":"', "a", '"}}')),
    Shape("page token of escapes", repeating('{"data":[],"pagination":{"next":"', r"\u0000", '"}}')),
    # Dates.
    *(
        Shape(f"role bindings of date {date}", dated_bindings(date))
        for date in (
            "2026",
            "2026-01",
            "20260101T00Z",
            "2026-07-01t10:00:00.5z",
            "2026-07-01T24:00:00Z",
            "2026-07-01T24:00:00+00:00",
            "2026-07-01T10:00:00." + "1" * 40 + "Z",
            "2026-W01-1T10:00:00,5+0100",
            "2026-07-01T10:00:00",
        )
    ),
    *(
        Shape(
            f"service accounts of date {date}",
            dated_accounts(date),
            "service_accounts",
        )
        for date in ("2026", "2026-07-01T24:00:00Z", DATE, "2026-07-01T10:00:00z")
    ),
    Shape("a date of 8 MiB", repeating('{"data":[' + binding(1)[:-2].replace(DATE, ""), "2", '"}]}')),
    Shape(
        "a date of 8 MiB with z",
        repeating('{"data":[' + binding(1)[:-2].replace(DATE, "2026-07-01T10:00:00."), "2", 'z"}]}'),
    ),
    # What fits until the end.
    Shape("a wrong type at the end", filling('{"data":[', binding, ",0]}")),
    Shape("cut off at the end", filling('{"data":[', binding, "")),
    Shape("invalid UTF-8 at the end", between(b"", ordinary, b"\xff")),
    Shape("invalid UTF-8 throughout", between(b'{"data":["', of_bytes(b"\xff"))),
    Shape(
        "surrogates in UTF-8",
        between(project(1)[:-1].encode() + b',"n":"', of_bytes(b"\xed\xa0\x80"), b'"}'),
        "describe",
    ),
    Shape(
        "short integers beside a text of digits",
        repeating(f'{project(1)[:-1]},"name":"{"7" * 70_000}","n":[', "12345,", "0]}"),
        "describe",
    ),
    Shape("more after the end", filling('{"data":[', binding, "]}{}")),
    # Encodings.
    Shape("byte order mark", between(b"\xef\xbb\xbf", ordinary)),
    *(
        Shape(f"{encoding} role bindings", encoded(ordinary, encoding, width))
        for encoding, width in (("utf-16", 2), ("utf-16-be", 2), ("utf-32", 4), ("utf-32-le", 4))
    ),
    *(
        Shape(f"{encoding} of {item}", encoded(after_users(item), encoding, width), "users")
        for encoding, width in (("utf-16", 2), ("utf-32", 4))
        for item in ("{}", "[]", "0", '""', " " * 6 + "[]", " " * 12 + "[]")
    ),
    Shape("utf-16 of letters", encoded(repeating('{"data":["', "n", '"]}'), "utf-16", 2)),
    # Spaces.
    Shape("spaces", plain(" ")),
    Shape("spaces, then a list", repeating("", " ", '{"data":[]}')),
    Shape("spaces before the first item", repeating('{"data":[', " ", "]}")),
    Shape(
        "spaces between values",
        filling('{"data":[', lambda number: json.dumps(json.loads(binding(number)), indent=40), "]}"),
    ),
    Shape("nothing that is JSON", plain("x")),
    Shape("HTML", plain("<p>x</p>")),
    Shape("NUL", plain("\0")),
    Shape("quotes", plain('"')),
    Shape("backslashes", plain("\\")),
    Shape("quotes and backslashes", plain('"\\')),
    Shape("opening brackets", plain("[")),
    Shape("opening braces", plain("{")),
    Shape("commas", plain(",")),
    Shape("list of role bindings without an object", filling("[", binding, "]")),
    *ERROR_SHAPES,
    *LIMIT_SHAPES,
    # Single objects.
    *(
        Shape(f"one project with {label}", make, "describe")
        for label, make in {
            "a list of numbers": repeating(project(1)[:-1] + ',"new":[', "0,", "0]}"),
            "a list of numbers in spaces": repeating(project(1)[:-1] + ',"new":[', "0" + " " * 22 + ",", "0]}"),
            "a list of texts": repeating(project(1)[:-1] + ',"new":[', '"' + "x" * 20 + '",', "0]}"),
            "role bindings": filling(project(1)[:-1] + ',"new":[', binding, "]}"),
            "new names": filling(project(1)[:-1] + ",", lambda number: f'"{number:020d}":0', "}"),
        }.items()
    ),
]
