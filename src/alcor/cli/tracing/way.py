"""How the way of a packet is drawn: a box a host, a line a stage, and the verdict."""

from collections.abc import Iterator
from itertools import groupby

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from alcor.client.api import Item

ARRIVES = frozenset(("delivered", "handed_over", "answered", "leaves"))
_WORDS = {
    "delivered": "delivered",
    "handed_over": "handed over to a machine that is a next hop",
    "answered": "answered",
    "leaves": "leaves for the world outside",
    "refused": "refused: its sender is told",
    "dropped": "dropped",
    "unseen": "another project decides",
    "depends": "depends on the next hop that the connection takes",
}


def draw(found: Item) -> RenderableType:
    """The way of a packet: a box a host, a line a stage, and the verdict."""
    parts: list[RenderableType] = []
    if found["ways"]:
        for number, way in enumerate(found["ways"], start=1):
            parts += [Text(f"by next hop {number}:", style="bold"), draw(way)]
    else:
        parts += list(_hosts(found))
    parts.append(_verdict(found))
    parts += map(_said, found.get("live", ()))
    return Group(*parts)


def _hosts(found: Item) -> Iterator[RenderableType]:
    arrives = found["verdict"] in ARRIVES
    last = found["steps"][-1]
    for host, steps in groupby(found["steps"], key=lambda step: step.get("host", "")):
        lines = Table(box=None, show_header=False, padding=(0, 1))
        for column in ("mark", "stage", "says", "resource"):
            lines.add_column(column, overflow="fold")
        for step in steps:
            passes = step is not last or arrives
            mark = Text("✔", style="green") if passes else Text("✘", style="bold red")
            stage = Text(step["stage"], style="cyan")
            lines.add_row(mark, stage, Text(step["says"]), Text(_resource(step), style="dim"))
        yield Panel(lines, title=host or None, title_align="left", box=box.ROUNDED, expand=False)


def _resource(step: Item) -> str:
    resource = step["resource"]
    return f"{resource['kind']} {resource['id']}" if resource else ""


def _verdict(found: Item) -> Text:
    style = "bold green" if found["verdict"] in ARRIVES else "bold red"
    text = Text(_WORDS[found["verdict"]], style=style)
    text.append(f" at {found['stage']}", style="not bold")
    arrives = found["arrives"]
    if arrives and arrives["source"] != found["sent"]["source"]:
        text.append(f", from {arrives['source']}", style="not bold")
    if arrives and found["verdict"] in ARRIVES:
        text.append(f", {arrives['ttl']} hops left", style="not bold")
    return text


def _said(said: Item) -> Text:
    """What one switch says."""
    if said["differs"]:
        text = Text("✘ ", style="bold red")
        text.append(f"the switch of {said['host']} differs: {said['differs']}")
    elif said["note"]:
        text = Text(f"? {said['host']}: {said['note']}", style="yellow")
    else:
        text = Text("✔ ", style="green")
        text.append(f"the switch of {said['host']} agrees")
    text.append(f"  {' → '.join(said['stages'])}", style="dim")
    return text
