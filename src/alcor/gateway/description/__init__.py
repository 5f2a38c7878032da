"""What the API says of itself: versions, extensions, the OpenAPI document."""
