"""What hosts serve to their machines by themselves: names, and (over TCP) metadata."""
