"""The revision of a write: which manager saved it, and as its how-manyth change.

Written `<manager>:<sequence>`, as in `port:1234`; later changes of one manager have greater
sequences, and whoever waits for one waits for all before it.
"""

from typing import NamedTuple


class Revision(NamedTuple):
    """A point in the history of one manager's intent."""

    manager: str
    sequence: int

    def __str__(self) -> str:
        return f"{self.manager}:{self.sequence}"


def revision(text: str) -> Revision:
    """Parse the text form; `ValueError` when it is none."""
    manager, colon, digits = text.partition(":")
    if not colon or not manager.isidentifier() or not digits.isascii() or not digits.isdigit():
        raise ValueError(f"'{text}' is not a revision: expected <manager>:<number>")
    if len(digits) > 18:
        raise ValueError(f"'{text}' is not a revision: the number is too large")
    return Revision(manager, int(digits))
