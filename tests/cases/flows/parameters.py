# == a parameter is given to who reads it
# %% [parameters]
lr = 0.1
epochs = 3
# %% a
x = lr
# %% b
print(x)
# %% c
print(epochs, lr)
#> a -> b: x
#> parameter lr: a, c
#> parameter epochs: c

# == a parameter that a step binds again is a variable
# %% [parameters]
lr = 0.1
# %% a
lr = lr / 2
# %% b
print(lr)
#> a -> b: lr
#> parameter lr: a

# == a parameter that a step changes is a variable
# %% [parameters]
sizes = [1, 2]
# %% a
sizes.append(3)
# %% b
print(sizes)
#> a -> b: ~sizes
#> parameter sizes: a

# == a parameter that a function reads
# %% [parameters]
lr = 0.1
# %% [functions]
def rate():
    return lr * 2
# %% a
print(rate())
#> parameter lr: a

# == two cells for one parameter
# %% one [parameters]
lr = 0.1
# %% two [parameters]
lr = 0.2
# %% a
print(lr)
#> error NB204 two
#> parameter lr: a

# == an injected cell overrides
# %% one [parameters]
lr = 0.1
# %% two [injected]
lr = 0.2
# %% a
print(lr)
#> parameter lr: a

# == a derived value keeps its default
# %% one [parameters]
lr = 0.1
scaled = lr * 10
# %% a
print(scaled)
#> warning NB205 one
#> parameter lr:
#> parameter scaled: a

# == a conditional binding may leave the parameter
# %% [parameters]
lr = 0.1
# %% a
if lr > 1:
    lr = 1.0
# %% b
print(lr)
#> a -> b: lr
#> parameter lr: a

# == a second name of a parameter's list
# %% [parameters]
sizes = [1]
# %% a
mine = sizes
# %% b
mine.append(2)
# %% c
print(sizes)
#> a -> b: mine, ~sizes
#> b -> c: ~sizes
#> parameter sizes: a

# == other statements of a parameters cell run once
# %% one [parameters]
import math
lr = 0.1
print("parameters")
if lr > 1:
    big = True
else:
    big = False
# %% a
print(math.pi, big)
#> one -> a: big
#> needs a: math
#> parameter lr:
