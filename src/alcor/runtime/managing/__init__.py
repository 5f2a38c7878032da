"""What managers are built of: the store and verbs of a kind, sharing, and what mends later."""
