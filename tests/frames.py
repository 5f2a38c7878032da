"""Frames of a session, as a transport's server takes them."""

import asyncio

from alcor.transport.link import Frame, Session


async def next_frame(session: Session) -> Frame | None:
    """Wait for something to send; None when the session is over."""
    told = asyncio.Event()
    session.call(told.set)
    while not session.is_over:
        if (frame := await session.frame()) is not None:
            return frame
        told.clear()
        await told.wait()
    return None
