"""The steps of the nested notebook `halving`, one module each."""
