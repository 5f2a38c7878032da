"""Acceptance: a real Nova, with Placement and Glance, whose networking is the product.

They live in an environment of their own, as Tempest does. Machines are network namespaces of a lab:
the compute driver is Nova's own fake one, which here plugs interfaces in and waits as others do.
"""
