"""What pools and scopes are: types and rules, pure."""
