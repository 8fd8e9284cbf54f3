"""The other process: loads groups into a namespace of its own, runs a check there, and digests what it got."""

from __future__ import annotations

import json
import sys
import traceback
import warnings
from pathlib import Path

from nb2pipe.digest import Digest
from nb2pipe.errors import Nb2pipeError
from nb2pipe.serializers.digests import digest
from nb2pipe.serializers.groups import Group, dump, load
from nb2pipe.store.local import LocalStore


def answer(job: dict[str, object]) -> dict[str, object]:
    namespace: dict[str, object] = {"__name__": "__main__"}
    _run(str(job["prelude"]), namespace)
    store = LocalStore(Path(str(job["store"])))
    values: dict[str, object] = {}
    for names, digits in job["groups"]:  # type: ignore[attr-defined] # pairs
        values.update(load(Group(names=tuple(names), digest=Digest(digits)), store=store, namespace=namespace))
    namespace.update(values)
    digests = {name: digest(value, namespace=namespace).hex for name, value in values.items()}
    groups = [(group.names, group.digest.hex) for group in dump(values, store=store, namespace=namespace)]
    _run(str(job["read"]), namespace)
    after = {name: digest(value, namespace=namespace).hex for name, value in values.items()}
    _run(str(job["check"]), namespace)
    return {"digests": digests, "groups": groups, "read": after}


def _run(code: str, namespace: dict[str, object]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the cell's own
        exec(compile(code, "<cell>", "exec", dont_inherit=True), namespace)


def main() -> None:
    warnings.simplefilter("error")  # to load and to digest says nothing
    for line in sys.stdin:
        try:
            reply = answer(json.loads(line))
        except Nb2pipeError as error:
            reply = {"error": f"{error} ({error.hint}) {error.__cause__!r}\n{traceback.format_exc()}"}
        except Exception:  # noqa: BLE001 # the test shows it
            reply = {"error": traceback.format_exc()}
        sys.stdout.write(json.dumps(reply) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
