"""Wait until hosts obey a write for every packet, also those of connections that there are."""

from alcor.lab.hosts import appctl
from alcor.lab.lab import Lab

timeout_s = 30.0


def obeyed(lab: Lab, revision: str) -> None:
    """All hosts have acknowledged it, and what their switches looked up before is looked up again:
    that takes a moment longer, in which packets that were cached are treated as before."""
    assert lab.api.wait(revision, timeout_s).converged
    for host in lab.hosts:
        appctl(host, "revalidator/wait")
