"""The control plane: whether it can be reached, and whether the two clocks agree."""

import asyncio
import ssl
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from alcor.agent.doctor.finding import Finding, fault, good, unknown

answer_s_max = 3.0
skew_s_max = 5.0  # tokens and heartbeats bear this much
# What a client of gRPC says first: HTTP/2's preface, and a frame of no settings (RFC 9113, 3.4).
_GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
_SETTINGS = 4  # the type of the frame that it is answered with, in its fourth byte
_OURS = "its agents.tls_authority is to be the authority that signed tls_certificate"


async def reachable(control_plane: str, trust: ssl.SSLContext | None = None) -> Finding:
    """Whether somebody answers where the agent connects; with `trust` (of gRPC, which has TLS from
    the first byte on), whether either believes the other's certificate."""
    host, _, port = control_plane.rpartition("//")[2].rpartition(":")
    where = f"the control plane at {control_plane}"
    try:
        async with asyncio.timeout(answer_s_max):
            reader, writer = await asyncio.open_connection(host.strip("[]"), int(port), ssl=trust)
            believed = trust is None or await reader.read(1) != b""
            speaks = trust is not None or "://" in control_plane or await _speaks(reader, writer)
        writer.close()
    except ssl.SSLCertVerificationError as error:
        says = (
            f"{where} shows a certificate that this host does not believe: {error.verify_message}"
        )
        step = "it is to be signed by tls_ca's authority, and to bear the name in control_plane"
        return fault("control plane", says, step)
    except ssl.SSLError as error:
        return fault("control plane", f"{where} does not speak TLS as hosts do: {error}", _OURS)
    except (OSError, TimeoutError, ValueError) as error:
        says = f"{where} can't be reached: {error or 'no answer'}"
        step = "the host goes on as it is; look at the control plane, and at the way there"
        return fault("control plane", says, step)
    if not believed:
        return fault("control plane", f"{where} does not believe this host's certificate", _OURS)
    if not speaks:
        says = f"{where} does not speak as with hosts that have no TLS"
        step = "if it has TLS, this host needs tls_ca, tls_certificate and tls_key"
        return fault("control plane", says, step)
    return good("control plane", f"{control_plane} can be reached")


async def _speaks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Whether gRPC without TLS is spoken there; who has TLS hangs up, or says something else."""
    writer.write(_GREETING)
    try:
        return (await reader.readexactly(4))[3] == _SETTINGS
    except (asyncio.IncompleteReadError, ConnectionError):
        return False


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
