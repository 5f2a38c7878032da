"""What can be done with trunks: one method per use case."""
