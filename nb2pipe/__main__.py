"""`python -m nb2pipe` and the console script."""

from __future__ import annotations

from typing import NoReturn


def main() -> NoReturn:
    """The command line; Ctrl-C ends it as quietly while it is still imported."""
    try:
        from nb2pipe.cli.app import main as run  # noqa: PLC0415  # what an interruption may hit
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    run()


if __name__ == "__main__":
    main()
