"""From the model to flows: pure, and incremental."""
