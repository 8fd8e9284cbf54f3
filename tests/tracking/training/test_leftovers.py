"""What a loop hands from one round to the next is found in its text."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from nb2pipe.pipeline.compile import compile_notebook
from nb2pipe.tracking.training.heads import clears_gradients, takes_before
from nb2pipe.tracking.training.leftovers import Calls, leftovers, loops_over

if TYPE_CHECKING:
    from pathlib import Path

    from nb2pipe.tracking.training.calls import Method

HEAD = "for epoch in training.epochs(3):\n"
CASES = {
    "bound in each round": ("loss = f()\nprint(loss)", []),
    "bound by the loop over the batches": ("for x in epoch.batches(d):\n    loss = f(x)\nprint(loss)", []),
    "added to from the beginning": ("total = 0\nfor x in epoch.batches(d):\n    total += f(x)", []),
    "added to from before": ("total += f()", ["total"]),
    "the best so far": ("score = f()\nif score > best:\n    best = score", ["best"]),
    "kept, and not read": ("if f():\n    weights = g()", ["weights"]),
    "told at once": ("if f():\n    text = g()\n    print(text)", []),
    "in both branches": ("if f():\n    rate = 1\nelse:\n    rate = 2\nprint(rate)", []),
    "left early": ("if f():\n    rate = 1\nelse:\n    break\nprint(rate)", []),
    "a list from before": ("history.append(f())", ["history"]),
    "a list in a dictionary": ("history['loss'].append(f())", ["history"]),
    "a new list": ("losses = []\nlosses.append(f())", []),
    "a part of something from before": ("rows = table['rows']\nrows.append(1)", ["table"]),
    "an element": ("counts[0] = f()", ["counts"]),
    "an attribute": ("model.rate = f()", ["model"]),
    "in place, as torch does": ("shadow.mul_(0.9)", ["shadow"]),
    "another optimizer": ("second.step()", ["second"]),
    "deleted": ("del cache['a']", ["cache"]),
    "by a function": ("note(log, f())", ["log"]),
    "by a function, through a global name": ("count()", ["number"]),
    "by a function of its own": ("fresh()", []),
    "in a comprehension": ("both = [x for x in f()]\nprint(both)", []),
    "in a try": ("try:\n    value = f()\nexcept ValueError:\n    value = 0\nprint(value)", []),
    "in a try, perhaps": ("try:\n    value = f()\nexcept ValueError:\n    pass\nprint(value)", ["value"]),
    "in a with": ("with f() as stream:\n    text = stream.read()\nprint(text)", []),
    "only read": ("print(rate * f())", []),
    "by an expression that binds": ("if (m := f()) > 0:\n    print(m)", []),
    "by a closure that is called elsewhere": ("def add():\n    seen.append(1)\noptimizer.call(add)", ["seen"]),
    "by a function that calls itself": ("deeper(log)", ["log"]),
    "by a method": ("average.follow(net)", ["average"]),
    "by calling an object": ("average(net)", ["average"]),
    "by what shuffles": ("random.shuffle(order)", ["order"]),
    "in a case": ("match f():\n    case 1:\n        log.append(1)", ["log"]),
}
FUNCTIONS = """
def note(target, value):
    target.append(value)
def count():
    global number
    number = number + 1
def fresh():
    made = []
    made.append(1)
def deeper(target):
    target.append(1)
    deeper(target)
"""
METHODS = """
def follow(self, model):
    self.shadow = model
