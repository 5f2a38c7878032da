"""Read a table of comma-separated values as the items of a creation (RFC 4180, with a header)."""

import csv
import io
from typing import Any

from alcor.values.errors import HTTPBadRequest


def items_of(content: bytes) -> list[dict[str, Any]]:
    """One item a row; the first row names the fields, an empty cell leaves its field out.

    `HTTPBadRequest` for what is no such table, or has a cell of more than 131,072 characters.
    """
    try:
        text = content.decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise HTTPBadRequest(f"The table can't be read: {error}") from None
    rows = [row for row in rows if row]
    if not rows:
        raise HTTPBadRequest("Resources required")
    names = [name.strip() for name in rows[0]]
    if "" in names or len(set(names)) != len(names):
        raise HTTPBadRequest("Every column needs a name of its own in the first row")
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(names):
            message = f"Row {number} has {len(row)} cells, the first row {len(names)}"
            raise HTTPBadRequest(message)
    return [
        {name: cell.strip() for name, cell in zip(names, row, strict=True) if cell.strip()}
        for row in rows[1:]
    ]
