"""A small Designate: zones of projects and their record sets, kept in memory, over HTTP."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


class Designate(ThreadingHTTPServer):
    """Answers as Designate's API v2 does; `failures` are the statuses of its next answers."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.endpoint = f"http://127.0.0.1:{self.server_address[1]}"
        self.zones: dict[str, dict[str, Any]] = {}
        self.sets: dict[str, dict[str, Any]] = {}
        self.failures: list[int] = []
        self.calls: list[str] = []
        self._lock = threading.Lock()
        self._made = 0

    def zone(self, name: str, project: str = "") -> str:
        """Make a zone of a project; "": of the operator."""
        return self.make(self.zones, name=name, project=project)["id"]

    def make(self, things: dict[str, dict[str, Any]], **fields: Any) -> dict[str, Any]:
        self._made += 1
        things[str(self._made)] = made = fields | {"id": str(self._made)}
        return made

    def held(self) -> dict[tuple[str, str, str], list[str]]:
        """The records by zone, name and type."""
        with self._lock:
            return {
                (self.zones[each["zone"]]["name"], each["name"], each["type"]): each["records"]
                for each in self.sets.values()
            }

    def answer(
        self, method: str, path: str, project: str, body: dict[str, Any]
    ) -> tuple[int, dict[str, Any]]:
        with self._lock:
            self.calls.append(f"{method} {path}")
            if self.failures:
                return self.failures.pop(0), {}
            return self._answer(method, urlsplit(path), project, body)

    def _answer(
        self, method: str, url: Any, project: str, body: dict[str, Any]
    ) -> tuple[int, dict[str, Any]]:
        parts = url.path.removeprefix("/v2/zones").strip("/").split("/")
        wanted = dict(parse_qsl(url.query))
        theirs = {id_: each for id_, each in self.zones.items() if each["project"] == project}
        if parts == [""]:
            if method == "POST":
                return 202, self.make(self.zones, name=body["name"], project=project)
            return 200, {"zones": _those(theirs, wanted)}
        if parts[0] not in theirs:
            return 404, {}
        within = {id_: each for id_, each in self.sets.items() if each["zone"] == parts[0]}
        if len(parts) == 2:
            if method == "POST":
                return 202, self.make(self.sets, **body, zone=parts[0])
            return 200, {"recordsets": _those(within, wanted)}
        if parts[2] not in within:
            return 404, {}
        if method == "DELETE":
            return 202, self.sets.pop(parts[2])
        self.sets[parts[2]] |= body
        return 202, self.sets[parts[2]]


class _Handler(BaseHTTPRequestHandler):
    server: Designate

    def _any(self) -> None:
        text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        project = self.headers.get("X-Auth-Sudo-Project-Id", "")
        body = json.loads(text) if text else {}
        status, answer = self.server.answer(self.command, self.path, project, body)
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self) -> None:
        self._any()

    def do_POST(self) -> None:
        self._any()

    def do_PUT(self) -> None:
        self._any()

    def do_DELETE(self) -> None:
        self._any()

    def log_message(self, *_: Any) -> None: ...


def _those(things: dict[str, dict[str, Any]], wanted: dict[str, str]) -> list[dict[str, Any]]:
    return [t for t in things.values() if all(t[name] == value for name, value in wanted.items())]


@contextmanager
def serving(port: int = 0) -> Iterator[Designate]:
    """One that answers for as long as the context lasts."""
    with Designate(port) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
