"""How fast: each figure beside its floor or a peer, measured in the same run, in turns.

A bench is not a test: it ends well unless something is broken, and says beside each figure whether
its target was met. `python -m bench` runs it and writes docs/reference/performance.md.
"""
