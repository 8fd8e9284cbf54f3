"""What was measured, kept as JSON; and as a table and a plot for people: `RESULTS.md`, `results.svg`."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from timing import Compared

HERE = Path(__file__).parent
FILE, TABLE, PLOT = HERE / "results.json", HERE / "RESULTS.md", HERE / "results.svg"
TITLE = """# Measured

Ratios of commands timed in turns in one session, medians of at least five pairs; papermill on the whole notebook is
1.0. `make bench` measures them anew and writes this page. The lowest and highest ratio of the pairs stand in
parentheses; the load is what else ran on the machine as a row began. What nothing of the kind could be faster than was
measured in the same session (`limits.py`), and stands beside how often it fits into ours. Other tools run in
environments of their own, with the versions that `peers.py` names.
"""


def read() -> dict[str, dict[str, Any]]:
    """What was measured last of each row; nothing where there is no file."""
    return json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}


def figures(found: Compared) -> dict[str, float]:
    """What came of a row, rounded."""
    return {name: round(value, 4) for name, value in asdict(found).items()}


def write(known: Mapping[str, Mapping[str, Any]], order: Sequence[str]) -> None:
    """Writes what is known of the rows that there are, in their order."""
    rows = [known[name] for name in order if name in known]
    FILE.write_text(json.dumps({row["name"]: row for row in rows}, indent=1) + "\n", encoding="utf-8")
    TABLE.write_text(_page(rows), encoding="utf-8")
    _plot(rows)


def line(row: Mapping[str, Any]) -> str:
    """A row for the terminal."""
    return f"{row['name']:56} {_amount(row, 'one'):>10} {_amount(row, 'other'):>10} {_ratio(row):>24}  {_verdict(row)}"


def _amount(row: Mapping[str, Any], side: str) -> str:
    if row["unit"] == "memory":
        return f"{row[side] / 2**20:.0f} MiB"
    return "" if row["unit"] == "step" and side == "other" else f"{row[side]:.2f} s"


def _ratio(row: Mapping[str, Any]) -> str:
    return f"{row['ratio']:.2f} ({row['low']:.2f} to {row['high']:.2f})"


def _verdict(row: Mapping[str, Any]) -> str:
    if row["target"] is None:
        return ""
    return f"{row['target']:g}, {'reached' if row['ratio'] <= row['target'] else 'MISSED'}"


def _limit(row: Mapping[str, Any]) -> str:
    """Two cells: the limit, and how often it fits into ours."""
    floor = row.get("floor")
    if not floor:
        return " | "
    return f"{floor:.2f} s: {row['limit']} | {row['one'] / floor:.1f}"


def _page(rows: Sequence[Mapping[str, Any]]) -> str:
    head = (
        "| what | this | beside | ratio | to reach | the limit | times the limit | load | day |\n"
        "|---|---|---|---|---|---|---|---|---|\n"
    )
    body = "".join(
        f"| {row['name']} | {_amount(row, 'one')} | {_amount(row, 'other')} | {_ratio(row)} | {_verdict(row)} "
        f"| {_limit(row)} | {row['load']} | {row['day']} |\n"
        for row in rows
    )
    return f"{TITLE}\n![ratios to papermill](results.svg)\n\n{head}{body}\n{machine()}"


def machine() -> str:
    """What it was measured on."""
    model = next(
        (text.partition(":")[2].strip() for text in _lines("/proc/cpuinfo") if text.startswith("model name")), "unknown"
    )
    memory = next((int(text.split()[1]) / 2**20 for text in _lines("/proc/meminfo") if text.startswith("MemTotal")), 0)
    return (
        f"Machine: {os.cpu_count()} processors ({model}), {memory:.0f} GiB of memory, {platform.system()} "
        f"{platform.release()}, Python {platform.python_version()}.\n"
    )


def _lines(path: str) -> list[str]:
    return Path(path).read_text(encoding="utf-8").splitlines() if Path(path).exists() else []


def _plot(rows: Sequence[Mapping[str, Any]]) -> None:
    """Bars of the ratios, with a mark at what is to be reached."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "nb2pipe"  # the same picture for the same figures
    from matplotlib import pyplot as plt

    shown = [row for row in rows if row["unit"] != "step"][::-1]
    figure, axes = plt.subplots(figsize=(9, 0.32 * len(shown) + 1.2), layout="constrained")
    places = range(len(shown))
    colors = ["tab:gray" if ":" in row["name"] else "tab:blue" for row in shown]
    axes.barh(places, [row["ratio"] for row in shown], color=colors)
    for place, row in zip(places, shown, strict=True):
        axes.text(row["ratio"] * 1.03, place, f"{row['ratio']:.2f}", va="center", fontsize=8)
        if row["target"] is not None:
            axes.plot([row["target"]] * 2, [place - 0.45, place + 0.45], color="tab:red", linewidth=2)
    axes.axvline(1.0, color="black", linewidth=0.8)
    axes.set(xscale="log", xlabel="beside papermill (1.0); red: to be reached, at most", yticks=list(places))
    axes.set_yticklabels([row["name"] for row in shown], fontsize=8)
    axes.margins(x=0.15)
    figure.savefig(PLOT, metadata={"Date": None})
    plt.close(figure)
