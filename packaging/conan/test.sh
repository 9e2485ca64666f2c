#!/usr/bin/env bash
# Creates the package of the clone and builds its test_package, in a Conan home of its own: FOLDER. What it requires
# comes from ConanCenter, or, where no server answers, is the system's (Debian: libeigen3-dev, libxsimd-dev,
# nlohmann-json3-dev, libxxhash-dev, pkgconf).
#
#   packaging/conan/test.sh FOLDER           needs python3-venv, and PyPI or a conan on the path
set -euo pipefail
here=$(realpath "$(dirname "$0")")
mkdir -p "$1"
folder=$(realpath "$1")
export CONAN_HOME="$folder/home"
if ! command -v conan > /dev/null; then
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/pip" install --quiet conan
  PATH="$folder/venv/bin:$PATH"
fi
conan profile detect --force > /dev/null 2>&1

settings=(-s compiler.cppstd=20 -s build_type=Debug)
in_folder=(-c "tools.cmake.cmake_layout:test_folder=$folder/test" -c tools.cmake.cmaketoolchain:user_presets=)
if conan search "xsimd/*" -r conancenter 2> "$folder/search.log" | grep -q "xsimd/[0-9]"; then
  conan create "$here" "${settings[@]}" "${in_folder[@]}" --build=missing
else
  echo "ConanCenter is not reached: the requirements are the system's headers"
  version_of() { pkg-config --modversion "$1"; }
  for package in "eigen $(version_of eigen3)" "xsimd $(version_of xsimd)" \
                 "nlohmann_json $(version_of nlohmann_json)" "xxhash $(version_of libxxhash)"; do
    read -r name version <<< "$package"
    conan export-pkg "$here/system.py" --name "$name" --version "$version" "${settings[@]}" -tf= \
      -of "$folder/$name" -nr > "$folder/$name.log" 2>&1 || { cat "$folder/$name.log"; exit 1; }
  done
  conan create "$here" "${settings[@]}" "${in_folder[@]}" -nr
fi
