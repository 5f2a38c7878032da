"""What tenants want: the records of the intent log, the outbox, and the relay between them."""
