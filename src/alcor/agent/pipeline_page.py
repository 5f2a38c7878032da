"""The reference page of the pipeline, generated from its declaration."""

from alcor.agent.pipeline import STAGES, registers
from alcor.agent.stages import Stage


def markdown() -> str:
    """The reference page of the pipeline, of its stages and registers."""
    lines = [
        "# The pipeline of the integration bridge",
        "",
        "Generated from `src/alcor/agent/pipeline.py`.",
        "",
        "| table | stage | decides | reads | sets | goes on to | miss |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [_row(stage) for stage in STAGES]
    lines += ["", "| register | holds |", "|---|---|"]
    lines += [f"| `{name}` | {meaning} |" for name, meaning in registers.items()]
    return "\n".join(lines) + "\n"


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
