"""What the demo shows to people: progress, the topology, and the stages with their times."""

from collections.abc import Iterable
from typing import Self

from rich import box
from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from alcor.lab.demo import Job, Stage

machines_shown_max = 10  # of a host

TITLES = {
    Stage.LAB_UP: "lab: underlay, switches, agents, control plane",
    Stage.API_CALL: "API call: all ports at once",
    Stage.GOAL_STATE: "goal state at hosts",
    Stage.PLUG: "machines plugged in",
    Stage.FLOWS: "flows acknowledged: every port ACTIVE",
    Stage.LEASES: "leases by DHCP",
    Stage.PINGS: "all-pairs ping",
    Stage.LAB_DOWN: "lab taken down",
}


class ProgressView:
    """Shows the stages as they go; use it as a context and pass `watch` to the job."""

    def __init__(self, console: Console) -> None:
        spinner = SpinnerColumn(finished_text="[green]✔[/]")
        self._progress = Progress(
            spinner, TextColumn("{task.description}"), TimeElapsedColumn(), console=console
        )
        self._task_by_stage: dict[Stage, TaskID] = {}

    def watch(self, stage: Stage, ended: bool) -> None:
        """A stage begins or has ended."""
        if ended:
            self._progress.update(self._task_by_stage[stage], completed=1)
        else:
            self._task_by_stage[stage] = self._progress.add_task(TITLES[stage], total=1)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._progress.stop()


def draw(job: Job) -> RenderableType:
    """The topology, the stages and the verdict."""
    return Group(_topology(job), Text(), _stages(job), Text(), _verdict(job))


def _topology(job: Job) -> RenderableType:
    head = Text(f"control plane  {job.endpoint}", style="bold")
    head.append("\n      │ gRPC: goal state down, reports up", style="dim")
    panels = [_host(name, job) for name in sorted(set(job.host_of_machine.values()), key=_number)]
    foot = Text("══ underlay ══ ", style="cyan")
    foot.append(f"VXLAN, VNI {job.vni}, one network {job.cidr} over {job.hosts} hosts", style="dim")
    return Group(head, Columns(panels), foot)


def _number(host: str) -> int:
    return int(host.lstrip("h"))


def _host(name: str, job: Job) -> Panel:
    plugged = [machine for machine, host in job.host_of_machine.items() if host == name]
    lines = [_machine(machine, job) for machine in plugged[:machines_shown_max]]
    if len(plugged) > machines_shown_max:
        lines.append(Text(f"and {len(plugged) - machines_shown_max} more", style="dim"))
    return Panel(Group(*lines), title=f"{name} · br-int", border_style="cyan", expand=False)


def _machine(name: str, job: Job) -> Text:
    lease = job.lease_by_machine.get(name)
    line = Text(f"{name:<6}")
    if lease is None:
        return line.append("no lease", style="red")
    return line.append(lease.address, style="green")


def _stages(job: Job) -> Table:
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    table.add_column("Stage")
    table.add_column("Result")
    table.add_column("Seconds", justify="right")
    for stage, took in job.seconds.items():
        table.add_row(TITLES[stage], _result(stage, job), f"{took:.3f}")
    return table


def _result(stage: Stage, job: Job) -> str:
    results = {
        Stage.LAB_UP: f"{job.hosts} hosts",
        Stage.API_CALL: f"{job.ports} ports",
        Stage.PLUG: f"{len(job.host_of_machine)} machines",
        Stage.LEASES: f"{len(job.lease_by_machine)} of {job.ports}",
        Stage.PINGS: f"{job.pings_ok} of {job.pings_total}",
    }
    return results.get(stage, "")


def _verdict(job: Job) -> RenderableType:
    lines: Iterable[str] = job.missing
    if job.done:
        return Text(
            f"{len(job.lease_by_machine)} leases, {job.pings_ok} of {job.pings_total} pings",
            style="bold green",
        )
    return Text("\n".join(["not everything arrived:", *lines]), style="bold red")
