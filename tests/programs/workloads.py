"""Work of real packages that leaves nothing behind, each as one call of a function.

Each entry prepares its work and returns it; what has to be closed afterwards goes on
the stack that it is given.
"""

from __future__ import annotations

import ast
import asyncio
import base64
import collections
import concurrent.futures
import configparser
import contextlib
import contextvars
import copy
import csv
import dataclasses
import datetime as dt
import decimal
import difflib
import email
import email.utils
import enum
import functools
import gzip
import hashlib
import heapq
import hmac
import html.parser
import http.client
import http.server
import importlib
import io
import json
import logging
import pickle
import queue
import random
import re
import selectors
import socket
import sqlite3
import statistics
import string
import struct
import subprocess
import sys
import tarfile
import tempfile
import textwrap
import threading
import tokenize
import urllib.parse
import urllib.request
import uuid
import weakref
import xml.dom.minidom
import xml.sax
import zipfile
import zlib
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree as ET

import attrs


# -- Data.
def json_both_ways(stack):
    return lambda: json.loads(json.dumps({"a": [1, 2.5, None, {"b": "c"}]}))


def json_error(stack):
    def work():
        with contextlib.suppress(json.JSONDecodeError):
            json.loads('{"a": [1, 2')

    return work


def regular_expressions(stack):
    return lambda: re.sub(r"(\w+) (\w+)", r"\2 \1", "one two three four")


def regular_expression_compiled(stack):
    return lambda: re.compile("a+b").findall("aab ab")


def regular_expressions_of_all_kinds(stack):
    # More than the cache of re takes: each is compiled anew.
    numbers = iter(range(10**6))
    return lambda: re.match(rf"(a|b)+{next(numbers)}", "abab")


def decimals(stack):
    def work():
        with decimal.localcontext() as context:
            context.prec = 50
            return sum(map(decimal.Decimal, ("1.1", "2.2"))).sqrt()

    return work


def fractions(stack):
    return lambda: statistics.fmean([Fraction(1, 3), Fraction(2, 7)])


def structures(stack):
    return lambda: struct.unpack("<IH", struct.pack("<IH", 1, 2))


def dates(stack):
    def work():
        now = dt.datetime.now(tz=dt.timezone.utc)
        return dt.datetime.fromisoformat(now.isoformat()).strftime("%A %x")

    return work


def compressed(stack):
    return lambda: gzip.decompress(gzip.compress(zlib.decompress(zlib.compress(b"a"))))


def digests(stack):
    def work():
        digest = hmac.new(b"key", b"message", hashlib.sha256).hexdigest()
        return base64.b85encode(bytes.fromhex(digest))

    return work


def pickles(stack):
    kept = pickle.dumps({"a": [dt.date(2020, 1, 1)]})
    return lambda: pickle.dumps(pickle.loads(kept))  # noqa: S301  # our own bytes


def copies(stack):
    return lambda: copy.deepcopy({"a": [1, (2, [3])], "b": {"c": {4}}})


def collections_of_all_kinds(stack):
    def work():
        counts = collections.Counter("mississippi").most_common(2)
        chain = collections.ChainMap({"a": 1}, collections.OrderedDict(counts))
        return heapq.nlargest(3, chain.values()), sorted(range(100), key=str)

    return work


def texts(stack):
    def work():
        text = "{:>10}".format("x").encode().decode().title().split()
        text = string.Template("$a").substitute(a=text)
        return textwrap.fill(text * 20), difflib.get_close_matches("appel", ["apple"])

    return work


def identifiers(stack):
    def work():
        numbers = random.Random(3)  # noqa: S311  # no secrets here
        return uuid.uuid4().hex, numbers.sample(range(100), 3)

    return work


@dataclasses.dataclass
class Point:
    """A class of the program."""

    x: int
    y: list[int] = dataclasses.field(default_factory=list)


class Colour(enum.Flag):
    """Members that are combined."""

    RED = 1
    BLUE = 2


def data_classes(stack):
    return lambda: (
        dataclasses.asdict(dataclasses.replace(Point(1), x=2)),
        Colour.RED | Colour.BLUE,
        Colour["RED"],
    )


