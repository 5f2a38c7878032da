"""The door: HTTP in, contracts out. It reads bodies and queries, and knows no manager's insides."""
