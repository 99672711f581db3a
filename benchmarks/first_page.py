"""From ``python app.py`` to the first served page, against an empty Gradio page started in the same way.

    python benchmarks/first_page.py [ROUNDS] [--old DIR]

Prints both times (medians and the least of a few starts, in turns) and their ratio, which should stay at or below 1.5. ``--old``: a
checkout of an earlier build, started in turns with the others. No interval; the load average is printed.
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parents[1]
EMPTY = "import gradio as gr\nwith gr.Blocks() as page:\n    pass\npage.launch(ssr_mode=False)\n"


def free_port() -> int:
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return tried.getsockname()[1]


def seconds_to_first_page(command: list[str], folder: Path = ROOT) -> float:
    """Start a server in a folder and ask until it answers with a page; then stop it."""
    port = free_port()
    surroundings = {
        **os.environ,
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_ANALYTICS_ENABLED": "False",
    }
    began = time.perf_counter()
    server = subprocess.Popen(
        command, cwd=folder, env=surroundings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while time.perf_counter() - began < 120:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as page:
                    if b"gradio_config" in page.read():
                        return time.perf_counter() - began
            except (urllib.error.URLError, OSError):
                time.sleep(0.02)
            if server.poll() is not None:
                raise RuntimeError(f"{command} ended with {server.returncode}")
        raise RuntimeError(f"{command} served nothing within two minutes")
    finally:
        server.terminate()
        server.wait(30)


def main(rounds: int = 5, old: Path | None = None) -> float:
    """Prints; returns the ratio of the least times."""
    page = [sys.executable, "app.py"]
    starts = {"an empty Gradio page": ([sys.executable, "-c", EMPTY], ROOT), "this page": (page, ROOT)}
    if old is not None:
        starts["the old one"] = (page, old)
    took: dict[str, list[float]] = {name: [] for name in starts}
    for _ in range(rounds):
        for name, start in starts.items():
            took[name].append(seconds_to_first_page(*start))
    for name, times in took.items():
        print(f"{name}: least {min(times):.2f} s, median {statistics.median(times):.2f} s, n {len(times)}")
    ours = took.pop("this page")
    for name, times in took.items():
        print(
            f"this page over {name}: least {min(ours) / min(times):.2f}, median "
            f"{statistics.median(ours) / statistics.median(times):.2f}"
        )
    print(f"load average {os.getloadavg()[0]:.1f} (over an empty page: at most 1.5)")
    return min(ours) / min(took["an empty Gradio page"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rounds", type=int, nargs="?", default=5)
    parser.add_argument("--old", type=Path)
    args = parser.parse_args()
    main(args.rounds, args.old)
