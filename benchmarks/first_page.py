"""From ``python app.py`` to the first served page, against an empty Gradio page started in the same way.

    python benchmarks/first_page.py [ROUNDS]

Prints both times (the least of a few starts, in turns) and their ratio, which should stay at or below 1.5.
"""

from __future__ import annotations

import argparse
import os
import socket
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


def seconds_to_first_page(command: list[str]) -> float:
    """Start a server and ask until it answers with a page; then stop it."""
    port = free_port()
    surroundings = {
        **os.environ,
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_ANALYTICS_ENABLED": "False",
    }
    began = time.perf_counter()
    server = subprocess.Popen(
        command, cwd=ROOT, env=surroundings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
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


def main(rounds: int = 5) -> float:
    ours, empty = [], []
    for _ in range(rounds):
        empty.append(seconds_to_first_page([sys.executable, "-c", EMPTY]))
        ours.append(seconds_to_first_page([sys.executable, "app.py"]))
    ratio = min(ours) / min(empty)
    print(
        f"empty Gradio page {min(empty):.2f} s, this page {min(ours):.2f} s, ratio {ratio:.2f} (at most 1.5)"
    )
    return ratio


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rounds", type=int, nargs="?", default=5)
    main(parser.parse_args().rounds)
