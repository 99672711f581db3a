/* The listening panel: a page of its own in a frame over this one; what it hands in is dropped as a file. */
"use strict";
(() => {
  let panel = null; // { cover, frame, sent: whether answers are on their way }
  function openPanel(button) {
    mirdemo.sound.pause();
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
    else if (data.mirdemo === "here") mirdemo.act({ act: "page.stay" }); // who listens has not left
    else if (data.mirdemo === "answers") {
      panel.sent = false;
      const zone = document.querySelector('[data-drop="panel.answers"]');
      const file = new File([data.text], data.name, { type: "application/json" });
      const sent = await mirdemo.take(zone, [{ file, name: data.name }]);
      if (panel) panel.sent = sent;
      if (!sent) tellPanel([zone.querySelector(".drop-says").textContent]);
    }
  });
  /* What has arrived of the answers, as the page shows it. */
  function tellPanel(notes) {
    const runs = [...document.querySelectorAll("[data-heard]")].map((one) => one.dataset.heard);
    panel?.frame.contentWindow.postMessage({ mirdemo: "heard", runs, notes }, location.origin);
  }
  mirdemo.panelHeard = (view) => {
    if (!panel?.sent || !view.querySelector('[data-drop="panel.answers"]')) return;
    tellPanel([...view.querySelectorAll('[data-key^="panel-note"] [data-note]')].map((one) => one.textContent));
  };

  document.addEventListener("click", (event) => {
    const listen = event.target.closest?.("[data-listen]");
    if (listen) openPanel(listen);
  });
})();
