"""A real control plane in this process, on free ports and a fresh folder, spoken to over HTTP."""

import asyncio
import http.client
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, aclosing, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec
import pytest
import structlog
from tests.conftest import NatsServer
from tests.fixtures.region import served

from alcor.assembly.config import Config, ServedSettings
from alcor.assembly.embedded import embedded
from alcor.delivery.config import DeliveryConfig
from alcor.gateway.app import GatewaySettings
from alcor.transport.grpc_client import GrpcLink
from alcor.transport.link import Hello

T = TypeVar("T")

start_s_max = 30
heard_within_s = 30.0


class Answer(NamedTuple):
    """An HTTP answer; `json` is its decoded body, `type` and `message` of its NeutronError."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)

    @property
    def type(self) -> str:
        return str(self.json["NeutronError"]["type"])

    @property
    def message(self) -> str:
        return str(self.json["NeutronError"]["message"])


class Api:
    """A client of one control plane."""

    def __init__(self, host: str, port: int, headers: dict[str, str] | None = None) -> None:
        self.host, self.tcp_port = host, port
        self._headers = headers or {}

    def bearing(self, token: str, **headers: str) -> "Api":
        """The same API, asked with a token; further headers by name, `_` for `-`."""
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        return Api(self.host, self.tcp_port, {"X-Auth-Token": token, **more})

    def call(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """One request; a body that is not bytes is encoded as JSON."""
        content = body if isinstance(body, bytes) or body is None else msgspec.json.encode(body)
        connection = http.client.HTTPConnection(self.host, self.tcp_port, timeout=30)
        try:
            connection.request(method, path, content, self._headers | (headers or {}))
            answer = connection.getresponse()
            given = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, given, answer.read())
        finally:
            connection.close()

    def get(self, path: str) -> Answer:
        return self.call("GET", path)

    def make(self, path: str, name: str, /, **fields: Any) -> dict[str, Any]:
        """Create one resource, which must succeed."""
        answer = self.call("POST", path, {name: fields})
        assert answer.status == 201, answer
        made: dict[str, Any] = answer.json[name]
        return made

    def network(self, /, **fields: Any) -> dict[str, Any]:
        return self.make("/v2.0/networks", "network", **fields)

    def subnet(self, network: str, cidr: str, **fields: Any) -> dict[str, Any]:
        fields |= {"network_id": network, "cidr": cidr, "ip_version": 6 if ":" in cidr else 4}
        return self.make("/v2.0/subnets", "subnet", **fields)

    def port(self, network: str, **fields: Any) -> dict[str, Any]:
        return self.make("/v2.0/ports", "port", network_id=network, **fields)

    def listed(self, path: str) -> list[dict[str, Any]]:
        """The items of a list, which must succeed."""
        answer = self.get(path)
        assert answer.status == 200, answer
        collection = path.partition("?")[0].rpartition("/")[2].replace("-", "_")
        items: list[dict[str, Any]] = answer.json[collection]
        return items


async def speak(agents_port: int, hello: Hello) -> None:
    """A host that connects, and stays."""
    link = GrpcLink([f"127.0.0.1:{agents_port}"], hello, chance=lambda: 0.0)
    async with aclosing(link.events()) as events:
        async for _ in events:
            pass


def soon(read: Callable[[], T], holds: Callable[[T], bool]) -> T:
    """What is read, once it is so: other managers hear by the log."""
    end_s = time.monotonic() + heard_within_s
    while not holds(found := read()):
        assert time.monotonic() < end_s, found
        time.sleep(0.005)
    return found


def _serve(config: Config, address: "list[tuple[str, int]]", told: threading.Event) -> Any:
    stop: list[Any] = []

    async def main() -> None:
        asked = asyncio.Event()
        async with embedded(config) as running:
            address.append(running.api)
            stop.extend([asyncio.get_running_loop(), asked])
            told.set()
            await asked.wait()

    def run() -> None:
        try:
            asyncio.run(main())
        finally:
            told.set()

    thread = threading.Thread(target=run, name="control-plane")
    thread.start()
    return thread, stop


class Databases:
    """Where control planes of these tests keep their databases: in their folder, or a server."""

    url: Callable[[str], str] | None = None
    in_processes = False

    @classmethod
    def served(cls, data: Path) -> ServedSettings:
        """The settings of the control plane of a folder; the same at every start."""
        if cls.url is None:
            return ServedSettings()
        name = sha256(str(data).encode()).hexdigest()[:32]
        return ServedSettings(postgres=cls.url(f"{name}_{{manager}}"))


@pytest.fixture(scope="session", autouse=True)
def databases(request: pytest.FixtureRequest) -> None:
    """With `--databases postgres`, all of this folder's tests run on PostgreSQL.

    With `--shape served`, each control plane is a region of processes, and so as well.
    """
    Databases.in_processes = request.config.getoption("--shape") == "served"
    if Databases.in_processes or request.config.getoption("--databases") == "postgres":
        Databases.url = request.getfixturevalue("postgres").url


@pytest.fixture(autouse=True, scope="session")
def log_beside_what_is_printed() -> None:
    """Control planes run in threads here; what they log must not get into a command's output."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.__stderr__),
    )


