"""What type checkers must infer of counts and holders; never run."""

from __future__ import annotations

from typing_extensions import assert_type

import refscope
from refscope.reports import RefCount, RefCountChange, Reference, ReferrersReport


assert_type(refscope.refcount([]), RefCount)
assert_type(refscope.refcount([], ignore=1).count, "int | None")
assert_type(int(refscope.refcount([])), int)
assert_type(refscope.referrers([], max_objects=1, deadline=0.5), ReferrersReport)
assert_type(refscope.referrers([]).references, tuple[Reference, ...])
assert_type(refscope.referrers([]).unaccounted, "int | None")
assert_type(refscope.object_at("0x10"), object)
assert_type(refscope.object_at(16, progress=print), object)
assert_type(refscope.hex_address([]), str)

with refscope.watch([]) as watched:
    pass
assert_type(watched.report, RefCountChange)
assert_type(watched.report.after, "RefCount | None")
