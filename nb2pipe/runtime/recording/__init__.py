"""What training loops do, recorded without a change to the code.

`hooks` has torch tell of backward passes, optimizer steps, batches and saved files, and `inserted` is how functions are
made to tell; `loop` makes rows of what is told; `values` reads losses, without waiting for a device; `saves` notes
checkpoints, whose digests `hashing` takes in a process of its own. `recording` is what a session begins and ends.
"""
