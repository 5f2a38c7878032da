"""Looks now and then at what was looked for: what waits too long, and what is used no more."""

import asyncio

from alcor.agent.drivers.openflow import FlowDriver
from alcor.agent.pipeline import pipeline as p
from alcor.agent.punts.seeking import Seeker
from alcor.agent.reconciler import Reconciler

tick_s, tick_idle_s = 0.25, 1.0  # while something is sought, and while nothing is
_ticks_between_counts = 20


async def watch(seeker: Seeker, reconciler: Reconciler, switch: FlowDriver) -> None:
    """For ever. Counters are read where a network is held lazily only."""
    ticks = 0
    while True:
        await asyncio.sleep(tick_s if seeker.seeks else tick_idle_s)
        ticks += 1
        seeker.tick()
        is_due = ticks % _ticks_between_counts == 0 and seeker.seeks
        if is_due or seeker.waits_for_counts:
            counts = await switch.counts(p.L2_DST)
            if counts is not None:
                seeker.counted(reconciler.sent_to(counts))
