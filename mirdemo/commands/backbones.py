"""``backbones``: what there is, what it costs to fetch, what it may be used for, whether it is well."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from mirdemo.commands.console import add_json_argument, megabytes, print_json, progress_bar, table, warn


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="only these (default: all; hf:OWNER/REPO works too)"
    )
    parser.add_argument(
        "--check", action="store_true", help="load each one named and check its health (fetches it)"
    )
    add_json_argument(parser)


def run(args: Namespace) -> int:
    from mirdemo.backbones.registry import spec, specs, status

    names = args.names or list(specs())
    if args.check and not args.names:
        warn("Name the backbones to check: fetching all of them would take over 7 GB.")
        return 2
    facts = {name: spec(name) for name in names}
    if args.check:
        _check(names, quiet=args.json)
    found = [(facts[name], status(name)) for name in names]
    if args.json:
        print_json([_plain(spec, state) for spec, state in found])
    else:
        rows = [
            (
                spec.name,
                "embedded" if spec.embedded else ("fetched" if state.fetched else "not fetched"),
                megabytes(state.fetch_bytes),
                f"{spec.parameters / 1e6:.1f} M"
                if spec.parameters
                else ("-" if spec.parameters == 0 else "?"),
                _health(state.health, spec.title),
                spec.licence or "not settled: treat as non-commercial",
            )
            for spec, state in found
        ]
        print(table(("name", "here", "to fetch", "parameters", "health", "licence"), rows))
    return 1 if any(state.health is not None and not state.health.ok for _, state in found) else 0


def _check(names: list[str], quiet: bool) -> None:
    from mirdemo.backbones import load_backbone

    for name in names:
        with progress_bar(not quiet) as progress:
            backbone = load_backbone(name, progress=progress)
        for sentence in getattr(backbone, "warnings", ()):
            warn(sentence)


def _health(health, title: str) -> str:
    if health is None:
        return "not checked"
    return "well" if health.ok else f"sick: {health.reason(title)}"


def _plain(spec, state) -> dict:
    return {
        "name": spec.name,
        "title": spec.title,
        "family": spec.family,
        "repository": spec.repository,
        "revision": state.revision,
        "licence": spec.licence,
        "parameters": spec.parameters,
        "sample_rate": spec.sample_rate,
        "window_seconds": spec.window_seconds,
        "layers": {layer.name: layer.size for layer in spec.layers},
        "fetched": state.fetched,
        "fetch_bytes": state.fetch_bytes,
        "healthy": None if state.health is None else state.health.ok,
        "health": None
        if state.health is None
        else [
            {"check": name, "value": value, "passed": passed} for name, value, passed in state.health.checks
        ],
        "trained_on": spec.trained_on,
        "citation": spec.citation,
    }
