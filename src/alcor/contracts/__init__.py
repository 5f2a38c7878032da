"""The few verbs that managers call on each other, and that the gateway calls on managers.

Each contract is a Protocol of async methods that take one message and return one message, so that
a call can travel: in one process through an encode/decode loopback, between processes by RPC.
"""
