/* Files on their way, and what the place that took them says of it: how far, what went wrong, and how one stops it. What is said is kept
   here, by the place's act: a drawing takes it from the page, in another language it has other words, and another place may stand there
   afterwards. */
"use strict";
(() => {
  const placeOf = (act) => document.querySelector(`[data-drop="${act}"]`);
  const told = new Map(); // act -> { say: which of the place's words, fills, text: or these, amount: [bytes gone, of], sending, busy }
  const SEEN_AFTER = 400; // milliseconds: what has gone by then needs no bar

  /* Sending begins. whole: bytes of all files */
  function begin(act, whole) {
    const before = told.get(act)?.sending; // goes on beside this one
    let gone = 0; // bytes of the files before this one
    let stopped = false, halt;
    const halted = new Promise((_, fail) => { halt = fail; });
    halted.catch(() => {}); // nobody may wait
    const mine = () => told.get(act)?.sending === sending;
    const sending = {
      file: (done, total) => say(act, { sending, say: "sayUploading", fills: { done, total }, amount: [gone, whole], busy: true }),
      async send(file) {
        const path = await upload(file, (bytes) => mine() && say(act, { ...told.get(act), amount: [gone + bytes, whole] }), halted);
        gone += file.size;
        return path;
      },
      stop() {
        before?.stop();
        stopped = true;
        halt(new Error("stopped"));
      },
      fail: ({ refusal }) => mine() && say(act, refusal ? { text: refusal } : { say: stopped ? "sayStopped" : "sayFailed" }),
      end: () => mine() && say(act),
    };
    told.set(act, { sending, busy: true });
    setTimeout(() => { sending.seen = true; draw(placeOf(act)); }, SEEN_AFTER);
    return sending;
  }

  /* Where one file lies now. tell: called with how many bytes have gone; halted: fails when it is stopped. Throws; with the server's
     own words in `refusal` where it gave any. */
  async function upload(file, tell, halted, tries = 5) {
    const { status, said, later } = await post(file, tell, halted);
    if (status === 200) return said[0];
    if (status === 429 && tries) { // many send at once from here: this one waits for its turn
      await Promise.race([halted, new Promise((wake) => setTimeout(wake, 1000 * Math.min(30, later || 1)))]);
      return upload(file, tell, halted, tries - 1);
    }
    throw Object.assign(new Error(status), { refusal: typeof said?.detail === "string" && said.detail });
  }
  function post(file, tell, halted) { // fetch tells nobody how much has gone
    const form = new FormData();
    form.append("files", file);
    const line = new XMLHttpRequest();
    line.open("POST", `gradio_api/upload?language=${document.documentElement.lang}`);
    line.responseType = "json";
    line.upload.addEventListener("progress", ({ loaded }) => tell(Math.min(loaded, file.size)));
    const answer = new Promise((done, fail) => {
      line.addEventListener("load", () => done({ status: line.status, said: line.response, later: Number(line.getResponseHeader("Retry-After")) }));
      line.addEventListener("error", () => fail(new Error("line")));
    });
    line.send(form);
    return Promise.race([halted, answer]).finally(() => line.abort());
  }

  function say(act, what) {
    if (what) told.set(act, what);
    else told.delete(act);
    draw(placeOf(act));
  }
  function draw(place) {
    if (!place) return;
    const { say, fills = {}, text, amount, sending, busy } = told.get(place.dataset.drop) || {};
    place.toggleAttribute("data-live-busy", Boolean(busy));
    place.toggleAttribute("data-live-sending", Boolean(sending?.seen));
    write(place.querySelector(".drop-says"), text || filled(place.dataset[say] || "", fills));
    if (!amount) return;
    const [done, total] = amount.map(megabytes);
    place.querySelector(".sending progress").value = amount[0] / amount[1];
    write(place.querySelector(".sending-says"), filled(place.dataset.saySent, { done, total }));
  }
  const filled = (words, fills) => Object.entries(fills).reduce((sentence, [name, value]) => sentence.replace(`{${name}}`, value), words);
  const write = (place, words) => { if (place.textContent !== words) place.textContent = words; }; // written again, it is read out again
  const megabytes = (bytes) => (bytes / 1e6).toLocaleString(document.documentElement.lang, { minimumFractionDigits: 1, maximumFractionDigits: 1 });

  const { afterDrawing, goesOn } = mirdemo;
  mirdemo.afterDrawing = (view) => {
    afterDrawing(view);
    view.querySelectorAll("[data-drop]").forEach(draw);
  };
  mirdemo.goesOn = () => { // what went wrong before has been read
    goesOn();
    for (const [act, { busy }] of told) if (!busy) say(act);
  };
  document.addEventListener("click", ({ target }) => {
    const button = target.closest?.("[data-stop-sending]");
    if (button) told.get(button.closest("[data-drop]").dataset.drop)?.sending?.stop();
  });
  addEventListener("beforeunload", (event) => { // who leaves now loses what is on its way, or is being recorded
    if ([...told.values()].some(({ busy }) => busy)) event.preventDefault();
  });

  mirdemo.sending = { begin, say, placeOf };
})();
