"""Post events to Nova, as our service user. Source: "os-server-external-events" of its API."""

from collections.abc import Sequence

import msgspec
import structlog
from keystoneauth1.session import Session

from alcor.integrations.nova.events import Event
from alcor.integrations.service import Service

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
    """Nova as the notifier sees it: one call at a time."""

    def __init__(self, session: Session, endpoint: str, *, authenticated: bool) -> None:
        self._service = Service(session, "nova", NovaDown, authenticated=authenticated, calls_max=1)
        self._url = f"{endpoint.rstrip('/')}/os-server-external-events"

    async def send(self, events: Sequence[Event]) -> None:
        """Returns when Nova took them, or never will; `NovaDown`."""
        await self._service.in_thread(self._send, events)

    def close(self) -> None:
        """Wait for the call in progress, and start no more."""
        self._service.close()

    def _send(self, events: Sequence[Event]) -> None:
        body = {"events": [event._asdict() for event in events]}
        answer = self._service.call("POST", self._url, json=body)
        # 404: it knows none of the machines.
        if answer.status not in (200, 207, 404):
            _log.error("nova refuses events", status=answer.status, events=len(events))
        if answer.status == 207:
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
