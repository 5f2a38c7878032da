"""Which room imports which: read from the code, for ARCHITECTURE.md and its test."""

from pathlib import Path

import grimp

PAGE = Path(__file__).parent.parent / "ARCHITECTURE.md"
BEGIN = "<!-- import map: begin -->\n"
END = "<!-- import map: end -->\n"


def import_map() -> str:
    """The map as Markdown: one line a room, in alphabetical order."""
    graph = grimp.build_graph("alcor", cache_dir=None)
    rooms = sorted(graph.find_children("alcor"))
    lines = ["```"]
    width = max(len(room) for room in rooms) - len("alcor.")
    for room in rooms:
        seen = {
            other.split(".")[1]
            for module in {room, *graph.find_descendants(room)}
            for other in graph.find_modules_directly_imported_by(module)
            if other != "alcor"
        }
        others = sorted(seen - {room.split(".")[1]})
        lines.append(f"{room.removeprefix('alcor.'):<{width}} -> {' '.join(others) or '(nothing)'}")
    return "\n".join([*lines, "```"]) + "\n"


def written(page: str) -> str:
    """The map as the page has it."""
    return page.partition(BEGIN)[2].partition(END)[0]


def rewritten(page: str) -> str:
    """The page with the map as the code has it."""
    head, _, rest = page.partition(BEGIN)
    return head + BEGIN + import_map() + END + rest.partition(END)[2]


if __name__ == "__main__":
    PAGE.write_text(rewritten(PAGE.read_text()))
