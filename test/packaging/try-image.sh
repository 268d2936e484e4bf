#!/bin/bash
# Builds the Dockerfile and runs the image, as root on a Debian without a Docker engine:
#   apt-get install --no-install-recommends buildah podman runc debootstrap
# Where no registry is reached, the bases are made here, by debootstrap and with this machine's Node; a second image has the C library
# alone under it, as distroless has. Ends with 0 where every claim holds.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export STORAGE_DRIVER=vfs
work=$(mktemp -d)
engine=(podman --root "$work/storage" --runroot "$work/run" --runtime runc --cgroup-manager cgroupfs)
builder=(buildah --root "$work/storage" --runroot "$work/run")
end() {
  "${engine[@]}" rm -f -a -v >/dev/null 2>&1 || true
  "${builder[@]}" rm -a >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap end EXIT
claim() { printf 'holds  %s\n' "$1"; }
import() { tar -C "$1" -c . | "${engine[@]}" import ${3:+--change "$3"} - "$2" >/dev/null 2>&1; }

debian=$work/debian
debootstrap --variant=minbase --include=ca-certificates,libstdc++6 bookworm "$debian" >/dev/null
import "$debian" docker.io/library/debian:12-slim
mkdir -p "$debian/usr/lib/node_modules" "$debian/usr/etc"
cp "$(command -v node)" "$debian/usr/bin/node"
cp -a "$(npm root -g)/npm" "$debian/usr/lib/node_modules/"
for program in npm npx; do ln -sf "../lib/node_modules/npm/bin/$program-cli.js" "$debian/usr/bin/$program"; done
# Behind a proxy with a certificate of its own, npm and Bun need it as this machine does.
cp /etc/ssl/certs/ca-certificates.crt "$debian/etc/ssl/certs/"
[ -e /usr/etc/npmrc ] && cp /usr/etc/npmrc "$debian/usr/etc/"
import "$debian" docker.io/library/node:22-bookworm-slim 'ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt'
glibc=$work/glibc
mkdir -p "$glibc/tmp" "$glibc/etc"
lib=$(dirname "$(ldd "$(command -v bash)" | grep -o '/[^ ]*/libc\.so\.6')")
loader=$(ldd "$(command -v bash)" | grep -o '/[^ ]*/ld-linux[^ ]*')
mkdir -p "$glibc$lib" "$glibc$(dirname "$loader")"
cp -L "$loader" "$glibc$loader"
cp -L "$lib"/lib{c.so.6,m.so.6,pthread.so.0,dl.so.2} "$glibc$lib/"
import "$glibc" localhost/glibc:1

etc=$work/etc
mkdir -m 755 "$etc"
chmod 755 "$work"
cat >"$etc/greet.ts" <<'TS'
import { defineAction } from "@capstan/plugins";
import { z } from "zod";
const text = z.object({ text: z.string() });
export default defineAction({ input: z.object({ name: z.string() }), output: text, run: ({ name }) => ({ text: "Hello, " + name }) });
TS
printf 'export default ({ text }) => ({ text: text.toUpperCase() });\n' >"$etc/upper.js"
files=$(ulimit -Hn)
for base in docker.io/library/debian:12-slim localhost/glibc:1; do
  "${builder[@]}" build --format docker --isolation chroot --network host --build-arg BASE=$base -t localhost/capstan:try . >"$work/build.log" 2>&1 ||
    { tail -n 20 "$work/build.log"; exit 1; }
  claim "the Dockerfile builds on $base: $(grep -o '[0-9.]* MB' "$work/build.log" | head -n 1)"
  "${engine[@]}" run -d --name node --network host --read-only --read-only-tmpfs=false --cap-drop all --no-healthcheck \
    --security-opt no-new-privileges --ulimit "nofile=$files:$files" --ulimit nproc=4096:4096 -v "$etc:/etc/capstan:ro" \
    -e CAPSTAN_LISTEN=127.0.0.1:0 localhost/capstan:try >/dev/null
  inside() { "${engine[@]}" exec node capstan "$@"; }
  for _ in $(seq 100); do inside health >/dev/null 2>&1 && break || sleep 0.1; done
  inside health >/dev/null
  claim "its health check passes: $("${engine[@]}" inspect localhost/capstan:try --format '{{json .HealthCheck.Test}}')"
  inside action register greet --module greet.ts >/dev/null
  [ "$(inside perform greet '{"name":"Ada"}' 2>/dev/null)" = '{"text":"Hello, Ada"}' ]
  inside action register upper --script upper.js >/dev/null
  [ "$(inside perform upper '{"text":"quietly"}' 2>/dev/null)" = '{"text":"QUIETLY"}' ]
  claim "a module and a script run, the root being read-only and without /tmp"
  "${engine[@]}" stop -t 20 node >/dev/null 2>&1
  [ "$("${engine[@]}" inspect node --format '{{.State.ExitCode}}')" = 0 ]
  claim "process 1 drains at SIGTERM and ends with 0"
  "${engine[@]}" start node >/dev/null
  for _ in $(seq 100); do inside health >/dev/null 2>&1 && break || sleep 0.1; done
  "${engine[@]}" kill -s KILL node >/dev/null
  "${engine[@]}" wait node >/dev/null 2>&1 || true
  "${engine[@]}" start node >/dev/null
  for _ in $(seq 100); do inside health >/dev/null 2>&1 && break || sleep 0.1; done
  inside log verify >/dev/null
  claim "after kill -9 the log is whole: $(inside log verify)"
  "${engine[@]}" rm -f -v node >/dev/null 2>&1
done
