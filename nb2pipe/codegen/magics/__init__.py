"""IPython syntax as plain Python: the text of cells in modules."""
