"""Blocks and the life of processes and interpreters."""

from __future__ import annotations

import os
import sys

import pytest

from .helpers import run_python, without_coverage


pytestmark = pytest.mark.needs_subprocess

FORKS = hasattr(os, "fork")


def test_a_block_left_open_at_exit_is_quiet():
    """The process ends with status 0 and says nothing; tracing is off before."""
    said = run_python(
        "import atexit, gc, tracemalloc\n"
        "atexit.register(lambda: print(tracemalloc.is_tracing(), len(gc.callbacks)))\n"
        "import refscope\n"
        "block = refscope.track('a').start()\n"
        "inner = refscope.track('b').start()\n"
        "@refscope.track\n"
        "def generator():\n"
        "    yield\n"
        "kept = generator()\n"
        "next(kept)\n"
    )

    assert (said.returncode, said.stdout, said.stderr) == (0, "False 0\n", "")


def test_an_asynchronous_generator_left_at_exit_is_quiet():
    """One that is never finished does not disturb the exit."""
    said = run_python(
        "import asyncio, refscope\n"
        "@refscope.track\n"
        "async def items():\n"
        "    yield 1\n"
        "    yield 2\n"
        "kept = []\n"
        "async def main():\n"
        "    kept.append(items())\n"
        "    print(await kept[0].__anext__())\n"
        "asyncio.run(main())\n"
        "print(refscope.tracker_of(items).reports[0].exception)\n"
    )

    assert (said.returncode, said.stdout, said.stderr) == (0, "1\nGeneratorExit\n", "")


@pytest.mark.parametrize("ending", ["", "del box", "box.me = box; del box"])
@pytest.mark.parametrize("decorator", ["", "@refscope.track"])
def test_an_asynchronous_generator_is_closed_by_the_loop(decorator, ending):
    """Once, and awaiting what it awaits: when the loop ends, or it is garbage."""
    said = run_python(
        "import asyncio, gc, refscope\n"
        "class Box: pass\n"
        f"{decorator}\n"
        "async def items():\n"
        "    try:\n"
        "        yield 1\n"
        "    finally:\n"
        "        await asyncio.sleep(0.01)\n"
        "        print('closed')\n"
        "async def main():\n"
        "    box = Box()\n"
        "    box.items = items()\n"
        "    await box.items.__anext__()\n"
        "    if %r:\n"
        "        %s\n"
        "    else:\n"
        "        kept.append(box)\n"
        "    gc.collect()\n"
        "    await asyncio.sleep(0.05)\n"
        "    print('end')\n"
        "kept = []\n"
        "asyncio.run(main())\n" % (ending, ending or "pass")
    )
    expected = "closed\nend\n" if ending else "end\nclosed\n"

    assert (said.returncode, said.stdout, said.stderr) == (0, expected, "")


def test_the_first_block_may_be_in_a_finalizer_at_exit():
    """Nothing can be imported by then, and the finalizer runs as it would without."""
    said = run_python(
        "import builtins, refscope\n"
        "class Late:\n"
        "    def __del__(self, track=refscope.track):\n"
        "        with track('late') as block:\n"
        "            self.kept = [bytes(1000)]\n"
        "        print(block.report.memory.size_diff > 1000)\n"
        "builtins.late = Late()\n"
    )

    assert (said.returncode, said.stdout, said.stderr) == (0, "True\n", "")


def test_the_programs_tracing_outlives_an_open_block():
    """A block that is open at exit does not stop tracing that is not its own."""
    said = run_python(
        "import atexit, tracemalloc\n"
        "atexit.register(lambda: print(tracemalloc.is_tracing()))\n"
        "import refscope\n"
        "tracemalloc.start()\n"
        "block = refscope.track('a').start()\n"
    )

    assert (said.returncode, said.stdout, said.stderr) == (0, "True\n", "")


