"""What hosts must be, computed from what tenants want: pure functions, no clock, no I/O."""
