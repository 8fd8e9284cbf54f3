"""The kernels of a run: forked from one process that imported what the steps import, or cold ones."""