# -- Formats.
def element_tree(stack):
    return lambda: ET.tostring(ET.fromstring("<a><b>c</b></a>"))  # noqa: S314


def minidom(stack):
    def work():
        with xml.dom.minidom.parseString("<a><b c='d'/></a>") as document:  # noqa: S318
            return document.toxml()

    return work


def sax(stack):
    def work():
        handler = xml.sax.ContentHandler()
        xml.sax.parseString(b"<a><b/></a>", handler)  # noqa: S317

    return work


def messages(stack):
    return lambda: email.message_from_string("To: a@b\n\nText").as_string()


def messages_with_parts(stack):
    # Without the policies of today: these make a class for each header.
    def work():
        message = MIMEMultipart()
        message["To"] = email.utils.formataddr(("A", "a@b.c"))
        message.attach(MIMEText("text", "plain", "utf-8"))
        return [*email.message_from_bytes(message.as_bytes()).walk()]

    return work


def hypertext(stack):
    def work():
        parser = html.parser.HTMLParser()
        parser.feed("<p>text<br/>&amp;<a href='x'>y</a>")
        parser.close()

    return work


def tables(stack):
    def work():
        file = io.StringIO()
        csv.DictWriter(file, ["a", "b"]).writerow({"a": 1, "b": "x"})
        return [*csv.DictReader(io.StringIO("a,b\n" + file.getvalue()))]

    return work


def configuration(stack):
    parser = configparser.ConfigParser()  # its sections are cycles
    parser.read_string("[a]\nb = 1\nc = %(b)s")

    def work():
        parser.set("a", "d", "3")
        parser.remove_option("a", "d")
        return parser.getint("a", "c"), dict(parser["a"])

    return work


def addresses(stack):
    query = urllib.parse.urlencode({"a": "b c"})
    numbers = iter(range(10**6))

    def work():
        parts = urllib.parse.urlsplit(f"http://a.b/{next(numbers)}?{query}")
        return urllib.parse.parse_qs(parts.query), parts.port

    return work


def code(stack):
    source = "def f(a):\n    return [b for b in a if b]\n"

    def work():
        tree = ast.parse(source)
        names = {}
        exec(compile(tree, "<code>", "exec"), {"__builtins__": {}}, names)  # noqa: S102
        lines = io.StringIO(source).readline
        return ast.unparse(tree), [*tokenize.generate_tokens(lines)]

    return work


# -- Files and databases.
def database(stack):
    def work():
        with sqlite3.connect(":memory:") as base:
            base.execute("create table t (a)")
            base.execute("insert into t values (1)")
            base.execute("select * from t").fetchall()
        base.close()

    return work


def database_that_stays_open(stack):
    base = stack.enter_context(contextlib.closing(sqlite3.connect(":memory:")))
    base.execute("create table t (a, b)")
    base.create_function("twice", 1, lambda number: 2 * number)

    def work():
        with base:
            base.executemany("insert into t values (?, ?)", [(1, "a"), (2, "b")])
            rows = base.execute("select twice(a), b from t").fetchall()
            base.execute("delete from t")
        return rows

    return work


def archives(stack):
    def work():
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("a.txt", "text")
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist(), archive.read("a.txt")
        with tarfile.open(fileobj=io.BytesIO(), mode="w") as archive:
            archive.addfile(tarfile.TarInfo("a"), io.BytesIO())
        return names

    return work


def files(stack):
    # Not a new name each time: pathlib interns it, which is for ever on 3.12.
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))

    def work():
        path = folder / "a.txt"
        path.write_text("text", encoding="utf-8")
        names = [*folder.glob("*")], path.read_bytes()
        path.unlink()
        with tempfile.TemporaryFile() as file:
            file.write(b"text")
        return names

    return work


def logs(stack):
    logger = logging.getLogger("refscope.tests.workloads")
    logger.propagate = False
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger.addHandler(handler)
    stack.callback(logger.removeHandler, handler)

    def work():
        try:
            1 / 0
        except ZeroDivisionError:
            logger.exception("failed: %s", "text")
        handler.stream.seek(0)
        handler.stream.truncate()

    return work


