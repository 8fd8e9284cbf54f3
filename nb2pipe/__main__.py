"""`python -m nb2pipe` and the console script."""

from __future__ import annotations

from nb2pipe.cli.app import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
