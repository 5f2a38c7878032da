"""Put record sets into Designate's zones, as our service user on behalf of their projects.

A record set of ours says so in its description; one that does not is somebody else's, and stays.
Source: Designate's API reference v2, "Zones", "Recordsets".
"""

from collections.abc import Callable, Collection
from typing import Any, TypeVar

import msgspec
from keystoneauth1.session import Session

from alcor.integrations.designate.record_sets import OPERATOR, RecordSet
from alcor.integrations.service import Service

T = TypeVar("T")
DESCRIPTION = "Published by Alcor."


class DesignateDown(Exception):
    """Designate did not answer, or has no time: everything is to be tried again."""


class Unpublished(Exception):
    """It will not have this record set: no such zone, another's record set, a quota."""


class _Gone(Exception):
    """What was there a moment ago is not."""


class _Zone(msgspec.Struct):
    id: str


class _Zones(msgspec.Struct):
    zones: list[_Zone] = []


class _Set(msgspec.Struct):
    id: str
    records: list[str] = []
    description: str | None = None


class _Sets(msgspec.Struct):
    recordsets: list[_Set] = []


_zones = msgspec.json.Decoder(_Zones).decode
_zone = msgspec.json.Decoder(_Zone).decode
_sets = msgspec.json.Decoder(_Sets).decode


class DesignateClient:
    """Designate as the publisher sees it."""

    def __init__(
        self,
        session: Session,
        endpoint: str,
        *,
        authenticated: bool,
        calls_max: int = 4,
        zone_email: str = "",
    ) -> None:
        self._service = Service(
            session, "designate", DesignateDown, authenticated=authenticated, calls_max=calls_max
        )
        self._url = f"{endpoint.rstrip('/')}/v2/zones"
        self._email = zone_email
        self._zone_by_name: dict[tuple[str, str], str] = {}

    async def put(self, of: RecordSet, records: Collection[str]) -> None:
        """The set is of these records now; without any it is not there.

        `DesignateDown`; `Unpublished` when trying again would not help.
        """
        await self._service.in_thread(self._put, of, sorted(records))

    def close(self) -> None:
        """Wait for the calls in progress, and start no more."""
        self._service.close()

    def _put(self, of: RecordSet, records: list[str]) -> None:
        try:
            self._put_into(self._zone_id(of, records), of, records)
        except _Gone:
            # The zone was made anew, or the set went: look once more.
            self._zone_by_name.pop((of.project, of.zone), None)
            try:
                self._put_into(self._zone_id(of, records), of, records)
            except _Gone as gone:
                raise Unpublished("it is being changed by others") from gone

    def _put_into(self, zone_id: str, of: RecordSet, records: list[str]) -> None:
        if not zone_id:
            return
        url = f"{self._url}/{zone_id}/recordsets"
        query = {"name": of.name, "type": of.type}
        held = self._read(self._call("GET", url, of.project, params=query), _sets).recordsets
        if not held:
            if records:
                body = {"name": of.name, "type": of.type, "records": records}
                self._call("POST", url, of.project, json=body | {"description": DESCRIPTION})
            return
        if held[0].description != DESCRIPTION:
            if records:
                raise Unpublished("the record set is somebody else's")
            return
        if not records:
            self._call("DELETE", f"{url}/{held[0].id}", of.project)
        elif sorted(held[0].records) != records:
            self._call("PUT", f"{url}/{held[0].id}", of.project, json={"records": records})

    def _zone_id(self, of: RecordSet, records: list[str]) -> str:
        """Of the project's zone; "" when there is none, and nothing to put into it."""
        key = (of.project, of.zone)
        if key not in self._zone_by_name:
            answer = self._call("GET", self._url, of.project, params={"name": of.zone})
            found = self._read(answer, _zones).zones
            if not found and not records:
                return ""
            if not found and of.project != OPERATOR:
                raise Unpublished("the project has no such zone")
            self._zone_by_name[key] = found[0].id if found else self._make_zone(of.zone)
        return self._zone_by_name[key]

    def _make_zone(self, name: str) -> str:
        email = self._email or f"admin@{name.rstrip('.')}"
        body = {"name": name, "email": email, "type": "PRIMARY", "description": DESCRIPTION}
        return self._read(self._call("POST", self._url, OPERATOR, json=body), _zone).id

    def _call(self, method: str, url: str, project: str, **what: Any) -> bytes:
        headers = {"X-Auth-Sudo-Project-Id": project} if project != OPERATOR else {}
        answer = self._service.call(method, url, headers, **what)
        if answer.status in (404, 409):
            raise _Gone(f"it answered {answer.status}")
        if answer.status >= 300:
            raise Unpublished(
                f"it answered {answer.status}: {answer.content[:200].decode(errors='replace')}"
            )
        return answer.content

    def _read(self, content: bytes, decode: Callable[[bytes], T]) -> T:
        try:
            return decode(content)
        except msgspec.DecodeError as error:
            raise DesignateDown("its answer can't be read") from error
