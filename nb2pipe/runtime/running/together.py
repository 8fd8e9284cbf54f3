"""All steps of a pipeline in one process, one after the other: values pass in memory."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from nb2pipe.errors import StepError, UsageError
from nb2pipe.runtime import calling
from nb2pipe.runtime.gates import gate_holds, seen_by_gate
from nb2pipe.runtime.journal import recording
from nb2pipe.runtime.modules import UNBOUND
from nb2pipe.runtime.running.functions import function_of
from nb2pipe.runtime.running.told import metrics_shown, tell, warn
from nb2pipe.runtime.running.watched import StepFailedError, Watch, failure_of, within

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nb2pipe.records.events import Failure
    from nb2pipe.runtime.description import Description, StepFacts
    from nb2pipe.runtime.elsewhere.whole import Whole
    from nb2pipe.runtime.journal import Journal


class Run:
    """The steps of a pipeline, run one after the other in this process.

    Attributes:
        metrics: What the steps measured, the last of each name.
    """

    def __init__(self, package: str, description: Description) -> None:
        self._package = package
        self._description = description
        self._whole = _whole(description)
        self._ran: dict[str, dict[str, float]] = {}
        self._told: set[str] = set()
        self.metrics: dict[str, float] = {}

    def __call__(self, step: str, /, **arguments: object) -> Any:
        """Runs a step.

        Args:
            step: Its name.
            **arguments: What its function is called with; what is unbound is left to the function.

        Returns:
            What its function returns.

        Raises:
            UsageError: A parameter of a nested notebook has a value around it that only a step can compute.
        """
        facts = self._description.step(step)
        _refuse_open(facts, arguments)
        place = f"[{self._description.steps.index(facts) + 1}/{len(self._description.steps)}] {step}"
        tell(place + (f": {facts.description}" if facts.description else ""))
        began = time.monotonic()
        watch = Watch(facts, self._description.notebook)
        with recording(self._whole.points if self._whole else None) as journal:
            result = self._recorded(facts, arguments, watch, journal)
        self._ran[step] = journal.metrics | watch.measured
        self.metrics |= self._ran[step]
        tell(f"{place}: done in {time.monotonic() - began:.1f} s{metrics_shown(journal.last | self._ran[step])}")
        return result

    def _recorded(self, facts: StepFacts, arguments: Mapping[str, object], watch: Watch, journal: Journal) -> Any:
        """Runs a step, and records it where the environment names a store."""
        if self._whole is None:
            return within(facts, self._description, watch, lambda: self._call(facts, arguments))
        failed: list[Failure] = []
        known = {name: value for name, value in arguments.items() if name in facts.parameters and value is not UNBOUND}
        with self._whole.step(facts, known, journal, lambda: failed[0] if failed else None) as measured:
            try:
                result = within(facts, self._description, watch, lambda: self._call(facts, arguments))
            except StepFailedError as error:
                failed.append(failure_of(facts, error))
                raise
            measured.update(watch.measured)
        return result

    def passes(self, *gates: str) -> bool:
        """Whether the gates of steps hold, so that what comes after them runs.

        Raises:
            StepError: A gate asks for a metric that no step gave.
        """
        return all(self._passes(self._description.step(gate)) for gate in gates)

    def _passes(self, facts: StepFacts) -> bool:
        if facts.name not in self._ran:
            return False
        if facts.gate is None:
            return True
        try:
            holds = gate_holds(facts.gate, self._seen_by(facts))
        except KeyError as cause:
            message = f"the gate `{facts.gate}` asks for `{cause.args[0]}`, which no metrics cell of this run gave"
            raise StepError(message, hint=f"the metrics so far: {', '.join(sorted(self.metrics)) or 'none'}") from None
        if not holds and facts.name not in self._told:
            self._told.add(facts.name)
            tell(f"{facts.name}: the gate `{facts.gate}` does not hold, so what comes after it is skipped")
        return holds

    def _seen_by(self, facts: StepFacts) -> dict[str, float]:
        upto = (*self._description.earlier(facts.name), facts)
        return seen_by_gate(facts.name, ((each.name, self._ran.get(each.name, {})) for each in upto))

    def _call(self, facts: StepFacts, arguments: Mapping[str, object]) -> Any:
        function = function_of(self._package, facts)
        return calling.call(function, calling.arguments_for(calling.asked_by(function), arguments))


def _whole(description: Description) -> Whole | None:
    """Records the steps of a pipeline in the store that the environment names; None where it names none."""
    if not os.environ.get("NB2PIPE_STORE"):
        return None
    from nb2pipe.runtime.elsewhere.whole import Whole  # noqa: PLC0415  # most runs do without

    return Whole(description, warn)


def _refuse_open(facts: StepFacts, arguments: Mapping[str, object]) -> None:
    """Raises where a nested notebook would take its own default, and the notebook around it has another value."""
    for name in facts.parameters if facts.scope else ():
        if arguments.get(name) is UNBOUND and name not in facts.given_by:
            message = (
                f"the parameter `{name}` of the nested notebook cannot be given: only a step can compute its value"
            )
            raise UsageError(message, hint=f"give it with --{name}")
