"""What a tracked block did to memory."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import attrs

from refscope import _units as units
from refscope._typing import override

from ._base import Report
from ._cycles import CycleReport
from ._heap import AllocationSite
from ._record import Record
from ._retention import SurvivorGroup


@attrs.frozen(kw_only=True, eq=False, repr=False)
class MemoryChange(Record):
    """The block in numbers.  Bytes are those that Python's allocators gave out."""

    size_diff: int | None = None
    """Bytes allocated in the block and kept, less older bytes freed; None untraced."""

    count_diff: int | None = None
    """Memory blocks, counted like ``size_diff``; None untraced."""

    peak: int | None = None
    """Most bytes above the level at entry, at any moment; None untraced."""

    blocks_diff: int | None = None
    """Change of ``sys.getallocatedblocks()``: pymalloc's blocks, traced or not; None
    where Python runs without pymalloc."""

    rss_diff: int | None = None
    """Change of the resident set in bytes; None where the system does not tell."""

    shared: bool = False
    """True when other threads, tasks or blocks were active: theirs is counted too."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class TypeChange(Record):
    """How many objects of one type came or went."""

    type_name: str
    """Fully qualified: ``module.Class``; without a module for built-in types."""

    count_diff: int
    """Objects that the collector tracks: at the end less at the start."""

    size_diff: int | None = None
    """Shallow bytes of these; None for types whose objects differ in size."""


@attrs.frozen(kw_only=True, eq=False, repr=False)
class GcActivity(Record):
    """What the cyclic collector did inside the block, refscope's own calls apart."""

    collections: tuple[int, ...] = (0, 0, 0)
    """Collections per generation, youngest first."""

    pause: float = 0.0
    """Seconds spent in them."""

    longest_pause: float = 0.0
    """Seconds of the longest."""

    collected: int = 0
    """Unreachable objects that were freed."""

    uncollectable: int = 0
    """Unreachable objects that could not be freed."""


def _tags(
    tags: Mapping[str, str] | tuple[tuple[str, str], ...] | None,
) -> tuple[tuple[str, str], ...]:
    """Return tags as a sorted tuple of pairs, which can be hashed.

    Asks for a tuple, not for a Mapping: an abstract class fills caches when asked.
    """
    pairs = tags if isinstance(tags, tuple) else (tags or {}).items()
    return tuple(sorted(dict(pairs).items()))


@attrs.frozen(kw_only=True, eq=False, repr=False)
class TrackReport(Report):
    """What happened in the process between the entry and the exit of a block."""

    label: str | None = None
    """Name of the block; None when merged from blocks of different names."""

    tag_items: tuple[tuple[str, str], ...] = attrs.field(
        default=(), converter=_tags, alias="tags"
    )
    """The tags as sorted pairs; ``tags`` gives them as a mapping."""

    calls: int = 1
    """Measured blocks that are merged into this report."""

    calls_seen: int = 1
    """Blocks entered, those that ``every=n`` skipped included."""

    duration: float = 0.0
    """Seconds between entry and exit, refscope's own work at both ends apart."""

    exception: str | None = None
    """Type name of the exception that left the block; None if none did, or if merged
    from blocks that ended differently, which ``limits`` says."""

    measured: tuple[str, ...] = ()
    """Sections that were measured: of ``memory``, ``sites``, ``types``,
    ``survivors``, ``cycles``, ``gc``."""

    memory: MemoryChange = attrs.field(factory=MemoryChange)
    """Totals."""

    sites: tuple[AllocationSite, ...] = ()
    """Where memory was kept or freed, largest change first; places that did not
    change are left out."""

    types: tuple[TypeChange, ...] = ()
    """Which objects came and went, largest change first."""

    gc: GcActivity = attrs.field(factory=GcActivity)
    """The collector's part."""

    survivors: tuple[SurvivorGroup, ...] = ()
    """Tracked objects that were made in the block and are alive at its end, by type
    and place; classes of the program first, then the most first."""

    cycles: CycleReport | None = None
    """Garbage cycles that the block made, and live ones among its survivors; None if
    they were not looked for."""

    @property
    def tags(self) -> Mapping[str, str]:
        """The tags that the block was given, as a read-only mapping."""
        return MappingProxyType(dict(self.tag_items))

    @property
    @override
    def is_clean(self) -> bool:
        """Whether the block kept no traced bytes and no object.

        False where neither bytes nor objects are known.  Garbage cycles that were
        collected are not kept: ``cycles.is_clean``.
        """
        return self._is_known and not self._kept

    @property
    def _is_known(self) -> bool:
        objects = "types" in self.measured or "survivors" in self.measured
        return objects or self.memory.size_diff is not None

    @property
    def _kept(self) -> bool:
        """Whether anything that was kept is known."""
        if (self.memory.size_diff or 0) > 0:
            return True
        if any(group.by_design is None for group in self.survivors):
            return True
        return any(change.count_diff > 0 for change in self.types)

    @property
    @override
    def headline(self) -> str:
        """The verdict in one line: what was kept, and the peak."""
        name = "" if self.label is None else f" {self.label!r}"
        return f"{self._verdict}{name}: {self._numbers()}"

    @property
    def _verdict(self) -> str:
        if self._kept:
            return "KEPT"
        if self._garbage_cycles:
            return "CYCLES"
        return "CLEAN" if self._is_known else "UNKNOWN"

    @property
    def _garbage_cycles(self) -> int:
        groups = () if self.cycles is None else self.cycles.groups
        return sum(group.count for group in groups if group.kind == "garbage")

    def _numbers(self) -> str:
        memory = self.memory
        objects = sum(change.count_diff for change in self.types)
        parts: list[str] = []
        if memory.size_diff is not None:
            kept = units.size(memory.size_diff, sign=True)
            parts.append(f"kept {kept}")
        if memory.count_diff is not None:
            parts.append(units.plural(memory.count_diff, "block"))
        if "types" in self.measured:
            parts.append(units.plural(objects, "object"))
        elif "survivors" in self.measured:
            count = sum(group.count for group in self.survivors)
            parts.append(units.plural(count, "survivor"))
        if self._garbage_cycles:
            parts.append(units.plural(self._garbage_cycles, "garbage cycle"))
        if not parts:
            parts.append("neither bytes nor objects are known")
        text = ", ".join(parts)
        if memory.peak is not None:
            text += f"; peak {units.size(memory.peak, sign=True)}"
        return f"{text}, {units.seconds(self.duration)}"
