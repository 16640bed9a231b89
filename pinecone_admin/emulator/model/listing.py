"""Records in order of creation, which keep pages fast and survive insertions and deletions."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from operator import attrgetter
from typing import Generic, Protocol, TypeVar

from attrs import Factory, define


class Positioned(Protocol):
    """A record that knows its id and its place in the order of creation."""

    @property
    def id(self) -> str:
        """What the API knows it by."""
        ...

    @property
    def position(self) -> int:
        """The number of records created before."""
        ...


R = TypeVar("R", bound=Positioned)
_position = attrgetter("position")


@define
class Listing(Generic[R]):
    """Records in order of creation, so that a page is a slice and survives insertions and deletions."""

    _records: list[R] = Factory(list[R])

    def add(self, record: R) -> None:
        """Put a record where its position belongs."""
        insort(self._records, record, key=_position)

    def remove(self, record: R) -> None:
        """Take a record out."""
        del self._records[bisect_left(self._records, record.position, key=_position)]

    def after(self, position: int, limit: int) -> list[R]:
        """Return up to `limit` records created after a position."""
        start = bisect_right(self._records, position, key=_position)
        return self._records[start : start + limit]

    def __iter__(self) -> Iterator[R]:
        return iter(self._records)

    def __len__(self) -> int:
        return len(self._records)


class Table(dict[str, R]):
    """Records by id, and in order of creation."""

    def __init__(self) -> None:
        super().__init__()
        self.listing = Listing[R]()

    def add(self, record: R) -> None:
        """Enter a record."""
        self[record.id] = record
        self.listing.add(record)

    def remove(self, record: R) -> None:
        """Take a record out."""
        self.listing.remove(self.pop(record.id))
