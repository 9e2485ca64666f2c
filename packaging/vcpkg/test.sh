#!/usr/bin/env bash
# Installs the port and builds the consumer of the tests against it, in FOLDER: by vcpkg, where VCPKG_ROOT has one and
# its server of sources answers; else by functions in its place, with the system's Eigen and xsimd. Checks the manifest
# by those rules of https://learn.microsoft.com/vcpkg/reference/vcpkg-json that it may break.
#
#   packaging/vcpkg/test.sh FOLDER            needs cmake, ninja-build, python3
set -euo pipefail
here=$(realpath "$(dirname "$0")")
clone=$(realpath "$here/../..")
mkdir -p "$1"
folder=$(realpath "$1")

python3 - "$here/annulus/vcpkg.json" << 'END'
import json, re, sys
manifest = json.load(open(sys.argv[1]))
known = {"name", "version", "description", "license", "supports", "dependencies", "features"}
assert set(manifest) <= known, set(manifest) - known
names = [manifest["name"], *manifest["features"]]
for part in (manifest, *manifest["features"].values()):
    assert part["description"]
    for dependency in part["dependencies"]:
        dependency = {"name": dependency} if isinstance(dependency, str) else dependency
        assert set(dependency) <= {"name", "host", "version>=", "features"}, dependency
        assert set(dependency.get("features", [])) <= set(manifest["features"]), dependency
        names.append(dependency["name"])
for name in names:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name), name
END

if [ -x "${VCPKG_ROOT:-}/vcpkg" ] &&
  "$VCPKG_ROOT/vcpkg" install "annulus[index-files]" "--overlay-ports=$here" "--x-install-root=$folder/installed"; then
  prefix=$(echo "$folder"/installed/*-linux)
  options=(
    "-DCMAKE_TOOLCHAIN_FILE=$VCPKG_ROOT/scripts/buildsystems/vcpkg.cmake" "-DVCPKG_INSTALLED_DIR=$folder/installed"
  )
else
  echo "vcpkg is not there, or its server is not reached: functions in its place run the portfile"
  prefix=$folder/package
  cmake -D "PORT_DIR=$here/annulus" -D "PACKAGES=$prefix" -P "$here/stand_in.cmake"
  options=("-DCMAKE_PREFIX_PATH=$prefix")
fi
for file in annulus-config.cmake copyright usage; do test -s "$prefix/share/annulus/$file"; done
cmake -G Ninja -S "$clone/tests/consumer/project" -B "$folder/consumer" -DCMAKE_BUILD_TYPE=Debug \
  -DANNULUS_FROM=find_package -DANNULUS_VERSION=1.0 "${options[@]}"
cmake --build "$folder/consumer"
"$folder/consumer/consumer"
(cd "$folder" && consumer/consumer_of_index_files)
