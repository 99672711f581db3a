/* Charts as they are drawn: Plotly from this server, asked for when the first chart comes near; one a frame, the nearest first. */
"use strict";
(() => {
  let plotly = null, own = null; // own: the one that draws all, should the script have come twice
  const loadPlotly = () => plotly ||= new Promise((done, fail) => {
    const script = document.createElement("script");
    script.src = document.querySelector('meta[name="mirdemo-plotly"]').content;
    script.onload = () => done(window.Plotly = own ||= window.Plotly);
    script.onerror = () => { plotly = null; script.remove(); fail(new Error(script.src)); };
    document.head.append(script);
  });

  /* The same script for a hand that waits for a sheet of paper: a browser prints what is there when "beforeprint" returns. */
  function plotlyAtOnce() {
    const request = new XMLHttpRequest();
    request.open("GET", document.querySelector('meta[name="mirdemo-plotly"]').content, false);
    request.send();
    (0, eval)(request.responseText);
    own = window.Plotly;
    plotly = Promise.resolve(own);
  }

  const ink = (name) => getComputedStyle(document.body).getPropertyValue(name).trim();

  addEventListener("resize", () => {
    for (const place of document.querySelectorAll("[data-keeps]")) place.style.minHeight = "";
    requestAnimationFrame(() => draw(document));
  });

  const waiting = new Set();
  let drawing = false;

  /* What Plotly made of charts that are gone from the page goes, too: its hands on the window would hold them until the page is closed. */
  const drawn = new Set();
  function letGo() {
    for (const place of drawn) {
      if (place.isConnected) continue;
      window.Plotly.purge(place);
      drawn.delete(place);
    }
  }
  const distance = (place) => { // pixels from what is in sight
    const { top, bottom } = place.getBoundingClientRect();
    return Math.max(0, top - innerHeight, -bottom);
  };

  /* A chart is drawn when it is nearly in sight; once drawn, it follows its figure and the theme. */
  const near = new IntersectionObserver((seen) => {
    const come = seen.filter((one) => one.isIntersecting).map((one) => one.target);
    for (const place of come) near.unobserve(place);
    if (come.length) drawAll(come);
  }, { rootMargin: "200px 0px" });
  /* What a phone's figure is high; "narrow" is its last field (charting.py), so that the rest need not be read for it. */
  function narrowHeight(figure) {
    const at = figure.lastIndexOf('"narrow": ');
    return at < 0 ? undefined : JSON.parse(figure.slice(at + 10, -1)).height;
  }

  function draw(view) {
    letGo();
    const all = [...view.querySelectorAll("[data-chart]")];
    for (const place of all) {
      if (place.drawn) continue;
      const height = innerWidth < 600 && narrowHeight(place.dataset.chart);
      if (height) place.style.height = `${height}px`; // as chart() will set it
      near.observe(place);
    }
    const again = all.filter((place) => place.drawn);
    if (again.length) drawAll(again);
  }

  /* On paper: every chart of the open tab, light, as wide as a sheet. The browser takes the page as it is left here, so nothing waits. */
  const SHEET = 660; // CSS pixels that A4 and Letter leave between the browser's margins and the page's own
  const TALL = 840; // that they leave a chart under its finding
  let wasDark = false;
  addEventListener("beforeprint", () => {
    wasDark ||= document.body.classList.contains("dark");
    document.body.classList.remove("dark");
    const places = [...document.querySelectorAll(".mir-panel.is-open [data-chart]")].filter((place) => place.offsetParent);
    if (!window.Plotly) plotlyAtOnce();
    for (const place of places) {
      place.drawn = "on paper";
      place.style.width = `${SHEET}px`;
      lay(place, SHEET, TALL);
      place.classList.add("is-drawn");
    }
  });
  addEventListener("afterprint", () => {
    document.body.classList.toggle("dark", wasDark);
    wasDark = false;
    const places = [...document.querySelectorAll("[data-chart]")].filter((place) => place.drawn === "on paper");
    for (const place of places) {
      place.style.width = "";
      place.classList.remove("is-drawn");
    }
    drawAll(places);
  });

  async function drawAll(places) {
    for (const place of places) waiting.add(place);
    if (drawing) return;
    drawing = true;
    await mirdemo.painted(); // Plotly's script takes a while to begin: first what is there already
    while (waiting.size) {
      const place = [...waiting].reduce((near, other) => (distance(other) < distance(near) ? other : near));
      waiting.delete(place);
      if (place.offsetParent && await chart(place)) await mirdemo.painted(); // in a closed tab: drawn when it opens
    }
    drawing = false;
  }

  /* In the theme's colours, for which charting.INK, FAINT and GROUND stand in. */
  function lay(place, wide, tallest) {
    drawn.add(place);
    const inked = place.dataset.chart
      .replaceAll("#010101", ink("--ink")).replaceAll("#020202", ink("--line")).replaceAll("#030303", ink("--ground"));
    return mirdemoFigures.lay(place, inked, wide, tallest);
  }

  /* Whether anything had to be drawn. */
  async function chart(place) {
    const wide = place.clientWidth;
    const look = `${document.body.classList.contains("dark")}${wide}${place.dataset.chart}`;
    if (place.drawn === look) return false;
    place.drawn = look;
    try {
      await loadPlotly();
      await lay(place, wide);
      place.removeAllListeners && place.removeAllListeners("plotly_click");
      let chosen = null;
      place.on("plotly_click", ({ points }) => { // it comes before the click itself, which would close what has opened, and twice for a tap
        clearTimeout(chosen);
        if (points[0]) chosen = setTimeout(() => mirdemo.choose(place, points[0]), 50);
      });
      place.classList.add("is-drawn");
    } catch {
      place.drawn = null;
    }
    return true;
  }

  /* A point was chosen: it plays, it does something on the page, or its card opens where it is. Never another page. */
  function choosePoint(place, point) {
    const what = point.customdata;
    if (what?.play) mirdemo.play(what.play, what.at);
    else if (what?.act) mirdemo.act(what);
    else mirdemo.point(place, point);
  }

  addEventListener("toggle", (event) => { if (event.target.open) draw(event.target); }, true); // not drawn while folded away

  Object.assign(mirdemo, { charts: draw, choose: choosePoint, plotly: loadPlotly });
})();
