"""The corpora at their full size: what a thousand recordings cost to open, look through, check, label, read and evaluate.

    python -m benchmarks.full_size --splits CHECKOUT [--corpora fma lyra ...] [--read 200] [--seconds 1.6]
                                   [--rounds 5] [--evaluate 40] [--tune 6]

CHECKOUT is a checkout of github.com/pxaris/ccml at the pinned commit. Every recording is a hard link to one of a few short
sounds made here, named and placed as the corpus has it: MagnaTagATune's 25,863 clips, FMA-medium's 25,000, Lyra's 1,570
pieces (cut already), Dunya's recordings. What the checkout lacks is stood in for, and the row says so: Dunya's labels, which
nobody may hand on (a ``metadata.npy`` in the shape that ccml's own script writes, and one record a recording beside the
sound); MagnaTagATune's train.npy and binary.npy, where they are missing.

Timed, in seconds of this process's own processor time for 1,000 recordings, so that other work on the machine hardly shows:

- ``label``: ids, sides, labels, vocabulary and the split's revision, without a folder of sound. Rival: ccml's own dataset
  classes on the same files, their sides one after the other (of Lyra's the spectrograms left out, and pandas told to read the
  place "None" as a word, which it has not done by itself since 2.0; of MagnaTagATune's each item's labels looked up, which its
  class does item by item), in a process of their own, imports not counted.
- ``folder``: the same with the folder of sound looked through and, for Dunya, every record read. ``check``: whether each
  recording is there (``corpora check --quick``).
- ``find``: the folder looked through and each recording found in it, alone. Rival: the loop that one would write around the
  recursive glob by which ccml's preprocessing finds its sound: stems to paths, then each recording's size.
- ``read``: decoding ``--read`` of them. Rival: ``librosa.load(path, sr=16000, duration=...)``, which is how ccml's preprocessing
  reads; needs librosa, which mirdemo does not. Both turn by turn on the same files.
- ``growth``: what four times as many recordings cost, of ``folder`` and ``check`` together; 4 is linear. Seconds: median, least
  and most of ``--rounds`` rounds in which all and every fourth take turns (a single round moves by half: the smaller one takes
  some hundredths of a second). Calls: of functions, Python's and C's, counted by its profiling hook, the same in every round.

``--evaluate N``: then the published probe and the few-shot episode with ``spectral`` on N items a side, and with ``--tune N``
fine-tuning with ``mini-world``, to see that the whole way holds; wall seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from mirdemo.corpora.audio_folder import AudioFolder
from mirdemo.corpora.catalogue import catalogue
from mirdemo.corpora.checking import check
from mirdemo.corpora.reader import SIDES, RecordedCorpus
from mirdemo.corpora.registry import open_corpus
from mirdemo.corpora.vocabularies import vocabularies

SIX = ("magnatagatune", "fma", "lyra", "makam", "hindustani", "carnatic")
DUNYA = ("makam", "hindustani", "carnatic")
#: As published; more than the split lists of the first two.
FILES = {"magnatagatune": 25_863, "fma": 25_000}
SOUNDS = 7
#: ccml's classes, timed by themselves: their imports are no part of it.
RIVAL = """
import sys, time
sys.path.insert(0, ".")
folder, name, n = sys.argv[1], sys.argv[2], int(sys.argv[3])
if name == "magnatagatune":
    from training.datasets.magnatagatune import Magnatagatune
    def read():
        for side in ("train", "valid", "test"):
            made = Magnatagatune(folder, keyword=side)
            [made.tags_binary[int(line.split("\\t")[0])] for line in made.files_list]
elif name == "lyra":
    import functools, pandas
    pandas.read_csv = functools.partial(pandas.read_csv, keep_default_na=False)
    from training.datasets.lyra import LyraDataset
    class Labels(LyraDataset):
        def get_random_spec_segment_from_file(self, path):
            return [path]
        def get_spectrogram_from_file(self, path):
            return [path]
    def read():
        for train in (True, False):
            Labels(folder, top_N=n, train=train)
else:
    from training.datasets.ccml_dataset import CCMLDataset
    def read():
        for side in ("train", "valid", "test"):
            CCMLDataset(folder, top_N=n, keyword=side)
