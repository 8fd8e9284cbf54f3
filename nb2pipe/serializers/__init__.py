"""Objects to bytes and back; one file a family of types."""
