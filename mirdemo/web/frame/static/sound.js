/* Sound: one audio element for every player on the page, so that one sound is heard at a time. */
"use strict";
(() => {
  const audio = new Audio();
  let playing = null;
  audio.addEventListener("ended", () => { playing = null; paint(); });
  audio.addEventListener("error", () => {
    if (playing !== null) mirdemo.say("unheard");
    playing = null;
    paint();
  });
  audio.addEventListener("pause", () => paint());
  audio.addEventListener("play", () => requestAnimationFrame(tick));

  function start(source, at) {
    mirdemo.alive();
    if (playing !== source) {
      audio.src = source;
      playing = source;
    }
    if (at !== undefined) audio.currentTime = at;
    audio.play().catch(() => { playing = null; paint(); });
    paint();
  }

  function toggle(player) {
    if (player.dataset.src === playing && !audio.paused) audio.pause();
    else if (player.dataset.src === playing) {
      const [, until] = (/#t=[\d.]+,([\d.]+)$/.exec(playing) || []);
      if (until && audio.currentTime > until - 0.05) playing = null; // a part that was heard to its end begins anew
      start(player.dataset.src);
    }
    else start(player.dataset.src, player.dataset.from ? Number(player.dataset.from) : undefined);
  }

  function seekTo(event, place) {
    const player = place.closest(".player");
    const seconds = Number(player.dataset.seconds);
    if (place.dataset.at !== undefined) return start(player.dataset.src, Number(place.dataset.at));
    const box = place.getBoundingClientRect();
    start(player.dataset.src, Math.max(0, Math.min(1, (event.clientX - box.left) / box.width)) * seconds);
  }

  /* Only what has changed is written: while something plays this is done sixty times a second. */
  const say = (place, text) => { if (place.textContent !== text) place.textContent = text; };
  function paint(which = ".player") {
    for (const player of document.querySelectorAll(which)) {
      const mine = player.dataset.src === playing;
      const seconds = Number(player.dataset.seconds) || 1;
      player.toggleAttribute("data-live-playing", mine && !audio.paused);
      player.style.setProperty("--played", mine ? `${(100 * audio.currentTime) / seconds}%` : "0%");
      const button = player.querySelector("[data-play]");
      const pressed = String(mine && !audio.paused);
      if (button && button.getAttribute("aria-pressed") !== pressed) button.setAttribute("aria-pressed", pressed);
      const under = player.querySelector(".under");
      if (mine && under && !player.querySelector(".over")) {
        const over = under.cloneNode(true);
        over.setAttribute("class", "over");
        under.after(over);
      }
      const clock = player.querySelector(".clock");
      if (clock) say(clock, mine ? time(audio.currentTime) : "");
      if (clock) for (const place of document.querySelectorAll(`[data-moment-of="${player.dataset.src}"]`)) say(place, clock.textContent);
      for (const cell of player.querySelectorAll("[data-at]")) {
        const at = Number(cell.dataset.at);
        cell.toggleAttribute("data-live-now", mine && audio.currentTime >= at && audio.currentTime < at + Number(cell.dataset.lasts));
      }
    }
  }
  const two = (number) => String(Math.floor(number)).padStart(2, "0");
  const time = (seconds) => (seconds < 3600 ? `${Math.floor(seconds / 60)}` : `${Math.floor(seconds / 3600)}:${two((seconds / 60) % 60)}`) + `:${two(seconds % 60)}`;
  const tick = () => { paint(".player[data-live-playing]"); if (!audio.paused) requestAnimationFrame(tick); };

  document.addEventListener("click", (event) => {
    const play = event.target.closest?.("[data-play]");
    if (play) return toggle(play.closest(".player"));
    const place = event.target.closest?.(".player .wave, .player [data-at]");
    if (place) seekTo(event, place);
  });
  document.addEventListener("keydown", (event) => {
    if (!event.target.matches?.("[data-play]") || (event.key !== "ArrowRight" && event.key !== "ArrowLeft")) return;
    event.preventDefault();
    if (event.target.closest(".player").dataset.src === playing) audio.currentTime += event.key === "ArrowRight" ? 2 : -2;
  });

  Object.assign(mirdemo, { play: start, sound: audio, playing: () => playing, paint, clock: time });
})();
