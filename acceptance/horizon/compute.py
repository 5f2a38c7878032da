"""Servers by name, without a Nova: what Horizon's network panels ask of one, and nothing else."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

_MOST = ("Instances", "Cores", "RAMSize", "Keypairs", "ServerGroups", "ServerGroupMembers")
_USED = ("Instances", "Cores", "RAM", "ServerGroups")
_LIMITS = {f"maxTotal{kind}": -1 for kind in _MOST} | {f"total{kind}Used": 0 for kind in _USED}
_QUOTAS = ("instances", "cores", "ram", "key_pairs", "server_groups", "server_group_members")
_VERSION = {"id": "v2.1", "status": "CURRENT", "version": "2.1", "min_version": "2.1"}


class Compute:
    """A compute service whose servers are those that somebody names."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self._name_by_id: dict[str, str] = {}

    def start(self, id_: str, name: str) -> None:
        """There is a server of this id from now on."""
        self._name_by_id[id_] = name

    def answer(self, path: str) -> dict[str, Any] | None:
        """What is told of a path; None: nothing is there."""
        links = [{"rel": "self", "href": f"{self.endpoint}/"}]
        if path in ("", "/v2.1"):
            return {"version": _VERSION | {"links": links}}
        if path in ("/servers", "/servers/detail"):
            return {"servers": [self._server(id_) for id_ in self._name_by_id]}
        if path == "/limits":
            return {"limits": {"rate": [], "absolute": _LIMITS}}
        if path.startswith("/os-quota-sets/"):
            return {"quota_set": dict.fromkeys(_QUOTAS, -1)}
        if path.startswith("/os-simple-tenant-usage/"):
            return {"tenant_usage": {}}
        if path in (
            "/os-simple-tenant-usage",
            "/flavors/detail",
            "/os-services",
            "/os-hypervisors",
        ):
            return {path.split("/")[1].removeprefix("os-").replace("-", "_"): []}
        id_ = path.removeprefix("/servers/")
        return {"server": self._server(id_)} if id_ in self._name_by_id else None

    def _server(self, id_: str) -> dict[str, Any]:
        return {
            "id": id_,
            "name": self._name_by_id[id_],
            "status": "ACTIVE",
            "addresses": {},
            "links": [],
            "OS-EXT-STS:task_state": None,
        }


@contextmanager
def compute() -> Iterator[Compute]:
    """Answers on a port of 127.0.0.1 for as long as the context lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0].rstrip("/").removeprefix("/v2.1")
            found = service.answer(path)
            content = json.dumps(found or {"itemNotFound": {"message": path, "code": 404}})
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(content.encode())

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        service = Compute(f"http://127.0.0.1:{server.server_port}/v2.1")
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield service
        finally:
            server.shutdown()
