"""Many rows by few statements are the rows of one statement each."""

import sqlite3
from contextlib import closing

import pytest

from alcor.values.rows import insertions, rows_per_statement_max


@pytest.mark.parametrize(
    "count", [0, 1, 2, 3, 7, 64, 100, rows_per_statement_max, rows_per_statement_max * 3 + 5]
)
def test_rows_of_any_number_are_all_inserted_in_order(count: int) -> None:
    rows = [(n, f"name {n}") for n in range(count)]
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE thing (place INTEGER PRIMARY KEY, n INTEGER, name TEXT)")
        for statement, parameters in insertions("thing", "n, name", rows):
            connection.execute(statement, parameters)
        found = connection.execute("SELECT n, name FROM thing ORDER BY place").fetchall()
    assert found == rows


def test_any_number_of_rows_needs_few_different_statements() -> None:
    statements = {
        statement
        for count in range(2 * rows_per_statement_max)
        for statement, _ in insertions("thing", "n", [(n,) for n in range(count)])
    }
    assert len(statements) == rows_per_statement_max.bit_length()