started = time.process_time()
read()
print(time.process_time() - started)
"""


def sounds(folder: Path, seconds: float) -> list[Path]:
    """A few short sounds, no two alike."""
    import soundfile

    folder.mkdir(parents=True)
    made = []
    for seed in range(SOUNDS):
        noise = np.random.default_rng(seed).normal(0, 0.1, round(22_050 * seconds)).astype(np.float32)
        made.append(folder / f"{seed}.mp3")
        soundfile.write(made[-1], noise, 22_050)
    return made


def split_files(name: str, checkout: Path, to: Path) -> list[str]:
    """The corpus's split in a folder of its own, as a checkout has it. Returns what had to be stood in for."""
    folder = to / "data" / name / "split"
    folder.parent.mkdir(parents=True)
    shutil.copytree(checkout / "data" / name / "split", folder)
    rng = np.random.default_rng(0)
    made = []
    if name == "magnatagatune":
        n_tags = catalogue()[name].n_tags
        if not (folder / "train.npy").is_file():
            made.append("train.npy")
            of_others = {
                int(line.split("\t")[0])
                for side in ("valid", "test")
                for line in np.load(folder / f"{side}.npy")
            }
            free = [index for index in range(FILES[name]) if index not in of_others]
            chosen = sorted(rng.permutation(free)[: catalogue()[name].recordings[0]].tolist())
            lines = [f"{i}\t{i % 16:x}/stand_in-{i}-track-0-29.mp3" for i in chosen]
            np.save(folder / "train.npy", np.array(lines))
        if not (folder / "binary.npy").is_file():
            made.append("binary.npy")
            np.save(folder / "binary.npy", (rng.random((FILES[name], n_tags)) < 0.05).astype(np.uint8))
    if name in DUNYA:
        made.append("labels")
        ids = [i for side in SIDES for i in np.load(folder / f"{side}.npy")]
        np.save(folder / "metadata.npy", np.array({str(i): labels(name, rng) for i in ids}, dtype=object))
    return made


def labels(name: str, rng: np.random.Generator) -> list[str]:
    """Three to five labels, the vocabulary's more often than others."""
    tags = vocabularies()[name].tags
    return sorted(
        {
            *(tags[i] for i in rng.integers(0, len(tags), 3)),
            *(f"form--rare {i}" for i in rng.integers(0, 300, 2)),
        }
    )


def record(name: str, given: Sequence[str]) -> dict[str, object]:
    """The same labels as a record in Dunya's shape."""
    fields = {
        "makam": {"makam": ("makamlist", "name"), "usul": ("usullist", "name")},
        "hindustani": {"raga": ("raags", "common_name"), "tala": ("taals", "common_name")},
        "carnatic": {"raga": ("raaga", "common_name"), "tala": ("taala", "common_name")},
    }[name]
    made: dict[str, list[object]] = {key: [] for key, _ in fields.values()}
    people = "performers" if name == "makam" else "artists"
    made[people] = []
    for label in given:
        family, _, word = label.partition("--")
        if family in fields:
            key, field = fields[family]
            made[key].append({field: word})
        elif family == "instrument":
            made[people].append({"instrument": {"name": word}})
    return dict(made)


def fill(name: str, ids: Sequence[str], data: Path, made: list[Path], table: dict[str, list[str]]) -> int:
    """A hard link for every recording where the corpus has it; for Dunya's corpora a record beside."""
    for number, item_id in enumerate(ids):
        if name == "magnatagatune":
            path = data / item_id
        elif name == "fma":
            path = data / "fma_medium" / item_id[:3] / f"{item_id}.mp3"
        else:
            path = data / f"{number % 16:x}" / f"{item_id}.mp3"
        path.parent.mkdir(parents=True, exist_ok=True)
        os.link(made[number % len(made)], path)
        if name in DUNYA:
            path.with_suffix(".json").write_text(json.dumps(record(name, table[item_id])), encoding="utf-8")
    for number in range(FILES.get(name, 0) - len(ids)):  # what the split does not list
        path = data / ("fma_medium/155" if name == "fma" else "f") / f"not-in-the-split-{number}.mp3"
        path.parent.mkdir(parents=True, exist_ok=True)
        os.link(made[number % len(made)], path)
    return max(FILES.get(name, 0), len(ids))


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.process_time()
    found = work()
    return time.process_time() - started, found


