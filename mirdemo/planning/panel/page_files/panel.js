/* A listening panel on one page: plays a clip, asks about its tags, keeps the answers here until they are saved. Within
   the page that made it (held.inside) sounds are fetched one by one, and answers are handed to that page. */
"use strict";
(() => {
  const held = JSON.parse(document.getElementById("panel").textContent);
  const main = document.getElementById("main");
  const audio = document.getElementById("audio");
  const VERDICTS = ["right", "wrong", "cannot_tell"];
  const SIDES = ["first", "second", "same"];
  const inside = held.inside && parent !== window;
  const PLAY = "M5 3v18l16-9z", PAUSE = "M5 3h5v18H5zM14 3h5v18h-5z";

  /* ---- what is kept ---- */
  const place = `mirdemo-panel-${held.id}`;
  let keeps = true;
  function stored(value) {
    try {
      const store = held.inside ? sessionStorage : localStorage; // on somebody else's page they go with its tab
      if (value === undefined) return JSON.parse(store.getItem(place));
      if (value === null) store.removeItem(place);
      else store.setItem(place, JSON.stringify(value));
    } catch { keeps = false; /* some viewers have no storage: the page works, but only while it is open */ }
    return null;
  }
  const hex = () => [...crypto.getRandomValues(new Uint8Array(8))].map((b) => b.toString(16).padStart(2, "0")).join("");
  const fresh = () => ({ run: hex(), listener: "", language: first(), saved: 0, at: -1, clips: {} });
  const first = () => (held.inside ? held.language : (navigator.languages || []).map((l) => l.slice(0, 2)).find((l) => l in held.words) || held.language);
  const fits = (kept) => kept && typeof kept.run === "string" && kept.clips && kept.language in held.words;
  const before = stored();
  let state = fits(before) ? before : fresh();
  const keep = () => stored(state);
  keep(); // tells at once whether anything is kept here
  const of = (n) => (state.clips[n] ??= { answers: held.clips[n].tags.map(() => null), words: [], side: null, tenths: 0 });

  /* ---- words ---- */
  function t(key, values = {}) {
    const words = held.words[state.language];
    const text = (values.n === 1 && words[`${key}.one`]) || words[key];
    return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  }
  const wellFormed = (text) => text.replace(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g, "\uFFFD");

  function el(name, attributes = {}, ...children) {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
      else if (value === true) node.setAttribute(key, "");
      else if (value !== false && value != null) node.setAttribute(key, value);
    }
    node.append(...children.filter((child) => child != null));
    return node;
  }
  function icon(path) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    const shape = document.createElementNS("http://www.w3.org/2000/svg", "path");
    shape.setAttribute("d", path);
    svg.append(shape);
    return svg;
  }

  /* ---- time: of a clip in sight, while the page is ---- */
  let since = null;
  function tally() {
    if (since !== null && state.at >= 0 && state.at < held.clips.length) {
      of(state.at).tenths += Math.round((performance.now() - since) / 100);
      since = performance.now();
    }
  }
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) { tally(); since = null; keep(); }
    else since = performance.now();
  });

  /* ---- sound ---- */
  let url = null, loaded = -1;
  function load(n) {
    if (loaded === n) return;
    audio.pause();
    if (url) URL.revokeObjectURL(url);
    url = held.inside ? null : URL.createObjectURL(new Blob([bytesOf(held.sounds[n])], { type: "audio/mpeg" }));
    audio.src = url || held.sounds[n];
    loaded = n;
  }
  const bytesOf = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const clock = (s) => `${Math.floor(s / 60)}:${String(Math.floor(s % 60)).padStart(2, "0")}`;
  function paint() {
    const button = main.querySelector(".sound button");
    if (!button) return;
    const lasts = audio.duration || 0;
    button.querySelector("path").setAttribute("d", audio.paused ? PLAY : PAUSE);
    button.setAttribute("aria-label", t(audio.paused ? "play" : "pause"));
    const seek = main.querySelector(".sound input");
    if (document.activeElement !== seek || !audio.paused) seek.value = lasts ? (1000 * audio.currentTime) / lasts : 0;
    main.querySelector(".sound .time").textContent = `${clock(audio.currentTime)} / ${clock(lasts)}`;
  }
  for (const name of ["play", "pause", "ended", "timeupdate", "loadedmetadata", "seeked"]) audio.addEventListener(name, paint);
  audio.addEventListener("error", () => { const place = main.querySelector(".sound-fails"); if (place) place.hidden = false; });
  function toggle() {
    if (audio.paused) audio.play().catch(() => {});
    else audio.pause();
  }

  /* ---- screens ---- */
  function show(focus = true) {
    document.documentElement.lang = state.language;
    document.title = document.getElementById("name").textContent = t("title");
    const languages = document.getElementById("languages");
    languages.setAttribute("aria-label", t("language"));
    languages.replaceChildren(...Object.entries(held.languages).map(([key, name]) =>
      el("button", { type: "button", lang: key, "aria-pressed": String(key === state.language), onclick: () => { state.language = key; keep(); show(false); } }, name)));
    const screen = state.at < 0 ? intro() : state.at < held.clips.length ? clip(state.at) : end();
    main.replaceChildren(...screen);
    paint();
    if (focus) { scrollTo(0, 0); main.focus({ preventScroll: true }); }
  }

  function go(n) {
    tally();
    state.at = Math.max(-1, Math.min(held.clips.length, n));
    since = state.at >= 0 && state.at < held.clips.length && !document.hidden ? performance.now() : null;
    if (state.at >= 0 && state.at < held.clips.length) load(state.at);
    else audio.pause();
    keep();
    tell("here");
    show();
  }

  function intro() {
    const begun = Object.keys(state.clips).length > 0;
    const name = el("input", { type: "text", id: "listener", maxlength: held.limits.name, autocomplete: "nickname", value: state.listener, oninput: (e) => { state.listener = wellFormed(e.target.value); keep(); } });
    const start = (event) => {
      event.preventDefault();
      if (!state.listener.trim()) { name.focus(); main.querySelector(".name-needed").hidden = false; return; }
      const open = held.clips.findIndex((_, n) => !done(n));
      go(open < 0 ? held.clips.length : open);
    };
    return [
      el("h1", {}, t("heading")),
      el("p", {}, t("intro", { n: held.clips.length })),
      el("p", {}, t("intro.how")),
      el("p", { class: "quiet" }, t(inside ? "inside.private" : "intro.private")),
      keeps ? null : el("p", { class: "note" }, t("not_kept")),
      el("form", { onsubmit: start, novalidate: true },
        el("label", { for: "listener" }, t("listener")), name,
        el("p", { class: "quiet" }, t("listener.what")),
        el("p", { class: "note name-needed", hidden: true, role: "alert" }, t("listener.needed")),
        el("button", { class: "primary wide" }, t(begun ? "continue" : "start"))),
      begun ? eraser() : null,
    ].filter(Boolean);
  }

  function anew() {
    stored(null);
    state = { ...fresh(), language: state.language };
    handed = "";
    keep();
  }

  /* Asks again in its own place: a frame may not open a window to ask in. */
  function eraser() {
    const place = el("p");
    const ask = () => {
      const erase = el("button", { type: "button", "data-erase": true, onclick: () => { anew(); show(); } }, t("erase.yes"));
      place.replaceChildren(t("erase.sure"), " ", erase, " ", el("button", { type: "button", class: "plain", onclick: () => show(false) }, t("erase.no")));
      erase.focus();
    };
    place.append(el("button", { type: "button", class: "plain", onclick: ask }, t("erase")));
    return place;
  }

  const done = (n) => state.clips[n] && state.clips[n].answers.every(Boolean);

  function clip(n) {
    const asked = held.clips[n], mine = of(n);
    const answer = (q, verdict) => { mine.answers[q] = mine.answers[q] === verdict ? null : verdict; tally(); keep(); redraw(); };
    const questions = el("ul", { class: "questions" }, ...asked.tags.map((tag, q) =>
      el("li", {},
        el("span", { class: "tag", id: `tag-${q}` }, el("bdi", {}, tag)),
        el("span", { class: "choices", role: "group", "aria-labelledby": `tag-${q}` }, ...VERDICTS.map((verdict) =>
          el("button", { type: "button", "data-q": q, "data-verdict": verdict, "aria-pressed": "false", onclick: () => answer(q, verdict) }, t(verdict)))))));
    const words = el("input", { type: "text", id: "words", value: mine.words.join(", "), maxlength: held.limits.word * held.limits.words, oninput: (e) => {
      mine.words = wellFormed(e.target.value).split(/[,;、，；\n]/).map((w) => w.trim().slice(0, held.limits.word)).filter(Boolean).slice(0, held.limits.words);
      keep();
    } });
    const sides = asked.sides ? el("div", { class: "compare", hidden: true },
      el("h2", {}, t("sides")),
      el("div", { class: "sides" }, ...asked.sides.map((tags, i) =>
        el("button", { type: "button", "data-side": SIDES[i], "aria-pressed": "false", onclick: () => side(SIDES[i]) },
          el("b", {}, t(`sides.${SIDES[i]}`)), tags.join(t("comma")) || t("sides.nothing")))),
      el("button", { type: "button", class: "wide", "data-side": "same", "aria-pressed": "false", onclick: () => side("same") }, t("sides.same"))) : null;
    const side = (which) => { mine.side = mine.side === which ? null : which; tally(); keep(); redraw(); };
    const stop = el("p", { class: "stop" }, el("button", { type: "button", class: "plain", "data-stop": true, onclick: () => go(held.clips.length) }, t("stop")));
    const next = el("button", { type: "button", class: "primary", "data-next": true, onclick: () => go(n + 1) });
    const redraw = () => {
      for (const button of questions.querySelectorAll("[data-verdict]")) button.setAttribute("aria-pressed", String(mine.answers[button.dataset.q] === button.dataset.verdict));
      if (sides) {
        sides.hidden = !done(n); // only then: the lists would tell which tags were proposed
        for (const button of sides.querySelectorAll("[data-side]")) button.setAttribute("aria-pressed", String(mine.side === button.dataset.side));
      }
      const left = mine.answers.filter((a) => !a).length;
      stop.hidden = n + 1 === held.clips.length || !held.clips.some((_, m) => state.clips[m] && state.clips[m].answers.some(Boolean));
      next.textContent = t(left ? "skip" : n + 1 === held.clips.length ? "finish" : "next");
    };
    redraw();
    return [
      el("div", { class: "along" }, el("progress", { value: n + 1, max: held.clips.length, "aria-label": t("of", { n: n + 1, total: held.clips.length }) }), el("span", {}, t("of", { n: n + 1, total: held.clips.length }))),
      el("div", { class: "sound" },
        el("button", { type: "button", class: "primary", "data-play": true, onclick: toggle }, icon(PLAY)),
        el("input", { type: "range", min: 0, max: 1000, value: 0, "aria-label": t("seek"), oninput: (e) => { if (audio.duration) audio.currentTime = (e.target.value / 1000) * audio.duration; } }),
        el("span", { class: "time" })),
      el("p", { class: "note sound-fails", hidden: true, role: "alert" }, t("sound_fails")),
      el("h2", {}, t("question")),
      questions,
      el("div", { class: "words" }, el("label", { for: "words" }, t("missing")), words, el("p", { class: "quiet" }, t("missing.what"))),
      sides,
      el("div", { class: "turn" }, el("button", { type: "button", "data-back": true, onclick: () => go(n - 1) }, t("back")), next),
      stop,
      el("p", { class: "quiet keys" }, t("keys")),
    ].filter(Boolean);
  }

  function end() {
    const total = held.clips.reduce((sum, c) => sum + c.tags.length, 0);
    const answered = Object.values(state.clips).reduce((sum, c) => sum + c.answers.filter(Boolean).length, 0);
    const open = held.clips.findIndex((_, n) => !done(n));
    const text = el("textarea", { readonly: true, id: "as-text", "aria-label": t("copy") });
    const copied = el("span", { class: "quiet", role: "status" });
    const said = el("p", { class: "note", role: "status", hidden: state.saved === 0 }, t("saved"));
    const save = () => {
      const blob = new Blob([answers()], { type: "application/json" });
      const link = el("a", { href: URL.createObjectURL(blob), download: fileName() });
      document.body.append(link);
      link.click();
      link.remove();
      setTimeout(() => URL.revokeObjectURL(link.href), 60000);
      said.hidden = false;
    };
    const share = async () => {
      const file = new File([answers()], fileName(), { type: "application/json" });
      try { await navigator.share({ files: [file] }); said.hidden = false; } catch { /* closed without sending */ }
    };
    const probe = typeof File === "function" && navigator.canShare && navigator.canShare({ files: [new File(["{}"], "a.json", { type: "application/json" })] });
    const above = [
      el("h1", {}, t("end")),
      el("p", {}, t("end.answered", { n: answered, total })),
      open >= 0 ? el("p", {}, el("button", { type: "button", "data-open": true, onclick: () => go(open) }, t("end.open"))) : null,
    ];
    const below = el("div", { class: "turn" }, el("button", { type: "button", "data-back": true, onclick: () => go(held.clips.length - 1) }, t("back")));
    if (inside) return [...above, ...handingIn(answered), below].filter(Boolean);
    return [
      ...above,
      el("p", {}, t("end.how")),
      el("p", {}, el("button", { type: "button", class: "primary wide", "data-save": true, disabled: !answered, onclick: save }, t("save"))),
      probe ? el("p", {}, el("button", { type: "button", class: "wide", disabled: !answered, onclick: share }, t("share"))) : null,
      said,
      answered ? el("details", { ontoggle: (e) => { if (e.target.open) text.value = answers(); } },
        el("summary", {}, t("copy")),
        el("p", { class: "quiet" }, t("copy.what")), text,
        el("p", {}, el("button", { type: "button", onclick: () => { text.select(); document.execCommand("copy"); copied.textContent = t("copied"); } }, t("copy.button")), " ", copied)) : null,
      below,
    ].filter(Boolean);
  }

  /* ---- within the page that made the panel: answers are handed to it, and it says whether it has them ---- */
  const WAITS = 20000; // milliseconds for its word
  let handed = "", refused = "", waits = null; // handed: what the page has taken
  const said = () => JSON.stringify([state.listener.trim(), held.clips.map((_, n) => { const { answers, words, side } = state.clips[n] || {}; return [answers, words, side]; })]);
  function tell(what, more = {}) {
    if (inside) parent.postMessage({ mirdemo: what, ...more }, location.origin);
  }
  function handIn() {
    const text = answers();
    refused = "";
    clearTimeout(waits);
    waits = setTimeout(() => { waits = null; refused = t("inside.lost"); show(false); }, WAITS);
    tell("answers", { name: fileName(), text });
    show(false);
  }
  function handingIn(answered) {
    if (waits) return [el("p", { class: "note", role: "status" }, t("inside.waits"))];
    if (handed === said()) return [
      el("p", { class: "note", role: "status", "data-handed": true }, t("inside.handed", { name: state.listener.trim() })),
      el("p", {}, el("button", { type: "button", class: "primary wide", "data-next-listener": true, onclick: () => { anew(); show(); } }, t("inside.next"))),
      el("p", {}, el("button", { type: "button", class: "wide", "data-close": true, onclick: () => tell("close") }, t("inside.close"))),
    ];
    return [
      el("p", {}, t("inside.how")),
      refused ? el("p", { class: "note", role: "alert" }, refused) : null,
      el("p", {}, el("button", { type: "button", class: "primary wide", "data-hand-in": true, disabled: !answered, onclick: handIn }, t("inside.hand_in"))),
    ];
  }
  addEventListener("message", ({ source, origin, data }) => {
    if (!inside || source !== parent || origin !== location.origin || !data || data.mirdemo !== "heard" || !waits) return;
    const here = data.runs.includes(`${state.run}:${state.saved}`);
    if (!here && !data.notes.length) return; // not looked at yet
    clearTimeout(waits);
    waits = null;
    if (here) handed = said();
    else refused = data.notes.join(state.language === "ja" ? "" : " ");
    show(false);
  });

  /* ---- the file that is sent back ---- */
  function answers() {
    state.saved += 1;
    keep();
    const clips = held.clips.map((_, n) => n).filter((n) => state.clips[n]).map((n) => {
      const { answers, words, side, tenths } = state.clips[n];
      return { clip: n, answers, words, side, tenths: Math.min(tenths, 36000000) };
    }).filter((c) => c.answers.some(Boolean) || c.words.length || c.side);
    const plain = { format: held.answers, panel: held.id, run: state.run, listener: state.listener.trim(), language: state.language, saved: state.saved, clips };
    plain.check = crc32(new TextEncoder().encode(JSON.stringify(plain)));
    return JSON.stringify(plain);
  }
  const fileName = () => `answers-${state.listener.trim().replace(/[^\p{L}\p{N}]+/gu, "-").slice(0, 40) || "listener"}.json`;
  function crc32(bytes) {
    let crc = ~0;
    for (const byte of bytes) {
      crc ^= byte;
      for (let k = 0; k < 8; k++) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1));
    }
    return (~crc >>> 0).toString(16).padStart(8, "0");
  }

  /* ---- keys: 1 2 3 answer the next open question, space plays, arrows turn ---- */
  addEventListener("keydown", (event) => {
    if (state.at < 0 || state.at >= held.clips.length || event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.target.matches && event.target.matches("input, textarea, summary")) return;
    const verdict = VERDICTS[Number(event.key) - 1];
    if (verdict) {
      const focused = document.activeElement && document.activeElement.dataset.q;
      const q = focused !== undefined ? Number(focused) : of(state.at).answers.findIndex((a) => !a);
      const button = main.querySelector(`[data-q="${q}"][data-verdict="${verdict}"]`);
      if (button) button.click();
    } else if (event.key === " " && !(event.target.matches && event.target.matches("button"))) toggle();
    else if (event.key === "ArrowRight") go(state.at + 1);
    else if (event.key === "ArrowLeft") go(state.at - 1);
    else return;
    event.preventDefault();
  });
  addEventListener("keydown", (event) => { if (event.key === "Escape") tell("close"); });
  addEventListener("pagehide", () => { tally(); keep(); });

  document.body.classList.toggle("inside", inside);
  if (state.at >= 0 && state.at < held.clips.length) { load(state.at); since = performance.now(); }
  show();
})();
