"""Run by Airflow's own Python: what the tasks of a DAG file are, as JSON; `airflow_looks.py FILE`."""

from __future__ import annotations

import json
import sys
import warnings

warnings.simplefilter("ignore")


def main(path: str) -> None:
    """Prints it."""
    from airflow.dag_processing.dagbag import DagBag
    from kubernetes.client import ApiClient

    bag = DagBag(path)
    assert not bag.import_errors, bag.import_errors
    (dag,) = bag.dags.values()
    plain = ApiClient().sanitize_for_serialization
    tasks = {}
    for task in dag.tasks:
        found = {name: getattr(task, name, None) for name in NAMES}
        found["executor_config"] = {name: plain(value) for name, value in (task.executor_config or {}).items()}
        if type(task).__name__ == "KubernetesPodOperator":
            found["pod"] = plain(task.build_pod_request_obj())
        if type(task).__name__ == "DockerOperator":
            found["devices"] = [dict(one) for one in task.device_requests or ()]
        tasks[task.task_id] = {**found, "upstream": sorted(task.upstream_task_ids)}
    sys.stdout.write(
        json.dumps({"dag": dag.dag_id, "tasks": tasks, "modules": sorted(sys.modules)}, default=str) + "\n"
    )


NAMES = ("doc_md", "image", "entrypoint", "command", "cpus", "mem_limit", "environment", "labels", "trigger_rule")


if __name__ == "__main__":
    main(sys.argv[1])
