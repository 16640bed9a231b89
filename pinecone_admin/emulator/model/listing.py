"""Collections that keep records in order of creation, so that pages stay fast and stable."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from operator import attrgetter
from typing import Generic, Protocol, TypeVar

from attrs import Factory, define


class Positioned(Protocol):
    """A record with an id and a position in the order of creation."""

    @property
    def id(self) -> str:
        """The id in the API."""
        ...

    @property
    def position(self) -> int:
        """The position in the order of creation, which never changes."""
        ...


R = TypeVar("R", bound=Positioned)
_position = attrgetter("position")


@define
class Listing(Generic[R]):
    """Records in order of creation.

    A page is the slice after a position, not after an index: insertions and deletions between two pages shift nothing.
    """

    _records: list[R] = Factory(list[R])

    def add(self, record: R) -> None:
        """Insert a record at its position."""
        records = self._records
        if not records or records[-1].position < record.position:
            records.append(record)
        else:
            # Not at the end: the bindings of an accepted invite come back at their old positions.
            insort(records, record, key=_position)

    def remove(self, record: R) -> None:
        """Remove a record."""
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
    """Records by id, with a listing in order of creation."""

    def __init__(self) -> None:
        super().__init__()
        self.listing: Listing[R] = Listing()

    def add(self, record: R) -> None:
        """Add a record."""
        self[record.id] = record
        self.listing.add(record)

    def remove(self, record: R) -> None:
        """Remove a record."""
        self.listing.remove(self.pop(record.id))
