"""Two steps that have no order drew from one random generator.

In the notebook, whoever draws second goes on where the first one stopped. Steps that draw from one generator (`random`,
NumPy's, torch's) therefore run in notebook order, where their code shows that they draw. Here two steps had no order,
ran at the same time, and it turned out afterward that both had drawn, through code that cannot be seen in the notebook.
The later one began with a state that the notebook would not have had there.

For example, both call a function of a package of your own, which shuffles.

What happens: the later step is run again in order if nothing in its code touches files or other things outside;
otherwise the run ends here, and says so.

What to do: tag the later step `prev:EARLIER`, or give each step a generator of its own (`np.random.default_rng(7)`).
"""

from __future__ import annotations

from nb2pipe.records.events import Noted

CODE = "NB512"


def unordered_draws(earlier: str, later: str, generators: tuple[str, ...], *, time: float, again: bool) -> Noted:
    """The warning of two steps that both drew."""
    what = ", ".join(f"`{name}`" for name in generators)
    end = f"; `{later}` runs again in order" if again else ""
    message = f"the steps `{earlier}` and `{later}` both drew from {what}, and nothing ordered them{end}"
    return Noted(code=CODE, message=message, time=time, step=later, hint=f"tag a cell of `{later}` with prev:{earlier}")
