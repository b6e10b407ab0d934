"""``python -m refscope``: the command line."""

from __future__ import annotations

import sys

from refscope import _cli, _demo


def main() -> int:
    """Run the command that ``sys.argv`` holds and return the exit status."""
    return _cli.main(sys.argv[1:], demo=_demo.main)


if __name__ == "__main__":
    sys.exit(main())
