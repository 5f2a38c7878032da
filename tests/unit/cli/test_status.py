"""`alcor status` names what is wrong with a region, and nothing else."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner, Result

from alcor.cli.exits import Exit
from alcor.cli.main import app
from alcor.client.connection import ClientError

WELL = {"port.database": True, "intent.rebuilt": True}


def node(name: str, *, alive: bool = True, release: str = "1.0", fault: str = "") -> dict[str, Any]:
    said = {"version": release, "heartbeat_timestamp": "08:15", "fault": fault}
    return {"id": name, "alive": alive} | said


def metrics(certificate_days: float, credentials_s: str) -> str:
    end_s = time.time() + certificate_days * 86_400
    return (
        "# TYPE alcor_sessions gauge\nalcor_sessions 3.0\n"
        "# TYPE alcor_certificate_end_timestamp_seconds gauge\n"
        f'alcor_certificate_end_timestamp_seconds{{process="delivery",role="delivery"}} {end_s}\n'
        "# TYPE alcor_credentials_end_timestamp_seconds gauge\n"
        'alcor_credentials_end_timestamp_seconds{setting="served.nats_credentials"} '
        f"{credentials_s}\n"
    )


@contextmanager
def region(
    checks: dict[str, bool],
    nodes: list[dict[str, Any]],
    told: str | None = None,
    away: dict[str, str] | None = None,
    status: int = 503,
) -> Iterator[str]:
    """A gateway that answers about itself and its hosts; what is `away` answers why, with
    `status`."""
    away_status = status

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            ready = all(checks.values())
            about = {"ready": ready, "checks": checks}
            body: dict[str, Any] = {"nodes": nodes}
            status = 200
            if self.path == "/readyz":
                body, status = about, 200 if ready else 503
            elif self.path.startswith("/alcor/v1/convergence"):
                body = {"revision": "node:0", "converged": True}
            for part, why in (away or {}).items():
                if self.path.startswith(f"/alcor/v1/{part}"):
                    body = {"NeutronError": {"type": "Unavailable", "message": why}}
                    status = away_status
            data, form = json.dumps(body).encode(), "application/json"
            if self.path == "/metrics":
                data, form = (told or "").encode(), "text/plain"
                status = 200 if told is not None else 403
            self.send_response(status)
            self.send_header("Content-Type", form)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    with served(Handler) as endpoint:
        yield endpoint


@contextmanager
def served(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def told(endpoint: str) -> tuple[Result, dict[str, tuple[str, str]]]:
    done = CliRunner().invoke(app, ["status", "--endpoint", endpoint, "-f", "json"])
    found = json.loads(done.stdout) if done.stdout else []
    return done, {each["check"]: (each["health"], each["says"]) for each in found}


def test_a_region_that_is_well_is_called_so() -> None:
    nodes = [node("h1"), node("h2"), node("h3", release="1.1")]
    with region(WELL, nodes) as endpoint:
        done, found = told(endpoint)

    assert done.exit_code == Exit.DONE
    assert found["control plane"][0] == "good"
    assert found["delivery"] == ("good", "hosts are told of changes")
    assert found["hosts"] == ("good", "3 are there")
    assert found["releases"] == ("good", "agents: 1.0 on 2, 1.1 on 1")


def test_it_is_written_in_every_form_that_rows_have() -> None:
    """All forms but JSON were the table, also where a script had asked for them."""
    with region(WELL, [node("h1")]) as endpoint:

        def asked(form: str) -> Result:
            return CliRunner().invoke(app, ["status", "--endpoint", endpoint, "-f", form])

        yaml, csv, value, id_ = map(asked, ("yaml", "csv", "value", "id"))

    assert [each["check"] for each in msgspec.yaml.decode(yaml.stdout)][:1] == ["control plane"]
    assert csv.stdout.splitlines()[0] == "check,health,says,next_step"
    assert value.stdout.splitlines()[1].startswith("delivery good hosts are told of changes")
    assert id_.exit_code == Exit.USAGE
    assert "it is written as table, json, yaml, csv, value" in id_.output


def test_it_names_the_control_plane_that_it_has_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever cloud was signed in to, 127.0.0.1:9696 was said to be well."""
    with region(WELL, []) as endpoint:
        cloud = {"auth_type": "none", "auth": {"endpoint": endpoint}}
        file = tmp_path / "clouds.yaml"
        file.write_text(json.dumps({"clouds": {"mine": cloud}}))
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(file))
        monkeypatch.setenv("OS_CLOUD", "mine")
        monkeypatch.delenv("ALCOR_ENDPOINT", raising=False)
        done = CliRunner().invoke(app, ["status", "-f", "json"])

    assert json.loads(done.stdout)[0]["says"] == f"{endpoint} answers, and can do its work"


