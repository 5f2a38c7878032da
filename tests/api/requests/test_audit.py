"""With `gateway.audit` every write leaves a line, refused ones too, and each item of a batch."""

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from prometheus_client import REGISTRY
from tests.api.conftest import Api, running

from alcor.gateway.app import GatewaySettings
from alcor.runtime.observability.audit_file import AuditFile

TOKENS = """
[[tokens]]
token = "very-secret-token"
project_id = "p1"
user_id = "alice"
roles = ["member", "reader"]
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "audit.log"


@pytest.fixture
def api(tmp_path: Path, log: Path) -> Iterator[Api]:
    tokens = tmp_path / "tokens.toml"
    tokens.write_text(TOKENS)
    settings = GatewaySettings(audit=str(log))
    with running(tmp_path / "data", settings, auth="tokens", tokens_file=str(tokens)) as api:
        yield api


def lines(log: Path) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for line in log.read_bytes().splitlines()]


def test_every_write_is_told_with_who_did_it(api: Api, log: Path) -> None:
    alice = api.bearing("very-secret-token")
    network = alice.network(name="n")
    answer = alice.call("PUT", f"/v2.0/networks/{network['id']}", {"network": {"name": "m"}})
    alice.get("/v2.0/networks")
    refused = alice.call("POST", "/v2.0/networks", {"network": {"shared": True}})
    nobody = api.call("DELETE", f"/v2.0/networks/{network['id']}")

    made, changed, forbidden, unknown = lines(log)
    assert [made["action"], made["outcome"], made["target"]["ids"]] == [
        "create",
        "success",
        [network["id"]],
    ]
    assert made["initiator"] == {"id": "alice", "project_id": "p1", "roles": ["member", "reader"]}
    assert changed["fields"] == ["name"]
    assert changed["requestId"] == answer.headers["x-openstack-request-id"]
    assert (refused.status, forbidden["outcome"]) == (403, "failure")
    assert forbidden["reason"] == {"reasonCode": 403}
    assert forbidden["target"]["typeURI"] == "network/networks"
    assert (nobody.status, unknown["initiator"]["id"]) == (401, "")
    assert b"very-secret-token" not in log.read_bytes()
    assert stat.S_IMODE(log.stat().st_mode) & 0o007 == 0


def test_each_item_of_a_batch_is_told(api: Api, log: Path) -> None:
    alice = api.bearing("very-secret-token")
    items = [{"name": "a"}, {"name": 5}]

    answer = alice.call("POST", "/alcor/v1/batch/networks", {"create": items})

    results = answer.json["results"]
    assert [result["status"] for result in results] == [201, 400]
    *inner, whole = lines(log)
    by_outcome = {line["outcome"]: line for line in inner}
    assert by_outcome["success"]["target"]["ids"] == [results[0]["body"]["network"]["id"]]
    assert by_outcome["failure"]["reason"] == {"reasonCode": 400}
    assert whole["requestPath"] == "/alcor/v1/batch/networks"
    assert {line["requestId"] for line in inner} == {whole["requestId"]}


def test_the_file_may_be_moved_away(api: Api, log: Path, tmp_path: Path) -> None:
    alice = api.bearing("very-secret-token")
    alice.network(name="before")
    log.rename(tmp_path / "audit.log.1")
    alice.network(name="after")

    assert len(lines(log)) == len(lines(tmp_path / "audit.log.1")) == 1


def test_a_line_that_cannot_be_written_is_counted(tmp_path: Path) -> None:
    file = AuditFile(tmp_path / "audit.log")
    before = REGISTRY.get_sample_value("alcor_audit_lines_lost_total")
    (tmp_path / "audit.log").unlink()
    tmp_path.rename(tmp_path.with_name("elsewhere"))

    file.write(b"{}\n")

    assert REGISTRY.get_sample_value("alcor_audit_lines_lost_total") == (before or 0) + 1
    tmp_path.with_name("elsewhere").rename(tmp_path)
