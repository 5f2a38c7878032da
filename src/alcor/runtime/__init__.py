"""The process chassis: database, RPC, configuration, logs, metrics, clock, tasks."""
