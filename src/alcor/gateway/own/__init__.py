"""Calls that are no resource's: batches, traces, states, operations, the original Alcor's."""
