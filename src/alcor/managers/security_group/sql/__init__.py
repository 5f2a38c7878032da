"""The security group manager's store in SQLite: rows and outbox change in one transaction."""
