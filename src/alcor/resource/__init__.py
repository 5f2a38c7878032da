"""What a resource of the API is: fields, reading of bodies and queries, links of pages. Pure."""
