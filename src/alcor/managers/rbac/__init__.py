"""Sharing policies of every kind of object as one collection.

It keeps nothing: an object's manager owns its policies (`runtime/managing/sharing_service.py`).
Here they are found, and listed together.
"""
