"""The reference page of the pipeline, generated from its declaration."""

from bisect import bisect_right

from alcor.agent.pipeline.pipeline import STAGES, registers
from alcor.agent.pipeline.stages import Stage

_PARTS = {
    0: "where it came from",
    10: "anti-spoofing",
    20: "services",
    30: "filter what is sent",
    50: "limit what is sent",
    60: "who has the MAC",
    65: "routers",
    80: "filter what is received",
    87: "limit what is received",
    90: "deliver",
    100: "leave the host",
    110: "asked by others: rules, meters",
}  # by the first table of each


def markdown() -> str:
    """The reference page of the pipeline, of its stages and registers."""
    lines = [
        "# The pipeline of the integration bridge",
        "",
        "Generated from `src/alcor/agent/pipeline/pipeline.py`.",
        "",
        *_picture(),
        "| table | stage | decides | reads | sets | goes on to | miss |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [_row(stage) for stage in STAGES]
    lines += ["", "| register | holds |", "|---|---|"]
    lines += [f"| `{name}` | {meaning} |" for name, meaning in registers.items()]
    return "\n".join(lines) + "\n"


def _picture() -> list[str]:
    """The parts of the pipeline, and who goes on to whom; dotted: once more, or and back."""
    firsts = sorted(_PARTS)
    part_by_stage = {s.name: firsts[bisect_right(firsts, s.table) - 1] for s in STAGES}
    ways = {
        (part_by_stage[stage.name], arrow, part_by_stage[target])
        for stage in STAGES
        for arrow, targets in (
            ("-->", (*stage.next, *filter(None, (stage.miss,)))),
            ("-.->", (*stage.again, *stage.calls)),
        )
        for target in targets
    }
    lines = ["```mermaid", "flowchart LR"]
    for first in firsts:
        names = [name for name, part in part_by_stage.items() if part == first]
        shown = " ".join(names[:4]) + (" ..." if len(names) > 4 else "")
        lines.append(f'    p{first}["<b>{_PARTS[first]}</b><br/>{shown}"]')
    lines += [f"    p{a} {arrow} p{b}" for a, arrow, b in sorted(ways) if a != b or arrow != "-->"]
    return [*lines, "```", ""]


def _row(stage: Stage) -> str:
    miss = f"to {stage.miss}" if stage.miss else "drop"
    cells = (
        str(stage.table),
        stage.name,
        stage.purpose,
        ", ".join(f"`{name}`" for name in stage.reads),
        ", ".join(f"`{name}`" for name in stage.writes),
        ", ".join(
            [
                *stage.next,
                *(f"{name} again" for name in stage.again),
                *(f"{name} and back" for name in stage.calls),
            ]
        ),
        f"{miss}: {stage.miss_means}",
    )
    return f"| {' | '.join(cells)} |"
