#!/usr/bin/env bash
# One would guess: axe-core finds text of too little contrast in a chart as it does elsewhere, or leaves SVG out and says so.
# What happens: with axe-core 4.10.3 a Plotly heat map with pale grey figures on grey cells and pale grey names on the white page
#   gives no violation. Every figure and name is left "incomplete" (a background "could not be determined", the map being an
#   image; one letter is "too short"). The same grey in a paragraph is a violation of 1.35:1.
# Why it matters here: "axe: nothing found" says nothing of the figures in a heat map, the densest text of the evidence. Their
#   contrast is computed from the colours that we give to Plotly, in a test of its own (36 of 72 cells were under 4.5:1 once
#   while axe was content).
# Seen 2026-11-28, plotly==7.1.0 and playwright==1.65.2 from PyPI, axe-core@4.10.3 from npm, Debian's chromium
#   (156.0.8078.108 on 2026-11-29). Source: this run.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q plotly==7.1.0 playwright==1.65.2
npm install --silent --no-fund --no-audit --prefix "$work" axe-core@4.10.3
"$work/venv/bin/python" - "$work/node_modules/axe-core/axe.min.js" <<'P'
import sys
from pathlib import Path

import plotly
import plotly.graph_objects as go
from playwright.sync_api import sync_playwright

PALE, SAME = "#dddddd", "#cccccc"
values = [[0.1, 0.2], [0.3, 0.4]]
chart = go.Figure(
    go.Heatmap(
        z=values, x=["a", "b"], y=["c", "Carnatic"], text=values, texttemplate="%{text:.2f}",
        colorscale=[[0, SAME], [1, SAME]], textfont={"color": PALE}, showscale=False,
    )
)  # fmt: skip
chart.update_layout(paper_bgcolor="white", font={"color": PALE})
drawn = chart.to_html(include_plotlyjs=True, full_html=False)
page_of = f'<html lang="en"><head><title>t</title></head><body><p style="color:{PALE}">pale</p>{drawn}</body></html>'
with sync_playwright() as program:
    browser = program.chromium.launch(executable_path="/usr/bin/chromium")
    page = browser.new_page()
    page.set_content(page_of)
    page.wait_for_function("document.querySelectorAll('svg text').length >= 8")
    page.evaluate(Path(sys.argv[1]).read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, { runOnly: ['color-contrast'] })")
    version = page.evaluate("axe.version")
    words = {}
    for kind in ("violations", "incomplete"):
        nodes = [node for rule in found[kind] for node in rule["nodes"]]
        words[kind] = [page.text_content(node["target"][0]) for node in nodes]
        for node, word in zip(nodes, words[kind]):
            print(kind, repr(word), node["any"][0]["message"][:90])
    browser.close()
print("axe-core", version, "plotly", plotly.__version__)
chart_words = {"a", "b", "c", "Carnatic", *(f"{value:.2f}" for row in values for value in row)}
sys.exit(0 if words["violations"] == ["pale"] and chart_words == {*words["incomplete"]} else 1)
P
