"""What is kept of a run: events, the files that are the truth, and the index over them."""
