"""Name tags, which mark records of unfinished workflows."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from pinecone_admin._http.lookup import is_same_name
from pinecone_admin.models import APIKey
from pinecone_admin.workflows import name_tags, retired_keys

names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80)
NOON = datetime(2026, 12, 3, 5, 45, tzinfo=UTC)


@given(names)
def test_the_original_name_is_recovered_from_both_keys(name: str) -> None:
    """The tagged names of both keys have at most 80 characters, contain the original name, and refer to each other."""
    new, old = name_tags.tag_as_successor("old-id", name), name_tags.tag_as_retired("new-id", name, NOON)
    assert max(len(new), len(old)) <= 80
    of_new, of_old = name_tags.parse_tag(new), name_tags.parse_tag(old)
    assert of_new is not None
    assert of_old is not None
    assert (of_new.purpose, of_new.delete_after, of_old.delete_after) == ("rotates", None, NOON)
    assert (of_new.refers_to("old-id"), of_old.refers_to("new-id"), of_old.refers_to("old-id")) == (True, True, False)
    assert name_tags.original_name(old, new) == name
    assert name_tags.is_cut(old) == (len(name) > 41)
    assert name_tags.parse_tag(name) is not None or name_tags.original_name(name) == name


@given(names, names)
def test_tagged_names_are_equal_only_for_equal_names(one: str, other: str) -> None:
    """The tags of records being created are equal only for forms of one name, and have at most 80 bytes."""
    assert len(name_tags.tag_as_unfinished(one).encode()) <= 80
    assert (name_tags.tag_as_unfinished(one) == name_tags.tag_as_unfinished(other)) == is_same_name(one, other)
    assert name_tags.has_purpose(name_tags.tag_as_unfinished(one), "makes")


def test_the_tag_of_a_retired_key_is_readable() -> None:
    """The tag has the minute in UTC; a minute that does not exist makes it an ordinary name."""
    written = name_tags.tag_as_retired("new-id", "writer", NOON.astimezone(timezone(timedelta(hours=9))))
    assert re.fullmatch("~delete-after:20261203T0545Z:[0-9a-f]{8} writer", written)
    for edited in ("20261303T0545Z", "20261203T2460Z", "2026120٣T0545Z"):
        assert name_tags.parse_tag(written.replace("20261203T0545Z", edited)) is None


@given(names, names)
def test_the_digest_of_a_value_changes_nothing_else(name: str, value: str) -> None:
    """A temporary name with the digest of a value has at most 80 characters, and means the same as one without it."""
    digest = name_tags.digest_value(value)
    being_made, successor = name_tags.tag_as_unfinished(name), name_tags.tag_as_successor("old-id", name)
    for plain in (being_made, successor):
        before, after = (name_tags.parse_tag(each) for each in (plain, name_tags.add_value_digest(plain, digest)))
        assert before is not None
        assert after is not None
        assert (before.value_digest, after.value_digest) == (None, digest)
        assert (before.purpose, before.digest) == (after.purpose, after.digest)
        assert before.rest.startswith(after.rest)
        assert len(name_tags.add_value_digest(plain, digest)) <= 80
    retired = name_tags.tag_as_retired("new-id", name, NOON)
    assert name_tags.original_name(retired, name_tags.add_value_digest(successor, digest)) == name
    for tagged in (being_made, name_tags.add_value_digest(being_made, digest)):
        assert name_tags.is_temporary_name_of(tagged, name)
        assert not name_tags.is_temporary_name_of(tagged, name + "x")


def test_only_new_keys_have_the_digest_of_a_value() -> None:
    """Any other name with one is an ordinary name; the digest is one that everybody can compute."""
    assert name_tags.digest_value("pcsk_x") == hashlib.blake2b(b"pcsk_x", digest_size=4).hexdigest()
    for purpose in ("empties", "delete-after:20261203T0545Z", "lives-until:20261203T0545Z"):
        assert name_tags.parse_tag(f"~{purpose}:1f0c2a9b reader") is not None
        assert name_tags.parse_tag(f"~{purpose}:1f0c2a9b:5d2e8f01 reader") is None


def test_only_the_tag_of_its_own_project_makes_a_key_temporary() -> None:
    """The tag has the minute in UTC; with the digest of another project, without one, or in words, it means nothing."""
    name = name_tags.tag_as_temporary("project-id", NOON.astimezone(timezone(timedelta(hours=9))), "f" * 30)
    assert re.fullmatch(f"~lives-until:20261203T0545Z:[0-9a-f]{{8}} temporary {'f' * 30}", name)
    assert len(name) <= name_tags.MAX_NAME_LENGTH
    tag = name_tags.parse_tag(name)
    assert tag is not None
    assert (tag.purpose, tag.lives_until, tag.delete_after) == ("lives-until", NOON, None)

    def find(name: str, project_id: str = "project-id") -> tuple[datetime | None, datetime | None]:
        key = APIKey(id="key-id", project_id=project_id, name=name, roles=["ProjectViewer"])
        return retired_keys.expiry_of_temporary_key(key), retired_keys.delete_after(key)

    assert find(name) == (NOON, NOON)
    assert find(name_tags.tag_as_retired("new-id", "reader", NOON)) == (None, NOON)
    no_minute = name.replace("0545Z", "2460Z")
    for other in (no_minute, name[1:], name.upper(), f"x{name}", name.replace("until", "for"), "lives until 05:45"):
        assert find(other) == (None, None), other
    assert find(name, "other-id") == (None, None)


def test_people_see_what_each_tag_means() -> None:
    """A name without a tag stays as it is."""
    tagged = {
        "reader": "reader",
        name_tags.tag_as_unfinished("reader", "04be6a1f"): "reader (unfinished)",
        name_tags.tag_as_successor("k1", "reader"): "reader (unfinished)",
        name_tags.tag_as_retired("k2", "reader", NOON): "reader (old)",
        name_tags.tag_as_temporary("p1", NOON, "5d2e8f01"): "temporary 5d2e8f01",
        f"{name_tags.name_tag('empties', 'p1')}reader": "reader (temporary)",
    }
    assert {each: name_tags.describe_name(each) for each in tagged} == tagged