def test_parts_that_do_not_work_and_hosts_that_are_away_are_named() -> None:
    nodes = [node("h1"), node("h2", alive=False)]
    with region(WELL | {"port.relay": False}, nodes) as endpoint:
        done, found = told(endpoint)

    assert done.exit_code == Exit.FAILED
    assert found["control plane"][0] == "fault"
    assert found["control plane"][1].endswith("can't do their work: port.relay")
    assert found["hosts"] == ("fault", "1 of 2 are away: h2 (heard 08:15)")


def test_of_databases_that_take_no_writes_it_is_said_what_to_do() -> None:
    with region(WELL | {"port.writes": False}, [node("h1")]) as endpoint:
        done, found = told(endpoint)

    [plane] = [each for each in json.loads(done.stdout) if each["check"] == "control plane"]
    assert done.exit_code == Exit.FAILED
    assert found["control plane"][1].endswith("can't do their work: port.writes")
    assert "make room on the databases' disk" in plane["next_step"]


def test_hosts_whose_switch_hangs_are_named_though_their_agents_are_there() -> None:
    """All was said to be well, as their agents were."""
    why = "the switch does not answer: no answer within 10.0 s"
    nodes = [node("h1", fault=why), node("h2"), node("h3", alive=False, fault=why)]
    with region(WELL, nodes) as endpoint:
        done, found = told(endpoint)

    assert done.exit_code == Exit.FAILED
    assert found["switches"] == ("fault", f"1 of 2 can't make changes: h1 ({why})")


def test_databases_and_deliveries_that_are_away_are_told_beside_what_works() -> None:
    """Of databases only an error was shown, and of deliveries nothing."""
    away = {"nodes": "the database of node does not answer", "convergence": "nobody serves it"}
    with region(WELL, [], away=away) as endpoint:
        done, found = told(endpoint)

    assert done.exit_code == Exit.FAILED
    assert found["control plane"][0] == "good"
    assert found["managers"] == ("fault", "the database of node does not answer")
    assert found["delivery"] == ("fault", "hosts hear of no change: nobody serves it")


def test_of_a_delivery_that_may_not_be_asked_nothing_is_said() -> None:
    """It was called good, as it had not been said to be away."""
    with region(WELL, [], away={"convergence": "not through this proxy"}, status=403) as endpoint:
        done, found = told(endpoint)

    assert done.exit_code == Exit.DONE
    assert found["delivery"][0] == "unknown"
    assert "not through this proxy" in found["delivery"][1]


@pytest.mark.parametrize(
    ("days", "credentials_s", "health", "exit_status"),
    [
        (90.5, "+Inf", {("good", "agents.tls_certificate ends in 90 days")}, Exit.DONE),
        (90.5, "0", {("fault", "the file of served.nats_credentials can't be used")}, Exit.FAILED),
        (9.4, "+Inf", {("fault", "agents.tls_certificate ends in 9 days")}, Exit.FAILED),
    ],
)
def test_what_ends_soon_is_named(
    days: float, credentials_s: str, health: set[tuple[str, str]], exit_status: int
) -> None:
    with region(WELL, [node("h1")], metrics(days, credentials_s)) as endpoint:
        done = CliRunner().invoke(app, ["status", "--endpoint", endpoint, "-f", "json"])

    proofs = [each for each in json.loads(done.stdout) if each["check"] == "proofs"]
    assert done.exit_code == exit_status
    assert len(proofs) == 2
    assert health <= {(each["health"], each["says"]) for each in proofs}


def test_without_hosts_nothing_is_said_of_them() -> None:
    with region(WELL, []) as endpoint:
        done, found = told(endpoint)

    assert done.exit_code == Exit.DONE
    assert found["hosts"][0] == "unknown"
    assert "releases" not in found


def test_where_nobody_answers_is_told_by_its_own_status() -> None:
    done, _ = told("http://127.0.0.1:1")

    assert str(done.exception).startswith("no control plane answers at http://127.0.0.1:1 ")


def test_a_proxy_that_answers_for_a_control_plane_is_no_control_plane() -> None:
    class Proxy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(503)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<h1>503 Service Unavailable</h1>")

        def log_message(self, *_: object) -> None:
            pass

    with served(Proxy) as endpoint:
        done, _ = told(endpoint)

    assert isinstance(done.exception, ClientError)
    assert "is not the Networking API" in str(done.exception)


def test_a_help_text_shows_brackets_and_no_signs_of_its_own_markup() -> None:
    done = CliRunner().invoke(app, ["port", "list", "--help"], env={"COLUMNS": "120"})

    assert "FIELD[:desc]" in done.stdout
