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
    """Records by id, with a listing in order of creation.

    Args:
        unique: A field that no two records share, whatever its case; they can be found by it.
    """

    def __init__(self, unique: str = "id") -> None:
        super().__init__()
        self.listing: Listing[R] = Listing()
        self.unique: str = unique
        self._by_unique: dict[str, R] = {}

    def add(self, record: R) -> R:
        """Add a record, and return it."""
        self[record.id] = self._by_unique[self._unique_value(record)] = record
        self.listing.add(record)
        return record

    def remove(self, record: R) -> None:
        """Remove a record."""
        del self._by_unique[self._unique_value(record)]
        self.listing.remove(self.pop(record.id))

    def find(self, value: str) -> R | None:
        """Return the record with a value of the unique field, ignoring case, or None."""
        return self._by_unique.get(value.casefold())

    def _unique_value(self, record: R) -> str:
        return str(getattr(record, self.unique)).casefold()
