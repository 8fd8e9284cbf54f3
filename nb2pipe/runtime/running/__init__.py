"""What the programs of a converted notebook do: all steps in one process, or one, from files to files."""
