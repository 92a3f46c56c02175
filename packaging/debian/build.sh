#!/bin/sh
# Makes a Debian package of a program that was built already, by the metadata in crates/countersign/Cargo.toml, where
# cargo-deb is not at hand: packaging/debian/build.sh PROGRAM OUT_DIR [VERSION]
set -eu
program=$1 out=$2
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
version=${3:-$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -n 1)}
architecture=$(dpkg --print-architecture)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
chmod 0755 "$tree"

put() { install -D -m "$1" "$2" "$tree$3"; }
put 0755 "$program" /usr/bin/countersign
put 0644 "$root/packaging/systemd/countersign.service" /usr/lib/systemd/system/countersign.service
put 0644 "$root/packaging/systemd/countersign.socket" /usr/lib/systemd/system/countersign.socket
put 0644 "$root/docs/operations.md" /usr/share/doc/countersign/operations.md
put 0644 "$here/copyright" /usr/share/doc/countersign/copyright
for procedure in "$root"/procedures/*.procedure; do
    put 0644 "$procedure" "/usr/share/countersign/procedures/$(basename "$procedure")"
done
for script in postinst prerm postrm; do
    put 0755 "$here/$script" "/DEBIAN/$script"
done
{
    printf 'Package: countersign\nVersion: %s\nArchitecture: %s\n' "$version" "$architecture"
    printf 'Maintainer: %s\n' "$(sed -n 's/^maintainer = "\(.*\)"/\1/p' "$root/crates/countersign/Cargo.toml")"
    printf 'Section: admin\nPriority: optional\nDepends: adduser, libc6, libgcc-s1\n'
    printf 'Installed-Size: %s\n' "$(du -sk "$tree" | cut -f 1)"
    printf 'Description: support procedures that cannot be skipped\n'
    printf ' Turns customer-support procedures into a gate that nobody can go round, with a\n'
    printf ' ledger that anybody can check.\n'
} > "$tree/DEBIAN/control"
mkdir -p "$out"
dpkg-deb --root-owner-group --build "$tree" "$out/countersign_${version}_${architecture}.deb"
