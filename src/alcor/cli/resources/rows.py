"""Many resources of one file: JSON, YAML or CSV."""

import csv
import io
import sys
from pathlib import Path
from typing import Any

import msgspec
import typer


def read(place: str, collection: str) -> list[dict[str, Any]]:
    """The rows of a file, or (`-`) of standard input: a list, or one under the collection's name.

    What ends in .csv is CSV, and so is an input that begins with titles; all else is YAML, of which
    JSON is a part.
    """
    try:
        text = sys.stdin.read() if place == "-" else Path(place).read_text()
    except (OSError, ValueError) as problem:
        raise typer.BadParameter(f"{place} can't be read: {problem}") from None
    titles = place == "-" and "," in text.partition("\n")[0] and text.lstrip()[:1] not in "[{-"
    if place.endswith(".csv") or titles:
        found: Any = list(csv.DictReader(io.StringIO(text), strict=True))
    else:
        found = _parsed(place, text)
    if isinstance(found, dict):
        found = found.get(collection, [found])
    if not isinstance(found, list) or not found or not all(isinstance(row, dict) for row in found):
        raise typer.BadParameter(f"{place} has no {collection}: it must be a list of objects")
    return [_checked(place, number, row) for number, row in enumerate(found, start=1)]


def _parsed(place: str, text: str) -> Any:
    try:
        return msgspec.yaml.decode(text)
    except msgspec.DecodeError as problem:
        raise typer.BadParameter(f"{place} is neither JSON nor YAML: {problem}") from None


def _checked(place: str, number: int, row: dict[Any, Any]) -> dict[str, Any]:
    if None in row:
        raise typer.BadParameter(f"{place}: row {number} has more cells than there are titles")
    return {str(key): value for key, value in row.items() if value is not None}
