"""The Space: builds the page and serves it."""

import os

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("DISABLE_SAFETENSORS_CONVERSION", "1")

from mirdemo.base import threads

threads.prepare()  # before torch and NumPy are loaded

from mirdemo.web import zero  # noqa: E402, F401 - first: on ZeroGPU, spaces must come before gradio and torch
from mirdemo.web.page import serve  # noqa: E402

if __name__ == "__main__":
    serve()
