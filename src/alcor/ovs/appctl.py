"""Ask a daemon of Open vSwitch by its control socket, as ovs-appctl does.

    text = await ask(run_dir / "ovs-vswitchd.7.ctl", "ofproto/trace", "br-int", "in_port=1,ip")

One call a connection. Source: ovs-appctl(8); JSON-RPC 1.0, one object each way.
"""

import asyncio
import os
from pathlib import Path

import msgspec

from alcor.ovs.ovsdb.framing import JsonFrames, Malformed

answer_wait_s_max = 10.0
_read_bytes = 1 << 16


class Declined(Exception):
    """The daemon does not know the command, or can't do it; the words are its own."""


async def ask(
    socket: str | os.PathLike[str], command: str, *arguments: str,
    timeout_s: float = answer_wait_s_max,
) -> str:  # fmt: skip
    """What the daemon answers; `OSError` when nobody is there, `TimeoutError` when it is silent."""
    request = {"id": 0, "method": command, "params": arguments}
    async with asyncio.timeout(timeout_s):
        reader, writer = await asyncio.open_unix_connection(os.fspath(socket))
        try:
            writer.write(msgspec.json.encode(request))
            reply = await _reply(reader)
        finally:
            writer.close()
    if reply.get("error") is not None:
        raise Declined(str(reply["error"]).strip())
    return str(reply.get("result") or "")


async def _reply(reader: asyncio.StreamReader) -> dict[str, object]:
    frames = JsonFrames()
    while data := await reader.read(_read_bytes):
        try:
            for message in frames.feed(data):
                return message
        except Malformed as error:
            raise OSError(f"its answer can't be read: {error}") from None
    raise OSError("it hung up without an answer")


def switch_socket(run_dir: Path) -> Path:
    """The control socket of a folder's ovs-vswitchd; `OSError` when there is none, or several."""
    found = sorted(run_dir.glob("*vswitchd*.ctl"))
    if len(found) != 1:
        raise FileNotFoundError(f"{len(found)} control sockets of ovs-vswitchd in {run_dir}")
    return found[0]
