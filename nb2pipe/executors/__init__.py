"""Ways to run one step; one file each."""
