"""A database of one manager, in SQLite or PostgreSQL: transactions, places, migrations."""
