"""The command line against an API that answers from memory, over real HTTP."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.fixtures.ports import free_port
from typer.testing import CliRunner, Result

from alcor.cli.exits import Exit, exit_for, tell
from alcor.cli.main import app
from alcor.cli.resources.shortcuts import ports
from alcor.cli.session import names_of
from alcor.client.api import Api
from alcor.client.connection import ClientError, Refused
from alcor.lab.layout import LabError


class FakeApi(BaseHTTPRequestHandler):
    """Keeps resources by collection, refuses port 'refused', lets nobody delete 'theirs', and never
    converges 'port:99'."""

    protocol_version = "HTTP/1.1"
    stored: dict[str, dict[str, dict[str, Any]]]
    requests: list[tuple[str, str, Any]]

    def answer(self, status: int, body: object) -> None:
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("X-Alcor-Revision", "port:7")
        self.send_header("X-Openstack-Request-Id", "req-1")
        self.end_headers()
        self.wfile.write(data)

    def refuse(self, status: int, kind: str) -> None:
        error = {"type": kind, "message": f"{kind} it is.", "detail": ""}
        self.answer(status, {"NeutronError": error})

    def do(self) -> None:
        url = urlsplit(self.path)
        size = int(self.headers.get("Content-Length") or 0)
        body: Any = json.loads(self.rfile.read(size)) if size else None
        type(self).requests.append((self.command, self.path, body))
        parts = url.path.strip("/").replace("-", "_").split("/")
        if parts == ["readyz"]:
            self.close_connection = True  # without telling, as a server does with an idle one
        if parts[-1] == "convergence":
            revision = parse_qs(url.query)["revision"][0]
            late = [{"host": "h2", "applied": 3, "wanted": 9, "connected": True}]
            ok = revision != "port:99"
            hosts = [] if ok else late
            self.answer(200, {"revision": revision, "converged": ok, "hosts": hosts})
        elif self.command == "POST":
            self.create(parts[-1], body)
        elif len(parts) == 3 if parts[0] == "v2.0" else len(parts) == 4:
            self.one(parts[-2], parts[-1], body)
        else:
            self.page(parts[-1], parse_qs(url.query))

    do_GET = do_POST = do_PUT = do_DELETE = do  # noqa: N815 - the names that http.server calls

    def create(self, collection: str, body: dict[str, Any]) -> None:
        items = body.get(collection) or [body[collection[:-1]]]
        if any(item.get("name") == "refused" for item in items):
            return self.refuse(409, "IpAddressGenerationFailure")
        kept = self.stored.setdefault(collection, {})
        for item in items:
            item.setdefault("id", f"{collection}_{len(kept)}")
            kept[item["id"]] = item
        bulk = collection in body
        return self.answer(201, {collection: items} if bulk else {collection[:-1]: items[0]})

    def one(self, collection: str, key: str, body: dict[str, Any] | None) -> None:
        kept = self.stored.get(collection, {})
        if key not in kept:
            return self.refuse(404, "NotFound")
        if self.command == "DELETE":
            if kept[key].get("name") == "theirs":
                return self.refuse(403, "PolicyNotAuthorized")
            del kept[key]
            return self.answer(204, None)
        kept[key].update((body or {}).get(collection[:-1], {}))
        return self.answer(200, {collection[:-1]: kept[key]})

    def page(self, collection: str, query: dict[str, list[str]]) -> None:
        filters = {k: v for k, v in query.items() if not k.startswith(("sort", "limit"))}
        items = [
            item
            for item in self.stored.get(collection, {}).values()
            if all(str(item.get(field)) in values for field, values in filters.items())
        ]
        self.answer(200, {collection: items})

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        pass


@pytest.fixture
def endpoint() -> Iterator[str]:
    handler = type("Handler", (FakeApi,), {"stored": {}, "requests": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def alcor(endpoint: str, *words: str) -> Result:
    return CliRunner().invoke(app, list(words), env={"ALCOR_ENDPOINT": endpoint})


def test_twenty_ports_are_made_in_one_call_and_dealt_to_the_hosts(endpoint: str) -> None:
    alcor(endpoint, "network", "create", "blue")

    done = alcor(
        endpoint,
        *("port", "create", "vm", "--network", "blue", "--count", "20"),
        *("--spread-over", "h1,h2,h3", "-f", "json"),
    )

    made = json.loads(done.stdout)
    assert done.exit_code == Exit.DONE
    assert [port["name"] for port in made] == [f"vm{n}" for n in range(1, 21)]
    assert {port["network_id"] for port in made} == {"networks_0"}
    assert [port["binding:host_id"] for port in made[:4]] == ["h1", "h2", "h3", "h1"]


def test_a_name_or_an_id_names_a_resource(endpoint: str) -> None:
    alcor(endpoint, "network", "create", "blue")

    by_name = alcor(endpoint, "network", "show", "blue", "-f", "json")
    by_id = alcor(endpoint, "network", "show", "networks_0", "-f", "json")

    assert by_name.stdout == by_id.stdout
    assert json.loads(by_id.stdout)["name"] == "blue"


def test_an_endpoint_may_be_said_before_the_command(endpoint: str) -> None:
    alcor(endpoint, "network", "create", "blue")

    done = alcor("http://127.0.0.1:1", "--endpoint", endpoint, "network", "show", "blue")

    assert done.exit_code == Exit.DONE, done.output


def test_only_writes_answer_a_revision(endpoint: str) -> None:
    assert alcor(endpoint, "network", "create", "blue", "-f", "revision").stdout == "port:7\n"
    assert alcor(endpoint, "network", "tag", "blue", "a", "-f", "revision").stdout == "port:7\n"

    for words in (("network", "show", "blue"), ("network", "list"), ("port", "list")):
        done = alcor(endpoint, *words, "-f", "revision")

        assert (done.exit_code, done.stdout) == (2, "")
        assert "only what changes something" in done.output


def test_a_name_that_several_have_names_none(endpoint: str) -> None:
    for _ in range(2):
        alcor(endpoint, "network", "create", "blue")

    done = alcor(endpoint, "network", "delete", "blue")

    assert isinstance(done.exception, ClientError)
    assert "2 networks are called 'blue'" in str(done.exception)


def test_what_is_not_there_has_an_exit_code_of_its_own(endpoint: str) -> None:
    done = alcor(endpoint, "port", "show", "nothing")

    assert isinstance(done.exception, ClientError)
    assert exit_for(done.exception) is Exit.NOT_THERE
    assert alcor(endpoint, "port", "delete", "nothing", "--missing-ok").exit_code == Exit.DONE


def test_of_several_all_are_deleted_that_are_there(endpoint: str) -> None:
    """The first that was not there was the end of it, and nobody was told what was gone."""
    for name in ("one", "two"):
        alcor(endpoint, "network", "create", name)

    words = ("network", "delete", "one", "nothing", "two")
    done, again = alcor(endpoint, *words), alcor(endpoint, *words, "--missing-ok")

    assert str(done.exception) == "there is no network 'nothing': see `alcor network list`"
    assert done.stderr == "revision port:7\n"
    assert alcor(endpoint, "network", "list", "-f", "id").stdout == ""
    assert again.exit_code == Exit.DONE


def test_of_several_those_that_are_others_keep_nothing_from_being_deleted(endpoint: str) -> None:
    """A network that another project shares was the end of it."""
    for name in ("theirs", "mine"):
        alcor(endpoint, "network", "create", name)

    done = alcor(endpoint, "network", "delete", "theirs", "mine")

    assert isinstance(done.exception, Refused)
    assert done.exception.kind == "PolicyNotAuthorized"
    assert alcor(endpoint, "network", "list", "-f", "value", "-c", "name").stdout == "theirs\n"


def test_a_refusal_is_told_with_its_type_and_its_reason(endpoint: str) -> None:
    alcor(endpoint, "network", "create", "blue")

    done = alcor(endpoint, "port", "create", "refused", "--network", "blue")

    assert isinstance(done.exception, Refused)
    assert done.exception.kind == "IpAddressGenerationFailure"
    assert done.exception.request_id == "req-1"
    assert exit_for(done.exception) is Exit.FAILED


def test_waiting_names_the_hosts_that_are_behind(endpoint: str) -> None:
    done = alcor(endpoint, "wait", "port:99", "--timeout", "0")

    assert done.exit_code == Exit.NOT_CONVERGED
    assert "h2" in done.stdout
    told = alcor(endpoint, "wait", "port:99", "--timeout", "0", "-f", "csv")
    assert told.stdout.splitlines()[0] == "host,applied,wanted,connected"
    assert alcor(endpoint, "wait", "port:7").exit_code == Exit.DONE


def test_a_write_can_be_told_as_its_revision(endpoint: str) -> None:
    done = alcor(endpoint, "network", "create", "blue", "-f", "revision", "--wait", "5")

    assert done.stdout == "port:7\n"


def test_a_list_can_be_told_as_ids_and_be_filtered(endpoint: str) -> None:
    for name in ("blue", "red"):
        alcor(endpoint, "network", "create", name)

    done = alcor(endpoint, "network", "list", "--filter", "name=red", "-f", "id")

    assert done.stdout == "networks_1\n"


def test_any_field_of_the_api_can_be_given(endpoint: str) -> None:
    alcor(endpoint, "network", "create", "blue", "--field", "admin_state_up=false")

    alcor(endpoint, "network", "set", "blue", "--field", "description=sky", "--field", "mtu=1400")

    item = json.loads(alcor(endpoint, "network", "show", "blue", "-f", "json").stdout)
    assert (item["admin_state_up"], item["description"], item["mtu"]) == (False, "sky", 1400)


def test_a_subnet_is_made_of_its_networks_name_and_a_cidr(endpoint: str) -> None:
    alcor(endpoint, "network", "create", "blue")

    done = alcor(
        endpoint,
        *("subnet", "create", "--network", "blue", "--cidr", "fd00::/64", "--gateway", "none"),
        *("--pool", "fd00::5-fd00::9", "-f", "json"),
    )

    made = json.loads(done.stdout)
    assert (made["ip_version"], made["gateway_ip"]) == (6, None)
    assert made["allocation_pools"] == [{"start": "fd00::5", "end": "fd00::9"}]


def test_a_field_is_an_option_and_a_name_stands_for_an_id(endpoint: str) -> None:
    alcor(endpoint, "security-group", "create", "web", "--no-stateful")

    done = alcor(
        endpoint,
        *("security-group-rule", "create", "--security-group", "web", "--direction", "ingress"),
        *("--protocol", "tcp", "--port-range-min", "80", "--remote-group", "web", "-f", "json"),
    )

    made = json.loads(done.stdout)
    assert made["security_group_id"] == made["remote_group_id"] == "security_groups_0"
    assert (made["direction"], made["protocol"], made["port_range_min"]) == ("ingress", "tcp", "80")


def test_none_clears_a_field_and_empties_a_list(endpoint: str) -> None:
    alcor(endpoint, "network", "create", "blue")
    alcor(endpoint, "port", "create", "vm", "--network", "blue", "--dns-name", "vm")

    alcor(endpoint, "port", "set", "vm", "--qos-policy", "none", "--security-group", "none")

    item = json.loads(alcor(endpoint, "port", "show", "vm", "-f", "json").stdout)
    assert (item["qos_policy_id"], item["security_groups"], item["dns_name"]) == (None, [], "vm")


def test_an_option_of_a_list_is_a_filter(endpoint: str) -> None:
    for name in ("blue", "red"):
        alcor(endpoint, "network", "create", name)
        alcor(endpoint, "port", "create", f"of-{name}", "--network", name)

    done = alcor(endpoint, "port", "list", "--network", "red", "-f", "value", "-c", "name")

    assert done.stdout == "of-red\n"


def test_columns_are_chosen_by_field_or_title_in_every_form(endpoint: str) -> None:
    alcor(endpoint, "node", "create", "h1", "--tunnel-ip", "172.31.0.1")

    def told(form: str) -> str:
        words = ("node", "list", "-c", "id", "-c", "tunnel_ip")
        return alcor(endpoint, *words, "-f", form).stdout

    assert told("csv") == "id,tunnel_ip\nh1,172.31.0.1\n"
    assert told("value") == "h1 172.31.0.1\n"
    assert told("yaml") == "- id: h1\n  tunnel_ip: 172.31.0.1\n"
    assert json.loads(told("json")) == [{"id": "h1", "tunnel_ip": "172.31.0.1"}]
    assert "Tunnel IP" in told("table")
    assert (
        alcor(endpoint, "node", "list", "-c", "Tunnel IP", "-f", "value").stdout == "172.31.0.1\n"
    )


@pytest.mark.parametrize("form", ["table", "value", "csv", "json"])
@pytest.mark.parametrize("words", [("list",), ("show", "h1")])
def test_a_column_that_there_is_not_is_refused_with_those_there_are(
    endpoint: str, words: tuple[str, ...], form: str
) -> None:
    """A list showed an empty column, and all fields were shown of one."""
    alcor(endpoint, "node", "create", "h1", "--tunnel-ip", "172.31.0.1")

    done = CliRunner().invoke(
        app, ["node", *words, "-c", "foo", "-f", form, "--endpoint", endpoint]
    )

    assert done.exit_code == Exit.USAGE
    assert "there is no column 'foo'" in done.output
    assert "tunnel_ip" in done.output


def test_what_is_made_is_told_though_a_column_is_asked_for_that_there_is_not(
    endpoint: str,
) -> None:
    done = alcor(endpoint, "network", "create", "blue", "-c", "foo", "-f", "json")

    assert json.loads(done.stdout)["name"] == "blue"
    assert "there is no column 'foo'" in done.stderr


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("hosts.csv", "name,tunnel_ip\nh1,172.31.0.1\nh2,172.31.0.2\n"),
        ("hosts.yaml", "- {id: h1, tunnel_ip: 172.31.0.1}\n- {id: h2, tunnel_ip: 172.31.0.2}\n"),
        ("hosts.json", '{"nodes": [{"id": "h1", "tunnel_ip": "172.31.0.1"}, {"id": "h2"}]}'),
    ],
)
def test_many_are_made_of_a_file_in_one_call(
    endpoint: str, tmp_path: Path, name: str, text: str
) -> None:
    file = tmp_path / name
    file.write_text(text)

    done = alcor(endpoint, "node", "create", "--from", str(file), "-f", "id")

    assert done.stdout == "h1\nh2\n"


def test_a_title_that_is_no_field_is_refused(endpoint: str, tmp_path: Path) -> None:
    (tmp_path / "hosts.csv").write_text("nmae,tunnel_ip\nh1,172.31.0.1\n")

    done = alcor(endpoint, "node", "create", "--from", str(tmp_path / "hosts.csv"))

    assert done.exit_code == Exit.USAGE
    assert "'nmae' is no field" in done.output


def test_a_misspelt_command_is_told_what_it_may_have_meant(endpoint: str) -> None:
    done = alcor(endpoint, "securty-group", "list")

    assert done.exit_code == Exit.USAGE
    assert "security-group" in done.output


def test_the_shell_completes_names_of_what_is_there(
    endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("blue", "black", "red"):
        alcor(endpoint, "network", "create", name)
    monkeypatch.setenv("ALCOR_ENDPOINT", endpoint)

    assert names_of("network")("bl") == ["blue", "black"]
    monkeypatch.setenv("ALCOR_ENDPOINT", "http://127.0.0.1:9")
    assert names_of("network")("bl") == []


def test_a_log_of_waiting_tells_who_is_behind(endpoint: str) -> None:
    done = alcor(endpoint, "wait", "port:99", "--timeout", "0", "--log")

    assert "1 host behind: h2" in done.output
    assert "all hosts have it" in alcor(endpoint, "wait", "port:7", "--log").output


def test_a_table_has_a_row_for_each(endpoint: str) -> None:
    alcor(endpoint, "node", "create", "h1", "--tunnel-ip", "172.31.0.1")

    done = alcor(endpoint, "node", "list")

    assert "Tunnel IP" in done.stdout
    assert "172.31.0.1" in done.stdout


@pytest.mark.parametrize(
    "words",
    [
        ["network", "list", "--filter", "name"],
        ["network", "set", "blue"],
        ["port", "create", "--network", "blue", "--fixed-ip", "x=1"],
        ["subnet", "create", "--network", "blue", "--cidr", "10.0.0.0/8", "--pool", "10.0.0.1"],
        ["port", "create"],
    ],
)
def test_a_wrong_command_line_has_an_exit_code_of_its_own(endpoint: str, words: list[str]) -> None:
    alcor(endpoint, "network", "create", "blue")

    assert alcor(endpoint, *words).exit_code == Exit.USAGE


def test_a_connection_that_was_closed_while_idle_is_opened_again(endpoint: str) -> None:
    with closing(Api(endpoint)) as api:
        assert api.ready()
        assert api.ready()


def test_nobody_answers_where_no_control_plane_is(endpoint: str) -> None:
    with Api(endpoint) as there, Api(f"http://127.0.0.1:{free_port()}") as nothing:
        assert there.answers()
        assert not nothing.answers()


def test_one_port_keeps_its_name_and_several_get_numbers() -> None:
    assert ports({"name": "web"}, 1, [])[0]["name"] == "web"
    assert [p["name"] for p in ports({"name": "web"}, 2, [])] == ["web1", "web2"]
    assert ports({}, 1, []) == [{}]


def test_a_lab_that_can_not_be_made_is_a_failure() -> None:
    assert exit_for(LabError("x")) is Exit.FAILED


def test_a_rebuild_of_no_region_of_processes_says_which_setting_is_missing() -> None:
    done = CliRunner().invoke(app, ["rebuild", "--dry-run"])

    assert done.exit_code == 1
    assert str(done.exception) == "served.nats is not set: write it as nats://127.0.0.1:4222"


@pytest.mark.parametrize("message", ["Nobody answers", "Nobody answers."])
def test_the_request_to_look_for_is_a_sentence_of_its_own(
    message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    tell(Refused(503, "Unavailable", message, "req-1"))

    told = "error: Unavailable (503): Nobody answers. Look for request req-1 in the control"
    assert capsys.readouterr().err.startswith(told)


def run(endpoint: str, *words: str | bytes, **how: Any) -> subprocess.CompletedProcess[bytes]:
    """The command as a process, in a terminal that knows ASCII only."""
    environment = os.environ | {"ALCOR_ENDPOINT": endpoint, "PYTHONIOENCODING": "ascii"}
    program = [sys.executable, "-m", "alcor.cli.main", *words]
    return subprocess.run(program, env=environment, stderr=subprocess.PIPE, check=False, **how)


def test_what_a_terminal_has_no_character_for_is_spelt(endpoint: str) -> None:
    made = run(endpoint, "network", "create", "blé", stdout=subprocess.PIPE)
    listed = run(endpoint, "network", "list", stdout=subprocess.PIPE)

    assert (made.returncode, listed.returncode) == (0, 0), listed.stderr
    assert rb"bl\xe9" in made.stdout
    assert rb"bl\xe9" in listed.stdout


@pytest.mark.parametrize("form", ["table", "json", "yaml", "csv", "value"])
def test_an_answer_that_can_not_be_written_is_said_in_a_sentence(endpoint: str, form: str) -> None:
    alcor(endpoint, "network", "create", "blue")

    with Path("/dev/full").open("wb") as full:
        done = run(endpoint, "network", "list", "-f", form, stdout=full)

    assert done.returncode == Exit.FAILED
    assert done.stderr == b"error: the answer can't be written: No space left on device\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((b"network", b"create", b"bl\xff"), b"is not text in UTF-8"),
        ((b"network", b"show", b"bl\xff"), b"is not text in UTF-8"),
        (("--project", "blé", "network", "list"), b"the project can't be sent"),
        (("--token", "a\nb", "network", "list"), b"the token can't be sent"),
    ],
)
def test_what_can_not_be_sent_is_said_in_a_sentence(
    endpoint: str, words: tuple[str | bytes, ...], told: bytes
) -> None:
    done = run(endpoint, *words, stdout=subprocess.PIPE)

    assert done.returncode == Exit.FAILED
    assert told in done.stderr
    assert done.stderr.startswith(b"error: ")
    assert done.stderr.count(b"\n") == 1
