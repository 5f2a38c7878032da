"""The use cases of routers."""
