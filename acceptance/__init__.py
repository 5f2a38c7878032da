"""Acceptance: the product as others use it, with a real Keystone, by others' own tests and clients.

Keystone and Tempest live in environments of their own under `.acceptance/`, made by uv from the
pinned lists beside this file; nothing of them is imported here. What is written in Go comes from
Go's module proxy, at the versions that `gophercloud` and `provider` name.
"""