def rival_labels(checkout: Path, name: str, folder: Path) -> float | None:
    """Seconds of ccml's own reading; None where it does not run here."""
    given = [str(folder.resolve()), name, str(catalogue()[name].n_tags)]
    done = subprocess.run(
        [sys.executable, "-c", RIVAL, *given], cwd=checkout, capture_output=True, text=True, check=False
    )
    if done.returncode:
        print(f"  ccml's own classes do not run: {done.stderr.strip().splitlines()[-1]}")
        return None
    return float(done.stdout)


def reading(corpus: RecordedCorpus, ids: Sequence[str]) -> tuple[float, float | None]:
    """Seconds to decode these items, and of librosa for the same files, one after the other by turns of ten."""
    try:
        import librosa

        librosa.load(corpus.file(ids[0]), sr=16_000)  # its first call compiles
    except ImportError:
        librosa = None
    limit = catalogue()[corpus.name].max_seconds
    ours = theirs = 0.0
    for at in range(0, len(ids), 10):
        turn = ids[at : at + 10]
        ours += timed(lambda turn=turn: corpus.read(turn, lambda item, found: None))[0]
        if librosa is not None:
            paths = [corpus.file(item_id) for item_id in turn]
            theirs += timed(
                lambda paths=paths: [librosa.load(path, sr=16_000, duration=limit) for path in paths]
            )[0]
    return ours, theirs if librosa is not None else None


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--splits", type=Path, required=True)
    parser.add_argument("--corpora", nargs="*", default=SIX)
    parser.add_argument("--read", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=1.6)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--evaluate", type=int, default=0)
    parser.add_argument("--tune", type=int, default=0)
    args = parser.parse_args()
    for name in args.corpora:
        with tempfile.TemporaryDirectory() as folder:
            os.environ["MIRDEMO_HOME"] = str(Path(folder) / "home")
            measure(name, Path(folder), args)


def measure(name: str, root: Path, args: argparse.Namespace) -> None:
    stood_in = split_files(name, args.splits, root / "splits")
    splits = root / "splits"
    own = splits / "data" / name / "split"
    label, corpus = timed(lambda: labelled(name, None, splits))
    theirs = rival_labels(args.splits, name, own.parent)
    table: dict[str, list[str]] = {}
    if name in DUNYA:  # from here on the labels come from the records, as Dunya hands them out
        table = np.load(own / "metadata.npy", allow_pickle=True).item()
        (own / "metadata.npy").unlink()
    ids = list(corpus.items)
    data = root / "data"
    files = fill(name, ids, data, sounds(root / "made", args.seconds), table)
    folder, corpus = timed(lambda: labelled(name, data, splits))
    checking, found = timed(lambda: check(corpus, decode=False))
    usable = sum(side.usable for side in found.sides.values())
    find, _ = timed(lambda: found_in(corpus, data))
    loop, _ = timed(lambda: looped(data, [Path(item_id).stem for item_id in ids]))
    chosen = [ids[i] for i in np.random.default_rng(0).permutation(len(ids))[: args.read]]
    ours_read, theirs_read = reading(corpus, chosen)
    n, growth = len(ids) / 1000, grown(name, root, splits, table, args.rounds)
    per = {
        "label": label / n,
        "folder": folder / n,
        "check": checking / n,
        "read": ours_read / args.read * 1000,
    }
    print(
        f"{name}: {files} files, {len(ids)} listed, {usable} usable; stands in: {', '.join(stood_in) or '-'}"
    )
    print("  s of CPU per 1,000: " + ", ".join(f"{key} {value:.4f}" for key, value in per.items()))
    if theirs is not None:
        print(f"  label: ccml {theirs / n:.4f}, ratio {theirs / label:.2f}")
    print(f"  find: loop {loop / n:.4f}, ratio {loop / find:.2f}")
    if theirs_read is not None:
        print(f"  read: librosa {theirs_read / args.read * 1000:.4f}, ratio {theirs_read / ours_read:.2f}")
    print(f"  growth of folder and check, four times as many: {growth}", flush=True)
    if args.evaluate:
        evaluate(corpus, root, args)


