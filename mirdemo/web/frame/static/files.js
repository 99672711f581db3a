/* Files that a visitor brings: dropped, chosen or recorded here; each is sent (sending.js), then an act names them. */
"use strict";
(() => {
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

  const STAYS = 240_000; // milliseconds after which the page says, while it sends, that its visitor is here
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
    const sending = mirdemo.sending.begin(zone.dataset.drop, together);
    const staying = setInterval(() => mirdemo.act({ act: "page.stay", files: sent }), STAYS); // an hour may pass until the act
    try {
      for (const [index, { file, name }] of real.entries()) {
        sending.file(index + 1, real.length);
        sent.push({ path: await sending.send(file), name });
        chosen.set(name.split("/").pop(), file);
      }
    } catch (error) {
      if (sent.length) mirdemo.act({ act: "page.unsend", files: sent });
      return sending.fail(error);
    } finally {
      clearInterval(staying);
    }
    sending.end();
    const there = mirdemo.sending.placeOf(zone.dataset.drop) || zone; // another may stand there by now
    const fields = Object.fromEntries([...there.querySelectorAll("[name]")].map((field) => [field.name, field.value]));
    mirdemo.act({ act: zone.dataset.drop, files: sent, ...fields });
    return true;
  }

  /* Files stay on the visitor's own disk; the page remembers which they were, so that one can be read in another way. */
  const chosen = new Map(); // name -> File
  async function resend(field) {
    const message = { ...field.dataset, value: field.value };
    const file = chosen.get(field.dataset.resends);
    const asBefore = () => { field.value = field.querySelector("option[selected]").value; }; // what is read stays what it was
    if (!file) {
      mirdemo.act(message);
      return asBefore();
    }
    const sending = mirdemo.sending.begin(document.querySelector(".is-open [data-drop]")?.dataset.drop, file.size);
    try {
      sending.file(1, 1);
      mirdemo.act({ ...message, files: [{ path: await sending.send(file), name: file.name }] });
      sending.end();
    } catch (error) {
      asBefore();
      sending.fail(error);
    }
  }

  const sayIn = (zone, text) => mirdemo.sending.say(zone.dataset.drop, { text });

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
      mirdemo.sending.say(zone.dataset.drop, { say: "sayRecording", fills: { time: mirdemo.clock(seconds) }, busy: true });
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

  document.addEventListener("click", (event) => {
    const chooser = event.target.closest?.("[data-choose]");
    if (chooser) choose(chooser);
    const recorder = event.target.closest?.("[data-record]");
    if (recorder) record(recorder);
  });
  document.addEventListener("change", (event) => { if (event.target.matches("select[data-resends]")) resend(event.target); });

  mirdemo.take = take;
})();
