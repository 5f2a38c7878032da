"""Which logs, mirrors and taps are about which ports, and which logs about which groups."""

from collections.abc import Iterable, Mapping
from typing import Any

from alcor.intent.records import GroupRecord, Record
from alcor.intent.watching_records import (
    LogRecord,
    TapFlowRecord,
    TapMirrorRecord,
    TapServiceRecord,
)

_NOTHING: Mapping[str, Any] = {}


class MonitoringIndex:
    """Follows logs, mirrors, taps and security groups, in whatever order they come."""

    def __init__(self) -> None:
        self._logs_by_port: dict[str, dict[str, LogRecord]] = {}
        self._mirrors_by_port: dict[str, dict[str, TapMirrorRecord]] = {}
        self._taps_by_port: dict[str, dict[str, TapServiceRecord]] = {}
        self._flows_by_source: dict[str, dict[str, TapFlowRecord]] = {}
        self._flows_by_tap: dict[str, dict[str, TapFlowRecord]] = {}  # its port
        self._logs_by_project: dict[str, dict[str, LogRecord]] = {}  # of all its groups
        self._groups_by_project: dict[str, dict[str, None]] = {}

    def put(self, record: Record) -> None:
        """A record has come."""
        match record:
            case LogRecord() if record.port_id:
                self._logs_by_port.setdefault(record.port_id, {})[record.id] = record
            case LogRecord() if not (record.group_id or record.acl_id):
                self._logs_by_project.setdefault(record.project_id, {})[record.id] = record
            case TapMirrorRecord():
                self._mirrors_by_port.setdefault(record.port_id, {})[record.id] = record
            case TapServiceRecord():
                self._taps_by_port.setdefault(record.port_id, {})[record.id] = record
            case TapFlowRecord():
                self._flows_by_source.setdefault(record.port_id, {})[record.id] = record
                self._flows_by_tap.setdefault(record.tap_port_id, {})[record.id] = record
            case GroupRecord():
                self._groups_by_project.setdefault(record.project_id, {})[record.id] = None

    def drop(self, record: Record) -> None:
        """A record that came has gone."""
        match record:
            case LogRecord() if record.port_id:
                _drop(self._logs_by_port, record.port_id, record.id)
            case LogRecord() if not (record.group_id or record.acl_id):
                _drop(self._logs_by_project, record.project_id, record.id)
            case TapMirrorRecord():
                _drop(self._mirrors_by_port, record.port_id, record.id)
            case TapServiceRecord():
                _drop(self._taps_by_port, record.port_id, record.id)
            case TapFlowRecord():
                _drop(self._flows_by_source, record.port_id, record.id)
                _drop(self._flows_by_tap, record.tap_port_id, record.id)
            case GroupRecord():
                _drop(self._groups_by_project, record.project_id, record.id)

    def logs_of_port(self, port_id: str) -> Iterable[LogRecord]:
        """The logs of this port alone."""
        return self._logs_by_port.get(port_id, _NOTHING).values()

    def mirrors_of_port(self, port_id: str) -> Iterable[TapMirrorRecord]:
        """The mirrors of a port."""
        return self._mirrors_by_port.get(port_id, _NOTHING).values()

    def taps_at(self, port_id: str) -> Iterable[TapServiceRecord]:
        """The tap services of a port."""
        return self._taps_by_port.get(port_id, _NOTHING).values()

    def flows_from(self, port_id: str) -> Iterable[TapFlowRecord]:
        """The flows that copy what passes a port."""
        return self._flows_by_source.get(port_id, _NOTHING).values()

    def flows_to(self, port_id: str) -> Iterable[TapFlowRecord]:
        """The flows whose copies go to a port."""
        return self._flows_by_tap.get(port_id, _NOTHING).values()

    def logs_of_project(self, project_id: str) -> Iterable[LogRecord]:
        """The logs of all groups of a project."""
        return self._logs_by_project.get(project_id, _NOTHING).values()

    def groups_of(self, log: LogRecord) -> Iterable[str]:
        """The groups whose ports the log is about, if it is not about one port."""
        if log.group_id:
            return (log.group_id,)
        return self._groups_by_project.get(log.project_id, {}).keys()


def _drop(nested: dict[str, dict[str, Any]], outer: str, inner: str) -> None:
    held = nested[outer]
    del held[inner]
    if not held:
        del nested[outer]
