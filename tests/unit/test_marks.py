"""Names that mark what is under way."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pinecone_admin import _marks

names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80)


@given(names)
def test_the_old_name_comes_back_from_the_names_of_both_keys(name: str) -> None:
    """However long it is, and whatever is in it, within the 80 characters that a key's name may have."""
    new, old = _marks.rotates("old-id", name), _marks.retired("new-id", name)
    assert max(len(new), len(old)) <= 80
    assert (_marks.purpose(new), _marks.purpose(old)) == ("rotates", "retired")
    assert _marks.original(old, new) == name
    assert _marks.purpose(name) is not None or _marks.original(name) == name


@given(names, names)
def test_what_is_being_made_is_told_apart_by_the_name_it_shall_have(one: str, other: str) -> None:
    """Also where the limit cut it, in UTF-8 bytes, which never exceed the characters."""
    assert len(_marks.makes(one).encode()) <= 80
    assert (_marks.makes(one) == _marks.makes(other)) == (one == other)
    assert _marks.purpose(_marks.makes(one)) == "makes"
