"""Shapes of error bodies that are laborious to search or to show, for bodies.py."""

from __future__ import annotations

from tests.benchmarks.body_makers import (
    Shape,
    binding,
    encoded,
    error_with,
    filling,
    nested,
    numbers,
    of_bytes,
    ordinary,
    plain,
    repeating,
)

ERROR_SHAPES = [
    Shape(f"error: {label}", make, "role_bindings", 400)
    for label, make in {
        "role bindings": ordinary,
        "details of role bindings": error_with(filling('{"a":[', binding, "]}")),
        "details of numbers": error_with(repeating('{"a":[', "0,", "0]}")),
        "details of numbers in spaces": error_with(repeating('{"a":[', "0" + " " * 20 + ",", "0]}")),
        "details of lists in spaces": error_with(repeating('{"a":[', "[]" + " " * 46 + ",", "0]}")),
        "details of texts": error_with(repeating('{"a":[', '"' + "x" * 18 + '",', "0]}")),
        "details of names": error_with(filling("{", lambda number: f'"{number:020d}":0', "}")),
        "errors": repeating('{"errors":[', '{"code":"X","message":"m"},', "0]}"),
        "integers of 4000 digits": error_with(repeating('{"a":[', numbers(4000) + ",", "0]}")),
        "a message of letters": repeating('{"error":{"code":"X","message":"', "a", '"}}'),
        "a message of umlauts": repeating('{"error":{"code":"X","message":"', "ü", '"}}'),
        "a message of emoji": repeating('{"error":{"code":"X","message":"', "😀", '"}}'),
        "a message of letters and one emoji": repeating('{"error":{"code":"X","message":"😀', "a", '"}}'),
        "a message of NUL": repeating('{"error":{"code":"X","message":"', r"\u0000", '"}}'),
        "a message of escapes": repeating('{"error":{"code":"X","message":"', r"\u0061", '"}}'),
        "a message of escaped emoji": repeating('{"error":{"code":"X","message":"', r"\ud83d\ude00", '"}}'),
        "a message of escaped slashes": repeating('{"error":{"code":"X","message":"', r"\/", '"}}'),
        "a message of escaped quotes": repeating('{"error":{"code":"X","message":"', r"\"", '"}}'),
        "a message of backslashes": repeating('{"error":{"code":"X","message":"', r"\\", '"}}'),
        "a code of letters": repeating('{"error":{"message":"X","code":"', "a", '"}}'),
        "HTML": plain("<p>x</p>"),
        "NUL": plain("\0"),
        "spaces": plain(" "),
        "opening brackets": plain("["),
        "backslashes": plain("\\"),
        "escapes": plain(r"\u0020"),
        "escaped backslashes of u": plain(r"\u005c"),
        "escapes to escapes": plain(r"\u005c/"),
        "invalid UTF-8": of_bytes(b"\xff"),
        "invalid UTF-8 and letters": of_bytes(b"\xffa"),
        "utf-16 of role bindings": encoded(ordinary, "utf-16", 2),
        "utf-32 of role bindings": encoded(ordinary, "utf-32", 4),
        "utf-16 of escapes": encoded(plain(r"\u0020"), "utf-16", 2),
        "utf-16 without a BOM of escapes": encoded(plain(r"\u0020"), "utf-16-le", 2),
        "part of the token": plain("token-"),
        "the token": plain("token-1 "),
        "the token without spaces": plain("token-1"),
        "the token, escaped": plain(r"\u0074oken-1 "),
        "the token in escapes": plain("".join(f"\\u{ord(c):04x}" for c in "token-1")),
        "nested details": error_with(nested('{"a":', "}", "0")),
        "details 900 deep": error_with(repeating('{"a":[', "[" * 900 + "]" * 900 + " " * 20000 + ",", "0]}")),
        "details 40 deep": error_with(repeating('{"a":[', "[" * 40 + "]" * 40 + " " * 900 + ",", "0]}")),
        "details of many objects in spaces": error_with(
            repeating('{"a":[', '{"abcdefghijklmnopqrs":{}}' + " " * 30 + ",", "0]}")
        ),
    }.items()
]
