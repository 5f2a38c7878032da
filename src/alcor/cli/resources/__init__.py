"""Commands of every kind of resource, made of the declarations that make the API."""