# -- Functions and objects.
def caches(stack):
    @functools.lru_cache(maxsize=2)
    def square(number):
        return [number * number]

    numbers = iter(range(10**6))
    return lambda: [square(next(numbers)) for _ in range(3)]


def weak_references(stack):
    registry = weakref.WeakValueDictionary()
    owners = weakref.WeakKeyDictionary()
    numbers = iter(range(10**6))

    def work():
        point = Point(1)
        registry[next(numbers)] = point
        owners[Colourless()] = point
        weakref.finalize(point, str)

    return work


class Colourless:
    """Can be referred to weakly, and hashed."""


def generators(stack):
    def numbers():
        try:
            while True:
                yield [1]
        finally:
            pass

    def work():
        for _ in numbers():
            break

    return work


def errors(stack):
    def deep(level):
        if level:
            return deep(level - 1)
        raise KeyError(level)

    def work():
        try:
            deep(20)
        except KeyError as error:
            with contextlib.suppress(ValueError):
                raise ValueError from error

    return work


def context_variables(stack):
    variable = contextvars.ContextVar("variable")

    def work():
        context = contextvars.copy_context()
        context.run(variable.set, [1])
        token = variable.set([2])
        variable.reset(token)

    return work


# -- Threads, processes and sockets.
def threads(stack):
    local = threading.local()

    def run():
        local.value = [1]

    def work():
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()

    return work


def thread_pools(stack):
    def work():
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            return [*pool.map(str, range(3))]

    return work


def thread_pool_that_stays(stack):
    pool = stack.enter_context(concurrent.futures.ThreadPoolExecutor(2))

    def work():
        with contextlib.suppress(ZeroDivisionError):
            pool.submit(divmod, 1, 0).result()
        return pool.submit(divmod, 3, 2).result()

    return work


def queues(stack):
    def work():
        items = queue.PriorityQueue(2)
        worker = threading.Thread(target=lambda: (items.get(), items.task_done()))
        worker.start()
        items.put((1, "a"))
        items.join()
        worker.join()

    return work


def processes(stack):
    command = [sys.executable, "-S", "-E", "-c", "print(1)"]
    return lambda: subprocess.run(command, capture_output=True, check=True)


def socket_pairs(stack):
    def work():
        one, other = socket.socketpair()
        with one, other, selectors.DefaultSelector() as selector:
            selector.register(other, selectors.EVENT_READ)
            one.sendall(b"text")
            selector.select(timeout=5)
            return other.recv(10)

    return work


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers with a fixed text."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):  # the name that http.server asks for
        body = b'{"a": [1, 2]}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def serve(stack):
    """Start a server of one thread; return its address."""
    server = stack.enter_context(http.server.HTTPServer(("127.0.0.1", 0), Handler))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    stack.callback(thread.join)
    stack.callback(server.shutdown)
    return server.server_address


def http_client(stack):
    host, port = serve(stack)

    def work():
        with contextlib.closing(http.client.HTTPConnection(host, port)) as connection:
            connection.request("GET", "/")
            return connection.getresponse().read()

    return work


def url_open(stack):
    host, port = serve(stack)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def work():
        with opener.open(f"http://{host}:{port}/", timeout=20) as response:
            return response.read()

    return work


# -- asyncio: these return coroutine functions, which are awaited in a running loop.
async def async_tasks(stack):
    items = asyncio.Queue()

    async def consume():
        return await items.get()

    async def work():
        task = asyncio.create_task(consume())
        await items.put(1)
        await asyncio.wait_for(task, 20)
        await asyncio.gather(asyncio.sleep(0), asyncio.sleep(0))

    return work


async def async_cancellation(stack):
    async def work():
        task = asyncio.create_task(asyncio.sleep(60))
        await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    return work


async def async_generators(stack):
    lock = asyncio.Lock()

    async def numbers():
        for number in range(3):
            async with lock:
                yield number

    async def work():
        async with contextlib.aclosing(numbers()) as them:
            async for _ in them:
                break
        return [number async for number in numbers()]

    return work


async def start_echo(stack):
    """Start a server that sends back each line; return its address."""

    async def echo(reader, writer):
        busy.add(asyncio.current_task())
        while line := await reader.readline():
            writer.write(line)
            await writer.drain()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        busy.discard(asyncio.current_task())

    async def close():
        server.close()
        await asyncio.gather(*busy)

    busy = set()
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    stack.push_async_callback(close)
    return server.sockets[0].getsockname(), busy


