#!/bin/bash
# Runs deploy/capstan.service under a systemd of its own, in a container, as root on a Debian without systemd running:
#   apt-get install --no-install-recommends podman runc debootstrap
# usage: try-unit.sh BINARY, as npm run binary makes it. Ends with 0 where every claim holds.
set -euo pipefail
binary=$(realpath "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export STORAGE_DRIVER=vfs
work=$(mktemp -d)
engine=(podman --root "$work/storage" --runroot "$work/run" --runtime runc --cgroup-manager cgroupfs)
end() {
  "${engine[@]}" rm -f -a -v -t 2 >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap end EXIT
claim() { printf 'holds  %s\n' "$1"; }

debian=$work/debian
debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,libnss-systemd,procps bookworm "$debian" >/dev/null
install "$binary" "$debian/usr/local/bin/capstan"
install -m 644 deploy/capstan.service "$debian/etc/systemd/system/"
mkdir -p "$debian/etc/systemd/system/capstan.service.d"
printf '[Service]\nLoadCredential=smtp:/etc/capstan/secrets/smtp\n' >"$debian/etc/systemd/system/capstan.service.d/secret.conf"
mkdir -p "$debian/etc/capstan"
install -d -m 700 "$debian/etc/capstan/secrets"
printf 'hush\n' >"$debian/etc/capstan/secrets/smtp"
cat >"$debian/etc/capstan/greet.ts" <<'TS'
import { readFileSync } from "node:fs";
import { defineAction } from "@capstan/plugins";
import { z } from "zod";
export default defineAction({
  input: z.object({ name: z.string() }),
  output: z.object({ text: z.string(), secret: z.number() }),
  run: ({ name }) => ({ text: "Hello, " + name, secret: readFileSync("/run/credentials/capstan.service/smtp").length }),
});
TS
printf 'export default ({ text }) => ({ text: text.toUpperCase() });\n' >"$debian/etc/capstan/upper.js"
tar -C "$debian" -c . | "${engine[@]}" import - localhost/systemd:1 >/dev/null 2>&1
files=$(ulimit -Hn)
"${engine[@]}" run -d --name machine --systemd=always --privileged --network host --ulimit "nofile=$files:$files" \
  --ulimit nproc=4096:4096 localhost/systemd:1 /sbin/init >/dev/null
inside() { "${engine[@]}" exec machine "$@"; }
capstan() { inside capstan --data /var/lib/capstan "$@"; }
until_ready() {
  for _ in $(seq 100); do capstan health >/dev/null 2>&1 && return || sleep 0.1; done
  inside systemctl status --no-pager capstan
  exit 1
}
property() { inside systemctl show -p "$1" --value capstan; }
for _ in $(seq 100); do inside systemctl is-system-running 2>/dev/null | grep -q 'running\|degraded' && break || sleep 0.1; done
# systemd hands credentials over by a mount, which has to get from one namespace into another.
inside mount --make-rshared /

inside systemctl start capstan
until_ready
pid=$(property MainPID)
claim "it starts: user $(inside stat -c %U "/proc/$pid"), $(inside grep Seccomp_filters "/proc/$pid/status" | tr -d '\t'), $(inside grep CapEff "/proc/$pid/status" | tr -d '\t')"
capstan action register greet --module /etc/capstan/greet.ts >/dev/null
[ "$(capstan perform greet '{"name":"Ada"}' 2>/dev/null)" = '{"text":"Hello, Ada","secret":5}' ]
claim "an action runs, and reads a secret that LoadCredential gave"
capstan action register upper --script /etc/capstan/upper.js >/dev/null
[ "$(capstan perform upper '{"text":"quietly"}' 2>/dev/null)" = '{"text":"QUIETLY"}' ]
capstan action register echo --process -- /bin/echo hello >/dev/null
[ "$(capstan perform echo '{}' 2>/dev/null)" = '"hello\n"' ]
claim "a script and a program run under its walls"
inside systemctl stop capstan
[ "$(property Result) $(property ExecMainStatus)" = "success 0" ]
claim "systemctl stop drains it"
inside systemctl start capstan
until_ready
inside kill -9 "$(property MainPID)"
sleep 1.5
until_ready
capstan log verify >/dev/null
claim "after kill -9 it is started again ($(property NRestarts) restart), and the log is whole"
inside sh -c 'echo CAPSTAN_LOG_LEVEL=loud >/etc/capstan/environment'
inside systemctl restart capstan
sleep 2.5
[ "$(property ExecMainStatus) $(property NRestarts) $(inside systemctl is-active capstan || true)" = "78 0 failed" ]
claim "a configuration that does not fit ends it with 78, and it is not started again"
inside rm /etc/capstan/environment
inside sh -c 'printf "[Service]\nMemoryDenyWriteExecute=yes\n" >/etc/systemd/system/capstan.service.d/mdwe.conf'
inside systemctl daemon-reload
inside systemctl restart capstan
until_ready
capstan perform greet '{"name":"Bob"}' >/dev/null 2>&1
claim "with MemoryDenyWriteExecute=yes it serves as well, but nothing is compiled: $(inside grep -c rwxp "/proc/$(property MainPID)/maps" || true) mappings that are written and executed"
