"""A training that is interrupted goes on to what an undisturbed one makes, bit for bit, in a plain script."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch

from nb2pipe.records.events import RunStatus
from nb2pipe.records.files import read_run, read_series
from nb2pipe.tracking import track

if TYPE_CHECKING:
    from collections.abc import Callable

    from scripts import Script

HEAD = """
import copy, random
import numpy as np
import torch
from nb2pipe import track
torch.manual_seed(3); random.seed(4); np.random.seed(5)
rows = torch.randn(60, 4)
class Rows(torch.utils.data.Dataset):
    def __len__(self): return 60
    def __getitem__(self, place): return rows[place] + torch.randn(4) * 0.1 + random.random() + np.random.rand()
class Stream(torch.utils.data.IterableDataset):
    def __iter__(self):
        for place in torch.randperm(60).tolist(): yield rows[place]
class Lazy(torch.utils.data.Sampler):
    rounds = 0
    def __init__(self): self.seen = 0
    def __len__(self): return 60
    def __iter__(self):
        self.seen += 1
        for _ in range(60): yield (int(torch.randint(60, ())) + self.seen) % 60
net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Dropout(0.5), torch.nn.ReLU(), torch.nn.Linear(8, 1))
optimizer = torch.optim.AdamW(net.parameters(), lr=0.01)
scheduler = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, 7)
Loader = torch.utils.data.DataLoader
history, best, total, drawn = [], 0.0, 0.0, np.random.default_rng(1)
"""
LOOP = """
training = track.training(
    net, optimizer, scheduler=scheduler, every={every!r}, keep=2,
    state={{"history": history, "best": best, "total": total}}, monitor="score", mode="min",
)
for epoch in training.epochs(4):
    total = 0.0
    for batch in epoch.batches({loader}):
        trip()
        {body}
        total += loss.item() + drawn.normal()
    history.append(total)
    best = max(best, total)
    epoch.log(score=abs(total))
    print(int(epoch), total)
