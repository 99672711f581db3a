/* The page's own script: sends acts up the wire and draws the views that come down. No library, nothing fetched. Beside it: room.js makes
   room for answers, morphing.js draws, focus.js and tabs.js lead, beside.js knows of other tabs of the same visit. */
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
  let secret; // the visitor's, once it is told
  let turn = 0; // of the last act
  let acted = 0; // of the last one that may change what other tabs show
  let answeredTurn = 0; // of the last one that was answered
  let untold = 0; // of the last one that other tabs of the browser may show and have not been told of
  const OWN = ["page.open", "page.stay", "page.unsend"]; // acts that change nothing that others show

  /* Its turn. about: what else the act is about, for whoever makes room */
  function act(message, about = {}) {
    alive();
    if (!message.act.startsWith("page.")) mirdemo.goesOn(); // somebody goes on from here
    if (secret) up(message);
    else early.push(message); // whose it is, is not known yet: the server would take it for a forgotten page's
    if (!message.act.startsWith("page.")) acted = turn;
    if (!OWN.includes(message.act)) untold = turn;
    mirdemo.beside.tell("here");
    asked.add(message.act);
    mirdemo.room.make({ ...about, ...message, turn }, (view) => (drawnAt.get(view) ?? 0) >= acted);
    return turn;
  }

  /* Where a proxy holds answers back until the last one, a step's page would hear nothing until it ends. So a page that waits
     too long looks: the server then ends its answers at once, and says when to look again while something runs. Now and then
     it tries whether telling is heard. */
  let listening = null;
  let toldToLook = false; // by the server, which says nothing more until then
  const MOST_SILENCE = 8000; // milliseconds from an act to its first answer
  function up(message) { // with the open tab and whose it is: a server that took the page for closed may no longer know
    send({ turn: ++turn, tab: root.dataset.open, token: secret, ...message, drawn: latest, speaks: root.lang });
    listening ||= setTimeout(look, MOST_SILENCE, "silence");
  }
  function look(why) {
    [listening, toldToLook] = [null, false];
    if (!root.classList.contains("cut")) up({ act: "page.look", why });
  }

  /* Another tab has done something (beside.js). */
  function lookBeside() {
    clearTimeout(listening);
    look("beside");
  }

  /* Nothing was heard for so long that the line is in doubt (line.js). */
  function silence() {
    clearTimeout(listening);
    look("silence");
  }

  /* The line was cut and is back (line.js). What the server may not have heard is said again, in the same turn: it does nothing
     twice. told: whether the page had said that the line was cut */
  function back(unanswered, told) {
    for (const message of unanswered) if (message.turn > answeredTurn && message.act !== "page.look") send(message);
    up({ act: "page.look", why: "back", ...(told && { cut: "yes" }) });
  }

  function connect(trigger) {
    send = trigger;
    mirdemo.wear(); // once more, after Gradio has put on its own
    const language = new URLSearchParams(location.search).get("lang") || remember(sessionStorage, "mirdemo-lang");
    const address = location.search.slice(1);
    const [token, had, cut] = ["", "-had", "-cut"].map((what) => remember(sessionStorage, `mirdemo${what}`));
    remember(sessionStorage, "mirdemo-cut", "");
    up({ act: "page.hello", token, had, cut, language, address, tab: location.hash.slice(1) });
  }

  let answered = false;
  let latest = 0; // the last drawing that is on the page: what came with it need not be sent again
  let behind = false; // it has asked for what is missing before a later one
  const places = new Map(); // a view's name -> where it is drawn
  const known = new Map(); // a view's name -> its last drawing, for a place that comes later
  function heard(text) {
    if (!text) return;
    const answer = JSON.parse(text);
    answeredTurn = Math.max(answeredTurn, answer.turn || 0);
    if (answer.turn === answeredTurn || !toldToLook) { // what an earlier act's answer still says takes no look away
      clearTimeout(listening);
      toldToLook = Boolean(answer.look);
      const waits = toldToLook || answeredTurn < turn; // a later act may still wait
      listening = waits ? setTimeout(look, toldToLook ? 1000 * answer.look : MOST_SILENCE, toldToLook ? "told" : "silence") : null;
    }
    if (answer.forgotten) {
      if (!secret && mirdemo.asks("page.hello")) return; // it looked before it was told whose it is, and will be
      remember(sessionStorage, "mirdemo-cut", "yes"); // what was asked for was not done: the page says why
      location.reload();
      return;
    }
    answered = true;
    if (answer.token) {
      remember(sessionStorage, "mirdemo", secret = answer.token);
      mirdemo.beside.open(secret);
      early.splice(0).forEach(up);
    }
    if (untold && answeredTurn >= untold) {
      untold = 0;
      mirdemo.beside.tell("changed");
    }
    const whole = !("after" in answer), missing = answer.after > latest; // Gradio may show the last of two answers alone
    for (const [name, [number, html]] of Object.entries(answer.views)) {
      if (number > (known.get(name) || [0])[0]) known.set(name, [number, html]);
      due.add(name);
      if (!missing) latest = Math.max(latest, number);
    }
    drawSoon();
    if (missing && !behind) act({ act: "page.open", tab: root.dataset.open });
    behind = missing || (behind && !whole);
  }

  /* The views' places are there. first: what stands in some of them until the first answer */
  function stand(page, first) {
    for (const view of page.querySelectorAll("[data-view]")) {
      const { view: name } = view.dataset;
      places.set(name, view);
      if (!known.has(name) && name in first) known.set(name, [0, first[name]]);
      if (known.has(name)) due.add(name);
    }
    drawSoon();
  }

  /* Draws what is due, from the top of the page; after some time it lets the browser show what is there already, and what
     was done meanwhile be heard, and goes on. A view in a window that nobody sees is drawn all the same. */
  const due = new Set(); // views' names
  const MOST_AT_ONCE = 30; // milliseconds, beyond which it draws no other
  let drawingDue = false;
  /* Not within Gradio's own work on the answer: the browser may do something else between the two. No timer, which a window that
     nobody sees keeps waiting. */
  const soon = new MessageChannel();
  soon.port1.onmessage = () => drawDue();
  function drawSoon() {
    if (drawingDue) return;
    drawingDue = true;
    soon.port2.postMessage(null);
  }
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
    if (!drawingDue) { // also where the answer was that nothing changes
      mirdemo.room.end(document, answeredTurn);
      mirdemo.answered(answeredTurn);
    }
    if (drawingDue) Promise.race([painted(), new Promise((wake) => setTimeout(wake, 100))]).then(drawDue);
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
    const { neighbours, canHaveFocus, restingPlaces, focusFirst, takeAway } = mirdemo.focus;
    const focus = document.activeElement;
    const beside = focus && view.contains(focus) ? neighbours(view, focus) : [];
    const awaited = mirdemo.room.awaited(view);
    mirdemo.beforeDrawing(view);
    mirdemo.morphChildren(view, fresh);
    mirdemo.room.hold(awaited);
    drawnAt.set(view, answeredTurn);
    mirdemo.room.end(view, answeredTurn);
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
    views.forEach(mirdemo.panelHeard);
    mirdemo.showTab();
    mirdemo.paint();
    views.forEach(mirdemo.charts);
    views.forEach(mirdemo.arrive);
    mirdemo.focus.findFocus();
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

  /* A file that was asked for here, and is ready now, is fetched without another click. */
  const asked = new Set(); // acts
  const saved = new Map(); // view -> the last file that was ready
  function fetchSaved(view) {
    const link = view.querySelector("a[data-saves]");
    const news = link ? link.dataset.saves : "";
    const before = saved.get(view);
    saved.set(view, news);
    if (news && before !== undefined && before !== news && asked.delete(link.dataset.asked)) link.click();
  }

  /* The first to ask the browser for its languages waits until it has read them. Gradio's script would ask in the midst of its longest
     work; now it is not here yet. */
  setTimeout(() => Intl.NumberFormat.supportedLocalesOf("en"));

  /* Words come in the visitor's language with the first answer; until then only English readers see the page. */
  if (!(navigator.language || "en").startsWith("en")) {
    root.classList.add("waiting");
    setTimeout(() => root.classList.remove("waiting"), 3000);
  }

  const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const isAnswered = () => answered; // for the first time
  const waits = () => answeredTurn < turn || drawingDue; // for an answer
  return { isAnswered, waits, connect, heard, silence, lookBeside, back, remember, stand, draw, act, alive, painted };
})();
