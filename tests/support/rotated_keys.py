"""An organization whose keys are rotated again and again, and what must always be true of it."""

from __future__ import annotations

from datetime import datetime, timedelta

from attrs import define, field

from pinecone_admin.emulator import Emulator
from pinecone_admin.emulator.model.records import APIKeyRecord
from pinecone_admin.models import APIKeyWithSecret
from pinecone_admin.workflows.name_tags import parse_tag
from tests.support.fault_injection import fail_to_store

OLDER_THAN = timedelta(days=10)
KEEP_OLD_FOR = timedelta(days=3)


@define
class RotatedKeys:
    """Keys of several projects, and a secret store with a value for each, which services read at any moment.

    Attributes:
        emulator: The organization.
        vault: The value of each key that services get, by the id of the project and the name of the key.
        replaced: When each value was replaced in the vault.
        stored: The names of the keys in the order of their storing.
        failing: Names of keys whose values the vault refuses.
    """

    emulator: Emulator
    vault: dict[tuple[str, str], str] = field(factory=dict)
    replaced: dict[str, datetime] = field(factory=dict)
    stored: list[str] = field(factory=list)
    failing: set[str] = field(factory=set)

    def fill(self, projects: int, keys: int, *, apart: timedelta = timedelta()) -> None:
        """Make projects with keys, each so much later than the one before."""
        for number in range(projects):
            project = self.emulator.admin().projects.create(name=f"project{number}")
            for position in range(keys):
                name = f"key{number}{position}" + "…" * 40 * (position % 2)  # long names are split meanwhile
                admin = self.emulator.admin()  # the token of the last one may have expired
                made = admin.api_keys.create(project_id=project.id, name=name)
                self.vault[project.id, name] = made.value
                self.advance(apart)

    def advance(self, time: timedelta) -> None:
        """Advance the server's clock."""
        self.emulator.clock.advance(time.total_seconds())

    def store(self, made: APIKeyWithSecret) -> None:
        """Put a value into the vault, or raise."""
        if made.key.name in self.failing:
            fail_to_store(made)
        place = made.key.project_id, made.key.name
        self.replaced[self.vault[place]] = self.emulator.clock.now()
        self.vault[place] = made.value
        self.stored.append(made.key.name)

    @property
    def keys(self) -> list[APIKeyRecord]:
        """All keys."""
        return list(self.emulator.state.api_keys.values())

    def find_faults(self) -> list[str]:
        """Return what services would notice: a value in the vault, or one that was there until recently, is invalid."""
        live, now = {key.value for key in self.keys}, self.emulator.clock.now()
        faults = [
            f"the stored value of {name} is invalid" for (_, name), value in self.vault.items() if value not in live
        ]
        early = [moment for value, moment in self.replaced.items() if now < moment + KEEP_OLD_FOR and value not in live]
        return faults + [f"a value that was replaced at {moment} is invalid at {now}" for moment in early]

    def find_leftovers(self) -> list[str]:
        """Return what a complete run leaves undone: keys that are double, unfinished, overdue or too old."""
        now, faults = self.emulator.clock.now(), []
        holders: dict[tuple[str, str], list[APIKeyRecord]] = {place: [] for place in self.vault}
        retired = [key.id for key in self.keys if key.name.startswith("~delete-after:")]
        for key in self.keys:
            tag = parse_tag(key.name)
            if tag is None:
                holders[key.project_id, key.name].append(key)
            elif tag.delete_after is not None and tag.delete_after <= now:
                faults.append(f"{key.name!r} is overdue at {now}")
            elif tag.delete_after is None and not any(map(tag.refers_to, retired)):  # else it is deleted with that
                faults.append(f"{key.name!r} is unfinished")
        for place, held in holders.items():
            if [key.value for key in held] != [self.vault[place]]:
                faults.append(f"{place[1]} is held by {len(held)} keys, or not by the stored one")
            if any(now - key.created_at > OLDER_THAN for key in held):
                faults.append(f"{place[1]} is too old")
        return faults
