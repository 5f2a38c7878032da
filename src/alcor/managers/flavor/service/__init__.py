"""What can be done with flavors, their profiles and providers."""
