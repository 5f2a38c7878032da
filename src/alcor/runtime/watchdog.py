"""Tell systemd that this process does its work, so that one that hangs is started again.

A process of managers that hangs leads on: its sessions with PostgreSQL live. Source: sd_notify(3),
and WatchdogSec= of systemd.service(5).
"""

import asyncio
import os
import socket
from collections.abc import Mapping
from contextlib import suppress


def begin(environment: Mapping[str, str]) -> None:
    """From now on, as long as the running loop turns; nothing where nobody asks for it."""
    address, limit_us = environment.get("NOTIFY_SOCKET"), environment.get("WATCHDOG_USEC")
    process = str(os.getpid())
    if not address or not limit_us or environment.get("WATCHDOG_PID", process) != process:
        return
    where = "\0" + address[1:] if address.startswith("@") else address
    loop, every_s = asyncio.get_running_loop(), int(limit_us) / 1e6 / 3

    def tell() -> None:
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
            door.setblocking(False)
            door.sendto(b"WATCHDOG=1", where)
        loop.call_later(every_s, tell)

    tell()
