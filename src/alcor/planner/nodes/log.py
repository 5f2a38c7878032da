"""A log of what security groups or a network ACL decide, as the hosts concerned must know it.

One of a network ACL is an entry in the ACL's slice. One of a port is an entry in its host's slice.
One of a group is an entry in the group's slice, and one of a project an entry in the slices of all
its groups: constant, however many ports they have.
"""

from collections.abc import Iterable, Iterator

from alcor.goal_state.entries import AclLog, GroupLog, PortLog
from alcor.goal_state.slices import acl_log_key, group_log_key, host_log_key
from alcor.intent.records import PortRecord
from alcor.intent.watching_records import LogRecord


def keys_of_port(log: LogRecord, port: PortRecord | None) -> Iterator[str]:
    """The keys of the entries of a log of a port."""
    if port is not None:
        yield from (host_log_key(host, log.id) for host in port.hosts)


def plan_port(log: LogRecord, port: PortRecord | None) -> Iterator[tuple[str, PortLog]]:
    """The entries of a log of a port: on every host that knows the port."""
    if port is None or not _says_something(log):
        return
    for host in port.hosts:
        yield (
            host_log_key(host, log.id),
            PortLog(log.id, host, port.id, log.group_id, log.accepted, log.dropped),
        )


def plan_groups(log: LogRecord, groups: Iterable[str]) -> Iterator[tuple[str, GroupLog]]:
    """The entries of a log of these groups."""
    if not _says_something(log):
        return
    for group_id in groups:
        yield (
            group_log_key(group_id, log.id),
            GroupLog(log.id, group_id, log.accepted, log.dropped),
        )


def plan_acl(log: LogRecord) -> Iterator[tuple[str, AclLog]]:
    """The entry of a log of a network ACL."""
    if _says_something(log):
        entry = AclLog(log.id, log.acl_id, log.accepted, log.dropped)
        yield acl_log_key(log.acl_id, log.id), entry


def _says_something(log: LogRecord) -> bool:
    return log.accepted or log.dropped
