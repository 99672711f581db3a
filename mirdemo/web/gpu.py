"""Where fine-tuning runs: on ZeroGPU in the worker the platform gives us, elsewhere in a process of our own.

On ZeroGPU a decorated function's arguments and results are pickled between two processes, the page's own process has
no GPU at all, and the time asked for is checked against the visitor's quota before anything starts. So what is
decorated is one plain generator whose messages hold no tensor, and it asks for as little time as is likely to do.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import gradio as gr

from mirdemo.backbones.registry import spec
from mirdemo.base.sentences import MirdemoError
from mirdemo.planning.durations import START_SECONDS, duration_estimate, elsewhere
from mirdemo.web.frame.errors import PageError
from mirdemo.web.tabs.finetune import child, worker
from mirdemo.web.tabs.finetune.order import Message, Order
from mirdemo.web.zero import ZERO, on_gpu

#: Minutes of ZeroGPU a day: without an account, with a free one, with a paid one (as read in November 2026).
QUOTA_MINUTES = (2, 5, 40)
#: How much more than expected is asked for: running over ends the work, asking for more waits longer.
MARGIN = 1.5
LEAST_SECONDS = 30
#: What spaces 0.51.3 says after a minute in the queue; it calls that "quota exceeded" where the visitor has no token.
_NONE_FREE = "No GPU was available after"
#: What it says of a proof of whose quota counts that is older than some minutes: probing took so long, or the line did.
_EXPIRED = "Expired ZeroGPU proxy token"
log = logging.getLogger(__name__)


def gpu_seconds(order: Order) -> int:
    """Seconds to ask ZeroGPU for, from clips, layers and epochs."""
    return asked_for(order.n_windows, order)


def asked_for(n_windows: int, what: Any) -> int:
    """The same before there is an order. what: has ``backbone``, ``blocks`` and ``settings``"""
    facts = spec(what.backbone)
    try:
        found = duration_estimate(n_windows, facts, what.settings, "cuda", blocks=what.blocks)
        expected = START_SECONDS + found.total
        if found.basis != "measured":
            raise RuntimeError("timed in a process without a GPU")
    except RuntimeError:  # no run like it yet, and here is no GPU to time a step on
        expected = elsewhere(facts, what.blocks, n_windows, what.settings).get("h200", 60.0)
    return max(LEAST_SECONDS, round(MARGIN * expected))


@on_gpu(gpu_seconds)
def _on_zero(order: Order) -> Iterator[Message]:
    yield from worker.messages(order)


def messages(order: Order) -> Iterator[Message]:
    """What the training says, wherever it runs. Closing the iterator ends it. Raises PageError."""
    if not ZERO:
        yield from child.in_child(order)
        return
    try:
        with closing(_on_zero(order)) as said:
            yield from said
    except gr.Error as error:
        raise refusal(error, gpu_seconds(order)) from error
    except MirdemoError:
        raise
    except (
        Exception
    ) as error:  # what else spaces raises has no class of its own (0.51.3: RuntimeError, httpx's)
        log.exception("ZeroGPU")
        raise refusal(gr.Error("", title=""), gpu_seconds(order)) from error


def refusal(error: gr.Error, seconds: int) -> MirdemoError:
    """What ZeroGPU says, as a sentence with a way out. seconds: that were asked for"""
    title = str(getattr(error, "title", "")).removeprefix("ZeroGPU ")
    said = str(getattr(error, "message", ""))
    if said.startswith(_NONE_FREE):
        title = "queue timeout"
    elif said.startswith(_EXPIRED):
        title = "expired"
    match title:
        case "illegal duration":
            return PageError(
                "This needs {seconds} s of GPU time, more than may be asked for at once. Choose fewer epochs, one "
                "layer or fewer clips.",
                code="gpu.illegal_duration",
                seconds=seconds,
            )
        case "quota exceeded" | "pending credits exceeded":
            return PageError(
                "This needs {seconds} s of GPU time, more than is left of today's quota. Log in to the Hub for more, "
                "choose fewer epochs, or come back tomorrow.",
                code="gpu.quota",
                seconds=seconds,
            )
        case "queue timeout":
            return PageError("No GPU became free within a minute. Try again later.", code="gpu.queue")
        case "expired":
            return PageError(
                "The Hub's proof of whose quota this counts on ran out while your training waited. Train again: the "
                "embeddings are still there.",
                code="gpu.expired",
            )
        case "worker error":
            return PageError(
                "The GPU's process ended before the training did. Try again with fewer epochs or clips.",
                code="gpu.worker",
            )
        case _:
            return PageError(
                "The GPU cannot be reached now. Try again in some minutes.", code="gpu.unreachable"
            )