"""


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_is_handed_on_is_found(case: tuple[str, list[str]]) -> None:
    text, names = case
    functions = {node.name: node for node in ast.parse(FUNCTIONS).body if isinstance(node, ast.FunctionDef)}
    (method,) = (node for node in ast.parse(METHODS).body if isinstance(node, ast.FunctionDef))

    def of(node: ast.expr) -> Method | None:
        is_it = (isinstance(node, ast.Attribute) and node.attr == "follow") or ast.unparse(node) == "average"
        return (method, Calls(lambda _: None)) if is_it else None

    assert [one.name for one in leftovers(_loop(text), Calls(functions.get, of))] == names


def test_what_is_told_at_once_counts_where_it_is_read_later() -> None:
    loop = _loop("if f():\n    text = g()\n    print(text)")
    assert [one.name for one in leftovers(loop, Calls(lambda _: None), ["text"])] == ["text"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("optimizer.zero_grad()\nloss.backward()", True),
        ("loss.backward()\noptimizer.zero_grad()", False),
        ("optimizer.zero_grad(set_to_none=False)\nloss.backward()", False),
        ("if i % 4 == 0:\n    optimizer.zero_grad()\nloss.backward()", False),
        ("train(net)", False),
        ("x = x * 2\noptimizer.zero_grad()\nloss.backward()", True),
        ("norms.append(net.weight.grad.norm())\noptimizer.zero_grad()\nloss.backward()", False),
    ],
)
def test_gradients_are_left_out_only_where_each_round_clears_them(text: str, *, found: bool) -> None:
    assert clears_gradients(_loop(text), 1, Calls(lambda _: None)) is found


def test_gradients_of_each_of_several_optimizers_have_to_be_cleared() -> None:
    both = _loop("one.zero_grad()\ntwo.zero_grad()\nloss.backward()")
    first = _loop("one.zero_grad()\nloss.backward()\ntwo.zero_grad()")
    assert clears_gradients(both, 2, Calls(lambda _: None))
    assert not clears_gradients(first, 2, Calls(lambda _: None))


def test_what_is_made_of_the_model_before_the_batches_is_found() -> None:
    loop = _loop("teacher = copy(net)\nfor x in epoch.batches(d):\n    f(x)")
    (inner,) = loops_over(ast.Module(loop.body, []), "batches")
    assert takes_before(loop.body, inner.lineno, {"net"})
    assert not takes_before(loop.body, inner.lineno, {"other"})


def _loop(text: str) -> ast.For:
    body = "".join(f"    {line}\n" for line in text.splitlines())
    loop = ast.parse(HEAD + body).body[0]
    assert isinstance(loop, ast.For)
    return loop


NOTEBOOK = """# %% tags=["imports"]
import torch
from nb2pipe import track
# %% tags=["step:train"]
net = torch.nn.Linear(2, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
history, best = [], 0.0
# %%
{made}
for epoch in training.epochs(3):
    total = 0.0
    for x in epoch.batches([torch.ones(2)] * 4):
        optimizer.zero_grad()
        net(x).sum().backward()
        optimizer.step()
        total += 1
    history.append(total)
    if total > best:
        best = total
# %% tags=["step:score"]
print(history, best)
"""


@pytest.mark.parametrize(
    ("made", "found"),
    [
        ("training = track.training(net, optimizer)", ["best", "history"]),
        ('training = track.training(net, optimizer, state={"history": history})', ["best"]),
        ('training = track.training(net, optimizer, state={"history": history, "best": best})', []),
        ('s = {"history": history, "best": best}\ntraining = track.training(net, optimizer, state=s)', []),
        (
            'training = track.training(net, optimizer, every="5 steps", state={"history": history, "best": best})',
            ["total"],
        ),
    ],
)
def test_check_names_it(tmp_path: Path, made: str, found: list[str]) -> None:
    notebook = tmp_path / "n.py"
    notebook.write_text(NOTEBOOK.format(made=made))
    told = [one for one in compile_notebook(notebook).report if one.code == "NB211"]
    assert [one.message.split("`")[1] for one in told] == sorted(found, key=lambda name: name != "history")
    assert all(one.location is not None and one.location.position == 3 for one in told)


OBJECTS = """# %% tags=["imports"]
import torch
from tqdm import tqdm
from nb2pipe import track
# %% tags=["functions"]
class Average:
    def __init__(self, model):
        self.shadow = dict(model.state_dict())
    def follow(self, model):
        self._mix(model)
    def _mix(self, model):
        self.shadow.update(model.state_dict())
# %% tags=["step:train"]
net = torch.nn.Linear(2, 1)
optimizers = [torch.optim.SGD(net.parameters(), lr=0.1)]
average = Average(net)
bar = tqdm(total=9)
training = track.training(net, optimizers)
for epoch in training.epochs(3):
    for x in epoch.batches([torch.ones(2)] * 4):
        net(x).sum().backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        average.follow(net)
        bar.update(1)
"""


def test_methods_are_followed_and_modules_and_bars_are_no_leftover(tmp_path: Path) -> None:
    notebook = tmp_path / "n.py"
    notebook.write_text(OBJECTS)
    told = [one for one in compile_notebook(notebook).report if one.code == "NB211"]
    assert [(one.message.split("`")[1], str(one.severity)) for one in told] == [("average", "info")]
