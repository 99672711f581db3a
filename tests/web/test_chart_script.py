"""Charts have their script from this server: one version, asked for early, sent small, kept by the browser."""

from __future__ import annotations

import gzip

from starlette.applications import Starlette
from starlette.testclient import TestClient

from mirdemo.evidence import plotly_script
from mirdemo.web.frame import chart_script, theme


def client() -> TestClient:
    return TestClient(Starlette(routes=[chart_script.route()]))


def test_it_is_the_version_that_the_python_package_draws_for():
    from plotly.offline import get_plotlyjs_version

    assert plotly_script.version() == get_plotlyjs_version()


def test_it_is_sent_compressed_once_made_and_kept_for_good():
    answer = client().get(f"/{chart_script.PATH}?v={plotly_script.version()}")
    assert answer.content == plotly_script.file().read_bytes()
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) == len(plotly_script.gzipped()) < 1_600_000
    assert "immutable" in answer.headers["cache-control"]
    assert gzip.decompress(plotly_script.gzipped()) == answer.content


def test_a_browser_that_cannot_unpack_gets_it_as_it_is():
    answer = client().get(f"/{chart_script.PATH}", headers={"accept-encoding": "identity"})
    assert answer.content == plotly_script.file().read_bytes()
    assert "content-encoding" not in answer.headers


def test_the_page_knows_where_it_is_and_does_not_ask_before_a_chart_is_near():
    head = theme.top()
    assert head.index('name="mirdemo-plotly"') < head.index("<script>")
    assert "preload" not in head
    assert f"{chart_script.PATH}?v={plotly_script.version()}" in head
