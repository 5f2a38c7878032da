"""Routers that older code saved show what routers show now, in either database."""

import asyncio
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import psycopg

from alcor.intent.records import FixedIp
from alcor.managers.router.app import VERSIONS
from alcor.managers.router.model.gateway import GatewayInfo
from alcor.managers.router.model.router import Router, changed
from alcor.managers.router.sql import SqlTransaction, living
from alcor.runtime.sql.migrations import migrate
from alcor.runtime.sql.online_migrations import migrate_server
from alcor.runtime.sql.postgres import PostgresDatabase

GATEWAY = GatewayInfo(
    network_id="outside", external_fixed_ips=(FixedIp(subnet_id="s", ip_address="192.0.2.9"),)
)
NEW = (
    *("external_gateways", "enable_default_route_ecmp", "conntrack_helpers"),
    "enable_default_route_bfd",
)
INSERT = "INSERT INTO router (id, project_id, name, sequence, doc) VALUES ('{}', '', '', 1, '{}')"


def router(id_: str, gateway: GatewayInfo | None, zones: tuple[str, ...] = ()) -> Router:
    says = 'says "external_gateways": itself, and "availability_zones":["nova"]'
    return Router(
        id=id_,
        name="",
        tenant_id="",
        project_id="",
        admin_state_up=True,
        external_gateway_info=gateway,
        availability_zone_hints=zones,
        availability_zones=zones,
        description=says,
        revision_number=1,
        created_at="",
        updated_at="",
    )


def old_document(found: Router) -> str:
    """As code wrote it that knew one gateway only."""
    kept = {name: value for name, value in msgspec.to_builtins(found).items() if name not in NEW}
    kept["availability_zones"] = ["nova"]
    return msgspec.json.encode(kept).decode()


def old_versions(folder: Path) -> Path:
    folder.mkdir()
    for path in sorted(VERSIONS.glob("v000[1-5]_*.py")):
        shutil.copy(path, folder)
    return folder


OLD = [router("with", GATEWAY, zones=("nova",)), router("without", None)]
INSERTS = [INSERT.format(each.id, old_document(each)) for each in OLD]
NEWER = msgspec.json.encode(msgspec.structs.replace(OLD[0], id="newer")).decode()


def as_shown(rows: list[tuple[str, str]]) -> None:
    found = {id_: msgspec.json.decode(doc) for id_, doc in rows}
    shown = msgspec.json.decode(msgspec.json.encode(GATEWAY))
    assert found["with"]["external_gateways"] == [shown]
    assert found["with"]["external_gateway_info"] == shown
    assert found["without"]["external_gateways"] == []
    assert found["without"]["enable_default_route_ecmp"] is False
    assert found["without"]["enable_default_route_bfd"] is False
    assert found["without"]["conntrack_helpers"] == []
    assert found["without"]["availability_zones"] == []
    assert found["with"]["availability_zones"] == ["nova"]
    assert found["newer"] == msgspec.json.decode(NEWER)


def test_rows_of_before_show_all_gateways_in_sqlite(tmp_path: Path) -> None:
    file = tmp_path / "router.sqlite"
    migrate(file, old_versions(tmp_path / "old"))
    with closing(sqlite3.connect(file)) as connection:
        for statement in (*INSERTS, INSERT.format("newer", NEWER)):
            connection.execute(statement)
        connection.commit()

    migrate(file, VERSIONS)

    with closing(sqlite3.connect(file)) as connection:
        as_shown(connection.execute("SELECT id, doc FROM router").fetchall())


def test_a_row_that_older_code_saves_meanwhile_shows_all_gateways_once_it_is_changed(
    tmp_path: Path,
) -> None:
    file = tmp_path / "router.sqlite"
    migrate(file, VERSIONS)
    with closing(sqlite3.connect(file)) as connection:
        for insert in INSERTS:
            connection.execute(insert)
        tx = SqlTransaction(connection, "", lambda _kind, _project: -1)

        saved = [
            msgspec.json.decode(tx.save(changed(tx.router(each.id, None), {"name": "other"}, "")))
            for each in OLD
        ]

    assert saved[0]["external_gateways"] == [msgspec.json.decode(msgspec.json.encode(GATEWAY))]
    assert [each["availability_zones"] for each in saved] == [["nova"], []]


def test_rows_of_before_show_all_gateways_in_postgresql(postgres: Any, tmp_path: Path) -> None:
    url = str(postgres.url(uuid4().hex))
    migrate_server(url, old_versions(tmp_path / "old"))
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        for statement in (*INSERTS, INSERT.format("newer", NEWER)):
            connection.execute(statement.encode())

        migrate_server(url, VERSIONS)

        as_shown(connection.execute("SELECT id, doc FROM router").fetchall())


def attached_routers() -> Iterator[str]:
    """Statements that make thirty, each with two ports on two subnets."""
    for number in range(30):
        id_ = f"r{number:02}"
        yield INSERT.format(id_, msgspec.json.encode(router(id_, None)).decode())
        for port in (f"{id_}-b", f"{id_}-a"):
            yield f"INSERT INTO attachment VALUES ('{port}', '{id_}', 'net', 0)"
            for place in (1, 0):
                on = f"'subnet-{place}', '10.0.0.0/24', '10.0.0.{number}'"
                yield f"INSERT INTO place VALUES ('{port}', {place}, {on})"


def test_routers_are_told_again_by_a_few_statements_however_many_they_are(tmp_path: Path) -> None:
    """Else who takes the lead in a large region asks its database hundreds of thousands of times
    before it can answer anybody."""
    file = tmp_path / "router.sqlite"
    migrate(file, VERSIONS)
    with closing(sqlite3.connect(file)) as connection:
        for statement in attached_routers():
            connection.execute(statement)
        one_by_one = [living(connection, f"r{number - 1:02}", 1)[0] for number in range(1, 30)]
        said: list[str] = []
        connection.set_trace_callback(said.append)

        told = living(connection, "", 100)

        connection.set_trace_callback(None)
        attachments = SqlTransaction(connection, "", lambda _kind, _project: -1).attachments("r07")
    assert len(said) <= 3
    assert list(told[1:]) == one_by_one
    assert [each.port_id for each in attachments] == ["r07-a", "r07-b"]
    assert {each.subnet_ids for each in attachments} == {("subnet-0", "subnet-1")}


def test_routers_are_told_again_alike_by_postgresql(postgres: Any, tmp_path: Path) -> None:
    file, url = tmp_path / "router.sqlite", str(postgres.url(uuid4().hex))
    migrate(file, VERSIONS)
    migrate_server(url, VERSIONS)
    with (
        closing(sqlite3.connect(file)) as here,
        closing(psycopg.connect(url, autocommit=True)) as there,
    ):
        for statement in attached_routers():
            here.execute(statement)
            there.execute(statement.encode())
        expected = living(here, "", 100)

    async def told() -> Any:
        database = PostgresDatabase(url, "router")
        try:
            return await database.read(lambda connection: living(connection, "", 100))
        finally:
            await database.close()

    assert asyncio.run(told()) == expected
