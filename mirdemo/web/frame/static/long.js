/* A long recording: one waveform to move in, to hear, and to mark spans on. What is in view, the cursor and the span live
   here, by recording; clips, and all that is kept, live on the server. */
"use strict";
(() => {
  const known = new Map(); // recording -> where one is in it
  const COLUMNS = 2000;
  const NEAREST = 0.05; // seconds in view at least
  const SHORTEST = 0.1;

  const placeOf = (element) => element.closest?.(".long[data-long]");
  const all = () => [...document.querySelectorAll(".long[data-long]")];

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
  const BANDS = 128;
  const LOWEST = 40;
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

  const rgb = (name) => {
    const pen = document.createElement("canvas").getContext("2d");
    pen.fillStyle = ink(name);
    pen.fillRect(0, 0, 1, 1);
    return pen.getImageData(0, 0, 1, 1).data;
  };
  function spectrum(place, now, x, text) {
    const canvas = place.querySelector(".long-spectrum");
    if (!canvas.clientWidth) return;
    const [pen, , tall] = sized(canvas);
    const got = now.spectrum;
    if (got) {
      const [ground, middle, top] = ["--raised", "--accent", "--ink"].map(rgb);
      const look = ground.join() + top.join();
      if (got.look !== look) { // painted once for a view and a theme
        got.look = look;
        const shades = Array.from({ length: 256 }, (_, level) => {
          const [low, high, share] = level < 150 ? [ground, middle, level / 150] : [middle, top, (level - 150) / 105];
          return [0, 1, 2].map((c) => low[c] + share * (high[c] - low[c]));
        });
        got.image = new OffscreenCanvas(got.columns, BANDS);
        const image = new ImageData(got.columns, BANDS);
        for (let band = 0; band < BANDS; band += 1) {
          for (let column = 0; column < got.columns; column += 1) {
            const shade = shades[got.data[band * got.columns + column]];
            image.data.set([...shade, 255], 4 * ((BANDS - 1 - band) * got.columns + column));
          }
        }
        got.image.getContext("2d").putImageData(image, 0, 0);
      }
      pen.drawImage(got.image, x(got.from), 0, x(got.to) - x(got.from), tall);
      pen.font = `11px ${getComputedStyle(document.body).fontFamily}`;
      for (const hz of [100, 300, 1000, 3000, 10000]) {
        if (hz > got.highest * 0.95) continue;
        const y = Math.max(tall * (1 - Math.log(hz / LOWEST) / Math.log(got.highest / LOWEST)), 9);
        const words = hz < 1000 ? `${hz} Hz` : `${hz / 1000} kHz`;
        pen.fillStyle = ink("--ground");
        pen.fillRect(2, y - 8, pen.measureText(words).width + 6, 16);
        pen.fillStyle = text;
        pen.fillText(words, 5, y + 4);
      }
    }
    pen.fillStyle = ink("--accent");
    for (const edge of now.span || []) pen.fillRect(x(edge) - 1, 0, 2, tall);
    pen.fillStyle = text;
    pen.fillRect(x(now.cursor) - 0.75, 0, 1.5, tall);
  }

  /* ---- drawing ---- */
  const viewOf = (place) => place.querySelector(".long-view");
  const ink = (name) => getComputedStyle(document.body).getPropertyValue(name).trim();

  function sized(canvas) {
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const pen = canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    return [pen, width, height];
  }

  function wave(pen, shape, from, to, top, width, tall, colour) {
    if (!shape) return;
    pen.fillStyle = colour;
    const middle = top + tall / 2;
    const each = (shape.to - shape.from) / shape.columns;
    for (let x = 0; x < width; x += 1) {
      const first = Math.floor((from + (x / width) * (to - from) - shape.from) / each);
      const last = Math.max(Math.ceil((from + ((x + 1) / width) * (to - from) - shape.from) / each), first + 1);
      if (from + (x / width) * (to - from) >= shape.there) break;
      let [low, high] = [127, -127];
      for (let at = Math.max(first, 0); at < Math.min(last, shape.columns); at += 1) {
        low = Math.min(low, shape.data[2 * at]);
        high = Math.max(high, shape.data[2 * at + 1]);
      }
      if (low > high) continue;
      const [y0, y1] = [middle - (high / 127) * (tall / 2.1), middle - (low / 127) * (tall / 2.1)];
      pen.fillRect(x, y0, 1, Math.max(y1 - y0, 1));
    }
  }

  function marksOf(place) {
    try { return JSON.parse(place.dataset.marks); } catch { return []; }
  }

  const piecesOf = (place) => JSON.parse(place.dataset.pieces || "[]");

  function paint(place) {
    if (!place.isConnected || !place.offsetParent) return;
    const now = stateOf(place);
    fetchWhole(place, now);
    fetchNear(place, now);
    fetchSpectrum(place, now);
    const [accent, line, strong, text, ground] = ["--accent", "--line-strong", "--mark", "--ink", "--accent-ground"].map(ink);
    const [marks, pieces] = [marksOf(place), piecesOf(place)];

    const [small, broad, low] = sized(place.querySelector(".long-whole"));
    wave(small, now.whole, 0, now.seconds, 0, broad, low, line);
    const part = (seconds) => (seconds / now.seconds) * broad;
    small.fillStyle = accent;
    for (const [start, end] of marks) small.fillRect(part(start), low - 4, Math.max(part(end) - part(start), 2), 4);
    small.strokeStyle = accent;
    small.lineWidth = 2;
    small.strokeRect(part(now.from) + 1, 1, Math.max(part(now.to) - part(now.from) - 2, 3), low - 2);

    const canvas = viewOf(place).querySelector(".long-wave");
    const [pen, width, tall] = sized(canvas);
    const x = (seconds) => ((seconds - now.from) / (now.to - now.from)) * width;
    pen.font = `12px ${getComputedStyle(document.body).fontFamily}`;
    for (const [start, end] of marks) {
      if (end < now.from || start > now.to) continue;
      pen.fillStyle = ground;
      pen.fillRect(x(start), 0, Math.max(x(end) - x(start), 2), tall);
    }
    pen.strokeStyle = accent;
    pen.lineWidth = 1;
    for (const [start, end] of pieces) {
      if (end < now.from || start > now.to) continue;
      pen.setLineDash([5, 3]);
      pen.strokeRect(x(start) + 1, 20, Math.max(x(end) - x(start) - 2, 1), tall - 26);
      pen.setLineDash([]);
      small.fillRect(part(start), 0, 1, 4);
    }
    if (now.span) {
      pen.globalAlpha = 0.22;
      pen.fillStyle = accent;
      pen.fillRect(x(now.span[0]), 0, Math.max(x(now.span[1]) - x(now.span[0]), 1), tall);
      pen.globalAlpha = 1;
    }
    if (now.there < now.seconds) {
      pen.fillStyle = small.fillStyle = line;
      pen.globalAlpha = small.globalAlpha = 0.35; // not read yet
      pen.fillRect(x(now.there), 0, Math.max(width - x(now.there), 0), tall);
      small.fillRect(part(now.there), 0, broad - part(now.there), low);
      pen.globalAlpha = small.globalAlpha = 1;
    }
    ruler(pen, now, x, width, tall, line, text);
    wave(pen, now.near && now.near.from === now.from && now.near.to === now.to ? now.near : now.whole, now.from, now.to, 16, width, tall - 16, strong);
    for (const [start, end, tags] of marks) {
      if (end < now.from || start > now.to) continue;
      pen.fillStyle = accent;
      pen.fillRect(x(start), tall - 4, Math.max(x(end) - x(start), 2), 4);
      const [left, right] = [Math.max(x(start), 0), Math.min(x(end), width)];
      if (right - left > 24) {
        pen.save();
        pen.beginPath();
        pen.rect(left, tall - 24, right - left, 20);
        pen.clip();
        const words = tags.join(", ") || place.dataset.sayUntagged;
        pen.fillStyle = ground;
        pen.fillRect(left, tall - 24, pen.measureText(words).width + 8, 20);
        pen.fillStyle = text;
        pen.fillText(words, left + 4, tall - 10);
        pen.restore();
      }
    }
    if (now.span) {
      pen.fillStyle = accent;
      for (const edge of now.span) pen.fillRect(x(edge) - 1, 0, 2, tall);
    }
    pen.fillStyle = text;
    pen.fillRect(x(now.cursor) - 0.75, 0, 1.5, tall);
    spectrum(place, now, x, text);
    tell(place, now, marks);
  }

  function ruler(pen, now, x, width, tall, line, text) {
    const steps = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600];
    const step = steps.find((one) => (one / (now.to - now.from)) * width >= 76) || 3600;
    for (let k = Math.ceil(now.from / step); k * step <= now.to; k += 1) {
      const at = x(k * step);
      pen.fillStyle = line;
      pen.fillRect(at, 0, 1, tall);
      pen.fillStyle = text;
      const label = step < 0.1 ? (k * step).toFixed(2) : step < 1 ? clock(k * step) : clock(k * step).replace(/\.0$/, "");
      if (at + 60 < width) pen.fillText(label, at + 4, 12);
    }
  }

  const markAt = (marks, seconds) => marks.find(([start, end]) => seconds >= start && seconds < end);

  /* The same in words: on the slider, in the fields and on the clock. */
  function tell(place, now, marks) {
    const view = viewOf(place);
    const mark = markAt(marks, now.cursor);
    const at = place.dataset.sayAt.replace("{time}", clock(now.cursor));
    const piece = markAt(piecesOf(place), now.cursor) ? ` ${place.dataset.sayPiece}` : "";
    const here = piece + (mark ? ` ${place.dataset.sayMark.replace("{tags}", mark[2].join(", ") || place.dataset.sayUntagged)}` : "");
    view.setAttribute("aria-valuenow", now.cursor.toFixed(1));
    view.setAttribute("aria-valuetext", at + here + (now.span ? ` ${spanWords(place, now)}` : ""));
    place.querySelector(".long-clock").textContent = clock(now.cursor);
    const form = place.querySelector(".long-span");
    for (const [at, name] of ["start", "end"].entries()) {
      const field = form.elements[name];
      if (document.activeElement !== field) field.value = now.span ? clock(now.span[at]) : "";
      for (const hidden of place.querySelectorAll(`.long-cut input[name="${name}"]`)) hidden.value = now.span ? now.span[at] : "";
    }
    place.querySelector('[data-long-do="spectrum"]').setAttribute("aria-pressed", place.hasAttribute("data-live-spectrum"));
    const playing = isPlaying(place) && !mirdemo.sound.paused;
    place.querySelector('[data-long-do="play"]').setAttribute("aria-pressed", playing);
    place.querySelector('[data-long-do="hear"]').disabled = !now.span;
  }
  const spanWords = (place, now) => place.dataset.saySpan
    .replace("{start}", clock(now.span[0])).replace("{end}", clock(now.span[1])).replace("{length}", clock(now.span[1] - now.span[0]));
  function say(place, words) { place.querySelector('[data-key="says"]').textContent = words; }

  /* ---- moving ---- */
  function show(place, now, from, to) {
    const long = within(to - from, NEAREST, now.seconds);
    now.from = within(from, 0, now.seconds - long);
    now.to = now.from + long;
    paint(place);
  }
  const zoom = (place, now, by, around = now.cursor) => {
    const middle = around >= now.from && around <= now.to ? around : (now.from + now.to) / 2;
    const share = (middle - now.from) / (now.to - now.from);
    const long = within((now.to - now.from) * by, NEAREST, now.seconds);
    show(place, now, middle - share * long, middle + (1 - share) * long);
  };
  function moveTo(place, now, seconds) {
    now.cursor = within(seconds, 0, now.there);
    if (now.cursor < now.from || now.cursor > now.to) {
      const long = now.to - now.from;
      const from = now.cursor < now.from ? now.cursor - 0.1 * long : now.cursor - 0.9 * long;
      return show(place, now, from, from + long);
    }
    return paint(place);
  }
  function setSpan(place, now, a, b, aloud = true) {
    const span = [within(Math.min(a, b), 0, now.there), within(Math.max(a, b), 0, now.there)];
    now.span = span[1] > span[0] ? span : null;
    if (aloud && now.span) say(place, spanWords(place, now));
    paint(place);
  }

  /* ---- sound ---- */
  const source = (place) => `${place.dataset.place}/sound.wav`;
  const isPlaying = (place) => (mirdemo.playing() || "").split("?")[0] === source(place);
  function play(place, now, from, until = null) {
    now.stop = until;
    const { there } = place.dataset;
    mirdemo.play(source(place) + (there ? `?seconds=${there}` : ""), from);
    follow();
  }
  function pause(place, now) {
    mirdemo.sound.pause();
    now.cursor = within(mirdemo.sound.currentTime, 0, now.there);
    paint(place);
  }
  function playOrPause(place, now) {
    if (isPlaying(place) && !mirdemo.sound.paused) pause(place, now);
    else play(place, now, now.cursor < now.there - 0.05 ? now.cursor : 0);
  }
  function hear(place, now) { if (now.span) play(place, now, now.span[0], now.span[1]); }
  let following = false;
  function follow() {
    if (following) return;
    following = true;
    requestAnimationFrame(step);
  }
  function step() {
    following = false;
    const place = all().find((one) => isPlaying(one));
    if (!place) return all().forEach(paint);
    const now = stateOf(place);
    const at = mirdemo.sound.currentTime;
    if (!mirdemo.sound.paused && mirdemo.sound.readyState >= 2 && !mirdemo.sound.seeking) {
      if (now.stop !== null && at >= now.stop) {
        mirdemo.sound.pause();
        now.cursor = now.stop;
        now.stop = null;
        return paint(place);
      }
      moveTo(place, now, at);
    }
    if (!mirdemo.sound.paused) follow();
    else paint(place);
  }
  mirdemo.sound.addEventListener("pause", () => all().forEach(paint));
  mirdemo.sound.addEventListener("ended", () => all().forEach(paint));
  mirdemo.sound.addEventListener("error", () => all().forEach(paint));

  /* ---- the mouse, pens and fingers ---- */
  const fingers = new Map(); // pointer -> x, on the waveform that is touched
  let drag = null;
  const timeAt = (view, now, x) => {
    const box = view.getBoundingClientRect();
    return now.from + within((x - box.left) / box.width, 0, 1) * (now.to - now.from);
  };

  document.addEventListener("pointerdown", (event) => {
    const place = placeOf(event.target);
    if (!place || event.button > 0) return;
    const now = stateOf(place);
    const view = event.target.closest(".long-view");
    const whole = event.target.closest(".long-whole");
    if (whole) {
      drag = { place, whole };
      whole.setPointerCapture(event.pointerId);
      return centre(event);
    }
    if (!view) return;
    view.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, event.clientX);
    if (fingers.size === 2) {
      const [one, other] = [...fingers.values()];
      drag = { place, view, pinch: Math.abs(one - other) || 1, from: now.from, to: now.to, around: timeAt(view, now, (one + other) / 2) };
      return;
    }
    const reach = ((event.pointerType === "touch" ? 16 : 6) * (now.to - now.from)) / view.clientWidth;
    const at = timeAt(view, now, event.clientX);
    const edge = now.span ? now.span.findIndex((one) => Math.abs(one - at) <= reach) : -1;
    drag = { place, view, x: event.clientX, anchor: edge < 0 ? at : now.span[1 - edge], moved: edge >= 0, edge: edge >= 0, touch: event.pointerType === "touch" };
  });

  document.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const now = stateOf(drag.place);
    if (drag.whole) return centre(event);
    if (!fingers.has(event.pointerId)) return;
    fingers.set(event.pointerId, event.clientX);
    if (drag.pinch) {
      const [one, other] = [...fingers.values()];
      if (other === undefined) return;
      const long = within((drag.to - drag.from) * (drag.pinch / (Math.abs(one - other) || 1)), NEAREST, now.seconds);
      const share = (drag.around - drag.from) / (drag.to - drag.from);
      return show(drag.place, now, drag.around - share * long, drag.around + (1 - share) * long);
    }
    if (!drag.moved && Math.abs(event.clientX - drag.x) < 4) return;
    drag.moved = true;
    setSpan(drag.place, now, drag.anchor, timeAt(drag.view, now, event.clientX), false);
  });

  function lift(event) {
    fingers.delete(event.pointerId);
    const was = drag;
    if (!was || (was.pinch && fingers.size)) return;
    drag = null;
    if (was.whole || was.pinch || event.type === "pointercancel") return;
    const now = stateOf(was.place);
    if (was.moved && now.span) {
      now.cursor = now.span[0];
      say(was.place, spanWords(was.place, now));
      paint(was.place);
      if (!was.touch) was.place.querySelector('.long-span [name="value"]').focus({ preventScroll: true }); // what is typed next is the tag
    } else {
      now.stop = null;
      if (isPlaying(was.place) && !mirdemo.sound.paused) mirdemo.sound.currentTime = timeAt(was.view, now, event.clientX);
      moveTo(was.place, now, timeAt(was.view, now, event.clientX));
    }
  }
  document.addEventListener("pointerup", lift);
  document.addEventListener("pointercancel", lift);

  function centre(event) {
    const now = stateOf(drag.place);
    const box = drag.whole.getBoundingClientRect();
    const at = within((event.clientX - box.left) / box.width, 0, 1) * now.seconds;
    const long = now.to - now.from;
    show(drag.place, now, at - long / 2, at + long / 2);
  }

  document.addEventListener("wheel", (event) => {
    const view = event.target.closest?.(".long-view");
    if (!view) return;
    const place = placeOf(view);
    const now = stateOf(place);
    const long = now.to - now.from;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      zoom(place, now, Math.exp(within(event.deltaY, -200, 200) / 200), timeAt(view, now, event.clientX));
    } else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault();
      const by = ((event.deltaX || event.deltaY) / view.clientWidth) * long;
      show(place, now, now.from + by, now.to + by);
    }
  }, { passive: false });

  /* ---- keys ---- */
  function doIt(place, what) {
    const now = stateOf(place);
    const long = now.to - now.from;
    if (what === "play") playOrPause(place, now);
    else if (what === "hear") hear(place, now);
    else if (what === "in") zoom(place, now, 0.5);
    else if (what === "out") zoom(place, now, 2);
    else if (what === "all") show(place, now, 0, now.seconds);
    else if (what === "spectrum") { place.toggleAttribute("data-live-spectrum"); paint(place); }
    else if (what === "alike") mirdemo.act({ act: "alike.find", long: place.dataset.long, ...(now.span ? { start: now.span[0], end: now.span[1] } : { at: now.cursor }) });
    else if (what === "back") show(place, now, now.from - 0.8 * long, now.to - 0.8 * long);
    else if (what === "on") show(place, now, now.from + 0.8 * long, now.to + 0.8 * long);
  }

  const quiet = (seconds, now) => within(seconds, 0, now.there);
  document.addEventListener("keydown", (event) => {
    const view = event.target.closest?.(".long-view");
    if (!view || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const place = placeOf(view);
    const now = stateOf(place);
    const step = (now.to - now.from) / 100;
    const marks = marksOf(place);
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const move = { ArrowLeft: -step, ArrowRight: step, PageUp: -80 * step, PageDown: 80 * step, Home: -now.cursor, End: now.there - now.cursor }[key];
    if (move !== undefined) {
      const to = quiet(now.cursor + move, now);
      if (event.shiftKey) {
        const span = now.span || [now.cursor, now.cursor];
        const fixed = Math.abs(span[0] - now.cursor) < 1e-9 ? span[1] : Math.abs(span[1] - now.cursor) < 1e-9 ? span[0] : now.cursor;
        setSpan(place, now, fixed, to);
      }
      moveTo(place, now, to);
    } else if (key === " ") playOrPause(place, now);
    else if (key === "i") setSpan(place, now, now.cursor, now.span && now.span[1] > now.cursor ? now.span[1] : Math.min(now.cursor + 10 * step, now.there));
    else if (key === "o") setSpan(place, now, now.span && now.span[0] < now.cursor ? now.span[0] : Math.max(now.cursor - 10 * step, 0), now.cursor);
    else if (key === "p") hear(place, now);
    else if (key === "+" || key === "=") doIt(place, "in");
    else if (key === "-") doIt(place, "out");
    else if (key === "0") doIt(place, "all");
    else if (key === "s") doIt(place, "spectrum");
    else if (key === "n" || key === "b") {
      const starts = [...marks, ...piecesOf(place)].map(([start]) => start).sort((a, b) => a - b);
      const to = key === "n" ? starts.find((one) => one > now.cursor + 1e-3) : starts.findLast((one) => one < now.cursor - 1e-3);
      if (to !== undefined) moveTo(place, now, to);
    } else if (key === "Enter") {
      if (now.span) place.querySelector('.long-span [name="value"]').focus();
      else say(place, place.dataset.sayNoSpan);
    } else if (key === "Escape") { now.span = null; paint(place); }
    else if (key === "Delete" || key === "Backspace") {
      const mark = markAt(marks, now.cursor);
      if (markAt(piecesOf(place), now.cursor)) mirdemo.act({ act: "long.drop_piece", long: place.dataset.long, at: now.cursor });
      else if (mark) mirdemo.act({ act: "clips.remove", clip: mark[3] });
      else { now.span = null; paint(place); }
    } else if (/^[1-9]$/.test(key)) {
      const tag = place.querySelectorAll("[data-long-tag]")[Number(key) - 1];
      if (!tag) return;
      tag.click();
    } else return;
    event.preventDefault();
  });

  document.addEventListener("keydown", (event) => {
    const field = event.target.closest?.(".long-span input");
    if (!field || event.key !== "Escape") return;
    goTo(viewOf(placeOf(field)));
  });

  /* The fields may have been scrolled to until the waveform, where the clip is marked, is out of sight. */
  function goTo(view) {
    view.focus({ preventScroll: true });
    view.scrollIntoView({ block: "nearest", behavior: "instant" });
  }

  /* ---- from span to clip ---- */
  function add(place, tags) {
    const now = stateOf(place);
    if (!now.span || now.span[1] - now.span[0] < SHORTEST) return say(place, place.dataset.sayNoSpan);
    now.sent = now.span;
    mirdemo.act({ act: "long.span", long: place.dataset.long, start: now.span[0], end: now.span[1], value: tags });
    return true;
  }
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-long-form]")) return;
    event.preventDefault();
    const place = placeOf(event.target);
    read(event.target);
    if (!add(place, event.target.elements.value.value)) return;
    event.target.elements.value.value = "";
    goTo(viewOf(place)); // the next span begins here
  });
  function read(form) {
    const place = placeOf(form);
    const [start, end] = ["start", "end"].map((name) => parsed(form.elements[name].value));
    const now = stateOf(place);
    const shown = now.span ? now.span.map(clock) : ["", ""];
    const typed = ["start", "end"].some((name, at) => form.elements[name].value.trim() !== shown[at]);
    if (typed && start !== null && end !== null) setSpan(place, now, start, end);
  }
  document.addEventListener("change", (event) => {
    const form = event.target.closest?.("[data-long-form]");
    if (form && event.target.name !== "value") read(form);
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-long-do], [data-long-tag]");
    const place = button && placeOf(button);
    if (!place) return;
    if (button.dataset.longDo) doIt(place, button.dataset.longDo);
    else if (add(place, button.dataset.longTag)) goTo(viewOf(place));
  });

  /* An answer's lane: play where its tag holds next. */
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-next-place]");
    if (!button) return;
    const { src } = button.closest(".player").dataset;
    const places = button.dataset.nextPlace.split(" ").map(Number);
    const now = mirdemo.playing() === src ? mirdemo.sound.currentTime : -1;
    mirdemo.play(src, places.find((one) => one > now + 0.05) ?? places[0]);
  });

  /* ---- after the page was drawn ---- */
  const drawn = mirdemo.afterDrawing;
  mirdemo.afterDrawing = (view) => {
    drawn(view);
    for (const place of view.querySelectorAll(".long[data-long]")) {
      const now = stateOf(place);
      const [a, b] = now.sent || [];
      if (now.sent && marksOf(place).some(([start, end]) => Math.abs(start - a) < 0.01 && Math.abs(end - b) < 0.06)) {
        now.sent = now.span = null; // it is a clip now
      }
      requestAnimationFrame(() => paint(place));
    }
  };
  addEventListener("resize", () => requestAnimationFrame(() => all().forEach(paint)));
  addEventListener("hashchange", () => requestAnimationFrame(() => all().forEach(paint)));
  new MutationObserver(() => all().forEach(paint)).observe(document.documentElement, { subtree: false, attributes: true, attributeFilter: ["class"] });
  document.addEventListener("click", (event) => { if (event.target.closest?.("[data-theme-toggle]")) requestAnimationFrame(() => all().forEach(paint)); });
})();
