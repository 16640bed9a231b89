"""Names that mark what is under way."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pinecone_admin.workflows import name_tags

names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80)


@given(names)
def test_the_old_name_comes_back_from_the_names_of_both_keys(name: str) -> None:
    """However long it is, and whatever is in it, within the 80 characters that a key's name may have."""
    new, old = name_tags.rotates("old-id", name), name_tags.retired("new-id", name)
    assert max(len(new), len(old)) <= 80
    assert (name_tags.purpose(new), name_tags.purpose(old)) == ("rotates", "retired")
    assert name_tags.original(old, new) == name
    assert name_tags.purpose(name) is not None or name_tags.original(name) == name


@given(names, names)
def test_what_is_being_made_is_told_apart_by_the_name_it_shall_have(one: str, other: str) -> None:
    """Also where the limit cut it, in UTF-8 bytes, which never exceed the characters."""
    assert len(name_tags.makes(one).encode()) <= 80
    assert (name_tags.makes(one) == name_tags.makes(other)) == (one == other)
    assert name_tags.purpose(name_tags.makes(one)) == "makes"
