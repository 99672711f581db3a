"""Clearing away in the background what nobody comes back for."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)


def keep_swept(*sweeps: Callable[[], object], every_seconds: float = 30.0) -> threading.Thread:
    """Call each again and again for as long as the process lives; one that fails is called again, too."""

    def run() -> None:
        while True:
            time.sleep(every_seconds)
            for sweep in sweeps:
                try:
                    sweep()
                except Exception:
                    log.exception("sweeping")

    thread = threading.Thread(target=run, name="mirdemo-sweep", daemon=True)
    thread.start()
    return thread