def found_in(corpus: RecordedCorpus, data: Path) -> list[str]:
    """The same as ``looped``, with the corpus's own rules of names."""
    corpus._data = AudioFolder(data)
    return [item_id for item_id in corpus.items if corpus.sound_key(item_id) is None]


def looped(data: Path, stems: Sequence[str]) -> list[str]:
    """The plain loop: the ids whose file is missing or empty."""
    import glob

    where = {Path(path).stem: path for path in glob.glob(f"{data}/**/*.mp3", recursive=True)}  # noqa: PTH207 - as theirs
    return [stem for stem in stems if stem not in where or not os.stat(where[stem]).st_size]  # noqa: PTH116


def labelled(name: str, data: Path | None, splits: Path) -> RecordedCorpus:
    corpus = open_corpus(name, data, splits)
    assert isinstance(corpus, RecordedCorpus)
    corpus.labels(corpus.items)
    _ = corpus.revision
    return corpus


def grown(name: str, root: Path, splits: Path, table: dict[str, list[str]], rounds: int) -> str:
    """What all of them cost over what every fourth costs: in seconds, and in calls of functions."""
    some = root / "quarter"
    shutil.copytree(splits, some / "splits")
    own = some / "splits" / "data" / name / "split"
    kept: list[str] = []
    for side in ("training", "test") if name == "lyra" else SIDES:
        path = own / (f"{side}.tsv" if name == "lyra" else f"{side}.npy")
        if name == "lyra":
            head, *rows = path.read_text(encoding="utf-8").splitlines(keepends=True)
            path.write_text("".join([head, *rows[::4]]), encoding="utf-8")
            kept += [row.split("\t")[0] for row in rows[::4]]
        else:
            lines = np.load(path)[::4]
            np.save(path, lines)
            kept += [str(line).split("\t")[-1] for line in lines]
    made = sorted((root / "made").glob("*.mp3"))
    before, FILES[name] = FILES.get(name, 0), FILES.get(name, 0) // 4
    fill(name, kept, some / "data", made, table)
    FILES[name] = before

    def whole() -> Any:
        return check(labelled(name, root / "data", splits), decode=False)

    def quarter() -> Any:
        return check(labelled(name, some / "data", some / "splits"), decode=False)

    ratios = sorted(timed(whole)[0] / timed(quarter)[0] for _ in range(rounds))
    of_calls = calls(whole) / calls(quarter)
    spread = f"{statistics.median(ratios):.1f} ({ratios[0]:.1f} to {ratios[-1]:.1f})"
    return f"{spread} in seconds, {rounds} rounds; {of_calls:.2f} in calls"


def calls(work: Callable[[], Any]) -> int:
    """How many functions are called, Python's and C's."""
    count = 0

    def seen(frame: Any, event: str, of: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(seen)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def evaluate(corpus: RecordedCorpus, root: Path, args: argparse.Namespace) -> None:
    from mirdemo.backbones import load_backbone
    from mirdemo.base.sentences import MirdemoError
    from mirdemo.embedding.store import EmbeddingStore
    from mirdemo.evaluation import Request
    from mirdemo.evaluation import evaluate as measured

    store = EmbeddingStore(root / "store")
    asked = [
        ("spectral", Request(limit=args.evaluate, seeds=1)),
        ("spectral", Request(method="fewshot", limit=args.evaluate, shots=1, seeds=1)),
    ]
    if args.tune:
        asked.append(("mini-world", Request(method="finetune", limit=args.tune)))
    for name, request in asked:
        started = time.perf_counter()
        try:
            found = measured(
                corpus, load_backbone(name), request, store=store, results=root / "results.jsonl"
            )
        except MirdemoError as refusal:
            print(
                f"  {request.method}, {name}: refused after {time.perf_counter() - started:.1f} s: {refusal}"
            )
            continue
        print(
            f"  {request.method}, {name}: {found.n_items} items, {found.computed} embedded, {found.new} records, "
            f"{time.perf_counter() - started:.1f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
