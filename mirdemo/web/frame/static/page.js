/* The page's own script: sends acts, draws views, plays sounds, takes files. No library, nothing fetched. */
"use strict";
window.mirdemo = (() => {
  const root = document.documentElement;
  const remember = (store, key, value) => {
    try {
      if (value === undefined) return store.getItem(key);
      store.setItem(key, value);
    } catch { /* storage is refused in some frames: the page works without */ }
    return null;
  };

  /* ---- the wire: acts up, an answer down ---- */
  let send = null;
  const early = [];
  let turn = 0; // of the last act
  let answeredTurn = 0; // of the last one that was answered

  /* about: what else the act is about, for whoever makes room */
  function act(message, about = {}) {
    alive();
    if (!message.act.startsWith("page.")) awaited = null; // somebody goes on from here
    if (send) up(message);
    else early.push(message);
    if (!message.act.startsWith("page.")) acted = turn;
    makeRoom({ ...about, ...message, turn });
  }

  /* ---- room, so that nothing moves when an answer comes. At the click its place takes its height (data-room), what the act
     takes away goes (data-leaves), what may be out of date is hidden (data-unsure); they end with the answer. What only
     changes keeps its height for good (data-keeps). Each names its acts: "ACT NAME=VALUE NAME, ACT", NAME alone: with any value. ---- */
  const MARKS = ["room", "leaves", "unsure"];
  const UNSURE_FOR = 3000; // milliseconds, then it is shown as it is
  const MARKED_FOR = 15_000; // milliseconds, should no answer come
  let acted = 0; // the turn of the last act that may change what other tabs show
  const meant = (acts, message) => acts.split(", ").some((one) => {
    const [name, ...fields] = one.split(" ");
    return name === message.act && fields.every((field) => {
      const [key, value] = field.split("=");
      return value === undefined ? Boolean(message[key]) : (message[key] ?? "") === value;
    });
  });

  function makeRoom(message) {
    const focus = document.activeElement;
    const beside = focus?.closest(".is-open .view") ? neighbours(focus.closest(".view"), focus) : [];
    for (const mark of MARKS) {
      for (const place of document.querySelectorAll(`.is-open [data-${mark}]`)) {
        const upToDate = mark === "unsure" && (drawnAt.get(place.closest(".view")) ?? 0) >= acted;
        if (upToDate || !meant(place.dataset[mark], message)) continue;
        place.setAttribute(`data-live-${mark}`, message.turn);
        const kept = mark !== "unsure" && place.closest("[data-keeps]");
        if (kept) kept.style.minHeight = "";
      }
    }
    for (const place of document.querySelectorAll(".is-open [data-keeps]")) {
      if (meant(place.dataset.keeps, message)) place.style.minHeight = `${place.offsetHeight}px`;
    }
    if (focus?.closest("[data-live-leaves]")) focusFirst(beside, focus);
    setTimeout(() => endRoom(document, message.turn, ["unsure"]), UNSURE_FOR);
    setTimeout(() => endRoom(document, message.turn), MARKED_FOR);
  }

  /* What was marked up to this turn is answered. */
  function endRoom(within, upTo, marks = MARKS) {
    for (const mark of marks) {
      for (const place of within.querySelectorAll(`[data-live-${mark}]`)) {
        if (Number(place.getAttribute(`data-live-${mark}`)) <= upTo) place.removeAttribute(`data-live-${mark}`);
      }
    }
  }

  /* Where a proxy holds answers back until the last one, a step's page would hear nothing until it ends. So a page that waits
     too long looks: the server then ends its answers at once, and says when to look again while something runs. */
  let listening = null;
  const MOST_SILENCE = 8000; // milliseconds from an act to its first answer
  function up(message) {
    send({ turn: ++turn, ...message, drawn: latest, speaks: root.lang });
    listening ||= setTimeout(look, MOST_SILENCE);
  }
  function look() {
    listening = null;
    if (!root.classList.contains("cut")) up({ act: "page.look", tab: root.dataset.open });
  }

  /* The line was cut and is back (line.js). What the server may not have heard is said again, in the same turn: it does nothing
     twice. told: whether the page had said that the line was cut */
  function back(unanswered, told) {
    for (const message of unanswered) if (message.turn > answeredTurn && message.act !== "page.look") send(message);
    up({ act: "page.look", tab: root.dataset.open, ...(told && { cut: "yes" }) });
  }

  function connect(trigger) {
    send = trigger;
    if (wished) wear(wished); // once more, after Gradio has put on its own
    const language = new URLSearchParams(location.search).get("lang") || remember(sessionStorage, "mirdemo-lang");
    const address = location.search.slice(1);
    const [token, had, cut] = ["", "-had", "-cut"].map((what) => remember(sessionStorage, `mirdemo${what}`));
    remember(sessionStorage, "mirdemo-cut", "");
    up({ act: "page.hello", token, had, cut, language, address, tab: location.hash.slice(1) });
    early.splice(0).forEach(up);
  }

  let answered = false;
  let latest = 0; // the last drawing that is on the page: what came with it need not be sent again
  let asked = false; // for what is missing before a later one
  const places = new Map(); // a view's name -> where it is drawn
  const known = new Map(); // a view's name -> its last drawing, for a place that comes later
  function heard(text) {
    if (!text) return;
    const answer = JSON.parse(text);
    answered = true;
    answeredTurn = Math.max(answeredTurn, answer.turn || 0);
    clearTimeout(listening);
    const silence = answer.look ? 1000 * answer.look : answeredTurn < turn && MOST_SILENCE; // a later act may still wait
    listening = silence ? setTimeout(look, silence) : null;
    if (answer.forgotten) {
      remember(sessionStorage, "mirdemo-cut", "yes"); // what was asked for was not done: the page says why
      return location.reload();
    }
    if (answer.token) remember(sessionStorage, "mirdemo", answer.token);
    const whole = !("after" in answer), missing = answer.after > latest; // Gradio may show the last of two answers alone
    for (const [name, [number, html]] of Object.entries(answer.views)) {
      if (number > (known.get(name) || [0])[0]) known.set(name, [number, html]);
      due.add(name);
      if (!missing) latest = Math.max(latest, number);
    }
    if (!drawingDue) drawDue();
    if (missing && !asked) act({ act: "page.open", tab: root.dataset.open });
    asked = missing || (asked && !whole);
  }

  /* The views' places are there. first: what stands in some of them until the first answer */
  function stand(page, first) {
    for (const view of page.querySelectorAll("[data-view]")) {
      const { view: name } = view.dataset;
      places.set(name, view);
      if (!known.has(name) && name in first) known.set(name, [0, first[name]]);
      if (known.has(name)) due.add(name);
    }
    if (!drawingDue) drawDue();
  }

  /* Draws what is due, from the top of the page; after some time it lets the browser show what is there already, and what
     was done meanwhile be heard, and goes on. A view in a window that nobody sees is drawn all the same. */
  const due = new Set(); // views' names
  const MOST_AT_ONCE = 30; // milliseconds, beyond which it draws no other
  let drawingDue = false;
  function drawDue() {
    drawingDue = false; // should one view fail, the next answer draws the others
    const until = performance.now() + MOST_AT_ONCE;
    const done = [];
    for (const name of [...places.keys()].filter((name) => due.has(name))) {
      due.delete(name);
      const [number, html] = known.get(name);
      if (fill(places.get(name), html, number)) done.push(places.get(name));
      if (performance.now() > until) break;
    }
    settle(done);
    drawingDue = [...due].some((name) => places.has(name));
    if (!drawingDue) endRoom(document, answeredTurn); // also where the answer was that nothing changes
    if (drawingDue) Promise.race([painted(), new Promise((wake) => setTimeout(wake, 100))]).then(drawDue);
  }

  /* ---- drawing: make the old nodes equal to the new ones, so that focus, typing and sound survive ---- */
  const keyOf = (node) => (node.nodeType === 1 ? node.dataset.key || node.id || null : null);

  function morph(old, fresh) {
    if (old.nodeType !== 1) {
      if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
      return;
    }
    const visitors = (name) => name.startsWith("data-live") || (name === "open" && old.tagName === "DETAILS"); // their own doing
    const plotlys = (name) => old.hasAttribute("data-chart") && (name === "class" || name === "style") // charts() sees to them
      || old.hasAttribute("data-keeps") && name === "style"; // makeRoom() does
    const tick = (name, value) => { if (name === "checked") old.checked = value; }; // the attribute alone does not, once a hand did
    for (const { name } of [...old.attributes]) {
      if (fresh.hasAttribute(name) || visitors(name) || plotlys(name)) continue;
      old.removeAttribute(name);
      tick(name, false);
    }
    for (const { name, value } of [...fresh.attributes]) {
      if (old.getAttribute(name) === value) continue;
      if (visitors(name) || plotlys(name)) continue;
      old.setAttribute(name, value);
      tick(name, true);
      if (name === "value" && old !== document.activeElement) old.value = value;
    }
    if (old.tagName === "SELECT") {
      morphChildren(old, fresh);
      old.value = (fresh.querySelector("option[selected]") || fresh.options[0] || {}).value;
      return;
    }
    if (old.hasAttribute("data-chart")) return;
    if (old.tagName === "INPUT" && old.type === "text" && old.dataset.key !== fresh.dataset.key) old.value = fresh.value;
    morphChildren(old, fresh);
  }

  function morphChildren(old, fresh) {
    const keyed = new Map([...old.childNodes].filter(keyOf).map((node) => [keyOf(node), node]));
    let place = old.firstChild;
    for (const next of [...fresh.childNodes]) {
      const key = keyOf(next);
      let match = key ? keyed.get(key) : null;
      if (!key) {
        let candidate = place;
        while (candidate && keyOf(candidate)) candidate = candidate.nextSibling;
        if (candidate && candidate.nodeType === next.nodeType && candidate.nodeName === next.nodeName) match = candidate;
      } else if (match && match.nodeName !== next.nodeName) match = null;
      if (match) {
        if (match !== place) old.insertBefore(match, place);
        else place = place.nextSibling;
        morph(match, next);
        keyed.delete(key);
      } else old.insertBefore(next.cloneNode(true), place);
    }
    while (place) {
      const gone = place;
      place = place.nextSibling;
      gone.remove();
    }
  }

  /* Where the focus goes if what has it is removed or can be pressed no more: to what it names (data-back: what had opened it), the next of its kind, the
     one before, then whatever is next. */
  function neighbours(view, focus) {
    const all = [...view.querySelectorAll("button, input, select, a[href], [tabindex='0']")];
    const at = all.indexOf(focus);
    const around = [...all.slice(at + 1), ...all.slice(0, Math.max(at, 0)).reverse()];
    const alike = around.filter((one) => focus.dataset.act && one.dataset.act === focus.dataset.act);
    const opener = focus.dataset.back ? [...view.querySelectorAll(focus.dataset.back)] : [];
    return [...opener, ...alike, ...around];
  }

  const canHaveFocus = (one) => one.isConnected && !one.disabled && one.checkVisibility({ visibilityProperty: true });

  /* From a notice that goes the focus returns to where it was in the tab that is open, or to the tab itself. */
  let before = null;
  let last = null; // wherever it was
  addEventListener("focusin", ({ target }) => { last = target; if (target.closest(".mir-panel")) before = target; });
  const restingPlaces = () => [before, document.querySelector('[data-tab][aria-selected="true"]')].filter(Boolean);
  function findFocus() { // what had it is gone, and nothing has it
    if (document.activeElement !== document.body || !last || canHaveFocus(last)) return;
    const from = last;
    last = null;
    focusFirst(restingPlaces(), from);
  }
  function takeAway(notice) {
    const focus = document.activeElement;
    const had = notice.contains(focus);
    notice.remove();
    if (had) focusFirst(restingPlaces(), focus);
  }

  function focusFirst(all, from) {
    const next = all.find(canHaveFocus);
    next?.focus({ preventScroll: true });
    if (from.dataset.back) next?.scrollIntoView({ block: "nearest", behavior: "instant" }); // a long list may have hidden it
  }

  const drawn = new WeakMap(); // view -> the number of its last drawing
  const drawnAt = new WeakMap(); // view -> the turn that had been answered then

  function draw(view, html, number) {
    if (fill(view, html, number)) settle([view]);
  }

  /* Whether anything was drawn. */
  function fill(view, html, number) {
    if (number <= (drawn.get(view) ?? -1)) return false; // there already, or overtaken by a later one
    drawn.set(view, number);
    const fresh = document.createElement("div");
    fresh.innerHTML = html;
    const focus = document.activeElement;
    const beside = focus && view.contains(focus) ? neighbours(view, focus) : [];
    mirdemo.beforeDrawing(view);
    morphChildren(view, fresh);
    drawnAt.set(view, answeredTurn);
    endRoom(view, answeredTurn);
    mirdemo.afterDrawing(view);
    if (focus && view.contains(focus) && document.activeElement !== focus) focus.focus({ preventScroll: true });
    const anew = focus?.id ? [document.getElementById(focus.id)].filter(Boolean) : []; // the same field, drawn anew
    if (beside.length && !canHaveFocus(focus)) focusFirst([...anew, ...beside, ...restingPlaces()], focus);
    const language = view.querySelector("[data-language]");
    if (language) {
      root.lang = language.dataset.language;
      document.title = language.dataset.title;
      if (language.dataset.answered) {
        root.classList.remove("waiting");
        remember(sessionStorage, "mirdemo-lang", root.lang); // a server that has forgotten all speaks it again
      }
    }
    const notice = view.querySelector(".notice:not(.refusal):not(.ending)");
    if (notice) {
      const undo = notice.querySelector("[data-undo]");
      const key = notice.dataset.key;
      setTimeout(() => notice.isConnected && notice.dataset.key === key && takeAway(notice), undo ? 1000 * Number(undo.dataset.undo) : 6000);
    }
    return true;
  }

  /* What is to be seen to once these have been drawn. */
  function settle(views) {
    if (!views.length) return;
    if (views.some((view) => view.querySelector("[data-ending]"))) alive();
    if (answered && views.some((view) => view.dataset.view === "foot")) remember(sessionStorage, "mirdemo-had", document.querySelector("[data-ending]") ? "yes" : "");
    views.forEach(fetchSaved);
    views.forEach(panelHeard);
    showTab();
    paint();
    views.forEach(charts);
    views.forEach(arrive);
    findFocus();
  }

  /* ---- a visit that nobody touches says so before it ends ---- */
  let endingSoon = null;
  let title = null;
  function alive() {
    clearTimeout(endingSoon);
    if (title !== null) { document.title = title; title = null; }
    const notice = document.querySelector("[data-ending]");
    if (!notice) return;
    notice.hidden = true;
    endingSoon = setTimeout(() => {
      const now = document.querySelector("[data-ending]");
      if (!now) return;
      now.hidden = false;
      title = document.title;
      document.title = `! ${now.querySelector("p").textContent}`; // seen from another tab of the browser
    }, 1000 * Number(notice.dataset.ending));
  }

  /* A file that was asked for and is ready now is fetched without another click. */
  const saved = new Map(); // view -> the last file that was ready
  function fetchSaved(view) {
    const link = view.querySelector("a[data-saves]");
    const news = link ? link.dataset.saves : "";
    const before = saved.get(view);
    saved.set(view, news);
    if (news && before !== undefined && before !== news) link.click();
  }

  /* An answer that was waited for is brought into sight when it comes, wherever the visitor has scrolled to. */
  const arrived = new Map(); // view -> what arrived last at each of its places
  let ledTo = null; // the tab that a button has led to, until its answer is there: it may come with the tab's first drawing
  function arrive(view) {
    const places = [...view.querySelectorAll("[data-arrive]")];
    const led = ledTo !== null && view.closest(".mir-panel")?.id === `panel-${ledTo}`;
    const before = arrived.get(view) || (led ? new Map() : undefined);
    arrived.set(view, new Map(places.map((place) => [keyOf(place), place.dataset.arrive])));
    const isNews = (place) => place.dataset.arrive && before.get(keyOf(place)) !== place.dataset.arrive && place.offsetParent;
    const place = before && places.find(isNews);
    if (!place) return;
    if (led) ledTo = null;
    const { top, height, bottom } = place.getBoundingClientRect();
    if (before.get(keyOf(place)) === "draft" && bottom > 0 && top < innerHeight) return; // it is being read while it becomes the answer
    if (top < 0 || top + Math.min(height, 420) > innerHeight) scrollTo({ top: scrollY + top - 12, behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  }
  addEventListener("toggle", (event) => { if (event.target.open) charts(event.target); }, true); // not drawn while folded away
  addEventListener("click", (event) => {
    const opener = event.target.closest("[data-opens]");
    const place = opener && document.getElementById(opener.dataset.opens);
    if (place) { place.open = true; place.scrollIntoView({ block: "start" }); }
  });

  /* ---- tabs: #clips, #few-shot ... ---- */
  const panels = () => [...document.querySelectorAll(".mir-panel")];

  let stepped; // the address last shown: filters and opened tags are steps that Back undoes
  let awaited = null; // the address that Back has asked for, until it is shown: what is drawn before steps nowhere
  addEventListener("popstate", () => {
    const place = document.querySelector(".mir-panel.is-open [data-address]");
    const address = location.search.slice(1);
    if (!place || (awaited === null ? place.dataset.address : awaited) === address) return;
    stepped = location.search; // what comes back is shown, not stepped to again
    awaited = address;
    act({ act: "page.address", address }, Object.fromEntries(new URLSearchParams(address)));
  });

  function showTab() {
    const all = panels();
    if (!all.length) return;
    const wanted = all.find((panel) => panel.id === `panel-${location.hash.slice(1)}`) || all[0];
    const name = wanted.id.slice("panel-".length);
    for (const panel of all) {
      panel.classList.toggle("is-open", panel === wanted);
      panel.setAttribute("role", "tabpanel");
    }
    for (const tab of document.querySelectorAll("[data-tab]")) {
      const mine = tab.dataset.tab === name;
      tab.setAttribute("aria-selected", mine);
      tab.tabIndex = mine ? 0 : -1;
    }
    requestAnimationFrame(reveal); // not now: measuring would lay out the page twice
    for (const link of document.querySelectorAll(".where .next")) link.toggleAttribute("data-live-here", link.hash === `#${name}`);
    const place = wanted.querySelector("[data-address]");
    if (place && place.dataset.address === awaited) awaited = null;
    if (place && root.dataset.open === name && awaited === null) {
      const search = place.dataset.address ? `?${place.dataset.address}` : "";
      if (search !== location.search && answered) {
        const step = stepped === undefined || stepped === search ? "replaceState" : "pushState"; // the first is where one came in
        history[step](null, "", location.pathname + search + location.hash);
      }
      if (answered) stepped = search;
    }
    if (document.activeElement.closest(".mir-panel:not(.is-open)")) focusFirst(restingPlaces(), document.activeElement); // a button led here
    if (root.dataset.open !== name) {
      if (root.dataset.open) act({ act: "page.open", tab: name });
      root.dataset.open = name;
      requestAnimationFrame(() => charts(wanted));
    }
  }
  /* On a phone the tabs are wider than the screen: bring the open one into sight, moving nothing else. */
  function reveal() {
    const tab = document.querySelector('[data-tab][aria-selected="true"]');
    if (!tab) return;
    const [row, own] = [tab.parentElement.getBoundingClientRect(), tab.getBoundingClientRect()];
    if (own.left < row.left || own.right > row.right) tab.parentElement.scrollLeft += (own.left + own.right - row.left - row.right) / 2;
  }
  addEventListener("resize", reveal);
  addEventListener("hashchange", () => {
    if (location.hash.slice(1) === root.dataset.open) return; // go() was here
    ledTo = null;
    showTab();
    scrollTo({ top: 0 });
  });

  /* At once: what is asked for on the way may be answered before the browser tells of another address. */
  function go(tab, led = false) {
    const elsewhere = root.dataset.open !== tab;
    location.hash = tab;
    if (elsewhere) {
      ledTo = led ? tab : null;
      showTab();
    }
    if (elsewhere || !led) scrollTo({ top: 0 });
  }

  /* ---- what is clicked, typed and chosen ---- */
  const said = (element) => ({ ...element.dataset });

  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    if (!target) return;
    const link = target.closest('a[href^="#"]'); // the page's <base> would make it leave the page
    if (link) {
      event.preventDefault();
      go(link.hash.slice(1));
      return;
    }
    const tab = target.closest('[role="tab"]');
    if (tab) {
      go(tab.dataset.tab);
      return;
    }
    const play = target.closest("[data-play]");
    if (play) return toggle(play.closest(".player"));
    const wave = target.closest(".player .wave, .player [data-at]");
    if (wave) return seekTo(event, wave);
    const chooser = target.closest("[data-choose]");
    if (chooser) return choose(chooser);
    const recorder = target.closest("[data-record]");
    if (recorder) return record(recorder);
    if (target.closest("[data-theme-toggle]")) return turnTheme();
    const listen = target.closest("[data-listen]");
    if (listen) return openPanel(listen);
    if (target.closest("[data-dismiss]")) return takeAway(target.closest(".notice"));
    const button = target.closest("button[data-act]");
    if (button && button.closest("summary")) event.preventDefault(); // the button, not the fold around it
    if (button && !button.disabled) {
      const { moment } = button.dataset; // asks about what one hears of this sound
      act(moment === undefined ? said(button) : { ...said(button), moment: "true", at: playing === moment ? String(audio.currentTime) : "" });
      if (button.dataset.goes) go(button.dataset.goes, true); // where its answer will be
    }
  });

  document.addEventListener("change", (event) => {
    const field = event.target;
    if (field.matches("select[data-resends]")) resend(field);
    else if (field.matches("select[data-act], input[type=radio][data-act]")) act({ ...said(field), value: field.value });
    else if (field.matches("input[type=checkbox][data-act]")) tickBox(field);
    else if (field.matches("input[type=range][data-act], input[type=number][data-act]")) act({ ...said(field), value: field.value });
    else if (field.matches("input[type=text][data-act]")) leaveField(field);
  });

  /* Ticked with the shift key held: all from the one ticked before. */
  let shifted = false;
  let ticked = null;
  document.addEventListener("click", (event) => { shifted = event.shiftKey; }, true);
  document.addEventListener("keydown", (event) => { shifted = event.shiftKey; }, true);
  function tickBox(field) {
    const message = { ...said(field), value: String(field.checked) };
    const { range, clip } = field.dataset;
    if (range && shifted && ticked && ticked !== clip) act({ ...message, act: range, from: ticked });
    else act(message);
    if (range) ticked = clip;
  }

  /* Clips are ticked: what is typed next is their tag. */
  document.addEventListener("keydown", (event) => {
    const place = document.querySelector(".is-open [data-typed-here]");
    const elsewhere = event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable], .long");
    if (!place || elsewhere || event.key.length !== 1 || event.key === " " || event.ctrlKey || event.metaKey || event.altKey) return;
    place.focus(); // the key itself arrives there
  });
  document.addEventListener("keydown", (event) => {
    const undo = document.querySelector("[data-undo]");
    if (!undo || event.key.toLowerCase() !== "z" || !(event.ctrlKey || event.metaKey) || event.shiftKey) return;
    if (event.target.matches("input:not([type=checkbox])") && event.target.value) return; // its own undo
    event.preventDefault();
    undo.click();
  });

  function leaveField(field) {
    const value = field.value.trim();
    if (field.hasAttribute("data-clears")) {
      if (!value) return;
      field.value = "";
    } else if (value === field.defaultValue) return;
    act({ ...said(field), value });
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("form[data-act]")) return;
    event.preventDefault();
    act({ ...said(form), ...Object.fromEntries(new FormData(form)) });
    for (const secret of form.querySelectorAll("input[type=password]")) secret.value = "";
  });

  document.addEventListener("keydown", (event) => {
    const field = event.target;
    if (!(field instanceof Element) || event.isComposing) return; // Enter ends a Japanese conversion first
    if (field.matches("input[type=text][data-act]")) {
      if (event.key === "Enter" || (event.key === "," && field.hasAttribute("data-clears"))) {
        event.preventDefault();
        leaveField(field);
      } else if (event.key === "Escape") {
        field.value = field.defaultValue;
      } else if (event.key === "Backspace" && !field.value && field.hasAttribute("data-clears")) {
        const chips = field.closest(".chips").querySelectorAll(".chip button[data-act]");
        if (chips.length) act(said(chips[chips.length - 1]));
      }
    } else if (field.matches("[role=tab]") && (event.key === "ArrowRight" || event.key === "ArrowLeft")) {
      const tabs = [...field.parentElement.querySelectorAll("[role=tab]")];
      const step = event.key === "ArrowRight" ? 1 : -1;
      const next = tabs[(tabs.indexOf(field) + step + tabs.length) % tabs.length];
      next.focus();
      go(next.dataset.tab);
    } else if (field.matches("[data-play]") && (event.key === "ArrowRight" || event.key === "ArrowLeft")) {
      event.preventDefault();
      if (field.closest(".player").dataset.src === playing) audio.currentTime += event.key === "ArrowRight" ? 2 : -2;
    }
  });

  /* ---- sound: one audio element for every player on the page ---- */
  const audio = new Audio();
  let playing = null;
  audio.addEventListener("ended", () => { playing = null; paint(); });
  audio.addEventListener("error", () => {
    if (playing !== null) mirdemo.say("unheard");
    playing = null;
    paint();
  });
  audio.addEventListener("pause", paint);
  audio.addEventListener("play", () => requestAnimationFrame(tick));

  function start(source, at) {
    alive();
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

  function paint() {
    for (const player of document.querySelectorAll(".player")) {
      const mine = player.dataset.src === playing;
      const seconds = Number(player.dataset.seconds) || 1;
      player.toggleAttribute("data-live-playing", mine && !audio.paused);
      player.style.setProperty("--played", mine ? `${(100 * audio.currentTime) / seconds}%` : "0%");
      const button = player.querySelector("[data-play]");
      if (button) button.setAttribute("aria-pressed", mine && !audio.paused);
      const under = player.querySelector(".under");
      if (mine && under && !player.querySelector(".over")) {
        const over = under.cloneNode(true);
        over.setAttribute("class", "over");
        under.after(over);
      }
      const clock = player.querySelector(".clock");
      if (clock) clock.textContent = mine ? time(audio.currentTime) : "";
      if (clock) for (const place of document.querySelectorAll(`[data-moment-of="${player.dataset.src}"]`)) place.textContent = clock.textContent;
      for (const cell of player.querySelectorAll("[data-at]")) {
        const at = Number(cell.dataset.at);
        cell.toggleAttribute("data-live-now", mine && audio.currentTime >= at && audio.currentTime < at + Number(cell.dataset.lasts));
      }
    }
  }
  const two = (number) => String(Math.floor(number)).padStart(2, "0");
  const time = (seconds) => (seconds < 3600 ? `${Math.floor(seconds / 60)}` : `${Math.floor(seconds / 3600)}:${two((seconds / 60) % 60)}`) + `:${two(seconds % 60)}`;
  const tick = () => { paint(); if (!audio.paused) requestAnimationFrame(tick); };

  /* ---- files: dropped, chosen, recorded ---- */
  function choose(button) {
    const input = document.createElement("input");
    input.type = "file";
    input.multiple = !button.closest("[data-drop]").hasAttribute("data-one");
    input.className = "chosen-files";
    if (button.dataset.choose === "folder") input.webkitdirectory = true;
    const zone = button.closest("[data-drop]");
    input.addEventListener("change", () => {
      take(zone, [...input.files].map((file) => ({ file, name: file.webkitRelativePath || file.name })));
    });
    input.click();
  }

  addEventListener("dragover", (event) => {
    const zone = event.target.closest && event.target.closest("[data-drop]");
    event.preventDefault();
    document.querySelectorAll("[data-live-over]").forEach((other) => other !== zone && other.removeAttribute("data-live-over"));
    if (zone) zone.setAttribute("data-live-over", "");
    else event.dataTransfer.dropEffect = "none";
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) document.querySelectorAll("[data-live-over]").forEach((zone) => zone.removeAttribute("data-live-over"));
  });
  addEventListener("drop", async (event) => {
    const zone = event.target.closest && event.target.closest("[data-drop]");
    event.preventDefault();
    document.querySelectorAll("[data-live-over]").forEach((other) => other.removeAttribute("data-live-over"));
    if (!zone) return;
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry && item.webkitGetAsEntry()).filter(Boolean);
    const files = entries.length ? (await Promise.all(entries.map((entry) => walk(entry, "")))).flat()
      : [...event.dataTransfer.files].map((file) => ({ file, name: file.name }));
    take(zone, files);
  });

  async function walk(entry, folder) {
    if (entry.isFile) return [await new Promise((done, fail) => entry.file((file) => done({ file, name: folder + file.name }), fail))];
    const reader = entry.createReader();
    const found = [];
    for (;;) {
      const some = await new Promise((done, fail) => reader.readEntries(done, fail));
      if (!some.length) break;
      for (const child of some) found.push(...(await walk(child, `${folder}${entry.name}/`)));
    }
    return found;
  }

  async function take(zone, files) {
    const real = files.filter(({ name }) => !name.split("/").pop().startsWith("."));
    if (!real.length) return;
    const isSound = ({ file }) => /^(audio|video)\//.test(file.type);
    const [most, mostSound] = [Number(zone.dataset.mostBytes), Number(zone.dataset.mostSoundBytes || zone.dataset.mostBytes)];
    const large = real.find((one) => one.file.size > (isSound(one) ? mostSound : most));
    if (large) return sayIn(zone, (isSound(large) && zone.dataset.saySoundLarge || zone.dataset.sayLarge).replace("{name}", large.name));
    const together = real.reduce((sum, { file }) => sum + file.size, 0);
    if (together > Number(zone.dataset.mostTogether)) return sayIn(zone, zone.dataset.sayTogether);
    const sent = [];
    try {
      for (const [index, { file, name }] of real.entries()) {
        sayIn(zone, zone.dataset.sayUploading.replace("{done}", index + 1).replace("{total}", real.length), index / real.length);
        sent.push({ path: await upload(file), name });
        chosen.set(name.split("/").pop(), file);
      }
    } catch (error) {
      return sayIn(zone, error.refusal || zone.dataset.sayFailed);
    }
    sayIn(zone, "");
    const fields = Object.fromEntries([...zone.querySelectorAll("[name]")].map((field) => [field.name, field.value]));
    act({ act: zone.dataset.drop, files: sent, ...fields });
    return true;
  }

  /* Files stay on the visitor's own disk; the page remembers which they were, so that one can be read in another way. */
  const chosen = new Map(); // name -> File
  async function resend(field) {
    const message = { ...said(field), value: field.value };
    const file = chosen.get(field.dataset.resends);
    const zone = document.querySelector(".is-open [data-drop]");
    const asBefore = () => { field.value = field.querySelector("option[selected]").value; }; // what is read stays what it was
    if (!file) {
      act(message);
      return asBefore();
    }
    try {
      if (zone) sayIn(zone, zone.dataset.sayUploading.replace("{done}", 1).replace("{total}", 1), 0);
      act({ ...message, files: [{ path: await upload(file), name: file.name }] });
      if (zone) sayIn(zone, "");
    } catch (error) {
      asBefore();
      if (zone) sayIn(zone, error.refusal || zone.dataset.sayFailed);
    }
  }

  /* Where one file lies now. Throws; with the server's own words in `refusal` where it gave any. */
  async function upload(file, tries = 5) {
    const form = new FormData();
    form.append("files", file);
    const answer = await fetch(`gradio_api/upload?language=${root.lang}`, { method: "POST", body: form });
    if (answer.ok) return (await answer.json())[0];
    if (answer.status === 429 && tries) { // many send at once from here: this one waits for its turn
      await new Promise((wake) => setTimeout(wake, 1000 * Math.min(30, Number(answer.headers.get("Retry-After")) || 1)));
      return upload(file, tries - 1);
    }
    const told = await answer.json().catch(() => ({}));
    throw Object.assign(new Error(answer.status), { refusal: typeof told.detail === "string" && told.detail });
  }

  function sayIn(zone, text, share) {
    zone.toggleAttribute("data-live-busy", share !== undefined);
    zone.querySelector(".drop-says").textContent = text;
  }

  /* How loud it is, 0 to 1 from -60 dB to full scale, so that one sees whether anything arrives. */
  function levelOf(stream) {
    const context = new AudioContext();
    const listener = context.createAnalyser();
    listener.fftSize = 2048;
    context.createMediaStreamSource(stream).connect(listener);
    const samples = new Float32Array(listener.fftSize);
    return {
      now: () => {
        listener.getFloatTimeDomainData(samples);
        const peak = samples.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6);
        return Math.max(0, Math.min(1, 1 + (20 * Math.log10(peak)) / 60)).toFixed(3);
      },
      end: () => context.close(),
    };
  }

  let recording = null;
  async function record(button) {
    const zone = button.closest("[data-drop]");
    if (recording) return recording.stop();
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({
        audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false }, // music, not speech
      });
    } catch {
      return sayIn(zone, zone.dataset.sayNoMicrophone);
    }
    const parts = [];
    const began = Date.now();
    recording = new MediaRecorder(stream);
    recording.ondataavailable = ({ data }) => parts.push(data);
    const level = levelOf(stream);
    const clock = setInterval(() => {
      zone.querySelector(".level").style.setProperty("--level", level.now());
      const seconds = (Date.now() - began) / 1000;
      sayIn(zone, zone.dataset.sayRecording.replace("{time}", time(seconds)), 0);
      if (seconds > Number(zone.dataset.mostSeconds)) recording.stop();
    }, 200);
    recording.onstop = () => {
      clearInterval(clock);
      level.end();
      stream.getTracks().forEach((track) => track.stop());
      const kind = recording.mimeType.includes("mp4") ? "m4a" : "webm";
      recording = null;
      button.removeAttribute("data-live-recording");
      const stamp = new Date(began).toTimeString().slice(0, 8).replaceAll(":", "-");
      take(zone, [{ file: new File(parts, `recording.${kind}`), name: `${zone.dataset.recordingName} ${stamp}.${kind}` }]);
    };
    recording.start();
    button.setAttribute("data-live-recording", "");
  }

  /* ---- charts: Plotly from this server, asked for when the first chart comes near; one a frame, the nearest first ---- */
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
    requestAnimationFrame(() => charts(document));
  });

  const waiting = new Set();
  let drawing = false;
  const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
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

  function charts(view) {
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
    await painted(); // Plotly's script takes a while to begin: first what is there already
    while (waiting.size) {
      const place = [...waiting].reduce((near, other) => (distance(other) < distance(near) ? other : near));
      waiting.delete(place);
      if (place.offsetParent && await chart(place)) await painted(); // in a closed tab: drawn when it opens
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
    place.drawn = look;
    place.wide = wide;
    try {
      const Plotly = await loadPlotly();
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
    if (what?.play) start(what.play, what.at);
    else if (what?.act) act(what);
    else mirdemo.point(place, point);
  }

  /* ---- the listening panel: a page of its own in a frame over this one; what it hands in is dropped as a file ---- */
  let panel = null; // { cover, frame, sent: whether answers are on their way }
  function openPanel(button) {
    audio.pause();
    const cover = document.createElement("dialog");
    cover.className = "listening";
    const frame = document.createElement("iframe");
    frame.src = `${button.dataset.listen}&theme=${document.body.classList.contains("dark") ? "dark" : "light"}`;
    frame.title = button.textContent.trim();
    frame.allow = "autoplay";
    frame.addEventListener("load", () => frame.focus());
    const close = document.createElement("button");
    close.type = "button";
    close.className = "round";
    close.textContent = "\u00d7";
    close.setAttribute("aria-label", button.dataset.close);
    close.addEventListener("click", () => cover.close());
    cover.append(frame, close);
    cover.addEventListener("close", () => {
      cover.remove();
      panel = null;
      button.focus();
    });
    document.querySelector(".view").closest(".gradio-container").append(cover);
    panel = { cover, frame, sent: false };
    cover.showModal();
  }
  addEventListener("message", async ({ source, origin, data }) => {
    if (!panel || source !== panel.frame.contentWindow || origin !== location.origin || !data) return;
    if (data.mirdemo === "close") panel.cover.close();
    else if (data.mirdemo === "here") act({ act: "page.stay" }); // who listens has not left
    else if (data.mirdemo === "answers") {
      panel.sent = false;
      const zone = document.querySelector('[data-drop="panel.answers"]');
      const file = new File([data.text], data.name, { type: "application/json" });
      const sent = await take(zone, [{ file, name: data.name }]);
      if (panel) panel.sent = sent;
      if (!sent) tellPanel([zone.querySelector(".drop-says").textContent]);
    }
  });
  /* What has arrived of the answers, as the page shows it. */
  function tellPanel(notes) {
    const runs = [...document.querySelectorAll("[data-heard]")].map((one) => one.dataset.heard);
    panel?.frame.contentWindow.postMessage({ mirdemo: "heard", runs, notes }, location.origin);
  }
  function panelHeard(view) {
    if (!panel?.sent || !view.querySelector('[data-drop="panel.answers"]')) return;
    tellPanel([...view.querySelectorAll('[data-key^="panel-note"] [data-note]')].map((one) => one.textContent));
  }

  /* ---- light and dark ---- */
  function wear(theme) {
    document.body.classList.toggle("dark", theme === "dark");
    charts(document);
  }
  function turnTheme() {
    const theme = document.body.classList.contains("dark") ? "light" : "dark";
    remember(localStorage, "mirdemo-theme", theme);
    wear(theme);
  }
  const wished = remember(localStorage, "mirdemo-theme");
  if (wished) addEventListener("DOMContentLoaded", () => wear(wished));

  /* Words come in the visitor's language with the first answer; until then only English readers see the page. */
  if (!(navigator.language || "en").startsWith("en")) {
    root.classList.add("waiting");
    setTimeout(() => root.classList.remove("waiting"), 3000);
  }

  const waits = () => answeredTurn < turn || drawingDue; // for an answer
  return { waits, connect, heard, back, remember, stand, draw, act, choose: choosePoint, plotly: loadPlotly, play: start, sound: audio, playing: () => playing };
})();
