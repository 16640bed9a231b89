"""Name tags, which mark records of unfinished workflows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pinecone_admin.workflows import name_tags

names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80)


@given(names)
def test_the_original_name_is_recovered_from_both_keys(name: str) -> None:
    """The tagged names of both keys have at most 80 characters and contain the original name."""
    new, old = name_tags.tag_as_successor("old-id", name), name_tags.tag_as_retired("new-id", name)
    assert max(len(new), len(old)) <= 80
    assert (name_tags.parse_purpose(new), name_tags.parse_purpose(old)) == ("rotates", "retired")
    assert name_tags.original_name(old, new) == name
    assert name_tags.parse_purpose(name) is not None or name_tags.original_name(name) == name


@given(names, names)
def test_tagged_names_are_equal_only_for_equal_names(one: str, other: str) -> None:
    """The tags of records being created are equal only for equal names, and have at most 80 bytes."""
    assert len(name_tags.tag_as_being_made(one).encode()) <= 80
    assert (name_tags.tag_as_being_made(one) == name_tags.tag_as_being_made(other)) == (one == other)
    assert name_tags.parse_purpose(name_tags.tag_as_being_made(one)) == "makes"
