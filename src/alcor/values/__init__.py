"""Immutable nouns that every room shares: ids, addresses, errors. No I/O, no clock."""
