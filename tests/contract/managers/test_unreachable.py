"""A server that is away is waited for; one that refuses is there."""

from typing import Any
from uuid import uuid4

import psycopg

from alcor.runtime.sql.postgres import unreachable


def test_a_server_answers_also_of_a_database_that_is_not_made_yet(postgres: Any) -> None:
    assert unreachable(postgres.url("postgres")) == ""
    assert unreachable(postgres.url(uuid4().hex)) == ""


def test_nobody_at_the_address_is_told_in_one_line() -> None:
    why = unreachable("postgresql://x@127.0.0.1:9/nothing")

    assert "Connection refused" in why
    assert "\n" not in why


def test_a_server_that_is_full_is_waited_for(postgres: Any) -> None:
    name = f"g{uuid4().hex}"
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN CONNECTION LIMIT 0".encode())

    assert "too many connections" in unreachable(
        postgres.url("postgres").replace("alcor@", f"{name}@")
    )