@pytest.mark.parametrize(("code", "status"), [("3", 3), ("None", 0), ("'bye'", 1)])
def test_sys_exit_leaves_a_block_as_it_is(code, status):
    """The exit status is the program's, and the block has ended with SystemExit."""
    said = run_python(
        "import sys, refscope, tracemalloc\n"
        "def hook(report):\n"
        "    print(report.exception)\n"
        "with refscope.track('a', on_report=hook):\n"
        f"    sys.exit({code})\n"
    )

    assert (said.returncode, said.stdout) == (status, "SystemExit\n")
    assert said.stderr == ("bye\n" if status == 1 else "")


FORK = """
import os, sys, threading, tracemalloc, warnings
import refscope

warnings.simplefilter("ignore", DeprecationWarning)  # 3.12+: threads and fork
kept = []
{before}
with refscope.track("both", types=False) as block:
    kept.append(bytes(1_000_000))
    child = os.fork()
    if not child:
        kept.append(bytes(2_000_000))
memory = block.report.memory
with refscope.track("next", types=False) as after:
    kept.append(bytes(3_000_000))
is_right = (
    (3_000_000 if not child else 1_000_000) < memory.size_diff
    and after.report.memory.size_diff > 3_000_000
    and not tracemalloc.is_tracing()
)
if not child:
    os._exit(7 if is_right else 1)
_, status = os.waitpid(child, 0)
{after}
print(is_right, os.waitstatus_to_exitcode(status))
"""


@pytest.mark.skipif(not FORKS, reason="no fork on this system")
def test_a_fork_beside_a_thread_in_our_own_work():
    """The child is not in the middle of what the thread was about, which is not there.

    A block in a block has the right peak there.
    """
    said = run_python(
        "import os, threading, time, warnings\n"
        "import refscope\n"
        "from refscope._measure.session import boundary\n"
        "warnings.simplefilter('ignore', DeprecationWarning)\n"
        "begun = threading.Event()\n"
        "def work():\n"
        "    boundary.begin_own()\n"
        "    begun.set()\n"
        "    time.sleep(0.3)\n"
        "    boundary.end_own()\n"
        "thread = threading.Thread(target=work)\n"
        "thread.start()\n"
        "begun.wait()\n"
        "child = os.fork()\n"
        "with refscope.track('outer') as outer:\n"
        "    kept = [bytes(1_000_000)]\n"
        "    with refscope.track('inner') as inner:\n"
        "        kept.append(bytes(1_000_000))\n"
        "memory = outer.report.memory\n"
        "is_right = memory.peak - memory.size_diff < 500\n"
        "if not child:\n"
        "    os._exit(7 if is_right else 1)\n"
        "_, status = os.waitpid(child, 0)\n"
        "thread.join()\n"
        "print(is_right, os.waitstatus_to_exitcode(status))\n",
        env=without_coverage(),
    )

    assert (said.stdout, said.stderr) == ("True 7\n", "")


@pytest.mark.skipif(not FORKS, reason="no fork on this system")
def test_child_and_parent_both_report():
    """A fork in a block: each process has what was allocated in it, and goes on."""
    said = run_python(FORK.format(before="", after=""))

    assert (said.stdout, said.stderr) == ("True 7\n", "")


@pytest.mark.skipif(not FORKS, reason="no fork on this system")
def test_a_child_does_not_compare_with_its_parent():
    """It does not know what the system gave it at the entry, and only its own ran."""
    said = run_python(
        "import os, time, warnings\n"
        "import refscope\n"
        "warnings.simplefilter('ignore', DeprecationWarning)\n"
        "with refscope.track('x', sites=False) as block:\n"
        "    child = os.fork()\n"
        "memory = block.report.memory\n"
        "if not child:\n"
        "    os._exit(7 if memory.rss_diff is None and not memory.shared else 1)\n"
        "_, status = os.waitpid(child, 0)\n"
        "print(os.waitstatus_to_exitcode(status))\n"
    )

    assert (said.stdout, said.stderr) == ("7\n", "")


