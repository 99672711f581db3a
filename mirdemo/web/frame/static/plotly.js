/* Charts as they are drawn: Plotly from this server, asked for when the first chart comes near; one a frame, the nearest first. */
"use strict";
(() => {
  let plotly = null;
  const loadPlotly = () => plotly ||= new Promise((done, fail) => {
    const script = document.createElement("script");
    script.src = document.querySelector('meta[name="mirdemo-plotly"]').content;
    script.onload = () => done(window.Plotly);
    script.onerror = () => { plotly = null; script.remove(); fail(new Error(script.src)); };
    document.head.append(script);
  });

  const ink = (name) => getComputedStyle(document.body).getPropertyValue(name).trim();

  function merge(into, from) {
    for (const [key, value] of Object.entries(from)) {
      if (value && typeof value === "object" && !Array.isArray(value) && into[key]) merge(into[key], value);
      else into[key] = value;
    }
  }

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
  addEventListener("beforeprint", () => drawAll([...document.querySelectorAll(".mir-panel.is-open [data-chart]")]));

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

  /* Whether anything had to be drawn. */
  async function chart(place) {
    const wide = place.clientWidth;
    const narrow = wide < 560;
    const look = `${document.body.classList.contains("dark")}${narrow}${place.dataset.chart}`;
    if (place.drawn === look) {
      if (place.wide !== wide && window.Plotly) window.Plotly.Plots.resize(place);
      place.wide = wide;
      return false;
    }
    const resized = place.classList.contains("is-drawn") && place.wide !== wide; // while its tab was closed
    place.drawn = look;
    place.wide = wide;
    try {
      const Plotly = await loadPlotly();
      drawn.add(place);
      const inked = place.dataset.chart // charting.INK, FAINT and GROUND stand in for the theme's colours
        .replaceAll("#010101", ink("--ink")).replaceAll("#020202", ink("--line")).replaceAll("#030303", ink("--ground"));
      const { data, layout, narrow: overrides } = JSON.parse(inked);
      if (narrow && overrides) {
        const { traces = {}, ...rest } = overrides;
        merge(layout, rest);
        for (const [at, change] of Object.entries(traces)) merge(data[at], change);
      }
      if (layout.height) place.style.height = `${layout.height}px`;
      await Plotly.react(place, data, layout, { displayModeBar: false, responsive: true });
      if (resized) await Plotly.Plots.resize(place);
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
