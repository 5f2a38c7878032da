"""Bring what one Networking API holds to another: read here, compare, and make there.

The source is only read. What is made has the ids, the addresses and the owners that it has at the
source; a second run finds everything there and changes nothing.
"""
