"""``object_at`` and ``hex_address``: proof, or a refusal that teaches."""

from __future__ import annotations

import contextlib
import gc
import os
import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import refscope
from refscope import AddressError, RefscopeError, hex_address, object_at
from refscope.exceptions import ArgumentTypeError

from .kinds import Holder, Slotted, Thing, fresh


def test_an_instance():
    """What the collector tracks is found, by number and by text."""
    thing = Thing()

    assert object_at(id(thing)) is thing
    assert object_at(hex_address(thing)) is thing
    assert object_at(hex_address(thing).upper()) is thing
    assert object_at(f"  {hex_address(thing)[2:]} ") is thing


def test_a_text_behind_a_slot():
    """What only a tracked object refers to is found."""
    holder = Slotted()
    holder.slot = fresh("some", "text")

    assert object_at(id(holder.slot)) is holder.slot


def test_a_value_in_a_dict():
    """So is a value."""
    names = {"key": int("123456789123")}

    assert object_at(id(names["key"])) is names["key"]


def test_behind_what_is_not_tracked():
    """Texts in tuples in tuples, none of them tracked, are found."""
    items = [((fresh("some", "text"), 1), 2)]
    gc.collect()
    gc.collect()

    assert object_at(id(items[0][0][0])) is items[0][0][0]


def test_a_constant():
    """So are the constants of code."""
    names = {}
    exec("def f(): return (12345678.5, 'a')", names)  # noqa: S102  # made to measure
    constants = names["f"].__code__.co_consts
    number = next(item[0] for item in constants if type(item) is tuple)

    assert object_at(id(number)) is number
    assert object_at(id(names["f"].__code__)) is names["f"].__code__


def test_a_local_of_this_function():
    """An untracked value that only a variable has is found."""
    text = fresh("some", "text")

    assert object_at(id(text)) is text


def test_a_local_of_a_class_body():
    """So is one in a namespace that is being filled."""
    names = {"object_at": object_at}
    exec("class C:\n x = ' '.join('ab'); y = object_at(id(x)) is x", names)  # noqa: S102  # made to measure

    assert names["C"].y


def test_what_a_local_refers_to():
    """And what an untracked value of a variable refers to."""
    items = (fresh("some", "text"),)
    address = id(items[0])
    gc.collect()

    assert object_at(address) == "some text"


@pytest.mark.needs_threads
def test_a_local_of_another_thread():
    """Variables of all threads are looked at."""
    ready, done = threading.Event(), threading.Event()
    addresses = []

    def work():
        text = fresh("some", "text")
        addresses.append(id(text))
        ready.set()
        done.wait()

    thread = threading.Thread(target=work)
    thread.start()
    ready.wait()
    try:
        found = object_at(addresses[0])
    finally:
        done.set()
        thread.join()

    assert found == "some text"


@pytest.mark.parametrize("thing", [None, 12, int, Thing, (), "", len, gc])
def test_what_is_always_there(thing):
    """Immortal objects, classes and functions have addresses too."""
    assert object_at(id(thing)) is thing


def test_a_freed_object():
    """The address of what is gone is refused, or has something else by now."""
    thing = Thing()
    address = hex_address(thing)
    del thing
    try:
        found = object_at(address)
    except AddressError as error:
        found = str(error)

    assert type(found) is not Thing


def test_what_the_call_itself_makes():
    """A number of refscope's, at the place of one that is gone, is not given away."""
    found = []
    for number in range(5):
        # A free place of this size is the next that is taken.
        address = id(float(f"{number}.5"))
        with contextlib.suppress(AddressError):
            found.append(object_at(address))

    assert found == []


@pytest.mark.apart
def test_addresses_inside_and_beside_objects():
    """An address near an object is that of another one, or refused."""
    source = random.Random(3)  # noqa: S311  # no secrets
    thing = Thing()
    addresses = [source.getrandbits(44) << 4 for _ in range(5)]
    addresses += [id(thing) + offset for offset in (1, 8, -8, 16)]
    found = []
    for address in addresses:
        with contextlib.suppress(AddressError):
            found.append(id(object_at(address)) == address)

    assert all(found)


@pytest.mark.apart
@pytest.mark.needs_subprocess
def test_ten_thousand_random_addresses():
    """10,000 numbers of 48 bits are refused or proven; in a small process."""
    code = """if True:
        import random
        from refscope import AddressError, object_at
        source = random.Random(4)
        found = refused = 0
        for number in range(10_000):
            address = source.getrandbits(48)
            bound = None if number % 1000 == 0 else 1  # for the time that it takes
            try:
                assert id(object_at(address, max_objects=bound)) == address
                found += 1
            except AddressError:
                refused += 1
        print(found + refused)
    """
    env = {**os.environ, "PYTHONPATH": str(Path(refscope.__file__).parents[1])}
    command = [sys.executable, "-c", code]
    answer = subprocess.run(
        command, env=env, capture_output=True, text=True, check=True
    )

    assert answer.stdout == "10000\n"


@pytest.mark.parametrize(
    "address",
    [
        0,
        -1,
        -(10**30),
        1 << 64,
        1 << 100_000,
        "",
        "x",
        "0xzz",
        "-1",
        "12 34",
        "f" * 99,
        9,
    ],
    ids=range(12),
)
def test_what_is_no_address(address):
    """A number or text that can be no address is refused with what it is."""
    with pytest.raises(AddressError, match="no address"):
        object_at(address)


class _Number(int):
    """A number with ideas of its own."""

    def __eq__(self, other):
        raise AssertionError

    def __hash__(self):
        raise AssertionError

    def __index__(self):
        raise AssertionError


@pytest.mark.parametrize(
    "address", [None, 1.5, True, b"0x10", [1], Thing(), _Number(5), "a".encode]
)
def test_bad_types(address):
    """Anything but an exact number or text is refused by its type."""
    with pytest.raises(ArgumentTypeError, match="int or hexadecimal text"):
        object_at(address)


def test_the_error_teaches():
    """It says what was searched, what may be the case, and what to do."""
    with pytest.raises(AddressError, match="tracked objects, variables of") as caught:
        object_at(0x8)

    assert isinstance(caught.value, (RefscopeError, LookupError))
    assert "0x8" in str(caught.value)
    assert "whatever these refer to" in str(caught.value)


def test_the_search_can_be_bounded():
    """It says when it ended early; what was found by then is an answer."""
    thing = Thing()
    text = Holder(found=fresh("some", "text"))

    assert object_at(id(thing), max_objects=1) is thing
    with pytest.raises(AddressError, match="max_objects=1"):
        object_at(8, max_objects=1)
    with pytest.raises(AddressError, match="deadline"):
        object_at(8, deadline=1e-9)
    assert text


def test_progress():
    """Whoever waits is told how far the search is."""
    seen = []
    with pytest.raises(AddressError):
        object_at(8, progress=seen.append)

    assert seen[-1].objects > 1000


def test_no_garbage():
    """A search leaves nothing for the collector, found or not."""
    thing = Thing()
    gc.collect()
    gc.disable()
    try:
        object_at(id(thing))
        with pytest.raises(AddressError):
            object_at(8)
        left = gc.collect()
    finally:
        gc.enable()

    assert left <= 100  # pytest's own
