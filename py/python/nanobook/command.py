"""The command ``nanobook``: the same program as the Rust one."""

from __future__ import annotations

import sys

from nanobook._lib import itch as _itch


def main() -> None:
    """Runs the command with the arguments of the process and ends it with the command's exit code."""
    sys.exit(_itch.run_command(["nanobook", *sys.argv[1:]]))


if __name__ == "__main__":
    main()
