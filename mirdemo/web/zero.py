"""Whether this is a ZeroGPU Space. There the page's own process has no GPU; what is decorated runs in another one.

Whose quota that counts on is decided by one header, ``X-IP-Token`` (``TOKEN``), which the Hub's page hands to a Space that
it shows, for whoever is signed in there; the platform's scheduler reads nothing else (spaces 0.51.3). Gradio's own sign-in
(``hf_oauth``) sets a cookie that no scheduler sees, so visitors sign in at the Hub itself (``sign_in``).
"""

from __future__ import annotations

try:  # before anything that may touch CUDA; ZeroGPU brings it along, nothing else needs it
    import spaces
except ImportError:
    spaces = None

if spaces is not None and hasattr(spaces, "disable_gradio_auto_wrap"):
    spaces.disable_gradio_auto_wrap()  # else SPACES_GRADIO_AUTO_WRAP sends every act to a GPU worker, and fails there

import os
import re
from collections.abc import Callable

#: Whether this is a ZeroGPU Space.
ZERO = spaces is not None and os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")

#: The header by which the scheduler knows whose quota counts. It is looked for, never read or kept.
TOKEN = "x-ip-token"

_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}"


def sign_in(space: str | None = os.environ.get("SPACE_ID")) -> str | None:
    """Where a visitor signs in at the Hub and comes out at this Space as the Hub shows it; None where this is none.

    space: its name on the Hub, ``OWNER/NAME``
    """
    if space is None or not re.fullmatch(f"{_NAME}/{_NAME}", space):
        return None
    return f"https://huggingface.co/login?next=%2Fspaces%2F{space.replace('/', '%2F')}"


def on_gpu(duration: Callable[..., int]) -> Callable[[Callable], Callable]:
    """``spaces.GPU`` where there is one, else nothing. duration: seconds to ask for, from the task's arguments"""
    if spaces is None:
        return lambda task: task
    return spaces.GPU(duration=duration)
