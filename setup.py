"""What pyproject.toml cannot say: ``assets/`` lies beside the package here and is installed inside it."""

from pathlib import Path

from setuptools import find_namespace_packages, setup

ASSETS = ["assets", *(str(f) for f in sorted(Path("assets").rglob("*")) if f.is_dir())]

setup(
    packages=[
        *find_namespace_packages(include=["mirdemo", "mirdemo.*"]),
        *("mirdemo." + ".".join(Path(f).parts) for f in ASSETS),
    ],
    package_dir={"mirdemo.assets": "assets"},
)
