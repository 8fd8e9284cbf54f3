"""Plans a package: what stands in which of its modules, and in which form each step is written.

`make.make_plan` is the whole of it. In order: the cells as text and statements (`source`), what these do to names
(`flow`), what can be made before any step runs (`hoist`), what each step then runs (`body`), who reads what as a global
(`readers`), in which form a step is written (`form`), and what stands where (`contents`, `rows`).
"""
