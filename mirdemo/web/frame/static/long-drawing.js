/* A long recording as it is drawn: the whole above, what is in view below, its spectrogram where it was asked for; and the same in
   words. */
"use strict";
(() => {
  const { viewOf, marksOf, piecesOf, markAt, stateOf, clock, isPlaying, fetchAll } = mirdemo.long;
  const BANDS = 128; // of the spectrogram
  const LOWEST = 40; // its lowest, in hertz

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

  function paint(place) {
    if (!place.isConnected || !place.offsetParent) return;
    const now = stateOf(place);
    fetchAll(place, now);
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

  const rgb = (name) => {
    const pen = document.createElement("canvas").getContext("2d");
    pen.fillStyle = ink(name);
    pen.fillRect(0, 0, 1, 1);
    return pen.getImageData(0, 0, 1, 1).data;
  };
  /* The spectrogram of what is in view. */
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

  Object.assign(mirdemo.long, { paint, say, spanWords });
})();