"""
PLAIN = "optimizer.zero_grad(); loss = net(batch).pow(2).mean(); loss.backward(); optimizer.step(); scheduler.step()"
SUMMED = """(net(batch).pow(2).mean() / 3).backward(); loss = net(batch).mean()
        if training.state.setdefault('n', 0) % 3 == 2: optimizer.step(); optimizer.zero_grad()
        training.state['n'] += 1"""
LOADERS = {
    "shuffled": "loader = Loader(Rows(), 10, shuffle=True)",
    "workers": "loader = Loader(Rows(), 10, shuffle=True, num_workers=2)",
    "persistent": "loader = Loader(Rows(), 10, shuffle=True, num_workers=2, persistent_workers=True)",
    "generator": "loader = Loader(Rows(), 10, shuffle=True, generator=torch.Generator().manual_seed(8))",
    "stream": "loader = Loader(Stream(), 10)",
    "lazy": "loader = Loader(Rows(), 10, sampler=Lazy())",
    "replaced": "loader = Loader(Rows(), 10, sampler=torch.utils.data.RandomSampler(range(60), True, 60))",
    "list": "loader = list(rows.split(10))",
}


def text_of(loader: str = "shuffled", every: str = "1 epoch", body: str = PLAIN) -> str:
    return HEAD + LOADERS[loader] + LOOP.format(every=every, loader="loader", body=body)


def weights(names: dict[str, Any]) -> str:
    tensors = [
        *names["net"].state_dict().values(),
        *(one.grad for one in names["net"].parameters() if one.grad is not None),
    ]
    state = [one for each in names["optimizer"].state.values() for one in each.values()]
    data = b"".join(tensor.numpy().tobytes() for tensor in [*tensors, *state, torch.get_rng_state()])
    return hashlib.sha256(data + repr((names["history"], names["best"], names["drawn"].normal())).encode()).hexdigest()


@pytest.mark.parametrize(
    ("loader", "every"), [*((loader, "4 steps") for loader in LOADERS), ("shuffled", "1 epoch"), ("workers", "1 epoch")]
)
def test_it_goes_on_bit_for_bit(
    script: Callable[[str], Script], loader: str, every: str, capsys: pytest.CaptureFixture[str]
) -> None:
    one = script(text_of(loader, every))
    expected = weights(one.run())
    said = capsys.readouterr().out
    before = one.calls
    one.run(stop=15)
    capsys.readouterr()
    assert weights(one.run()) == expected
    assert capsys.readouterr().out == said
    assert one.calls - before < 2 * 24, "it began anew"
    assert len(one.folders) == 2, "it is the same run that goes on"


def test_gradients_that_are_summed_over_batches_are_kept(script: Callable[[str], Script]) -> None:
    one = script(text_of(every="4 steps", body=SUMMED))
    expected = weights(one.run())
    one.run(stop=10)
    assert weights(one.run()) == expected


def test_it_may_be_interrupted_again_and_again(script: Callable[[str], Script]) -> None:
    one = script(text_of(every="1 step"))
    expected = weights(one.run())
    for stop in (5, 0, 3, 7):
        one.run(stop=stop)
    assert weights(one.run()) == expected


def test_a_training_that_ended_begins_anew(script: Callable[[str], Script]) -> None:
    one = script(text_of())
    assert len({weights(one.run()) for _ in range(3)}) == 1
    assert one.calls == 3 * 24
    assert {read_run(folder).status for folder in one.folders} == {RunStatus.SUCCEEDED}


def test_its_record_is_that_of_a_run(script: Callable[[str], Script]) -> None:
    one = script(text_of())
    one.run(stop=15)
    names = one.run()
    (folder,) = one.folders
    record = read_run(folder)
    program = getattr(sys.modules["__main__"], "__file__", None)  # that of the tests; there is none in their workers
    name = Path(program or "notebook").stem
    assert (record.status, record.resumed, record.pipeline) == (RunStatus.SUCCEEDED, 1, name)
    assert read_series(folder)["score"] == [(place, abs(total)) for place, total in enumerate(names["history"])]
    told = {each.path: each.sha256 for each in record.checkpoints}
    for path in one.checkpoints:
        assert told[str(path)] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_changed_program_begins_anew(script: Callable[[str], Script]) -> None:
    script(text_of()).run(stop=15)
    other = script(text_of().replace("lr=0.01", "lr=0.02"))
    other.run()
    assert other.calls == 24


@pytest.mark.parametrize("damage", [lambda data: data[:-3], lambda data: data[:-1] + b"x", lambda _: b""])
def test_a_damaged_checkpoint_costs_what_came_after_the_one_before(
    script: Callable[[str], Script], damage: Callable[[bytes], bytes]
) -> None:
    one = script(text_of())
    expected = weights(one.run())
    one.run(stop=15)
    calls = one.calls
    last = max(one.checkpoints, key=lambda path: path.stat().st_mtime_ns)
    last.write_bytes(damage(last.read_bytes()))
    assert weights(one.run()) == expected
    assert one.calls - calls == 18


def test_the_last_ones_and_the_best_stay(script: Callable[[str], Script]) -> None:
    one = script(text_of())
    names = one.run()
    told = [json.loads(path.with_suffix(".json").read_text()) for path in one.checkpoints]
    scores = [abs(total) for total in names["history"]]
    assert {each["epoch"] for each in told} == {2, 3, scores.index(min(scores))}


def test_what_the_loop_hands_on_beside_its_state_makes_it_begin_anew(script: Callable[[str], Script]) -> None:
    one = script(text_of().replace('"history": history, ', ""))
    with pytest.warns(UserWarning, match=r"the loop changes `history`.*begins anew"):
        one.run(stop=15)
    with pytest.warns(UserWarning, match=r"`history`"):
        names = one.run()
    assert len(names["history"]) == 4


HIDDEN = """
class Average:
    def __init__(self): self.shadow = net[0].weight.detach().clone()
    def follow(self): self.shadow.mul_(0.9).add_(net[0].weight.detach(), alpha=0.1)
