"""A whole region in one process and in virtual time, with seeded faults: what may never be, isn't.

Everything here is the product's own code but for time, chance, threads, disks and the network,
which are replaced where the product takes them. See docs/guides/simulation.md.
"""
