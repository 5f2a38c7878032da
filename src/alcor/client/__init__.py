"""A client of the public API: what the command line, the lab and tests speak through.

It knows the API's shape and nothing of what is behind it.
"""
