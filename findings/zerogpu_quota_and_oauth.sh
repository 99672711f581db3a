#!/usr/bin/env bash
# One would guess: a visitor who signs in to a Space (hf_oauth, gr.LoginButton) has ZeroGPU time counted on their own quota.
# What happens: the platform's package hands its scheduler one thing about the visitor, the header X-IP-Token. The Hub's page adds
#   it to what a Space sends while the Hub shows it; opened by its own address the Space gets none. A sign-in by OAuth (the session
#   with the access token) and an Authorization header are not looked at.
# Why it matters here: a training asks for minutes. With a sign-in button of Gradio's the page would hold visitors' tokens in a
#   cookie and still take their training from the quota of a network's address, the smallest there is.
# Seen 2026-11-28, spaces==0.51.3, gradio==6.31.0, from PyPI; the scheduler is played on this machine. Source: this run;
#   https://www.gradio.app/docs/python-client/using-zero-gpu-spaces on the header.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q "gradio[oauth]==6.31.0" spaces==0.51.3
cat > "$work/seen.py" <<'P'
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from urllib.parse import parse_qs, urlsplit

asked = []


class Scheduler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_POST(self):
        address = urlsplit(self.path)
        if address.path == "/schedule":
            asked.append(parse_qs(address.query))
        self.send_response(503 if address.path == "/schedule" else 200)  # no GPU here: what was asked is all we want
        self.end_headers()


server = ThreadingHTTPServer(("127.0.0.1", 0), Scheduler)
threading.Thread(target=server.serve_forever, daemon=True).start()

import os

os.environ |= {"SPACES_ZERO_GPU": "true", "SPACES_ZERO_DEVICE_API_URL": f"http://127.0.0.1:{server.server_port}"}
import spaces
import gradio as gr
from gradio.context import LocalContext
from starlette.requests import Request


@spaces.GPU(duration=60)
def train():
    return 1


signed_in = {"oauth_info": {"access_token": "hf_oauth_of_the_visitor", "userinfo": {"preferred_username": "visitor"}}}
KINDS = {
    "nobody": {},
    "signed in by OAuth": {"session": signed_in},
    "Authorization: Bearer": {"headers": [(b"authorization", b"Bearer hf_oauth_of_the_visitor")]},
    "shown by the Hub": {"headers": [(b"x-ip-token", b"e30.e30.x")]},
}
print("spaces", version("spaces"), "gradio", version("gradio"))
seen = {}
for kind, more in KINDS.items():
    LocalContext.request.set(gr.Request(Request({"type": "http", "headers": [], **more})))
    try:
        train()
    except Exception as error:
        said = type(error).__name__
    seen[kind] = asked[-1].get("token")
    print(f"{kind:22} the scheduler is told token={seen[kind]} ({said})")
fits = list(seen.values()) == [None, None, None, ["e30.e30.x"]] and len(asked) >= len(KINDS)
sys.exit(0 if fits else 1)
P
"$work/venv/bin/python" -W ignore "$work/seen.py"