async def async_server(stack):
    (host, port), busy = await start_echo(stack)

    async def work():
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(b"text\n")
        line = await reader.readline()
        writer.close()
        await writer.wait_closed()
        await asyncio.gather(*busy)
        return line

    return work


async def async_connection_that_stays(stack):
    address, _ = await start_echo(stack)
    reader, writer = await asyncio.open_connection(*address)

    async def close():
        writer.close()
        await writer.wait_closed()

    async def work():
        writer.write(b"text\n")
        return await asyncio.wait_for(reader.readline(), 20)

    stack.push_async_callback(close)
    return work


async def async_sockets(stack):
    loop = asyncio.get_running_loop()

    async def work():
        one, other = socket.socketpair()
        with one, other:
            one.settimeout(0)
            other.settimeout(0)
            await loop.sock_sendall(one, b"text")
            return await loop.sock_recv(other, 10)

    return work


async def async_thread(stack):
    loop = asyncio.get_running_loop()
    pool = stack.enter_context(concurrent.futures.ThreadPoolExecutor(1))

    async def work():
        return await loop.run_in_executor(pool, str, 1)

    return work


# -- Packages.
def made_by_attrs(stack):
    made = attrs.make_class("Made", ["a"])
    return lambda: attrs.asdict(attrs.evolve(made(1), a=made(2)))


def jinja2(stack):
    engine = importlib.import_module("jinja2")
    # Compiling one leaves functions in a cycle with their globals each time.
    loader = engine.DictLoader({"base": "<p>{% block a %}{% endblock %}</p>"})
    page = engine.Environment(loader=loader, autoescape=True).from_string(
        "{% extends 'base' %}{% block a %}"
        "{% for x in xs %}{{ loop.index }} {{ x|upper }}{% endfor %}{% endblock %}"
    )
    return lambda: page.render(xs=["a", "<b>"])


def pydantic(stack):
    package = importlib.import_module("pydantic")
    model = package.create_model("Model", a=(int, ...), b=(list[int], ...))

    def work():
        with contextlib.suppress(package.ValidationError):
            model(a="x", b=[])
        made = model.model_validate_json('{"a": 1, "b": [2]}')
        return made.model_copy(update={"a": 3}).model_dump_json()

    return work


def requests(stack):
    package = importlib.import_module("requests")
    host, port = serve(stack)
    session = stack.enter_context(package.Session())
    session.trust_env = False
    return lambda: session.get(f"http://{host}:{port}/", timeout=20).json()


def networkx(stack):
    package = importlib.import_module("networkx")

    def work():
        graph = package.DiGraph([(1, 2), (2, 3), (3, 1)])
        return [*package.strongly_connected_components(graph)]

    return work


def jsonschema(stack):
    package = importlib.import_module("jsonschema")
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    validator = package.Draft202012Validator(schema)
    return lambda: [error.message for error in validator.iter_errors({"a": "b"})]


WORKS = (
    json_both_ways,
    json_error,
    regular_expressions,
    regular_expression_compiled,
    regular_expressions_of_all_kinds,
    decimals,
    fractions,
    structures,
    dates,
    compressed,
    digests,
    pickles,
    copies,
    collections_of_all_kinds,
    texts,
    identifiers,
    data_classes,
    element_tree,
    minidom,
    sax,
    messages,
    messages_with_parts,
    hypertext,
    tables,
    configuration,
    addresses,
    code,
    database,
    database_that_stays_open,
    archives,
    files,
    logs,
    caches,
    weak_references,
    generators,
    errors,
    context_variables,
    made_by_attrs,
    jinja2,
    pydantic,
    networkx,
    jsonschema,
    threads,
    thread_pools,
    thread_pool_that_stays,
    queues,
    socket_pairs,
    http_client,
    url_open,
    requests,
    processes,
    async_tasks,
    async_cancellation,
    async_generators,
    async_connection_that_stays,
    async_sockets,
    async_thread,
    # Each transport is a garbage cycle before.
    *([async_server] if sys.version_info >= (3, 12) else []),
)
