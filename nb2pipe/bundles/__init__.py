"""The edges of a conversion: what a bundle is made of is read, and what comes of it is written or compared."""
