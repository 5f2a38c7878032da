"""Where a packet comes from, whether it may say so, and how much a port may send and receive."""
