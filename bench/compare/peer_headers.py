"""Puts the headers of hnswlib and usearch into FOLDER, from their source packages on PyPI: peer_headers.py FOLDER."""

import importlib.metadata
import pathlib
import subprocess
import sys
import tarfile
import tempfile

VERSIONS = {"hnswlib": importlib.metadata.version("hnswlib"), "usearch": "2.26.6"}


def main(folder):
    requirements = [f"{name}=={version}" for name, version in VERSIONS.items()]
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary=" + ",".join(VERSIONS)]
    with tempfile.TemporaryDirectory() as downloads:
        subprocess.run([*pip, "--dest", downloads, *requirements], check=True)
        for name, version in VERSIONS.items():
            with tarfile.open(pathlib.Path(downloads) / f"{name}-{version}.tar.gz") as archive:
                archive.extractall(folder, filter="data")
            unversioned = folder / name
            unversioned.unlink(missing_ok=True)
            unversioned.symlink_to(f"{name}-{version}")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
