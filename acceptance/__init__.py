"""Acceptance: the product as others use it, with a real Keystone and Tempest's own tests.

Keystone and Tempest live in environments of their own under `.acceptance/`, made by uv from the
pinned lists beside this file; nothing of them is imported here.
"""
