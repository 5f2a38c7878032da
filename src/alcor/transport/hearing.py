"""What a delivery does with a host's messages, whatever carries them."""

from alcor.transport import wire
from alcor.transport.link import Hello, Report, Session, Violation


def read_hello(data: bytes) -> Hello:
    """A host's first message; `Violation` when it is another."""
    hello = wire.read_host_message(data)
    if not isinstance(hello, Hello):
        raise Violation("a host says Hello first")
    return hello


async def hear(session: Session, data: bytes) -> None:
    """Pass one later message on; `Violation` when it can't be one."""
    match wire.read_host_message(data):
        case wire.Subscribe(name, epoch, position):
            await session.subscribe(name, epoch, position)
        case wire.Unsubscribe(name):
            session.unsubscribe(name)
        case Report() as report:
            if not session.take(report):
                await session.report(report)
        case Hello():
            raise Violation("a host says Hello once")
