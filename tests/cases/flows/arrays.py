# == reshape, ravel and a transposed array are views
# %% [imports]
import numpy as np
# %% a
a = np.arange(6)
m = a.reshape(2, 3)
r = m.ravel()
t = m.T
# %% b
t[0, 0] = 9
# %% c
print(a, r)
#> a -> b: a, r, t
#> b -> c: ~a, ~r

# == flatten and copy are not
# %% [imports]
import numpy as np
# %% a
a = np.zeros((2, 2))
f = a.flatten()
c = np.copy(a)
d = np.array(a)
e = a.astype(float)
# %% b
a[0] = 1
# %% c
print(f, c, d, e)
#> a -> b: a
#> a -> c: c, d, e, f

# == asarray shares
# %% [imports]
import numpy as np
# %% a
a = np.zeros(2)
b = np.asarray(a)
# %% s
b += 1
# %% c
print(a)
#> a -> s: a, b
#> s -> c: ~a

# == fancy indexing copies, a mask assignment changes
# %% [imports]
import numpy as np
# %% a
a = np.arange(5)
p = a[[0, 1]]
q = a[a > 2]
# %% b
a[a > 2] = 0
# %% c
print(a)
# %% d
p[0] = 7
q[:] = 1
print(p, q)
#> a -> b: a
#> a -> d: p, q
#> b -> c: ~a

# == functions that fill their argument
# %% [imports]
import numpy as np
# %% a
x, y, z, w, v = (np.zeros(3) for _ in range(5))
# %% b
np.copyto(x, 1)
# %% c
np.add.at(y, [0, 0], 1)
# %% d
np.add(z, 1, out=z)
# %% e
np.fill_diagonal(w.reshape(1, 3), 5)
# %% f
np.random.shuffle(v)
# %% g
print(x, y, z, w, v)
#> a -> b: x
#> a -> c: y
#> a -> d: z
#> a -> e: w
#> a -> f: v
#> b -> g: ~x
#> c -> g: ~y
#> d -> g: ~z
#> e -> g: ~w
#> f -> g: ~v

# == clip and cumsum with out
# %% [imports]
import numpy as np
# %% a
a = np.arange(4)
# %% b
a.clip(1, 2, out=a)
# %% c
np.cumsum(a, out=a)
# %% d
print(a)
#> a -> b: a
#> b -> c: ~a
#> c -> d: ~a

# == sort in place and argsort
# %% [imports]
import numpy as np
# %% a
a = np.array([3, 1, 2])
# %% b
print(np.sort(a), a.argsort(), np.argmax(a))
# %% c
a.sort()
# %% d
print(a)
#> a -> b: a
#> a -> c: a
#> c -> d: ~a

# == rows of an array by a loop
# %% [imports]
import numpy as np
# %% a
a = np.zeros((2, 2))
# %% b
for row in a:
    row[0] = 1
# %% c
print(a)
#> a -> b: a
#> b -> c: ~a

# == an ellipsis and newaxis
# %% [imports]
import numpy as np
# %% a
a = np.zeros(3)
b = a[..., np.newaxis]
# %% s
b[...] = 2
# %% c
print(a)
#> a -> s: a, b
#> s -> c: ~a

# == split gives views, stack copies
# %% [imports]
import numpy as np
# %% a
a = np.zeros(4)
left, right = np.split(a, 2)
s = np.stack([a, a])
# %% b
left[0] = 1
# %% c
print(a)
# %% d
s[0] = 5
print(s)
#> a -> b: a, left
#> a -> d: s
#> b -> c: ~a

# == a structured field is a view
# %% [imports]
import numpy as np
# %% a
a = np.zeros(2, dtype=[("x", float), ("y", int)])
x = a["x"]
# %% b
x[0] = 3
# %% c
print(a)
#> a -> b: a, x
#> b -> c: ~a

# == nditer and flat
# %% [imports]
import numpy as np
# %% a
a = np.zeros(3)
# %% b
a.flat[1] = 4
# %% c
print(a)
#> a -> b: a
#> b -> c: ~a

# == vectorize calls a function that reads a global
# %% [imports]
import numpy as np
# %% a
k = 2
def f(x):
    return x * k
g = np.vectorize(f)
# %% b
k = 5
# %% c
print(g(np.arange(2)))
#> a -> c: g
#> b -> c: k

# == apply_along_axis calls a function that keeps something
# %% [imports]
import numpy as np
# %% a
seen = []
def look(row):
    seen.append(len(row))
    return row.sum()
# %% b
np.apply_along_axis(look, 0, np.ones((2, 2)))
# %% c
print(seen)
#> a -> b: look(), seen
#> b -> c: ~seen

# == reading an array in many ways makes no edge
# %% [imports]
import numpy as np
# %% a
a = np.array([[3.0, 1.0], [2.0, 4.0]])
# %% b
print(a.mean(axis=0), np.linalg.inv(a), np.dot(a, a), a @ a, np.where(a > 1, a, 0), np.unique(a), np.concatenate([a, a]))
# %% c
u, s, v = np.linalg.svd(a)
q = np.percentile(a, 50)
print(np.histogram(a, bins=2), np.meshgrid(a[0], a[1]), np.einsum("ij->i", a), a.tolist(), a.nbytes)
# %% d
b = (a - a.min()) / np.ptp(a)
for i in range(len(a)):
    print(a[i, 0], np.isnan(a[i]).any())
# %% e
print(np.allclose(a, a), np.testing.assert_allclose(a, a), np.linalg.norm(a), np.array_str(a), a.dtype.name)
#> a -> b: a
#> a -> c: a
#> a -> d: a
#> a -> e: a

# == generator objects are variables
# %% [imports]
import numpy as np
# %% a
rng = np.random.default_rng(0)
# %% b
x = rng.normal(size=2)
# %% c
y = rng.integers(5)
print(y)
# %% d
print(np.random.default_rng(3).random())
#> a -> b: rng
#> b -> c: ~rng

# == a generator given to a library
# %% [imports]
import numpy as np
from sklearn.model_selection import train_test_split
# %% a
rs = np.random.RandomState(0)
X = np.arange(10)
# %% b
u, v = train_test_split(X, random_state=rs)
print(u)
# %% c
u2, v2 = train_test_split(X, random_state=rs)
print(u2)
#> a -> b: X, rs
#> a -> c: X
#> b -> c: ~rs

# == every drawing function of NumPy's old generator
# %% [imports]
import numpy as np
# %% a
a = np.random.rand(2)
# %% b
b = np.random.permutation(5)
# %% c
c = np.random.choice(5)
# %% d
d = np.random.multivariate_normal([0], [[1]])
# %% e
print(b, c, d)
#> a -> b: random numpy
#> b -> c: random numpy
#> c -> d: random numpy
#> b -> e: b
#> c -> e: c
#> d -> e: d

# == poly1d, histograms, dates draw nothing
# %% [imports]
import numpy as np
# %% a
x = np.linspace(0, 1, 5)
# %% b
p = np.polyfit(x, x, 1)
print(np.polyval(p, 2).round(3))
# %% c
print(np.interp(0.5, x, x), np.diff(x), np.gradient(x), np.convolve(x, x), np.fft.fft(x).shape)
#> a -> b: x
#> a -> c: x
