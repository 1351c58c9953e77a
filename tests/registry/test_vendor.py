"""Vendored assets are exactly what their list says, licensed, and without source maps."""

import hashlib
import re
from pathlib import Path

VENDOR = Path(__file__).parents[2] / "registry" / "static" / "vendor"
ROW = re.compile(
    r"^\| (?P<path>[\w./-]+) \| [\w.]+ \| [\d.]+ \| [\w.-]+ \| (?P<hash>[0-9a-f]{64}) \|$"
)


def listed_hashes() -> dict[str, str]:
    """Path below the vendor folder -> SHA-256 that README.md promises."""
    lines = (VENDOR / "README.md").read_text(encoding="utf-8").splitlines()
    rows = [row for line in lines if (row := ROW.match(line))]
    return {row["path"]: row["hash"] for row in rows}


def shipped_assets() -> set[str]:
    """Every script and style sheet that stands in the vendor folder."""
    files = [*VENDOR.rglob("*.js"), *VENDOR.rglob("*.css")]
    return {file.relative_to(VENDOR).as_posix() for file in files}


def test_vendor_every_asset_is_listed() -> None:
    assert shipped_assets() == set(listed_hashes())


def test_vendor_hashes_match() -> None:
    found = {
        path: hashlib.sha256((VENDOR / path).read_bytes()).hexdigest()
        for path in listed_hashes()
    }
    assert found == listed_hashes()


def test_vendor_each_package_has_its_licence() -> None:
    packages = [folder for folder in VENDOR.iterdir() if folder.is_dir()]
    assert packages
    assert [p.name for p in packages if not (p / "LICENSE").is_file()] == []


def test_vendor_no_source_map_is_referenced() -> None:
    # A reference to a missing map breaks the manifest of hashed static files.
    with_map = [
        path
        for path in shipped_assets()
        if b"sourceMappingURL" in (VENDOR / path).read_bytes()
    ]
    assert with_map == []
