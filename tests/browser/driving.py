"""What browser tests do with the page, and the sounds they give it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np

RATE = 22_050


@cache
def _context(chromium, language: str):
    """One for all visitors of a language: what they fetch of the page's scripts is fetched and compiled once. A visitor is a
    browser tab, whose secret lies in its own session storage, so that two of one context are two."""
    return chromium.new_context(locale=language, permissions=["microphone"])


#: What the page has left in the browser, and what of it SECURITY.md tells.
LEFT = "() => [...document.cookie.split('; ').filter(Boolean), ...Object.keys(sessionStorage), ...Object.keys(localStorage)]"
KEPT = re.compile(r"mirdemo(-theme|-lang|-had|-cut|-panel-.*)?")


@contextmanager
def visiting(chromium, address: str) -> Iterator[Callable]:
    """``visit(tab, language, width)`` opens the page as a new visitor. Fails on errors in the browser and on any
    request that leaves this machine.

    elsewhere: in a browser that has nothing in common with the other visitors'
    """
    contexts, opened, wrong = [], [], []

    def open_page(tab: str = "clips", language: str = "en-US", width: int = 1280, *, elsewhere: bool = False):
        if elsewhere:
            contexts.append(context := chromium.new_context(locale=language, permissions=["microphone"]))
        else:
            context = _context(chromium, language)
        page = context.new_page()
        opened.append(page)
        page.set_viewport_size({"width": width, "height": 860})
        page.set_default_timeout(120_000)  # conditions are waited for, on machines with other work too
        page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
        page.on("console", lambda said: wrong.append(said.text) if "Content Security" in said.text else None)
        page.on(
            "request",
            lambda request: (
                None if request.url.startswith((address, "data:", "blob:")) else wrong.append(request.url)
            ),
        )
        page.goto(f"{address}/#{tab}")
        page.wait_for_selector("[data-answered]")
        return page

    try:
        yield open_page
    finally:
        for page in opened:
            if page.is_closed():
                continue
            wrong += [f"left in the browser: {one}" for one in page.evaluate(LEFT) if not KEPT.fullmatch(one)]
            page.evaluate("localStorage.clear()")  # the next one has chosen no theme
        for one in {one for page in opened for one in page.context.pages}:
            one.close()
        for context in contexts:
            context.close()
    assert not wrong


def played(kind: str, seconds: float, seed: int) -> np.ndarray:
    """Something drum-like or flute-like, float32 (n,) at RATE."""
    random = np.random.default_rng(seed)
    out = np.zeros(int((seconds + 1) * RATE))
    at = 0.0
    while at < seconds:
        length = float(random.choice([0.25, 0.5]))
        t = np.arange(int(1.2 * length * RATE)) / RATE
        if kind == "drum":
            note = np.sin(2 * np.pi * (60 + 60 * np.exp(-20 * t)) * t) * np.exp(-6 * t)
        else:
            pitch = random.choice([440, 494, 587, 659])
            note = np.sin(2 * np.pi * pitch * t + 0.3 * np.sin(10 * np.pi * t)) * np.minimum(1, 20 * t)
        start = int(at * RATE)
        out[start : start + len(note)] += 0.3 * note
        at += length
    return out[: int(seconds * RATE)].astype(np.float32)


def write_labelled(
    folder: Path, recordings: int, seconds: float, tags: dict[int, str] | None = None
) -> list[Path]:
    """Drums and flutes in turn, each a recording, and a sheet of their tags. tags: further ones by number"""
    import soundfile

    lines = ["file,tags,recording"]
    for i in range(recordings):
        kind = ("drum", "flute")[i % 2]
        soundfile.write(folder / f"{kind}{i}.wav", played(kind, seconds, i), RATE)
        more = f";{tags[i]}" if tags and i in tags else ""
        lines.append(f"{kind}{i}.wav,{kind}{more},r{i}")
    (folder / "labels.csv").write_text("\n".join(lines), encoding="utf-8")
    return sorted(folder.iterdir())


#: Notes while room is kept for the question about recordings, however briefly: ``kept`` is where the table of clips stands then in
#: the page, in pixels from its top.
LISTENING = """() => {
  window.kept = null;
  const note = () => {
    const table = document.querySelector("#panel-clips .clip-table");
    if (table && document.querySelector("#panel-clips [data-awaits]")) kept = table.getBoundingClientRect().top + scrollY;
  };
  new MutationObserver(note).observe(document.body, { subtree: true, childList: true, attributes: true });
}"""
#: All of at least five clips were listened to, where ``LISTENING`` had looked on.
LISTENED = "kept !== null && !document.querySelector('#panel-clips [data-awaits]')"

#: Of four performances: pitch, beats a second, how fast a beat fades, partials, how they weaken, hiss.
PERFORMANCES = [
    (110, 1.5, 2, 2, 1, 0.0005),
    (233, 3, 6, 8, 0.2, 0.01),
    (523, 5, 12, 1, 2, 0.002),
    (880, 8, 3, 4, 0.7, 0.03),
]


def cut_up(folder: Path, each: int) -> None:
    """Clips cut from four performances, with names that tell nothing."""
    import soundfile

    letters = iter("qwertyuiopasdfgh")
    t = np.arange(3 * each * RATE) / RATE
    for seed, (pitch, beat, fades, partials, weaker, hiss) in enumerate(PERFORMANCES):
        tone = sum(np.sin(2 * np.pi * pitch * k * t) / k**weaker for k in range(1, partials + 1))
        whole = 0.1 * tone * np.exp(-fades * (t * beat % 1))
        whole += hiss * np.random.default_rng(seed).normal(size=len(t))
        for at in range(0, len(whole), 3 * RATE):
            soundfile.write(folder / f"{next(letters) * 3}.wav", whole[at : at + 3 * RATE], RATE)


def write_m4a(path: Path, samples: np.ndarray) -> None:
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=RATE, layout="mono")
        for start in range(0, len(samples), 1024):
            frame = av.AudioFrame.from_ndarray(samples[None, start : start + 1024], "fltp", "mono")
            frame.sample_rate = RATE
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def give(page, act: str, files: list[Path], how: str = "files") -> None:
    """Choose files in a drop zone."""
    with page.expect_file_chooser() as chooser:
        page.locator(f'[data-drop="{act}"] [data-choose={how}]').click()
    chooser.value.set_files(files)


def rows(page):
    return page.locator("#panel-clips tr[data-key]")


def wait_rows(page, count: int) -> None:
    page.wait_for_function(
        "n => document.querySelectorAll('#panel-clips tr[data-key]').length === n", arg=count
    )


def until(page, said: str) -> None:
    """Wait until it holds. The page's own policy lets nobody wait inside it."""
    for _ in range(1_200):
        if page.evaluate(said):
            return
        page.wait_for_timeout(100)
    raise AssertionError(said)
