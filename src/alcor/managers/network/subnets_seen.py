"""The subnets of networks, as the intent log tells: within a transaction of the network manager.

Clients see them in the network, whose revision rises with every change of one of its subnets.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from typing import NamedTuple

_COLUMNS = "subnet_id, network_id, ip_version, revision, pool_id, segment_id"


class SubnetSeen(NamedTuple):
    """What a network needs to know of a subnet."""

    network_id: str
    ip_version: int
    revision: int  # of its record
    pool_id: str = ""  # that its prefix is of; empty: of none
    segment_id: str = ""  # that it is of; empty: of the network as a whole


def different(
    connection: sqlite3.Connection, seen: Mapping[str, SubnetSeen]
) -> dict[str, SubnetSeen | None]:
    """What has changed when these are all subnets; None: gone."""
    rows = connection.execute(f"SELECT {_COLUMNS} FROM network_subnet")
    held = {id_: SubnetSeen(*rest) for id_, *rest in rows}
    changes: dict[str, SubnetSeen | None] = dict.fromkeys(held.keys() - seen.keys())
    return changes | {id_: each for id_, each in seen.items() if held.get(id_) != each}


def keep(connection: sqlite3.Connection, changes: Mapping[str, SubnetSeen | None]) -> set[str]:
    """Note the changes; return the networks whose subnets are not what they were."""
    touched: set[str] = set()
    for id_, seen in changes.items():
        row = connection.execute(
            f"DELETE FROM network_subnet WHERE subnet_id = ? RETURNING {_COLUMNS}", (id_,)
        ).fetchone()
        held = None if row is None else SubnetSeen(*row[1:])
        if seen is not None:
            connection.execute(
                f"INSERT INTO network_subnet ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)", (id_, *seen)
            )
        if seen != held:
            touched |= {each.network_id for each in (seen, held) if each is not None}
    return touched


def of_network(connection: sqlite3.Connection, network_id: str) -> tuple[str, ...]:
    """Its subnets' ids, in order."""
    rows = connection.execute(
        "SELECT subnet_id FROM network_subnet WHERE network_id = ? ORDER BY subnet_id",
        (network_id,),
    )
    return tuple(id_ for (id_,) in rows)


def keep_scopes(connection: sqlite3.Connection, scopes: Mapping[str, str]) -> set[str]:
    """Note which address scopes pools are in (empty: none); the networks that this concerns."""
    touched: set[str] = set()
    for pool_id, scope_id in scopes.items():
        if scope_of_pool(connection, pool_id) == scope_id:
            continue
        connection.execute("DELETE FROM pool_scope WHERE pool_id = ?", (pool_id,))
        if scope_id:
            connection.execute("INSERT INTO pool_scope VALUES (?, ?)", (pool_id, scope_id))
        rows = connection.execute(
            "SELECT network_id FROM network_subnet WHERE pool_id = ? AND pool_id <> ''", (pool_id,)
        )
        touched |= {network_id for (network_id,) in rows}
    return touched


def scope_of_pool(connection: sqlite3.Connection, pool_id: str) -> str:
    """The address scope of a pool; empty: none is known."""
    statement = "SELECT scope_id FROM pool_scope WHERE pool_id = ?"
    row = connection.execute(statement, (pool_id,)).fetchone()
    return str(row[0]) if row else ""


def pools_with_scopes(connection: sqlite3.Connection) -> list[str]:
    """The pools that are in an address scope."""
    return [pool_id for (pool_id,) in connection.execute("SELECT pool_id FROM pool_scope")]


def scope_of(connection: sqlite3.Connection, network_id: str, version: int) -> str | None:
    """The address scope of a network's subnets of a family: they are of one pool."""
    row = connection.execute(
        "SELECT scope_id FROM network_subnet JOIN pool_scope "
        "ON pool_scope.pool_id = network_subnet.pool_id "
        "WHERE network_id = ? AND ip_version = ? ORDER BY subnet_id LIMIT 1",
        (network_id, version),
    ).fetchone()
    return str(row[0]) if row else None


def are_of_segments(connection: sqlite3.Connection, network_id: str) -> bool:
    """Whether its subnets are of segments, each of one."""
    statement = "SELECT 1 FROM network_subnet WHERE network_id = ? AND segment_id <> '' LIMIT 1"
    return connection.execute(statement, (network_id,)).fetchone() is not None


def families(connection: sqlite3.Connection, network_id: str) -> Iterable[int]:
    """The IP versions of its subnets."""
    rows = connection.execute(
        "SELECT DISTINCT ip_version FROM network_subnet WHERE network_id = ?", (network_id,)
    )
    return [version for (version,) in rows]
