#!/usr/bin/env bash
# The demonstration: keys, a file through an encrypted channel, a chat of three processes.
# usage: demo.sh [FOLDER OF THE BINARIES]
set -euo pipefail
bin=$(cd "${1:-$(dirname "$0")/../../build/release/bin}" && pwd)
folder=$(mktemp -d)
export TUBING_KEYS=$folder/keys
started=()
finish() {
  for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
  rm -rf "$folder"
}
trap finish EXIT

step() { printf '\n== %s\n' "$*"; }
run() { printf '$ %s\n' "$*"; "$@"; }

# Waits until a line that matches stands in a file; prints it.
await() {
  local pattern=$1 file=$2
  for _ in $(seq 200); do
    grep -m1 -E "$pattern" "$file" 2>/dev/null && return
    sleep 0.05
  done
  printf 'demo: "%s" did not appear in time; this is what did:\n' "$pattern" >&2
  cat "$file" >&2
  return 1
}

step "Keys: one command each; the first makes the authority too"
PATH=$bin:$PATH
run tube key new alice
run tube key new bob

step "A file of 256 MiB from bob to alice, through an encrypted channel"
head -c 268435456 /dev/urandom >"$folder/sent"
printf '$ tube pipe --listen 127.0.0.1:0 --as alice > received\n'
tube pipe --listen 127.0.0.1:0 --as alice --no-progress </dev/null \
  >"$folder/received" 2>"$folder/alice.log" &
alice=$!
started+=("$alice")
address=$(await 'listens at' "$folder/alice.log" | sed 's/.*listens at //')
printf '$ tube pipe alice@%s --as bob < sent\n' "$address"
tube pipe "alice@$address" --as bob --progress <"$folder/sent" >/dev/null
wait "$alice"
sent=$(sha256sum <"$folder/sent")
received=$(sha256sum <"$folder/received")
printf 'sent     %s\nreceived %s\n' "$sent" "$received"
[[ $sent == "$received" ]] || { printf 'demo: the checksums differ\n' >&2; exit 1; }
printf 'The checksums agree.\n'

step "A chat room with three processes"
for name in room ann ben; do tube key new $name >/dev/null 2>&1; done
example_chat host 127.0.0.1:0 >"$folder/room.log" 2>&1 &
started+=($!)
room="room@$(await 'room at' "$folder/room.log" | sed 's/.*room at //')"
(await 'ben joined' "$folder/room.log" >/dev/null; echo "hello ben"
  await 'hello ann' "$folder/room.log" >/dev/null; echo "goodbye") |
  example_chat join ann "$room" >"$folder/ann.log" &
ann=$!
started+=("$ann")
await 'ann joined' "$folder/room.log" >/dev/null
(await 'hello ben' "$folder/room.log" >/dev/null; echo "hello ann") |
  example_chat join ben "$room" >"$folder/ben.log"
wait "$ann"
printf 'What the room heard:\n'
sed 's/^/  /' "$folder/room.log"
for line in 'ann: hello ben' 'ben: hello ann'; do await "$line" "$folder/room.log" >/dev/null; done

step "Done"
