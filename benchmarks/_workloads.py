"""What is run under the trackers.  Each returns a number that must come out right."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any


DEPTH = 30
"""Calls between the measurement and the work: programs have a stack."""


def allocating(rounds: int) -> int:
    """Make small objects, keep a part of them for a while, drop the rest."""
    kept: list[object] = []
    total = 0
    for number in range(rounds * 400):
        item = {"key": number, "row": [number, str(number)], "at": (number, 1.5)}
        if number % 4 == 0:
            kept.append(item)
        total += len(item["row"])  # type: ignore[arg-type]
    return total + len(kept)


def templates(rounds: int) -> int:
    """Render a page with jinja2."""
    jinja2 = importlib.import_module("jinja2")
    template = _cached(jinja2.Template, _PAGE)
    rows = [
        {"name": f"user {number}", "tags": ["a", "b", str(number)]}
        for number in range(40)
    ]
    return sum(
        len(template.render(title=f"page {page}", rows=rows)) for page in range(rounds)
    )


def models(rounds: int) -> int:
    """Validate, change and write objects with pydantic."""
    user = _cached(_user_model, None)
    users = []
    for number in range(rounds * 25):
        made = user.model_validate(
            {
                "id": str(number),
                "name": f"user {number}",
                "homes": [{"city": "Oslo", "lines": ["a", "b"]}] * 3,
            }
        )
        users.append(made.model_copy(update={"name": made.name.upper()}))
    return sum(len(made.model_dump_json()) for made in users)


def computing(rounds: int) -> int:
    """Compute with whole numbers in a loop that keeps nothing."""
    total = 0
    for start in range(rounds * 40):
        value = start + 97
        for _ in range(20):
            value = value // 2 if value % 2 == 0 else 3 * value + 1
            total += value
    return total % 1_000_003


WORKLOADS: dict[str, tuple[Callable[[int], int], tuple[str, ...]]] = {
    "allocation-heavy": (allocating, ()),
    "realistic: jinja2": (templates, ("jinja2",)),
    "realistic: pydantic": (models, ("pydantic",)),
    "computing": (computing, ()),
}
"""The work, and the packages that it needs."""


def deep(work: Callable[[int], int], rounds: int, depth: int = DEPTH) -> int:
    """Run the work under ``depth`` frames."""
    if depth:
        return deep(work, rounds, depth - 1)
    return work(rounds)


def missing(packages: tuple[str, ...]) -> str | None:
    """Return the first of these packages that is not there."""
    for name in packages:
        try:
            importlib.import_module(name)
        except ImportError:  # noqa: PERF203  # a handful of names
            return name
    return None


def _user_model(_: None) -> Any:
    pydantic = importlib.import_module("pydantic")
    home = pydantic.create_model("Home", city=str, lines=list[str])
    return pydantic.create_model("User", id=int, name=str, homes=list[home])


def _cached(make: Callable[[Any], Any], value: object) -> Any:
    if make not in _made:
        _made[make] = make(value)
    return _made[make]


_made: dict[object, Any] = {}
_PAGE = """<h1>{{ title|e }}</h1>
<ul>{% for row in rows %}
  <li class="{{ loop.cycle('odd', 'even') }}">{{ row.name|upper|e }}:
  {% for tag in row.tags %}<b>{{ tag }}</b>{{ ', ' if not loop.last }}{% endfor %}
{% endfor %}</ul>"""
