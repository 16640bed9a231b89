"""Names that mark what is under way."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pinecone_admin.workflows import name_tags

names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80)


@given(names)
def test_the_old_name_comes_back_from_the_names_of_both_keys(name: str) -> None:
    """However long it is, and whatever is in it, within the 80 characters that a key's name may have."""
    new, old = name_tags.tag_as_successor("old-id", name), name_tags.tag_as_retired("new-id", name)
    assert max(len(new), len(old)) <= 80
    assert (name_tags.parse_purpose(new), name_tags.parse_purpose(old)) == ("rotates", "retired")
    assert name_tags.original_name(old, new) == name
    assert name_tags.parse_purpose(name) is not None or name_tags.original_name(name) == name


@given(names, names)
def test_what_is_being_made_is_told_apart_by_the_name_it_shall_have(one: str, other: str) -> None:
    """Also where the limit cut it, in UTF-8 bytes, which never exceed the characters."""
    assert len(name_tags.tag_as_being_made(one).encode()) <= 80
    assert (name_tags.tag_as_being_made(one) == name_tags.tag_as_being_made(other)) == (one == other)
    assert name_tags.parse_purpose(name_tags.tag_as_being_made(one)) == "makes"
