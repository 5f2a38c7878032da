"""The kinds of this manager as clients see them. Source: Neutron API reference v2."""
