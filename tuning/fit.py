"""Fits the classifiers of the built-in cards and keeps them with the code, so that no first start has to.

    python -m tuning.fit

To be run after a change of examples, of the gate's words, or of the tuned layers; a test
fails until it was.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from coach.build import FITTED, Coach
from coach.settings import load_settings


def main() -> None:
    """Fit everything in a folder of its own and copy the results."""
    with tempfile.TemporaryDirectory() as folder:
        coach = Coach(load_settings(cache_dir=Path(folder)), lambda what, share: print(f"{what} {share:.0%}"))
        shutil.rmtree(FITTED, ignore_errors=True)
        place = coach.index
        target = FITTED / coach.fitted_on
        target.mkdir(parents=True)
        for file in place.glob("*.npz"):
            shutil.copyfile(file, target / file.name)
        print(f"fitted: {target.name}")


if __name__ == "__main__":
    main()