averages = [Average()]
"""


def test_a_tensor_that_changes_where_the_text_does_not_tell_is_noticed(script: Callable[[str], Script]) -> None:
    text = text_of().replace("training = ", f"{HIDDEN}training = ").replace("trip()", "trip(); averages[0].follow()")
    one = script(text)
    with pytest.warns(UserWarning, match=r"`averages\[0\].shadow` has changed; name it.*begins anew"):
        one.run(stop=15)
    with pytest.warns(UserWarning, match="averages"):
        one.run()
    assert one.calls == 16 + 24
    named = script(text.replace('state={"history"', 'state={"averages": averages, "history"'))
    expected = named.run()["averages"][0].shadow
    named.run(stop=15)
    assert torch.equal(named.run()["averages"][0].shadow, expected)


def test_a_list_that_changes_where_the_text_does_not_tell_is_noticed(script: Callable[[str], Script]) -> None:
    text = text_of("list").replace("for batch in", "mix = getattr(random, 'shuffle'); mix(loader)\n    for batch in")
    one = script(text)
    with pytest.warns(UserWarning, match=r"`loader.*` has changed; name it.*begins anew"):
        one.run(stop=15)
    with pytest.warns(UserWarning, match="loader"):
        one.run()
    assert one.calls == 16 + 24


def test_the_best_stays_where_it_lies_between_two_checkpoints(script: Callable[[str], Script]) -> None:
    one = script(text_of(every="3 epochs").replace("score=abs(total)", "score=-1.0 if epoch == 1 else 5.0 + epoch"))
    one.run()
    told = [json.loads(path.with_suffix(".json").read_text()) for path in one.checkpoints]
    assert 1 in {each["epoch"] for each in told}


def test_state_that_shares_the_models_memory_is_refused_before_the_first_epoch(
    script: Callable[[str], Script],
) -> None:
    one = script(text_of().replace('"history": history', '"history": history, "kept": net.state_dict()'))
    with pytest.raises(TypeError, match=r"shares its memory with `model.0.weight`"):
        one.run()
    assert not one.calls


def test_what_fits_no_more_costs_checkpoints_and_not_the_training(script: Callable[[str], Script]) -> None:
    one = script(text_of().replace("history.append(total)", "history.append(total if epoch else open)"))
    with pytest.warns(UserWarning, match=r"no checkpoint is taken: `state\['history'\]\[0\]`"):
        names = one.run()
    assert len(names["history"]) == 4


def test_secrets_that_a_cell_prints_are_not_kept(script: Callable[[str], Script]) -> None:
    one = script(
        text_of()
        .replace("trip()", "trip(); print('login', api_token)")
        .replace("history, best", "api_token = 'planted-value'\nhistory, best", 1)
    )
    one.run(stop=15)
    one.run()
    kept = [path for path in one.home.rglob("*") if path.is_file() and b"planted-value" in path.read_bytes()]
    assert kept == []


def test_an_iterator_that_is_used_up_is_refused(script: Callable[[str], Script]) -> None:
    text = text_of().replace("epoch.batches(loader)", "epoch.batches(steady)")
    one = script(text.replace("training = ", "steady = iter(loader)\ntraining = "))
    with pytest.raises(TypeError, match="used up"):
        one.run()


def test_what_does_not_fit_is_refused_before_the_first_epoch(script: Callable[[str], Script]) -> None:
    one = script(text_of().replace('"history": history', '"history": history, "opened": open'))
    with pytest.raises(TypeError, match=r"state\['opened'\]"):
        one.run()
    assert not one.calls


def test_a_loop_that_is_left_by_break_goes_on_where_it_was_saved(script: Callable[[str], Script]) -> None:
    one = script(text_of() + "    if epoch == 1: break\n")
    one.run()
    names = one.run()
    assert len(names["history"]) == 2


@pytest.mark.parametrize(
    "words",
    [
        {"every": "often"},
        {"every": "0 steps"},
        {"keep": 0},
        {"mode": "best"},
    ],
)
def test_what_says_nothing_is_refused(words: dict[str, Any]) -> None:
    net = torch.nn.Linear(1, 1)
    with pytest.raises(ValueError, match=next(iter(words))):
        track.training(net, torch.optim.SGD(net.parameters(), 0.1), **words)
    with pytest.raises(TypeError, match="module"):
        track.training("net", None)
