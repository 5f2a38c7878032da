"""What hosts make of segments: each further segment of a network is a network to them. Pure.

It has a VNI and a physical network of its own, and its ports and subnets are on it alone. So who
reads intent for hosts reads it through here, and need not know of segments.
"""

from msgspec.structs import replace

from alcor.intent.records import PortRecord, Record, SegmentRecord, SubnetRecord

_SEGMENT, _NETWORK = "segment/", "network/"


def seen_by_hosts(record: Record) -> Record:
    """The record as hosts are to know it; the very same when it has nothing to do with segments."""
    match record:
        case SegmentRecord():
            return record.network
        case PortRecord(segment_id=id_) | SubnetRecord(segment_id=id_) if id_:
            return replace(record, network_id=id_)
    return record


def key_for_hosts(key: str) -> str:
    """The key of that record."""
    return _NETWORK + key.removeprefix(_SEGMENT) if key.startswith(_SEGMENT) else key
