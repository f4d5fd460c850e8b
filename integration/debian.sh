#!/usr/bin/env bash
# Unpacks packages of Debian's into a folder, without root's rights, and without touching the machine's own lists:
#
#   integration/debian.sh RELEASE FOLDER PACKAGE…
#
# RELEASE is a name such as bookworm, or `own` for the machine's. The mirror is the one that the machine uses.
set -euo pipefail
release=$1 folder=$2
shift 2

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch"/{state/lists/partial,cache/archives/partial} "$folder"
. /etc/os-release
[ "$release" != own ] || release=$VERSION_CODENAME
# Where the machine has no lists yet, apt does not tell; the sources do.
own="Packages $VERSION_CODENAME main "
mirror=$(apt-get indextargets --format '$(CREATED_BY) $(RELEASE) $(COMPONENT) $(REPO_URI)' \
    | awk -v own="$own" 'index($0, own) == 1 && !found++ { print $4 }')
mirror=${mirror:-$(grep -hoE 'https?://[^ ]*/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d/* 2> /dev/null \
    | awk '!found++ { print $1 }' || true)}
keys=/usr/share/keyrings/debian-archive-keyring.gpg
echo "deb [signed-by=$keys] ${mirror:?apt has no source for $VERSION_CODENAME} $release main" > "$scratch/sources.list"
cat > "$scratch/apt.conf" <<END
Dir::State "$scratch/state";
Dir::Cache "$scratch/cache";
Dir::Etc::sourcelist "$scratch/sources.list";
Dir::Etc::sourceparts "/dev/null";
APT::Sandbox::User "root";
END
export APT_CONFIG="$scratch/apt.conf"
(cd "$scratch" && apt-get update --quiet=2 && apt-get download --quiet=2 "$@")
for package in "$scratch"/*.deb; do dpkg-deb --extract "$package" "$folder"; done