@pytest.mark.skipif(not FORKS, reason="no fork on this system")
def test_a_child_has_no_blocks_of_other_threads():
    """Blocks of threads that the child does not have are closed in it."""
    said = run_python(
        FORK.format(
            before=(
                "begun, done = threading.Event(), threading.Event()\n"
                "def other():\n"
                "    with refscope.track('other', types=False, sites=False):\n"
                "        with refscope.track('other', types=False):\n"
                "            begun.set()\n"
                "            done.wait()\n"
                "thread = threading.Thread(target=other)\n"
                "thread.start()\n"
                "begun.wait()\n"
            ),
            after="done.set(); thread.join(); is_right &= not tracemalloc.is_tracing()",
        ).replace(
            "and not tracemalloc.is_tracing()",
            "and tracemalloc.is_tracing() == bool(child)",
        )
    )

    assert (said.stdout, said.stderr) == ("True 7\n", "")


INTERPRETERS = """
import sys
if sys.version_info >= (3, 13):
    import _interpreters as interpreters
else:
    import _xxsubinterpreters as interpreters
import refscope, tracemalloc
other = interpreters.create()
try:
    with refscope.track("traced") as block:
        pass
except refscope.RefscopeError as error:
    print(type(error).__name__, "1 other interpreter(s)" in str(error))
else:
    print("measured")
with refscope.track("free", sites=False) as block:
    kept = [[] for _ in range(100)]
print([c.count_diff for c in block.report.types if c.type_name == "list"])
interpreters.destroy(other)
with refscope.track("again") as block:
    pass
print(block.report.memory.size_diff, tracemalloc.is_tracing())
"""


def test_beside_other_interpreters_nothing_is_traced():
    """Below 3.15 tracing beside another interpreter is refused; sites=False works."""
    said = run_python(INTERPRETERS, env=without_coverage())

    first = "measured" if sys.version_info >= (3, 15) else "TrackingError True"
    assert said.stdout.splitlines() == [first, "[101]", "0 False"]
    assert said.returncode == 0
    assert "refscope/_" not in said.stderr  # coverage may fail in the other one


def test_import_beside_another_interpreter_is_quiet():
    """It can be imported where it cannot trace."""
    said = run_python(
        "import sys\n"
        "if sys.version_info >= (3, 13):\n"
        "    import _interpreters as interpreters\n"
        "else:\n"
        "    import _xxsubinterpreters as interpreters\n"
        "other = interpreters.create()\n"
        "import refscope\n"
        "interpreters.destroy(other)\n"
        "print(refscope.track('a').start().stop().memory.size_diff)\n",
        env=without_coverage(),
    )

    assert said.returncode == 0
    assert "refscope/_" not in said.stderr
    assert said.stdout.strip().isdecimal()


INSIDE = """
import sys
if sys.version_info >= (3, 13):
    import _interpreters as interpreters
else:
    import _xxsubinterpreters as interpreters
other = interpreters.create()
interpreters.run_string(other, '''
import sys
sys.path[:] = {path!r}
import refscope
class Thing: pass
thing = Thing()
things = [thing]
print(refscope.refcount(thing).count, len(refscope.referrers(thing).references))
print(len(refscope.why_alive(thing).paths))
with refscope.watch(thing) as watched:
    things.append(thing)
print(watched.report.diff, refscope.object_at(refscope.hex_address(thing)) is thing)
refscope.find_cycles()
with refscope.track(sites=False) as block:
    kept = Thing()
print([group.count for group in block.report.survivors])
try:
    with refscope.track():
        pass
except refscope.RefscopeError as error:
    print("sites=False" in str(error))
'''.format(path=sys.path))
"""


def test_inside_of_another_interpreter():
    """All but tracing works there, and the process ends well.

    3.10 dies of emptying the cache of attributes, 3.12 and 3.13 of asking for frames.
    """
    said = run_python(INSIDE, env=without_coverage())

    assert said.stdout.splitlines() == ["2 2", "2", "1 True", "[1]", "True"]
    assert said.returncode == 0


def test_a_daemon_thread_in_a_block_does_not_hold_up_the_exit():
    """Neither does one that enters blocks for ever."""
    said = run_python(
        "import threading, time, refscope\n"
        "def run():\n"
        "    while True:\n"
        "        with refscope.track('a', types=False, collect=False):\n"
        "            pass\n"
        "threading.Thread(target=run, daemon=True).start()\n"
        "time.sleep(0.3)\n",
        env=without_coverage(),  # which would take seconds to save beside that thread
    )

    assert (said.returncode, said.stderr) == (0, "")


