"""The managers of a process that leads again and again.

A process that leads a database no more knows neither what others have written since, nor whether
the server that is there now has all that the last one had. So it goes on with nothing: it forgets
what it has in memory, and begins anew, as a process does that has just been started. It does the
same when a server was away too long for something that can't be put off. Meanwhile nobody answers
for the managers here, and gateways wait for who does, or refuse.
"""

import asyncio
from collections.abc import Mapping
from contextlib import ExitStack

import structlog

from alcor.assembly.config import Config
from alcor.assembly.control import Control
from alcor.assembly.databases import answering, is_loss
from alcor.assembly.notifiers import notifiers
from alcor.assembly.role import Region
from alcor.runtime.clock import new_id, now_s
from alcor.runtime.config import ConfigError
from alcor.runtime.sql.places import Servers
from alcor.runtime.tasks import TaskFailed, Tasks

again_s = 1.0  # from the end of a life to the next one, and between attempts at it

_log = structlog.get_logger("alcor.role")


class Lives:
    """The managers, life after life. `ConfigError` when a server will not have us at the start."""

    def __init__(self, config: Config, place: Servers, found: Region) -> None:
        self._config, self._place, self._found = config, place, found
        self._intent, self._reports = found.log("intent"), found.log("reports")
        self._tasks = Tasks()
        self._life = self._open()

    def start(self) -> None:
        """Lead whenever nobody else does, until `close`."""
        self._tasks.start(self._run(), "lives")

    async def failure(self) -> None:
        """Wait until something has failed that no other life mends; `TaskFailed`."""
        await self._tasks.failure()

    async def checks(self) -> Mapping[str, bool]:
        """What must be so for the managers to do their work, or to take it over from who leads."""
        followed = self._intent.is_followed and self._reports.is_followed
        return {**await self._life.checks(), "logs": followed}

    async def close(self) -> None:
        """Finish the calls that were taken, then end."""
        await self._tasks.stop()
        await self._life.end()

    async def _run(self) -> None:
        while True:
            try:
                await self._life.lead()
            except TaskFailed as failed:
                if not is_loss(failed.__cause__):
                    raise
                _log.warning("managers.begin_anew", part=str(failed), why=str(failed.__cause__))
            await self._life.end()
            await self._begin_anew()

    async def _begin_anew(self) -> None:
        told = ""
        while True:
            await asyncio.sleep(again_s)
            try:
                await answering(self._place)
                self._life = self._open()
                return
            except ConfigError as refused:
                if str(refused) != told:
                    _log.warning("managers.refused", why=str(refused))
                told = str(refused)

    def _open(self) -> "_Life":
        closing = ExitStack()
        intent, reports, place = self._intent, self._reports, self._place
        control = Control(place, intent, reports, self._config, now_s, new_id)
        for notifier in notifiers(self._config, place, intent, reports, closing):
            control.add(notifier)
        return _Life(control, closing, self._found)


class _Life:
    """What is in memory of the databases, from when they are opened until one is led no more."""

    def __init__(self, control: Control, closing: ExitStack, found: Region) -> None:
        self.control = control
        self._closing = closing
        self._wire = found.wire
        self._ended = False
        self._tasks = Tasks(passing=is_loss)

    async def lead(self) -> None:
        """Lead as soon as nobody else does, until `TaskFailed`."""
        self._tasks.start(self._lead(), "lead")
        await self._tasks.failure()

    async def checks(self) -> Mapping[str, bool]:
        """What must be so; between two lives only that there is a next one."""
        return {"databases": False} if self._ended else await self.control.checks()

    async def _lead(self) -> None:
        await self.control.lead()
        await self.control.start(self._tasks)
        await self._wire.serve(self.control.calls)
        _log.info("up", role="managers")
        await asyncio.get_running_loop().create_future()

    async def end(self) -> None:
        """Finish the calls that were taken, and close the databases; once more is no error."""
        self._ended = True
        await self._wire.withdraw()
        await self._tasks.stop()
        await self.control.close()
        self._closing.close()
