"""``/healthz``: whether the page can work, for whoever watches it. Counts only, nothing of a visitor."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mirdemo import __version__
from mirdemo.base import memory
from mirdemo.base.build import commit
from mirdemo.web.frame.receiving import DISK_RESERVE
from mirdemo.web.zero import ZERO

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from mirdemo.web.frame.jobs import Jobs
    from mirdemo.web.frame.session import Visitors

ADDRESS = "/healthz"
#: There where a driver of NVIDIA runs, in a container that is given a GPU too.
DRIVER = Path("/dev/nvidiactl")


def state(visitors: Visitors, jobs: Jobs) -> dict[str, Any]:
    """ready: uploads can be taken;  queue: of each resource (waiting, running);  memory_mb: resident, of this process
    memory_of_mb: what it may take;  hardware: zerogpu, gpu or cpu
    """
    waiting, most = jobs.lengths(), memory.given()
    return {
        "ready": _takes_uploads(),
        "version": __version__,
        "commit": commit(),
        "hardware": hardware(),
        "visitors": len(visitors),
        "queue": sum(line["waiting"] for line in waiting.values()),
        "queues": waiting,
        "memory_mb": round(resident_bytes() / 2**20),
        "memory_of_mb": None if most is None else round(most / 2**20),
        "sound_mb": round(visitors.sound_bytes() / 2**20),
    }


def hardware() -> str:
    """What this server has to compute with, found out without torch: the first page does not load it."""
    if ZERO:
        return "zerogpu"
    rented = os.environ.get("ACCELERATOR", "none") not in ("", "none")  # what a Space is told
    return "gpu" if rented or DRIVER.exists() else "cpu"


def health_route(visitors: Visitors, jobs: Jobs) -> Route:
    """200 where all is well, 503 where no upload can be taken (no room on the disk, or the process is ending)."""
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    def answer(request: Request) -> Response:
        found = state(visitors, jobs)
        return JSONResponse(found, 200 if found["ready"] else 503, headers={"Cache-Control": "no-store"})

    return Route(ADDRESS, answer, methods=["GET"])


def _takes_uploads() -> bool:
    from gradio.utils import get_upload_folder

    folder = Path(get_upload_folder())
    try:
        return shutil.disk_usage(folder).free >= DISK_RESERVE
    except OSError:
        return False


def resident_bytes() -> int:
    """Memory of this process now; where the system does not say, the most it ever had."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        import resource

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024
