"""The door: a fault of ours is told with its request's id, a limit by its name."""

import asyncio
from typing import Any, cast

import msgspec
import pytest

from alcor.contracts.resources import ListReply, ListRequest
from alcor.gateway.app import GatewaySettings, door
from alcor.gateway.door import Door, request_seconds
from alcor.gateway.identity import LocalIdentity
from alcor.gateway.own.operations import About
from alcor.gateway.requests import Held, Request
from alcor.managers.network.api import NETWORK
from alcor.runtime.clock import new_id


class Manager:
    """Answers lists, or fails, or waits until told."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.fails = False

    async def list_page(self, request: ListRequest) -> ListReply:
        await self.go.wait()
        if self.fails:
            raise ZeroDivisionError
        return ListReply([])

    async def create(self, request: Any) -> Any: ...  # pragma: no cover

    async def update(self, request: Any) -> Any: ...  # pragma: no cover

    async def delete(self, request: Any) -> Any: ...  # pragma: no cover


nobody = cast(Any, None)  # whom no test here asks


async def _checks() -> dict[str, bool]:
    return {"database": False}


async def _metrics() -> bytes:
    return b"alcor_things 1\n"


def opened(manager: Manager, **settings: Any) -> Door:
    return door(
        [(NETWORK, manager)],
        About(nobody, _checks, _metrics, nobody, nobody),
        GatewaySettings(**settings),
        LocalIdentity(),
        new_id,
    )


async def ask(door: Door, path: str, method: str = "GET", **headers: str) -> tuple[int, Any]:
    given = {k.replace("_", "-").encode(): v.encode() for k, v in headers.items()}
    request = Request(
        method,
        path,
        b"",
        given,
        Held(b""),
        door.limits,
        url_bytes=len(path),
        header_bytes=sum(len(name) + len(value) for name, value in given.items()),
    )
    answer = await door.answer(request)
    is_json = b"application/json" in dict(answer.headers).get(b"content-type", b"")
    return answer.status, msgspec.json.decode(answer.body) if is_json else answer.body


def test_a_fault_of_ours_is_told_with_the_requests_id() -> None:
    async def main() -> None:
        manager = Manager()
        manager.go.set()
        manager.fails = True
        id_ = f"req-{new_id()}"
        path = "/v2.0/networks"
        status, body = await ask(opened(manager), path, x_openstack_request_id=id_)
        assert status == 500
        assert body["NeutronError"]["type"] == "HTTPInternalServerError"
        assert id_ in body["NeutronError"]["message"]
        assert "ZeroDivision" not in body["NeutronError"]["message"]

    asyncio.run(main())


def test_more_requests_than_allowed_are_refused_to_come_again() -> None:
    async def main() -> None:
        manager = Manager()
        busy = opened(manager, requests_max=2)
        waiting = [asyncio.ensure_future(ask(busy, "/v2.0/networks")) for _ in range(2)]
        await asyncio.sleep(0)
        status, body = await ask(busy, "/v2.0/networks")
        assert (status, body["NeutronError"]["type"]) == (503, "HTTPServiceUnavailable")
        manager.go.set()
        assert [status for status, _ in await asyncio.gather(*waiting)] == [200, 200]
        assert (await ask(busy, "/v2.0/networks"))[0] == 200

    asyncio.run(main())


def test_a_project_that_asks_too_much_at_once_waits_and_no_other_does() -> None:
    async def main() -> None:
        manager = Manager()
        busy, path = opened(manager, requests_per_project_max=2), "/v2.0/networks"
        waiting = [asyncio.ensure_future(ask(busy, path, x_project_id="blue")) for _ in range(2)]
        await asyncio.sleep(0)
        status, body = await ask(busy, path, x_project_id="blue")
        other = asyncio.ensure_future(ask(busy, path, x_project_id="red"))
        manager.go.set()
        assert (status, body["NeutronError"]["type"]) == (429, "HTTPTooManyRequests")
        assert (await other)[0] == 200
        assert [status for status, _ in await asyncio.gather(*waiting)] == [200, 200]
        assert (await ask(busy, path, x_project_id="blue"))[0] == 200

    asyncio.run(main())


def test_who_waits_for_hosts_asks_as_well() -> None:
    async def main() -> None:
        manager = Manager()
        busy = opened(manager, requests_per_project_max=1)
        waiting = asyncio.ensure_future(ask(busy, "/v2.0/networks", x_project_id="blue"))
        await asyncio.sleep(0)
        status, body = await ask(busy, "/alcor/v1/convergence", x_project_id="blue")
        assert (status, body["NeutronError"]["type"]) == (429, "HTTPTooManyRequests")
        assert (await ask(busy, "/v2.0/extensions", x_project_id="red"))[0] == 200
        manager.go.set()
        assert (await waiting)[0] == 200

    asyncio.run(main())


def test_headers_larger_than_allowed_are_refused() -> None:
    async def main() -> None:
        status, body = await ask(opened(Manager()), "/", x_long="x" * (33 << 10))
        assert (status, body["NeutronError"]["type"]) == (413, "HTTPRequestHeaderFieldsTooLarge")

    asyncio.run(main())


def test_a_process_with_a_broken_part_is_not_ready() -> None:
    async def main() -> None:
        status, body = await ask(opened(Manager()), "/readyz")
        assert (status, body) == (503, {"ready": False, "checks": {"database": False}})
        assert await ask(opened(Manager()), "/healthcheck") == (503, b"not ready: database")

    asyncio.run(main())


@pytest.mark.parametrize("path", ["/nothing", "/v2.0/networks/x/y", "/v2.0/x" + "y" * 100])
def test_what_a_client_makes_up_is_no_label(path: str) -> None:
    async def main() -> None:
        await ask(opened(Manager()), path, method="MADEUP")
        labels = {
            tuple(sample.labels.values())
            for metric in request_seconds.collect()
            for sample in metric.samples
        }
        assert not any("MADEUP" in each or path in each for each in labels)

    asyncio.run(main())
