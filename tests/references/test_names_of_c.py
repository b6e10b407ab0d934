"""Names of what types of the standard library that are written in C refer to."""

from __future__ import annotations

import array
import asyncio
import codecs
import contextvars
import cProfile
import csv
import decimal
import functools
import gc
import io
import json
import pickle
import queue
import struct
import subprocess
import sys
import threading
import types
from collections import OrderedDict, deque
from pathlib import Path
from xml.etree import ElementTree as ET
from xml.parsers import expat

import pytest

import refscope
from refscope._measure.names.table import edges, names_of


class Item:
    """What is referred to."""

    def __call__(self, *_):
        """Do nothing."""


async def _numbers():
    yield [1]


def _compared():
    return functools.cmp_to_key(lambda one, other: one is other)(Item())


def _unawaited(make):
    """Return an awaitable and what it is made of, never run."""
    generator = _numbers()
    return make(generator)


def _awaiting():
    async def wait():
        await asyncio.sleep(0)

    coroutine = wait()
    awaiter = coroutine.__await__()
    coroutine.close()
    return awaiter


def _of_future():
    loop = asyncio.new_event_loop()
    try:
        return loop.create_future().__await__()
    finally:
        loop.close()


def _element():
    element = ET.Element("tag", {"key": "value"})
    element.text, element.tail = "some text", "some tail"
    element.extend([ET.Element("child"), ET.Element("child")])
    return element


def _connection():
    return pytest.importorskip("sqlite3").connect(":memory:")


def _cursor():
    return _connection().execute("select 1")


def _thunk():
    function = pytest.importorskip("ctypes").CFUNCTYPE(None)(lambda: None)
    [thunk] = [
        part
        for part in gc.get_referents(function)
        if type(part).__name__ == "CThunkObject"
    ]
    return thunk


def _step_of_a_task():
    """Return what a loop calls to go on with a task."""

    async def steps():
        task = asyncio.ensure_future(asyncio.sleep(0))
        [handle] = asyncio.get_running_loop()._ready
        step = handle._callback
        await task
        return step

    return asyncio.run(steps())


def _field():
    ctypes = pytest.importorskip("ctypes")
    kind = type("One", (ctypes.Structure,), {"_fields_": [("one", ctypes.c_int)]})
    return kind.one


def _template():
    if sys.version_info < (3, 14):
        pytest.skip("there are no templates")
    namespace = {"value": [1]}
    exec("template = t'{value}'", namespace)  # noqa: S102  # no syntax of 3.10
    return iter(namespace["template"])


def _exporter():
    """Return what stands between a view and the bytes that it shows."""
    view = io.BytesIO(b"abc" * 9).getbuffer()
    exporter = view.obj
    view.release()
    return exporter


def _pointer_type():
    ctypes = pytest.importorskip("ctypes")
    kind = type("Pair", (ctypes.Structure,), {"_fields_": [("one", ctypes.c_int)]})
    return ctypes.POINTER(kind)


def _parser():
    parser = expat.ParserCreate()
    parser.StartElementHandler = Item()
    parser.DefaultHandlerExpand = Item()
    return parser


def _elements():
    elements = _element().iter()
    next(elements)
    return elements


def _row():
    sqlite3 = pytest.importorskip("sqlite3")
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    row = connection.execute("select 1").fetchone()
    connection.close()
    return row


def _error_of_a_model():
    pydantic = pytest.importorskip("pydantic")
    model = pydantic.create_model("Model", number=(int, ...))
    with pytest.raises(pydantic.ValidationError) as caught:
        model(number=[1])
    return caught.value.with_traceback(None)


def _values():
    return pytest.importorskip("multidict").MultiDict(key=[1])


def _wrapper():
    """Return what stands between a view and a buffer that is written in Python."""
    kind = type("Buffer", (), {"__buffer__": lambda *_: memoryview(b"abc")})
    if sys.version_info < (3, 12):
        pytest.skip("buffers are not written in Python")
    kind.view = view = memoryview(kind())  # without it the wrapper lets go
    [managed] = gc.get_referents(view)
    [wrapper] = gc.get_referents(managed)
    return wrapper


class _Numbers:
    def __getitem__(self, place):
        return place


