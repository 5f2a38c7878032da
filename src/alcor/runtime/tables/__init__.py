"""What managers keep in their databases: tables of resources, their indexes, counts and fences."""
