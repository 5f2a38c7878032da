"""One module a kind of resource; a method a use case."""