@pytest.mark.skipif(not FORKS, reason="no fork on this system")
def test_a_fork_beside_the_first_block_of_a_thread():
    """What it loads is there in the child, which would wait for it for good."""
    said = run_python(
        "import os, signal, sys, threading, time, warnings\n"
        "import refscope\n"
        "warnings.simplefilter('ignore', DeprecationWarning)\n"
        "loading = threading.Event()\n"
        "class Slow:\n"
        "    def find_spec(name, *_):\n"
        "        if name == 'refscope.render._mermaid':\n"
        "            loading.set()\n"
        "            time.sleep(0.2)\n"
        "sys.meta_path.insert(0, Slow)\n"
        "def work():\n"
        "    with refscope.track('thread'):\n"
        "        pass\n"
        "thread = threading.Thread(target=work)\n"
        "thread.start()\n"
        "loading.wait()\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    signal.alarm(20)\n"
        "    with refscope.track('child') as block:\n"
        "        pass\n"
        "    os._exit(7 if block.report.label == 'child' else 1)\n"
        "_, status = os.waitpid(child, 0)\n"
        "thread.join()\n"
        "print(os.waitstatus_to_exitcode(status))\n"
    )

    assert (said.stdout, said.stderr) == ("7\n", "")


@pytest.mark.skipif(not FORKS, reason="no fork on this system")
def test_a_fork_does_not_wait_for_ever():
    """Whoever has the lock goes on in the parent; the child has one of its own."""
    said = run_python(
        "import gc, os, threading, warnings\n"
        "import refscope\n"
        "from refscope._measure.blocks import lifecycle\n"
        "from refscope._measure.cpython import frozen\n"
        "from refscope._measure.session import boundary\n"
        "warnings.simplefilter('ignore', DeprecationWarning)\n"
        "lifecycle._LONGEST_WAIT = 0.005\n"
        "begun, done = threading.Event(), threading.Event()\n"
        "def work():\n"
        "    boundary.begin_own()\n"
        "    boundary.collector.borrow()\n"
        "    frozen.hold()\n"
        "    begun.set()\n"
        "    done.wait()\n"
        "    frozen.let_go()\n"
        "    boundary.collector.give_back()\n"
        "    boundary.end_own()\n"
        "thread = threading.Thread(target=work)\n"
        "thread.start()\n"
        "begun.wait()\n"
        "child = os.fork()\n"
        "done.set()\n"
        "with refscope.track('both') as block:\n"
        "    kept = bytes(1_000_000)\n"
        "is_right = block.report.memory.size_diff > 1_000_000 and gc.isenabled()\n"
        "if not child:\n"
        "    os._exit(7 if is_right and not frozen._Kept.holders else 1)\n"
        "_, status = os.waitpid(child, 0)\n"
        "thread.join()\n"
        "print(is_right, os.waitstatus_to_exitcode(status))\n",
    )

    assert (said.stdout, said.stderr) == ("True 7\n", "")


@pytest.mark.skipif(not FORKS, reason="no fork on this system")
def test_a_child_without_blocks_traces_nothing():
    """The only block is that of a thread which the child does not have."""
    said = run_python(
        "import os, threading, tracemalloc, warnings\n"
        "import refscope\n"
        "warnings.simplefilter('ignore', DeprecationWarning)\n"
        "begun, done = threading.Event(), threading.Event()\n"
        "def other():\n"
        "    with refscope.track('other', types=False):\n"
        "        begun.set()\n"
        "        done.wait()\n"
        "thread = threading.Thread(target=other)\n"
        "thread.start()\n"
        "begun.wait()\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    os._exit(1 if tracemalloc.is_tracing() else 7)\n"
        "_, status = os.waitpid(child, 0)\n"
        "print(tracemalloc.is_tracing(), os.waitstatus_to_exitcode(status))\n"
        "done.set()\n"
        "thread.join()\n"
    )

    assert (said.stdout, said.stderr) == ("True 7\n", "")
