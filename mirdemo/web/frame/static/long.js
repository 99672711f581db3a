/* A long recording: where one is in it, by recording, and what of its sound is to be seen. What is in view, the cursor and the
   span live here; clips, and all that is kept, live on the server. It is drawn by long-drawing.js and moved by long-hands.js. */
"use strict";
(() => {
  const known = new Map(); // recording -> where one is in it
  const COLUMNS = 2000;
  const NEAREST = 0.05; // seconds in view at least

  const placeOf = (element) => element.closest?.(".long[data-long]");
  const all = () => [...document.querySelectorAll(".long[data-long]")];
  const viewOf = (place) => place.querySelector(".long-view");
  const paint = (place) => mirdemo.long.paint(place);
  const source = (place) => `${place.dataset.place}/sound.wav`;
  const isPlaying = (place) => (mirdemo.playing() || "").split("?")[0] === source(place);

  function marksOf(place) {
    try { return JSON.parse(place.dataset.marks); } catch { return []; }
  }
  const piecesOf = (place) => JSON.parse(place.dataset.pieces || "[]");
  const markAt = (marks, seconds) => marks.find(([start, end]) => seconds >= start && seconds < end);

  function stateOf(place) {
    const id = place.dataset.place;
    const seconds = Number(place.dataset.seconds);
    const there = Number(place.dataset.there ?? seconds); // all of it, or as far as it is read
    if (!known.has(id)) known.set(id, { seconds, there, from: 0, to: seconds, cursor: 0, span: null, whole: null, near: null, stop: null });
    const now = known.get(id);
    if (now.seconds !== seconds) { // it is longer or shorter than was thought
      if (now.to === now.seconds) now.to = seconds;
      now.to = Math.min(now.to, seconds);
      now.from = Math.min(now.from, Math.max(now.to - NEAREST, 0));
      now.seconds = seconds;
      now.grown = true;
    }
    if (now.there !== there) {
      now.there = there;
      now.grown = true;
    }
    return now;
  }

  /* ---- times, as 1:02:03.4 ---- */
  function clock(seconds) {
    const tenths = Math.round(seconds * 10);
    const [h, m, s] = [Math.floor(tenths / 36000), Math.floor(tenths / 600) % 60, (tenths % 600) / 10];
    return `${h ? `${h}:${String(m).padStart(2, "0")}` : m}:${s.toFixed(1).padStart(4, "0")}`;
  }
  function parsed(text) {
    const fields = text.trim().replace(",", ".").split(":");
    if (!fields[0] || fields.length > 3 || fields.some((one) => !/^\d+(\.\d*)?$/.test(one))) return null;
    return fields.reduce((sum, one) => 60 * sum + Number(one), 0);
  }
  const within = (value, low, high) => Math.min(Math.max(value, low), high);

  /* ---- outlines ---- */
  async function outline(place, from, to, columns) {
    const answer = await fetch(`${place.dataset.place}/outline?from=${from}&to=${to}&columns=${columns}`);
    if (!answer.ok) throw new Error(answer.status);
    return { from, to, columns, data: new Int8Array(await answer.arrayBuffer()) };
  }
  const GROWS = 900; // milliseconds between two looks at what grows
  const LATEST = 15_000; // milliseconds between two tries where one has failed
  /* What plays paints all the time: after a failure it is asked again later, and later each time. */
  function failed(place, of) {
    of.fails = (of.fails ?? 0) + 1;
    const wait = Math.min(GROWS * 2 ** of.fails, LATEST);
    of.notBefore = performance.now() + wait;
    setTimeout(() => paint(place), wait + 50);
  }
  function fetchWhole(place, now) {
    if ((now.whole && !now.grown) || now.asking || performance.now() < (now.notBefore ?? 0)) return;
    const soon = (now.lookedAt ?? -GROWS) + GROWS - performance.now();
    if (now.whole && soon > 0) {
      now.later ||= setTimeout(() => { now.later = null; paint(place); }, soon);
      return;
    }
    [now.asking, now.grown, now.lookedAt] = [true, false, performance.now()];
    const there = now.there;
    outline(place, 0, now.seconds, COLUMNS).then((got) => {
      now.whole = { ...got, there };
      now.fails = 0;
      for (const asked of [now.askedNear, now.askedSpectrum]) if (asked && asked.there < there && asked.to > asked.there) asked.from = null; // more of what is in view
      paint(place);
    }, () => { now.grown = true; failed(place, now); }).finally(() => { now.asking = false; });
  }
  /* Asks once the view rests, whatever is painted meanwhile: what plays paints all the time. `asked`: for what is in view */
  function atRest(place, now, asked, milliseconds, ask) {
    if (asked.from === now.from && asked.to === now.to) return;
    clearTimeout(asked.waiting);
    [asked.from, asked.to, asked.there] = [now.from, now.to, now.there];
    const wait = Math.max(milliseconds, (asked.notBefore ?? 0) - performance.now());
    asked.waiting = setTimeout(() => ask(asked.from, asked.to).then(() => { asked.fails = 0; }, () => { asked.from = null; failed(place, asked); }), wait);
  }
  /* What is in view, finer than the whole shows it. */
  function fetchNear(place, now) {
    now.askedNear ||= {};
    if (now.to - now.from > 0.8 * now.seconds) {
      clearTimeout(now.askedNear.waiting);
      now.near = now.askedNear.from = null;
      return;
    }
    atRest(place, now, now.askedNear, 120, async (from, to) => {
      const { there } = now;
      const got = await outline(place, from, to, Math.min(COLUMNS, Math.max(200, 2 * viewOf(place).clientWidth)));
      if (now.from === from && now.to === to) { now.near = { ...got, there }; paint(place); }
    });
  }

  /* The spectrogram of what is in view, where it was asked for. */
  function fetchSpectrum(place, now) {
    if (!place.hasAttribute("data-live-spectrum")) return;
    now.askedSpectrum ||= {};
    atRest(place, now, now.askedSpectrum, 200, async (from, to) => {
      const columns = within(viewOf(place).clientWidth, 200, COLUMNS);
      const answer = await fetch(`${place.dataset.place}/spectrogram?from=${from}&to=${to}&columns=${columns}`);
      if (!answer.ok) throw new Error(answer.status);
      const data = new Uint8Array(await answer.arrayBuffer());
      if (now.from !== from || now.to !== to) return;
      now.spectrum = { from, to, columns, highest: Number(answer.headers.get("X-Highest")), data };
      paint(place);
    });
  }

  /* What there is to be drawn of it is fetched, and drawn once it is here. */
  function fetchAll(place, now) {
    fetchWhole(place, now);
    fetchNear(place, now);
    fetchSpectrum(place, now);
  }

  mirdemo.long = { NEAREST, placeOf, all, viewOf, marksOf, piecesOf, markAt, stateOf, clock, parsed, within, source, isPlaying, fetchAll };
})();