class _File(io.RawIOBase):
    def readable(self):
        return True

    def writable(self):
        return True


def _decoder():
    return codecs.getincrementaldecoder("utf-8")()


def _queue():
    things = queue.SimpleQueue()
    things.put(Item())
    things.put([1])
    return things


def _blob():
    connection = _connection()
    connection.execute("create table data (value blob)")
    connection.execute("insert into data values (zeroblob(4))")
    if not hasattr(connection, "blobopen"):  # 3.10
        pytest.skip("no blobs")
    return connection.blobopen("data", "value", 1)


def _frame_locals():
    return sys._getframe().f_locals


def _of_items(make):
    return make(pytest.importorskip("multidict").MultiDict(key=[1]))


def _validator(name):
    pydantic = pytest.importorskip("pydantic")
    return getattr(pydantic.create_model("Model", number=(int, 1)), name)


@pytest.mark.parametrize(
    "make",
    [
        _queue,
        _element,
        _compared,
        _awaiting,
        _of_future,
        functools.partial(_unawaited, lambda made: made.asend(None)),
        functools.partial(_unawaited, lambda made: made.athrow(ValueError)),
        functools.partial(_unawaited, lambda made: anext(made, [5])),
        lambda: memoryview(b"abc" * 9),
        lambda: io.BytesIO(b"abc" * 9),
        lambda: io.TextIOWrapper(io.BytesIO()),
        lambda: io.IncrementalNewlineDecoder(_decoder(), translate=True),
        lambda: csv.reader(["a,b"]),
        lambda: csv.writer(io.StringIO()),
        _connection,
        decimal.Context,
        lambda: pickle.Pickler(io.BytesIO()),
        ET.XMLParser,
        ET.TreeBuilder,
        lambda: pytest.importorskip("ctypes").CFUNCTYPE(None)(lambda: None),
        _blob,
        _frame_locals,
        lambda: io.BufferedRWPair(io.BytesIO(), io.BytesIO()),
        lambda: json.JSONDecoder().scan_once,
        lambda: cProfile.Profile(lambda: 1),
        lambda: pickle.Pickler(io.BytesIO()).memo,
        lambda: pickle.Unpickler(io.BytesIO()).memo,  # noqa: S301  # reads nothing
        lambda: pickle.PickleBuffer(bytearray(9)),
        lambda: struct.iter_unpack("i", bytearray(8)),
        lambda: iter(array.array("i", [1])),
        lambda: iter(memoryview(b"abc")),
        lambda: reversed({"key": [1]}.items()),
        lambda: reversed({"key": [1]}.values()),
        lambda: reversed(deque([[1]])),
        lambda: iter("\xe9"),
        contextvars.copy_context().keys,
        contextvars.copy_context().items,
        contextvars.copy_context().values,
        _step_of_a_task,
        _field,
        _template,
        _exporter,
        lambda: _element().iter(),
        functools.partial(_of_items, lambda items: items),
        functools.partial(_of_items, lambda items: items.items()),
        functools.partial(_of_items, lambda items: iter(items.keys())),
        functools.partial(_validator, "__pydantic_validator__"),
        functools.partial(_validator, "__pydantic_serializer__"),
        _thunk,
        _pointer_type,
        _parser,
        _elements,
        _wrapper,
        _cursor,
        _row,
        _error_of_a_model,
        _values,
        lambda: iter(_Numbers()),
        lambda: iter(memoryview(b"abc" * 9)),
        lambda: io.BufferedRWPair(_File(), _File()),
        lambda: pickle.Unpickler(io.BytesIO()),  # noqa: S301  # reads nothing
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::ResourceWarning")
def test_nothing_that_c_holds_is_without_a_name(make):
    """An attribute where Python has one, else what it is."""
    thing = make()
    named = edges(thing)

    assert len(named) == len(gc.get_referents(thing))
    assert [type(held) for name, held in named if name is None] == []
    if make in {_connection, _cursor}:
        getattr(thing, "connection", thing).close()  # else it warns


def test_handlers_of_a_parser_have_the_names_of_its_attributes():
    """What a person has set them by."""
    parser, item = expat.ParserCreate(), Item()
    parser.StartElementHandler = item

    assert names_of(parser, item) == [".StartElementHandler"]


_UNREADY = """
import refscope

viewed = memoryview(b"abc")
rest = iter(viewed)
assert len(refscope.referrers(viewed).references) == 2
with refscope.track() as block:
    kept = [iter(memoryview(bytearray(9))) for _ in range(3)]
assert ("memory_iterator", 3) in [
    (group.type_name, group.count) for group in block.report.survivors
]
assert int(refscope.refcount(rest)) == 1
assert refscope.why_alive(viewed).paths
"""


@pytest.mark.needs_subprocess
def test_a_type_that_nobody_has_made_ready():
    """Up to 3.10 an iterator of a view is of one that has no bases yet."""
    done = subprocess.run(
        [sys.executable, "-c", _UNREADY], capture_output=True, text=True, check=False
    )

    assert done.stderr == ""


def test_the_file_of_a_text_is_not_named_as_a_decoder_alone():
    """It has one field for it, beside the buffer that leads to the file as well."""
    with Path(__file__).open(encoding="utf-8") as text:
        names = names_of(text, text.buffer.raw)

    assert names == ["<decoder, encoder or file>"]


def test_the_parts_of_an_element_are_told_apart():
    """Its children by their place; what it has of attributes is not made."""
    element, bare = _element(), ET.Element("bare")
    child, attributes = element[1], element.attrib

    assert names_of(element, child) == ["[1]"]
    assert names_of(element, attributes) == [".attrib"]
    assert names_of(element, element.tag) == [".tag"]
    assert names_of(element, element.tail) == ["<text or tail>"]
    assert dict not in map(type, gc.get_referents(bare))
    edges(bare)
    assert dict not in map(type, gc.get_referents(bare))


class Tag(ET.Element):
    """An element with attributes of Python beside those of XML."""

    def __init__(self):
        super().__init__("tag", colour="red")
        self.parent = Item()
        self.options = {"parent": self.parent}


@pytest.mark.parametrize("is_made", [False, True], ids=["inline", "made"])
def test_what_an_instance_of_an_element_has_is_not_its_attributes(is_made):
    """Its ``__dict__``, or a dictionary in one of its attributes."""
    tag = Tag()
    assert not is_made or vars(tag)
    attributes = tag.attrib

    found = {name: thing for name, thing in edges(tag) if isinstance(thing, dict)}

    assert found.pop(".attrib") is attributes
    assert found in ({".__dict__": vars(tag)}, {".options": tag.options})


def test_the_context_of_a_token():
    """It has no attribute for it."""
    variable = contextvars.ContextVar("variable")
    context = contextvars.copy_context()
    token = context.run(variable.set, Item())

    assert names_of(token, context) == ["<context>"]


def test_an_element_that_is_written_in_python_is_not_called():
    """Where the module of C is missing, the class of that name is the program's."""

    def get(self, key):
        raise AssertionError

    space = {
        "__module__": "xml.etree.ElementTree",
        "__getitem__": get,
        "__slots__": ("child",),
    }
    element = type("Element", (), space)()
    element.child = child = Item()

    assert names_of(element, child) == [".child"]


def test_an_ordered_dictionary_has_its_keys_twice():
    """Once in its table and once in its order."""
    key = Item()
    table = OrderedDict([(key, 1), ("text", key)])

    assert names_of(table, key) == ["['text']", "{...}", "<order>"]
    assert names_of(table, "text") == ["{'text'}", "<order>"]


def test_a_path_goes_by_the_name_that_says_more():
    """Not by the order of a dictionary, where there is the key."""
    table, key = OrderedDict(), Item()
    table[key] = 1
    [path] = [
        path
        for path in refscope.why_alive(key).paths
        if path.references[-1].holder.type_name == "collections.OrderedDict"
    ]

    assert path.references[-1].name == "{...}"


def test_what_hands_xml_on_is_known_by_the_event():
    """Each handler of a parser is an attribute."""
    parser = _parser()

    assert names_of(parser, parser.StartElementHandler) == [".StartElementHandler"]
    assert names_of(parser, parser.DefaultHandlerExpand) == [".DefaultHandlerExpand"]


@pytest.mark.skipif(sys.platform == "emscripten", reason="its ssl is a stand-in")
def test_callbacks_of_tls_have_the_names_of_its_attributes():
    """Both are kept by C; ``ssl`` puts a function of its own before the second."""
    ssl = pytest.importorskip("ssl")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sni_callback = context._msg_callback = lambda *_: None
    named = edges(context)

    assert {".sni_callback", "._msg_callback"} <= {name for name, _ in named}
    assert names_of(context, context.sni_callback) == [".sni_callback"]
    assert [type(held) for name, held in named if name is None] == []


def test_what_lxml_has_in_c_has_names():
    """Cython shows none of the attributes that it keeps for itself."""
    etree = pytest.importorskip("lxml.etree")
    element = etree.fromstring("<a/>")
    path = etree.XPath("//a", extensions={("u", "f"): lambda _: 1})
    things = [element, element.getroottree(), path]

    assert [edge for thing in things for edge in edges(thing) if edge[0] is None] == []


def test_the_type_that_a_pointer_points_to_is_not_its_base():
    """``__base__`` is another class."""
    kind = _pointer_type()

    assert names_of(kind, kind._type_) == ["<types or format>"]
    assert names_of(kind, kind.__base__) == [".__base__"]


def test_what_a_task_has_beside_its_attributes_is_told_apart():
    """Its context, what it calls when it is done, and the traceback of its error."""
    context = contextvars.copy_context()

    async def fail():
        raise LookupError

    async def main():
        task = asyncio.get_running_loop().create_task(fail())
        task.add_done_callback(done := Item())
        before = names_of(task, done)
        await asyncio.wait([task])
        return task, before

    task, before = context.run(asyncio.run, main())
    named = {type(thing): name for name, thing in edges(task)}

    assert before == ["<callbacks>"]
    assert named[contextvars.Context] == "<context>"
    if sys.version_info >= (3, 12):  # before, less of a task is shown
        assert named[types.TracebackType] == "<traceback of the exception>"


def test_what_cancelled_a_task_is_no_callback():
    """The error that a task has ended with stays until somebody awaits it."""

    async def main():
        task = asyncio.get_running_loop().create_task(asyncio.sleep(60))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        return task

    named = {name for name, thing in edges(asyncio.run(main())) if is_error(thing)}

    assert named == {"<exception of the cancellation>"}


def is_error(thing):
    """Return whether a thing is an exception."""
    return isinstance(thing, BaseException)


def test_what_an_error_keeps_in_c_is_not_its_dict():
    """``__dict__`` is what Python gives by that name."""
    error = _error_of_a_model()
    error.note = 1
    named = [(name, thing) for name, thing in edges(error) if name == ".__dict__"]

    assert len(named) == 1
    assert named[0][1] is vars(error)


def test_the_values_of_a_thread_are_no_dict_of_all():
    """``__dict__`` of a class with values for each thread gives those of this one."""
    local = type("Local", (threading.local,), {})()
    local.item = Item()
    tables = [name for name, thing in edges(local) if type(thing) is dict and thing]

    assert tables == ["<values of threads>"]


def test_an_attribute_is_named_once():
    """What C holds as well has a name of its own, after ``__dict__`` was asked for."""
    kind = type("Builder", (ET.TreeBuilder,), {})
    item = Item()
    builder = kind(element_factory=item)
    builder.item = item
    vars(builder)
    names = [one.name for one in refscope.referrers(item).references]

    assert names.count(".item") == 1
    assert names.count("<tree or factories>") == 1


class Compiled(ET.Element):
    """Stands for a class of mypyc's, whose attributes are read by functions of C."""

    __mypyc_attrs__ = ("missing", "text", "__dict__")
    text = vars(ET.Element)["text"]


def test_attributes_of_a_compiled_class_have_names():
    """What mypyc keeps in C is read, but none of what it makes of properties."""
    compiled = Compiled("name")
    compiled.text = Item()

    (reference,) = refscope.referrers(compiled.text).references

    assert reference.name == ".text"


def test_attributes_of_classes_that_are_compiled():
    """The report names them as the source does."""
    nodes = pytest.importorskip("mypy.nodes")
    body = []
    block = nodes.Block(body)

    names = {one.name for one in refscope.referrers(block.body).references}

    assert ".body" in names
