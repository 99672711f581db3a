"""Whether this is a ZeroGPU Space. There the page's own process has no GPU; what is decorated runs in another one."""

from __future__ import annotations

try:  # before anything that may touch CUDA; ZeroGPU brings it along, nothing else needs it
    import spaces
except ImportError:
    spaces = None

import os
from collections.abc import Callable

#: Whether this is a ZeroGPU Space.
ZERO = spaces is not None and os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")


def on_gpu(duration: Callable[..., int]) -> Callable[[Callable], Callable]:
    """``spaces.GPU`` where there is one, else nothing. duration: seconds to ask for, from the task's arguments"""
    if spaces is None:
        return lambda task: task
    return spaces.GPU(duration=duration)
