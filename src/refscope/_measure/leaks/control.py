"""Whether what grows does so in a pause as well, by the work of others.

Other threads and tasks go on while the function is called.  What they leave grows in
proportion to the time, and so to the calls.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping

from refscope._measure.algorithms.series import Trend, median

from .rounds import Ledger, Step


_PAUSES = 3
_LONGER = 2
_LEAST_SECONDS = 0.1
"""A pause is long enough for what comes now and then to come in each."""
_ALL = 0.7
_PART = 0.3
"""Shares of the growth, in each pause, that others seem to have."""

OTHERS = (
    "{} grew as fast in pauses without calls: another thread or task leaves them, and "
    "what the function may add to that is not seen"
)
_BOTH = (
    "{} grew in pauses without calls as well, more slowly: another thread or task "
    "leaves a part of them"
)


def without_others(
    ledger: Ledger, suspects: Mapping[str, Trend], limits: dict[str, None]
) -> Generator[Step, None, dict[str, Trend]]:
    """Return the suspects that do not grow as fast while nobody calls the function."""
    left: dict[str, Trend] = {**suspects}
    if ledger.is_alone or not left:
        return left
    span = median(ledger.spans)
    rates = {name: median(ledger.phases[-1][name].growth) / span for name in left}
    shares = dict.fromkeys(left, 1.0)
    ledger.look()
    for _ in range(_PAUSES):
        grown = yield from ledger.wait(max(_LONGER * span, _LEAST_SECONDS))
        for name, rate in rates.items():
            share = grown.get(name, 0) / ledger.spans[-1] / rate
            shares[name] = min(shares[name], share)
    ledger.look()
    for name, share in shares.items():
        if share >= _ALL:
            del left[name]
            limits[OTHERS.format(name)] = None
        elif share >= _PART:
            limits[_BOTH.format(name)] = None
    return left
