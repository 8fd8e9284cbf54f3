"""Stage 4c: a Pipeline becomes Events."""
