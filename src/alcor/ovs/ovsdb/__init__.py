"""The configuration database of Open vSwitch (RFC 7047), by asyncio and msgspec."""
