"""What all tests share."""

from __future__ import annotations

import json
import os
import uuid
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

GOLDEN = "--update-golden"

# On a machine that is busy with something else, making an example may take seconds, which is no fault.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(GOLDEN, action="store_true", help="write the golden files anew, to be reviewed and committed")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption(GOLDEN) and is_ci(os.environ.items()):
        raise pytest.UsageError(f"{GOLDEN} is refused where CI is set: golden files are reviewed, not made, there")


def is_ci(variables: Iterable[tuple[str, str]]) -> bool:
    """Whether the environment says that this is CI."""
    return dict(variables).get("CI", "").lower() not in {"", "0", "false"}


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be written."""
    return bool(request.config.getoption(GOLDEN))


@pytest.fixture
def write_notebook() -> Callable[[Path, list[tuple[list[str], str]]], Path]:
    """Writes a notebook of code cells, each with its tags and its source, to a path."""
    return _write_notebook


def _write_notebook(path: Path, cells: list[tuple[list[str], str]]) -> Path:
    content = {
        "cells": [
            {
                "cell_type": "code",
                "id": f"cell-{place}",
                "execution_count": None,
                "metadata": {"tags": tags},
                "outputs": [],
                "source": source,
            }
            for place, (tags, source) in enumerate(cells, 1)
        ],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path.write_text(json.dumps(content), "utf-8")
    return path


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The address of a server on this machine that speaks S3."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of an empty place in a bucket, which the environment says how to reach."""
    import boto3

    variables = {
        "AWS_ENDPOINT_URL": s3_server,
        "AWS_ACCESS_KEY_ID": "somebody",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    bucket = f"bucket-{uuid.uuid4().hex[:12]}"
    boto3.client("s3").create_bucket(Bucket=bucket)
    return f"s3://{bucket}/team"
