"""The metering manager: labels under which routers' traffic is counted, and their rules."""
