/* A chart in one's hands: sent on as a link, a picture, a table or a citation; its points walked by the arrow keys. */
"use strict";
(() => {
  const SAID_FOR = 2500; // ms
  const plain = (html) => {
    const piece = document.createElement("template");
    piece.innerHTML = String(html ?? "").replaceAll("<br>", "\n");
    return piece.content.textContent.trim();
  };
  const save = (name, url) => Object.assign(document.createElement("a"), { href: url, download: name }).click();
  const blockOf = (tool) => tool.closest(".chart-block, figure.chart"); // of the evidence, which has an address; of a visit's own results
  const titleOf = (block) => block.querySelector("figcaption").textContent.trim();
  const nameOf = (block) => `mirdemo-${(block.id || figureOf(block).dataset.key).replace(/^(evidence|chart)-/, "")}`;
  const figureOf = (block) => block.querySelector("[data-chart], [data-figure]");

  function linkTo(block) {
    const search = new URLSearchParams(location.search);
    search.set("chart", block.id.replace(/^evidence-/, ""));
    search.set("lang", document.documentElement.lang);
    return `${location.origin}${location.pathname}?${search}#evidence`;
  }

  /* A word stays its time, though the one before it came a moment ago. */
  const sayings = new WeakMap(); // block -> what takes its word away
  function say(block, tool) {
    const says = block.querySelector(".tools-say");
    sayings.get(block)?.();
    const unsay = () => {
      clearTimeout(later);
      tool.removeAttribute("data-live-done");
      says.textContent = "";
    };
    const later = setTimeout(unsay, SAID_FOR);
    sayings.set(block, unsay);
    tool.setAttribute("data-live-done", "");
    says.textContent = tool.dataset.done;
  }

  async function copy(text, tool) {
    try {
      await navigator.clipboard.writeText(text);
    } catch { // not on a page without TLS: then the text is there to be copied by hand
      return mirdemo.card(escape(text), "", tool, tool.getBoundingClientRect());
    }
    return say(blockOf(tool), tool);
  }
  const escape = (text) => Object.assign(document.createElement("i"), { textContent: text }).innerHTML;

  /* The picture is made for paper: light, with its finding above and its sources below. */
  async function picture(block) {
    const Plotly = await mirdemo.plotly();
    const place = figureOf(block);
    const text = (place.dataset.chart || place.dataset.figure)
      .replaceAll("#010101", "#1a1a1a").replaceAll("#020202", "#d9d9d9").replaceAll("#030303", "#ffffff");
    const { data, layout } = JSON.parse(text);
    const wrapped = (words, width) => {
      const lines = [""];
      for (const word of words.match(/[ -~]+?(?: |$)|./gu) || []) {
        const wide = [...lines.at(-1) + word].reduce((sum, letter) => sum + (letter.charCodeAt(0) > 0x2e80 ? 2 : 1), 0);
        if (wide > width) lines.push("");
        lines[lines.length - 1] += word;
      }
      return lines;
    };
    const head = wrapped(titleOf(block), 92);
    const foot = wrapped([block.querySelector(".sources")?.dataset.cited, "mirdemo"].filter(Boolean).join(" · "), 130);
    layout.width = 1000;
    layout.margin.t = (layout.margin.t || 0) + 16 + 24 * head.length;
    layout.margin.b = (layout.margin.b || 0) + 14 + 18 * foot.length;
    layout.height = (layout.height || 360) + 30 + 24 * head.length + 18 * foot.length;
    layout.paper_bgcolor = "#ffffff";
    if (layout.legend) Object.assign(layout.legend, { y: 1, yanchor: "bottom" });
    layout.title = { text: head.map(escape).join("<br>"), x: 0.01, xanchor: "left", y: 1, yref: "container", yanchor: "top", pad: { t: 14 }, font: { size: 18, color: "#1a1a1a" } };
    layout.annotations = [...(layout.annotations || []), { text: foot.map(escape).join("<br>"), xref: "paper", yref: "paper", x: 0, y: 0, yshift: 6 - layout.margin.b, xanchor: "left", yanchor: "bottom", align: "left", showarrow: false, font: { size: 12, color: "#595959" } }];
    save(`${nameOf(block)}.png`, await Plotly.toImage({ data, layout, config: {} }, { format: "png", width: 1000, height: layout.height, scale: 2 }));
  }

  /* Of every point what is drawn and what its card says. */
  function rowsOf(block) {
    const place = figureOf(block);
    const { data } = JSON.parse(place.dataset.chart || place.dataset.figure);
    const rows = [["series", "x", "y", "low", "high", "all there is to say"]];
    for (const trace of data) {
      if (trace.type === "heatmap") {
        const heads = [...block.querySelectorAll("thead th")].slice(1).map((head) => head.querySelector(".wide").innerText.replaceAll("\n", ", "));
        for (const row of block.querySelectorAll(".heat-table tbody:first-of-type tr")) {
          [...row.cells].slice(1).forEach((cell, at) => {
            if (cell.dataset.value) rows.push([row.cells[0].textContent.trim(), heads[at], Number(cell.dataset.value), "", "", plain(cell.firstElementChild.dataset.card)]);
          });
        }
        return rows;
      }
      if (trace.hoverinfo === "skip" || !trace.x) continue;
      const said = trace.hovertext || trace.text;
      const spread = trace.error_y || trace.error_x;
      const along = trace.error_y ? trace.y : trace.x;
      trace.x.forEach((x, i) => {
        if (x === null || trace.y[i] === null) return;
        const ends = spread?.array ? [along[i] - spread.arrayminus[i], along[i] + spread.array[i]].map((v) => Number(v.toFixed(4))) : ["", ""];
        rows.push([trace.name || "", x, trace.y[i], ...ends, plain(Array.isArray(said) ? said[i] : said)]);
      });
    }
    return rows;
  }
  const quoted = (value) => {
    if (typeof value === "number") return String(value);
    const text = String(value).replaceAll("\n", " | ");
    return `"${(/^[\s]*[=+\-@\t\r]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
  };
  const table = (block) => save(`${nameOf(block)}.csv`, URL.createObjectURL(new Blob([`\ufeff${rowsOf(block).map((row) => row.map(quoted).join(",")).join("\r\n")}\r\n`], { type: "text/csv" })));

  /* As a reference list has it: the finding, its sources, where it is seen, and when it was. */
  function cited(block, tool) {
    const stop = document.documentElement.lang === "ja" ? "。" : ". ";
    const found = titleOf(block).replace(/[.。]$/, "");
    const seen = [...(block.id ? [linkTo(block)] : []), `(${new Date().toISOString().slice(0, 10)})`];
    return [`${found}${stop}${tool.dataset.cite}`, ...seen].join(" ");
  }

  const tools = {
    link: (block, tool) => copy(linkTo(block), tool),
    png: picture,
    csv: table,
    cite: (block, tool) => copy(cited(block, tool), tool),
  };
  document.addEventListener("click", (event) => {
    const tool = event.target.closest?.("[data-tool]");
    if (tool) tools[tool.dataset.tool](blockOf(tool), tool);
  });

  /* A link to one chart leads to it, once its place is there. */
  const wanted = new URLSearchParams(location.search).get("chart");
  if (wanted && /^[a-z]+$/.test(wanted)) {
    const look = new MutationObserver(() => {
      const place = document.getElementById(`evidence-${wanted}`);
      if (!place?.offsetParent) return;
      look.disconnect();
      requestAnimationFrame(() => place.scrollIntoView({ block: "start" }));
    });
    look.observe(document, { childList: true, subtree: true, attributes: true, attributeFilter: ["class"] });
    setTimeout(() => look.disconnect(), 15_000);
  }

  /* ---- a point's card, by a tap or by the keyboard ---- */
  mirdemo.point = (place, point) => {
    const what = point.customdata;
    const says = point.hovertext || (Array.isArray(point.data.hovertext) ? point.data.hovertext[point.pointNumber] : "") || point.text || (Array.isArray(point.data.text) ? point.data.text[point.pointNumber] : "");
    const box = place.getBoundingClientRect();
    const { xaxis, yaxis } = point;
    const [x, y] = [box.left + xaxis._offset + xaxis.d2p(point.x), box.top + yaxis._offset + yaxis.d2p(point.y)];
    window.Plotly.Fx.unhover(place);
    if (says) mirdemo.card(says, what?.link, place, { left: x - 8, width: 16, top: y - 8, bottom: y + 8 });
  };

  const walked = new WeakMap(); // chart -> where one is among its points
  document.addEventListener("keydown", (event) => {
    const place = event.target.closest?.("[data-chart]");
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!place || event.target !== place || !place.calcdata || (!step && event.key !== "Enter" && event.key !== " ")) return;
    event.preventDefault();
    const points = place.calcdata.flatMap((trace, curveNumber) => (trace[0]?.trace?.hoverinfo === "skip" || trace[0]?.trace?.visible !== true ? [] : trace.map((_, pointNumber) => ({ curveNumber, pointNumber }))))
      .filter(({ curveNumber, pointNumber }) => { const { x, y } = place._fullData[curveNumber]; return x?.[pointNumber] != null && y?.[pointNumber] != null; });
    if (!points.length) return;
    if (step) {
      const at = walked.has(place) ? (walked.get(place) + step + points.length) % points.length : 0;
      walked.set(place, at);
      window.Plotly.Fx.hover(place, [points[at]]);
      const { hovertext, text } = place._fullData[points[at].curveNumber];
      const say = Array.isArray(hovertext) ? hovertext : text;
      const live = place.closest("figure").querySelector(".chart-says");
      if (live) live.textContent = plain(Array.isArray(say) ? say[points[at].pointNumber] : say);
    } else if (walked.has(place)) {
      const { curveNumber, pointNumber } = points[walked.get(place)];
      const data = place._fullData[curveNumber];
      mirdemo.choose(place, { data, pointNumber, curveNumber, x: data.x[pointNumber], y: data.y[pointNumber], customdata: data.customdata?.[pointNumber], xaxis: place._fullLayout[`xaxis${(data.xaxis || "x").slice(1)}`], yaxis: place._fullLayout[`yaxis${(data.yaxis || "y").slice(1)}`] });
    }
  });
})();
