"""`torchrun --nproc-per-node N -m forge_assets.fragments.train FOLDER`: the run that is prepared in a work folder, from where it is."""

from __future__ import annotations

import sys
from pathlib import Path

from forge_assets.fragments.train.loop import Job, Run
from forge_assets.fragments.train.processes import joined
from forge_resources.errors import ForgeError


def main(work: Path) -> None:
    with joined(Job.read(work).training) as here:
        Run(work, here, print if here.first else lambda _: None).train()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(str(__doc__))
    try:
        main(Path(sys.argv[1]))
    except ForgeError as error:
        sys.exit(f"forge: {error}")
