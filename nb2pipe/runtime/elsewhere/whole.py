"""A whole pipeline that runs in one process, elsewhere: its steps are recorded as if each ran alone.

Values pass from step to step in memory, so they have no bytes and no SHA-256: what stands for one in the record is
where it was made, `value:RUN/STEP/NAME`.
"""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2pipe.runtime.elsewhere.step import elsewhere
from nb2pipe.runtime.journal import POINTS
from nb2pipe.runtime.recording.recording import Recording
from nb2pipe.runtime.spec import GroupSpec, StepSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from nb2pipe.records.events import Failure
    from nb2pipe.runtime.description import Description, StepFacts
    from nb2pipe.runtime.elsewhere.step import StepElsewhere
    from nb2pipe.runtime.journal import Journal


class Whole:
    """Records the steps of a pipeline.

    Args:
        description: The pipeline.
        warn: Takes what goes wrong, as sentences; the steps can do without.

    Attributes:
        points: Where a step's journal puts the points of series.
    """

    def __init__(self, description: Description, warn: Callable[[list[str]], None]) -> None:
        self._description = description
        self._warn = warn
        self._run = ""
        self._work = tempfile.TemporaryDirectory(prefix="nb2pipe-")
        self.points = Path(self._work.name) / POINTS

    @contextlib.contextmanager
    def step(
        self,
        facts: StepFacts,
        parameters: Mapping[str, object],
        journal: Journal,
        failure: Callable[[], Failure | None],
    ) -> Iterator[dict[str, float]]:
        """Records a step that runs inside of a block, where the environment names a store.

        Args:
            facts: The step.
            parameters: The values of its parameters.
            journal: What it logs.
            failure: Tells why the block was left by an exception; None where it was interrupted.

        Yields:
            Takes what the step measured.
        """
        measured: dict[str, float] = {}
        noted = self._begun(facts, parameters)
        if noted is None:
            yield measured
            return
        observer, training = noted.observer(), Recording(Path(noted.series))
        training.begin()
        observer.begin()
        try:
            yield measured
        except BaseException:
            seen = observer.end()
            training.finish()
            told = {**_told(journal, measured), "seen": seen, "unrecorded": training.problems()}
            self._warn(noted.fail(failure(), told))
            raise
        seen = observer.end()
        training.finish()
        outputs = [{"names": [name], "digest": self._value(facts.name, name)} for name in facts.outputs]
        told = {**_told(journal, measured), "seen": seen, "outputs": outputs, "unrecorded": training.problems()}
        self._warn(noted.finish(told, parameters))

    def _begun(self, facts: StepFacts, parameters: Mapping[str, object]) -> StepElsewhere | None:
        spec = StepSpec(step=facts.name, folder="", store="", result="", seed=0)
        noted = elsewhere(self._description, facts, spec, [self._run] if self._run else [], ())
        if noted is not None:
            self._run = noted.run.run
            noted.points = str(self.points)
            noted.take_values(tuple(self._inputs(facts)))
            self._warn(noted.begin(parameters))
        return noted

    def _inputs(self, facts: StepFacts) -> Iterator[GroupSpec]:
        """What a step takes, from the steps before it that gave it last."""
        earlier = list(self._description.earlier(facts.name))
        for name in facts.inputs:
            makers = [each.name for each in earlier if name in each.outputs]
            maker = facts.origins.get(name) or (makers[-1] if makers else None)
            if maker is not None:
                yield GroupSpec(names=(name,), digest=self._value(maker, name), take=(name,))

    def _value(self, step: str, name: str) -> str:
        return f"value:{self._run}/{step}/{name}"


def _told(journal: Journal, measured: Mapping[str, float]) -> dict[str, Any]:
    journal.flush()
    logged = journal.told()
    return {**logged, "metrics": {**logged["metrics"], **measured}}
