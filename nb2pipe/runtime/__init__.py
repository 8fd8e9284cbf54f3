"""What runs inside a step: light, without nbformat, papermill or jinja.

Every step is a `session`: `spec` says what it is told, `generators` and `hidden` set the state of the process,
`keeping` loads values, `outputs` stores what it leaves, `journal` takes what `nb2pipe.track` notes. A step notebook
comes here by `bootstrap`. The modules of a package come here by `program` (from a command line), `launch` (from an
executor) or `notebooks` (plain papermill): they are loaded with `borders` at the comments that `markers` reads, called
by `calling`, and stand for the notebook by `modules`; `handover` is how steps pass values in folders.
"""