def tokens(folder: Path, **known: str) -> dict[str, str]:
    """Settings of a control plane that knows these tokens: each one's project, then its roles."""
    entries = []
    for token, said in known.items():
        project, *roles = said.split()
        entries.append(
            f'[[tokens]]\ntoken = "{token}"\nproject_id = "{project}"\n'
            f"roles = {msgspec.json.encode(roles).decode()}\n"
        )
    file = folder / "tokens.toml"
    file.write_text("".join(entries))
    return {"auth": "tokens", "tokens_file": str(file)}


WHO = {
    "operator": "operators admin",
    "manager": "blue manager member reader",
    "member": "blue member reader",
    "reader": "blue reader",
    "stranger": "red manager member reader",
}


@contextmanager
def running(data: Path, gateway: GatewaySettings, **settings: Any) -> Iterator[Api]:
    """A control plane, for as long as the context lasts."""
    config = Config(
        data=str(data),
        listen="127.0.0.1:0",
        agents=DeliveryConfig(listen="127.0.0.1:0"),
        gateway=gateway,
        served=Databases.served(data),
        **settings,
    )
    if Databases.in_processes:
        with _region(config) as api:
            yield api
        return
    address: list[tuple[str, int]] = []
    told = threading.Event()
    thread, stop = _serve(config, address, told)
    assert told.wait(start_s_max)
    assert address, "the control plane did not start"
    try:
        yield Api(*address[0])
    finally:
        loop, asked = stop
        loop.call_soon_threadsafe(asked.set)
        thread.join(start_s_max)
    assert not thread.is_alive()


@contextmanager
def _region(config: Config) -> Iterator[Api]:
    folder = Path(config.data)
    nats = NatsServer(folder / "nats")
    try:
        with served(config, folder, nats.url, config.served.postgres) as region:
            yield Api(region.host, region.port)
    finally:
        nats.kill()


@pytest.fixture(scope="session")
def control_plane() -> Callable[..., AbstractContextManager[Api]]:
    """`running`, for tests that want settings of their own."""
    return running


@pytest.fixture(scope="session")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A control plane for the whole run: every test makes networks of its own in it."""
    gateway = GatewaySettings(body_bytes_max=1 << 20, items_per_create_max=600)
    with running(tmp_path_factory.mktemp("control-plane"), gateway) as one:
        yield one


@pytest.fixture(scope="session")
def announced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A second control plane, for tests that `api`'s many networks would get in the way of."""
    gateway = GatewaySettings()
    with running(tmp_path_factory.mktemp("announced"), gateway) as one:
        yield one


@pytest.fixture(scope="session")
def tenants(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A control plane that knows a token of each of `WHO`, by that name."""
    folder = tmp_path_factory.mktemp("tenants")
    with running(folder / "data", GatewaySettings(), **tokens(folder, **WHO)) as one:
        yield one
