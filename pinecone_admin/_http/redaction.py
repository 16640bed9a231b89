"""Redact secrets that a response echoes, including those whose characters JSON escapes.

What masks a secret in a repr is ``errors.Masked``, and ``masked`` in generated_client/types.py.
"""

from __future__ import annotations

import html
import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import quote, quote_plus

MASK = "***"
# A shorter text could be any word.
_MIN_PREFIX_LENGTH = 4
_ESCAPE = r"\\(?:u([0-9A-Fa-f]{4})|([\"/\\]))"
# Escaped text may be quoted in text that is escaped again, such as a log line that a proxy returns.
_ESCAPE_LEVELS = 3


def list_forms(secret: str) -> set[str]:
    """Return a secret as it stands in text, in a URL and in HTML. The forms of JSON are recognized in any text."""
    return {secret, quote(secret, safe=""), quote(secret), quote_plus(secret), html.escape(secret)}


def list_stored_forms(secret: str) -> set[str]:
    """Return the forms of a secret in the texts of a secret store, which may also contain it in Base64.

    Kubernetes has it so. With what is around it, such as a user name, it begins at any of three places in a group.
    """
    data, forms = secret.encode(errors="surrogatepass"), list_forms(secret)
    for encode in (b64encode, urlsafe_b64encode):
        forms.add(encode(data).decode())
        for place, first in enumerate((0, 2, 3)):  # what is before has a part in the first characters
            text = encode(bytes(place) + data).decode().rstrip("=")
            is_whole = (place + len(data)) % 3 == 0  # or what follows has a part in the last one
            forms.add(text[first : None if is_whole else -1])
    return forms


def redact_text(text: str, secrets: Iterable[str]) -> str:
    """Return a text with a mask in the place of each secret."""
    secrets = sorted(set(secrets), key=len, reverse=True)  # one may be a part of another
    unescaped = list(_unescape(text))
    for secret in secrets:
        text = text.replace(secret, MASK)
        # Asked first, because to compile the pattern takes longer.
        if any(secret in each for each in unescaped):
            text = _escaped_pattern(secret).sub(MASK, text)
    return text


def redact_body(body: bytes, secrets: Sequence[str], names: Sequence[str] = ()) -> bytes:
    """Return the body of an error with a mask in the place of each secret, whatever its encoding.

    Args:
        body: The body.
        secrets: Texts to mask.
        names: Names of fields in JSON whose values are masked, too.
    """
    encoding = json.detect_encoding(body)
    # A body that only begins like one in another encoding is shown as UTF-8, too.
    for each in ["utf-8"] if encoding.startswith("utf-8") else [encoding, "utf-8"]:
        body = _redact_as(body, each, secrets, names)
    return body


def _redact_as(body: bytes, encoding: str, secrets: Sequence[str], names: Sequence[str]) -> bytes:
    """Return a redacted body, read in an encoding; the body itself if it cannot be."""
    try:
        text = body.decode(encoding, "surrogateescape" if encoding == "utf-8" else "strict")
    except UnicodeDecodeError:
        return body
    redacted = _redact_fields(redact_text(text, secrets), names)
    for secret in sorted(secrets, key=len, reverse=True):
        redacted = _redact_end(redacted, secret)
    return body if redacted == text else redacted.encode(encoding, "surrogateescape")


def find_field_values(body: bytes, names: Sequence[str]) -> list[str]:
    """Return the texts in the fields of these names in a JSON body, as JSON escapes them and as they are."""
    if not names or not body:
        return []
    text = body.decode(json.detect_encoding(body), "replace")
    found = [match[2] for match in re.finditer(_field_pattern(names), text, flags=re.DOTALL) if match[2]]
    return found + [each for value in found for each in _unescape(value)]


def _redact_fields(text: str, names: Sequence[str]) -> str:
    return re.sub(_field_pattern(names), rf"\1{MASK}", text, flags=re.DOTALL) if names else text


def _field_pattern(names: Sequence[str]) -> str:
    # Up to the end of a value, which is that of the text if it broke off there.
    return rf'("(?:{"|".join(map(re.escape, names))})"\s*:\s*")((?:\\.|[^"\\])*+)'


def _redact_end(text: str, secret: str) -> str:
    # The body of an error may break off in the middle of a secret.
    for size in range(len(secret) - 1, _MIN_PREFIX_LENGTH - 1, -1):
        if text.endswith(secret[:size]):
            return text[:-size] + MASK
    return text


def _unescape(text: str) -> Iterator[str]:
    """Yield what an escaped text means, and what that means if it is escaped itself."""
    for _ in range(_ESCAPE_LEVELS):
        if "\\" not in text:
            return
        text = re.sub(_ESCAPE, lambda match: chr(int(match[1], 16)) if match[1] else match[2], text)
        yield text


def _escaped_pattern(secret: str) -> re.Pattern[str]:
    codes = [(re.escape(char), f"u(?i:{ord(char):04x})") for char in secret]
    first, first_code = codes[0]
    # A match begins at the first of several backslashes, or the time would grow with the square of their number.
    start = rf"(?:{first}|(?<!\\)\\+(?:{first}|{first_code}))"
    return re.compile(start + "".join(rf"(?:\\*{char}|\\+{code})" for char, code in codes[1:]))
