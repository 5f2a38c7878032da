"""What a process says of itself: logs, metrics, spans, and the files that lines are added to."""
