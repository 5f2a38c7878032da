"""Post events to Nova, as our service user. Source: "os-server-external-events" of its API."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec
import structlog
from keystoneauth1 import exceptions
from keystoneauth1.session import Session

from alcor.integrations.nova.events import Event

_log = structlog.get_logger("alcor.nova")


class NovaDown(Exception):
    """Nova did not take the events; they are to be sent again."""


class _Said(msgspec.Struct):
    name: str = ""
    server_uuid: str = ""
    tag: str = ""
    code: int = 200


class _Answer(msgspec.Struct):
    events: list[_Said] = []


_decode = msgspec.json.Decoder(_Answer).decode


class NovaClient:
    """Sends in a thread of its own, because keystoneauth1 blocks."""

    def __init__(self, session: Session, endpoint: str, *, authenticated: bool) -> None:
        self._session = session
        self._url = f"{endpoint.rstrip('/')}/os-server-external-events"
        self._authenticated = authenticated
        self._thread = ThreadPoolExecutor(1, "nova")

    async def send(self, events: Sequence[Event]) -> None:
        """Returns when Nova took them, or never will; `NovaDown`."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, self._send, events)

    def close(self) -> None:
        """Wait for the call in progress, and start no more."""
        self._thread.shutdown(cancel_futures=True)

    def _send(self, events: Sequence[Event]) -> None:
        body = {"events": [event._asdict() for event in events]}
        try:
            answer = self._session.post(
                self._url, json=body, raise_exc=False, authenticated=self._authenticated, log=False
            )
        except exceptions.ClientException as error:
            raise NovaDown(type(error).__name__) from error
        # 404: it knows none of the machines. 401 and 403 are the operator's to mend: try again.
        if answer.status_code in (401, 403, 408, 429) or answer.status_code >= 500:
            raise NovaDown(f"it answered {answer.status_code}")
        if answer.status_code not in (200, 207, 404):
            _log.error("nova refuses events", status=answer.status_code, events=len(events))
        if answer.status_code == 207:
            _tell_refused(answer.content)


def _tell_refused(content: bytes) -> None:
    """A machine that is gone, or not on a host yet: Nova does not want to know, as of now."""
    try:
        said = _decode(content).events
    except msgspec.DecodeError:
        return
    for event in said:
        if event.code != 200:
            _log.info("nova passes over an event", event_name=event.name, port=event.tag,
                      server=event.server_uuid, code=event.code)  # fmt: skip
