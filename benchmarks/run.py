"""Runs every benchmark and prints one table; a ratio below 1 means that ours is faster."""

import argparse
import json
import platform
from importlib import metadata

import engines
import features
import long_run
import prediction
import startup
import training


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds and no large cases")
    parser.add_argument("--json", action="store_true", help="print {name: ratio}")
    args = parser.parse_args()

    ratios: dict[str, float] = {}
    for subject in (startup, features, prediction, training, engines, long_run):
        ratios |= subject.measure(args.quick)
    if args.json:
        print(json.dumps(ratios, indent=2, ensure_ascii=False))
        return
    versions = ", ".join(
        f"{name} {metadata.version(name)}" for name in ("torch", "lightning", "TA-Lib", "numpy")
    )
    print(f"Python {platform.python_version()}, {platform.machine()}; {versions}")
    for name, ratio in ratios.items():
        print(f"{ratio:8.3f}  {name}")


if __name__ == "__main__":
    main()
