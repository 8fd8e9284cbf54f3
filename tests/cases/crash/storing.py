# %% tags=["step:make"]
print("here", flush=True)
large = b"1" * 400_000_000
# %% tags=["step:take"]
print(len(large))
