"""The type check: mypy finds no fault that `.ci/type_faults.json` does not count, file by file, and none fewer.

python .ci/check_types.py            # fails on a new fault, and on a count that is too high
python .ci/check_types.py --shrink   # writes lower counts down; never higher ones
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
LIST = ROOT / ".ci" / "type_faults.json"


def main() -> int:
    done = subprocess.run([sys.executable, "-m", "mypy"], cwd=ROOT, capture_output=True, text=True)
    faults = [line for line in done.stdout.splitlines() if ": error: " in line]
    if done.returncode not in (0, 1) or (done.returncode and not faults):
        print(done.stdout, done.stderr, sep="\n")
        return 2
    found = Counter(line.split(":")[0] for line in faults)
    listed = json.loads(LIST.read_text(encoding="utf-8"))
    worse = sorted(file for file in found if found[file] > listed.get(file, 0))
    better = sorted(file for file in listed if found[file] < listed[file])
    for file in worse:
        print(f"{file}: {found[file]} faults, {listed.get(file, 0)} are listed")
        print(*(line for line in faults if line.startswith(f"{file}:")), sep="\n")
    if better and "--shrink" in sys.argv:
        kept = {file: min(found[file], count) for file, count in listed.items() if found[file]}
        LIST.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    elif better:
        print("better than listed, run `python .ci/check_types.py --shrink`:", ", ".join(better))
    print(f"{found.total()} faults of types in {len(found)} files")
    return int(bool(worse) or (bool(better) and "--shrink" not in sys.argv))


if __name__ == "__main__":
    sys.exit(main())
