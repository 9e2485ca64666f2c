#!/usr/bin/env bash
# Builds the Debian package of what is committed, source and binary, in FOLDER, checks it with lintian, and tries it as
# an autopkgtest would: with `install`, installed on this system for that long, as root; otherwise unpacked in FOLDER.
#
#   packaging/debian/build.sh FOLDER [install]       needs build-essential, debhelper and lintian
set -euo pipefail
clone=$(realpath "$(dirname "$0")/../..")
mkdir -p "$1"
folder=$(realpath "$1")
version=$(dpkg-parsechangelog -l "$clone/packaging/debian/changelog" -S Version)
upstream=${version%-*}

cd "$folder"
rm -rf "annulus-$upstream"
git -C "$clone" archive --format=tar.gz --prefix="annulus-$upstream/" HEAD > "annulus_$upstream.orig.tar.gz"
tar xf "annulus_$upstream.orig.tar.gz"
cp -r "$clone/packaging/debian" "annulus-$upstream/debian"
rm "annulus-$upstream/debian/build.sh"
cd "annulus-$upstream"
dpkg-buildpackage -us -uc
lintian --fail-on error,warning --allow-root "../annulus_${version}_$(dpkg --print-architecture).changes"

package=../libannulus-dev_${version}_all.deb
if [ "${2:-}" = install ]; then
  apt-get install -y --no-install-recommends "$package"
  debian/tests/consumer
  apt-get purge -y libannulus-dev
else
  dpkg-deb -x "$package" ../unpacked
  PKG_CONFIG_PATH="$folder/unpacked/usr/share/pkgconfig" debian/tests/consumer "-Dannulus_ROOT=$folder/unpacked/usr"
fi
