"""Runs one case, or all: run.py --programs=FOLDER [--case=NAME]. A skipped run exits with 77."""

import argparse
import importlib
import importlib.util
import re
import sys
import time
import traceback
from pathlib import Path

sys.dont_write_bytecode = True  # a test leaves nothing in the tree
PACKAGES = {
    "cryptography": "python3-cryptography",
    "dissononce": "python3-dissononce",
    "msgpack": "python3-msgpack",
}
CASE_LINE = r'^@(?:long_)?case\("(.*)"\)$'  # as CMakeLists.txt and tests/tidy read it


def missing_packages() -> list[str]:
    return [p for module, p in PACKAGES.items() if importlib.util.find_spec(module) is None]


def run_case(name: str, programs: Path) -> bool:
    import world

    began = time.monotonic()
    scene = world.World(programs)
    try:
        world.CASES[name](scene)
    except Exception:
        traceback.print_exc()
        print(f"FAILED  {name}")
        return False
    finally:
        scene.close()
    print(f"passed  {name} ({time.monotonic() - began:.1f} s)")
    return True


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--programs", type=Path, required=True, help="the folder of tube")
    parser.add_argument("--case", help="the exact name of the only case to run")
    options = parser.parse_args()
    if missing := missing_packages():
        print(f"Skipped: install {' '.join(missing)}: ./dev deps")
        return 77
    scripts = sorted(Path(__file__).parent.glob("*_cases.py"))
    for script in scripts:
        importlib.import_module(script.stem)
    import world

    text = "".join(script.read_text() for script in scripts)
    if set(re.findall(CASE_LINE, text, re.MULTILINE)) != set(world.CASES):
        print("a case's name does not stand in one line, alone: ctest would miss it")
        return 2
    names = [name for name in world.CASES if options.case in (None, name)]
    if not names:
        print(f"no case is called '{options.case}'", file=sys.stderr)
        return 2
    failed = [name for name in names if not run_case(name, options.programs)]
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
