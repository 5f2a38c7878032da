"""A region of processes under measurement: PostgreSQL, NATS, managers, a delivery, gateways."""

import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from time import monotonic, sleep
from typing import Self

from tests.conftest import NatsServer, postgres_server  # the servers that tests have

from bench import servers
from bench.servers import Server, memory_bytes, quiet_timeout_s

ROLES = ("gateway", "managers", "delivery", "PostgreSQL", "NATS")


class Roles:
    """One process of each role, and more if asked for; use it as a context."""

    def __init__(self, folder: Path, hosts_nats: str = "") -> None:
        """Hosts are served by gRPC; with `hosts_nats`, a URL, by NATS as well."""
        self._folder = folder
        self._hosts_nats = hosts_nats
        self._stack = ExitStack()
        self.port = servers.free_port()  # of all gateways
        self.by_role: dict[str, list[Server]] = {}
        self._started = 0  # processes so far

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            postgres = stack.enter_context(postgres_server(durable=True))
            nats = NatsServer(self._folder / "nats")
            stack.callback(nats.kill)
            self._servers = {"PostgreSQL": postgres.pid, "NATS": nats.pid}
            self._settings = self._folder / "server.toml"
            self._settings.write_text(
                f'listen = "127.0.0.1:{self.port}"\n[served]\nnats = "{nats.url}"\n'
                f'postgres = "{postgres.url("alcor_{manager}")}"\n'
                f'[agents]\nnats = "{self._hosts_nats}"\n'
            )
            self._stack = stack.pop_all()
            try:
                for role in ("managers", "delivery", "gateway"):
                    self.start(role)
            except BaseException:
                self._stack.close()
                raise
        return self

    def start(self, role: str) -> Server:
        """One more process of a role, ready when this returns."""
        return self.start_some(role, 1)[0]

    def start_some(self, role: str, count: int) -> list[Server]:
        """More processes of a role, all at once, and all ready when this returns."""
        held = self.by_role.setdefault(role, [])
        logs = [self._folder / f"{role}-{self._started + n}.log" for n in range(count)]
        self._started += count
        new = [self._server(role, log) for log in logs]
        with ThreadPoolExecutor(count) as pool:
            held += pool.map(self._stack.enter_context, new)
        # A gateway's port may have been answered by another of them.
        deadline = monotonic() + servers.ready_timeout_s
        while not all('"event": "up"' in log.read_text() for log in logs):
            if monotonic() > deadline or not all(server.lives for server in new):
                last = "".join(log.read_text()[-1_000:] for log in logs)
                raise servers.Unexpected(f"{role} did not get ready: {last}")
            sleep(0.02)
        return new

    def _server(self, role: str, log: Path) -> Server:
        health = servers.free_port()
        argv = [
            *(sys.executable, "-m", "alcor.cli.main", "serve", role),
            *("--config", str(self._settings), "--health-listen", f"127.0.0.1:{health}"),
            *("--agents-listen", f"127.0.0.1:{servers.free_port()}"),
        ]
        return Server(argv, self.port if role == "gateway" else health, log)

    def kill(self, role: str) -> None:
        """End all processes of a role as a power cut does."""
        for server in self.by_role.pop(role):
            server.kill()

    def memory_bytes(self) -> dict[str, int]:
        """What each role holds in memory, all its processes together."""
        ours = {role: sum(memory_bytes(s.pid) for s in some) for role, some in self.by_role.items()}
        return ours | {name: memory_bytes(pid) for name, pid in self._servers.items()}

    def cpu_s(self) -> dict[str, float]:
        """The processor time that each role has used so far, all its processes together."""
        ours = {role: sum(s.cpu_s() for s in some) for role, some in self.by_role.items()}
        return ours | {name: servers.cpu_s(pid) for name, pid in self._servers.items()}

    def wait_until_quiet(self, patience_s: float = quiet_timeout_s) -> None:
        """Wait until what was asked is also planned, for each process at most so long."""
        for some in self.by_role.values():
            for server in some:
                server.wait_until_quiet(patience_s)

    def __exit__(self, *problem: object) -> None:
        self._stack.close()
