"""The target `jenkins`: Jenkins."""
