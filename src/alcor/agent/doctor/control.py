"""The control plane: whether it can be reached, and whether the two clocks agree."""

import asyncio
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from alcor.agent.doctor.finding import Finding, fault, good, unknown

answer_s_max = 3.0
skew_s_max = 5.0  # tokens and heartbeats bear this much


async def reachable(control_plane: str) -> Finding:
    """Whether anybody listens where the agent connects."""
    host, _, port = control_plane.rpartition("//")[2].rpartition(":")
    try:
        async with asyncio.timeout(answer_s_max):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
        writer.close()
    except (OSError, TimeoutError, ValueError) as error:
        says = f"the control plane at {control_plane} can't be reached: {error or 'no answer'}"
        step = "the host goes on as it is; look at the control plane, and at the way there"
        return fault("control plane", says, step)
    return good("control plane", f"{control_plane} can be reached")


async def clock(endpoint: str, now_s: Callable[[], float]) -> Finding:
    """How far this host's clock is from that of the API, which is asked for the time."""
    if not endpoint:
        return unknown("clock", "say where the API is with --endpoint: it is asked for the time")
    try:
        async with asyncio.timeout(answer_s_max):
            there_s = await _time_s(endpoint)
    except (OSError, TimeoutError, ValueError) as error:
        return unknown("clock", f"{endpoint} does not tell the time: {error or 'no answer'}")
    skew_s = now_s() - there_s
    if abs(skew_s) > skew_s_max:
        way = "ahead of" if skew_s > 0 else "behind"
        says = f"this host's clock is {abs(skew_s):.0f} s {way} the control plane's"
        return fault("clock", says, "let both follow one time server (chrony)")
    return good("clock", "it agrees with the control plane's")


async def _time_s(endpoint: str) -> float:
    """The Date of an answer (RFC 9110, section 6.6.1)."""
    where = urlsplit(endpoint)
    secure = where.scheme == "https"
    port = where.port or (443 if secure else 80)
    reader, writer = await asyncio.open_connection(where.hostname, port, ssl=secure or None)
    try:
        request = f"GET /healthz HTTP/1.1\r\nHost: {where.netloc}\r\nConnection: close\r\n\r\n"
        writer.write(request.encode())
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        raise ValueError("its answer has no end of a head") from None
    finally:
        writer.close()
    for line in head.decode("latin-1").split("\r\n"):
        name, _, value = line.partition(":")
        if name.lower() == "date":
            return parsedate_to_datetime(value.strip()).timestamp()
    raise ValueError("its answer has no date")
