"""The outbox takes what a log can be told, and refuses what is too large for it."""

import sqlite3
from contextlib import closing

import pytest

from alcor.intent import outbox
from alcor.keyed_log.log import Change
from alcor.values.errors import Kind, Refusal


def test_a_record_that_no_log_would_take_is_refused_before_anything_is_saved() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        for statement in outbox.SCHEMA:
            connection.execute(statement)
        small = Change("port/1", b"x" * outbox.record_bytes_max, 1, "")
        large = Change("port/2", b"x" * (outbox.record_bytes_max + 1), 2, "")

        with pytest.raises(Refusal, match="port would be larger") as refused:
            outbox.save(connection, [small, large])
        assert refused.value.kind is Kind.TOO_LARGE
        assert outbox.pending(connection, 0, 10) == []

        outbox.save(connection, [small])
        assert outbox.pending(connection, 0, 10) == [small]
