#!/usr/bin/env bash
# Checks CITATION.cff and sbom.cdx.json against the schemas of their formats, by tools from PyPI, in FOLDER.
#
#   packaging/metadata.sh FOLDER             needs python3-venv and PyPI
set -euo pipefail
clone=$(realpath "$(dirname "$0")/..")
mkdir -p "$1"
# Each in an environment of its own: they need different versions of jsonschema.
python3 -m venv "$1/citation"
python3 -m venv "$1/sbom"
"$1/citation/bin/pip" install --quiet cffconvert
"$1/sbom/bin/pip" install --quiet 'cyclonedx-python-lib[json-validation]'
"$1/citation/bin/cffconvert" --validate -i "$clone/CITATION.cff"
"$1/sbom/bin/python" - "$clone/packaging/sbom.cdx.json" << 'END'
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

error = JsonStrictValidator(SchemaVersion.V1_5).validate_str(open(sys.argv[1]).read())
sys.exit(f"{sys.argv[1]}: {error}" if error else 0)
END
echo "CITATION.cff and sbom.cdx.json are valid"
