/* A long recording in one's hands: moved in, heard, and spans marked on it, with the mouse, fingers and keys. */
"use strict";
(() => {
  const { NEAREST, placeOf, all, viewOf, marksOf, piecesOf, markAt, stateOf, clock, parsed, within, source, isPlaying, paint, say, spanWords } = mirdemo.long;
  const SHORTEST = 0.1; // seconds of a span at least

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
