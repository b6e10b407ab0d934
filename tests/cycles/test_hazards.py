"""What must not be asked for its referents is not asked."""

from __future__ import annotations

import subprocess
import sys

import pytest


PROGRAM = """
import asyncio
import sys

import refscope


async def echo(reader, writer):
    writer.write(await reader.readline())
    await writer.drain()
    writer.close()


async def main():
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(b"hello\\n")
    await writer.drain()
    await reader.read()
    writer.close()
    server.close()
    await asyncio.sleep(0.01)


asyncio.run(main())
refscope.find_cycles()
refscope.find_cycles(live=True)
refscope.find_cycles(through=[asyncio, main])
refscope.referrers(vars(sys.modules["_asyncio"]))
try:
    refscope.object_at(12345)
except refscope.AddressError:
    pass
print("done")
"""


@pytest.mark.needs_subprocess
@pytest.mark.needs_threads
def test_a_program_with_asyncio_ends():
    """On 3.12 one look at the _asyncio module makes the exit endless."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout == "done\n"
