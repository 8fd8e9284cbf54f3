"""The modules of a package as text, from its plan."""
