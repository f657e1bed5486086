"""Writes the splits of skfolio that the tests compare with. Run by ``./dev peers``."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
from skfolio.model_selection import CombinatorialPurgedCV, WalkForward


def ends(rows: np.ndarray) -> list[list[int]]:
    """Runs of rows without a gap, as first and last."""
    parts = np.split(rows, np.flatnonzero(np.diff(rows) != 1) + 1)
    return [[int(part[0]), int(part[-1])] for part in parts if len(part)]


def main() -> None:
    rows = np.zeros((500, 2))
    forward = WalkForward(test_size=40, train_size=120, purged_size=7, expand_train=True)
    rolling = WalkForward(test_size=40, train_size=120, purged_size=7)
    combined = CombinatorialPurgedCV(n_folds=6, n_test_folds=2, purged_size=5, embargo_size=3)
    found = {
        "version": version("skfolio"),
        "walk_forward_expanding_120_40_7": [[ends(a), ends(b)] for a, b in forward.split(rows)],
        "walk_forward_rolling_120_40_7": [[ends(a), ends(b)] for a, b in rolling.split(rows)],
        "combinatorial_6_2_5_3": [[ends(a), [ends(part)[0] for part in b]] for a, b in combined.split(rows)],
    }
    target = Path(__file__).with_name("splits.json")
    target.write_text(json.dumps(found) + "\n")
    print(f"wrote {target}")


if __name__ == "__main__":
    main()
