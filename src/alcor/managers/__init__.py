"""The truth: one manager per family of resources, each with its own database.

Every manager has the same files: `model` (types and rules, pure) · `needs` (what it needs of
others) · `service` (one method per use case) · `intent` (row -> record, pure) · `sql` (the store) ·
`api` (the resource as clients see it) · `app` (wiring). Managers never import each other.
"""
