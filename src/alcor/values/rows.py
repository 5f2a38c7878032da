"""Many rows as few SQL statements.

`executemany` runs a statement a row, and Python's interpreter lock is given up and asked for again
around each: beside a busy event loop, every row then waits for a turn of it. A statement of many
rows goes to SQLite whole, which then works without the lock.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain

rows_per_statement_max = 256  # a power of two; with 20 columns, a sixth of what SQLite takes


def insertions(
    table: str, columns: str, rows: Sequence[Sequence[object]]
) -> Iterator[tuple[str, tuple[object, ...]]]:
    """Statements, with their parameters, that insert the rows in order; `columns` is their list,
    separated by commas.

    They are of 256, 128, ..., 2, 1 rows: few different ones, so that they stay prepared.
    """
    done = 0
    while left := len(rows) - done:
        size = min(rows_per_statement_max, 1 << left.bit_length() - 1)
        some = rows[done : done + size]
        yield _statement(table, columns, size), tuple(chain.from_iterable(some))
        done += size


@lru_cache(maxsize=1_000)
def _statement(table: str, columns: str, rows: int) -> str:
    marks = f"({', '.join('?' * (columns.count(',') + 1))})"
    return f"INSERT INTO {table} ({columns}) VALUES {', '.join([marks] * rows)}"
