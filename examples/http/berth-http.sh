#!/usr/bin/env bash
# Seats over plain HTTPS with curl, openssl (3.0 or newer) and jq: the whole of PROTOCOL.md section 13 in one script.
#
#   berth-http.sh checkout PRODUCT [SEATS]   prints the leases, one a line
#   berth-http.sh renew LEASE...             every D/3; prints what became of each: "LEASE ok" or "LEASE <code>"
#   berth-http.sh release LEASE...
#
# It uses what `berth join` has written (BERTH_HOME, or ~/.config/berth and ~/.local/state/berth). Exit codes are those of berth: 0; 1 failure;
# 2 usage; 4 not allowed; 5 unreachable or not the server that was joined; 7 no seat, or a seat was lost.
set -euo pipefail
export LC_ALL=C

fail() { echo "berth-http: $2" >&2; exit "$1"; }

config=${BERTH_HOME:+$BERTH_HOME/config}; config=${config:-${XDG_CONFIG_HOME:-$HOME/.config}/berth}
state=${BERTH_HOME:+$BERTH_HOME/state}; state=${state:-${XDG_STATE_HOME:-$HOME/.local/state}/berth}
[ -r "$config/current" ] || fail 4 "this computer has not joined a licence server: berth join LINK"
name=$(tr -d '\n' <"$config/current")
context=$config/contexts/$name.json
server=$(jq -r '.servers[0]' "$context")
server_key=$(jq -r .serverKey "$context")

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
umask 077
jq -r .caPem "$context" >"$work/ca.pem"

to_base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
from_base64url() { local text; text=$(tr -- '-_' '+/'); while [ $((${#text} % 4)) != 0 ]; do text+='='; done; printf '%s' "$text" | openssl base64 -d -A; }
nonce() { openssl rand 16 | to_base64url; }

# A text with its length in front, as 32 bits, big-endian (13.2).
length() { local hex; printf -v hex '%08x' "$1"; printf '%b' "\\x${hex:0:2}\\x${hex:2:2}\\x${hex:4:2}\\x${hex:6:2}"; }
field() { length "${#1}"; printf '%s' "$1"; }
hash_field() { length 32; openssl dgst -sha256 -binary "$1"; }

# The seed that berth keeps, as a key that openssl reads; and the server's public key.
{ printf '\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20'
  sed 's/^ed25519-secret://' "$state/$name/lease.key" | tr -d '\n' | from_base64url; } >"$work/device.der"
openssl pkey -inform DER -in "$work/device.der" -out "$work/device.pem"
device_key=ed25519:$(openssl pkey -in "$work/device.pem" -pubout -outform DER | tail -c 32 | to_base64url)
{ printf '\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00'
  printf '%s' "${server_key#ed25519:}" | from_base64url; } >"$work/server.der"

ask() { # PATH JSON: the answer's body in $work/answer, its status in $status
  local path=$1 request challenge own signature
  request=$(curl -sS --fail --max-time 10 --cacert "$work/ca.pem" "https://$server/v1/challenge") || fail 5 "$server cannot be reached"
  [ "$(jq -r .server.key <<<"$request")" = "$server_key" ] || fail 5 "$server is not the server that was joined"
  challenge=$(jq -r .nonce <<<"$request")
  own=$(nonce)
  printf '%s' "$2" >"$work/body"
  fields() { field "$1"; field POST; field "$path"; field "$server_key"; field "$device_key"; field "$challenge"; field "$own"; hash_field "$work/body"; }
  fields 'berth.v1 device sends request' >"$work/to-sign"
  signature=$(openssl pkeyutl -sign -rawin -inkey "$work/device.pem" -in "$work/to-sign" | to_base64url)
  status=$(curl -sS --max-time 15 --cacert "$work/ca.pem" -o "$work/answer" -D "$work/head" -w '%{http_code}' \
    -H 'Content-Type: application/json' -H "Berth-Device: $device_key" -H "Berth-Challenge: $challenge" \
    -H "Berth-Nonce: $own" -H "Berth-Signature: $signature" --data-binary "@$work/body" "https://$server$path") || fail 5 "$server did not answer"
  # What the pinned server did not sign is not its answer.
  { fields 'berth.v1 server answers request'; field "$status"; hash_field "$work/answer"; } >"$work/signed"
  sed -n 's/^berth-signature: *//Ip' "$work/head" | tr -d '\r\n' | from_base64url >"$work/signature"
  openssl pkeyutl -verify -rawin -pubin -keyform DER -inkey "$work/server.der" -in "$work/signed" -sigfile "$work/signature" >/dev/null 2>&1 ||
    fail 5 "the answer ($status) is not signed by the server: $(head -c 300 "$work/answer")"
  [ "$status" = 200 ] && return
  echo "berth-http: $(jq -r '.code + " " + .message + " " + .next' "$work/answer")" >&2
  case $(jq -r .code "$work/answer") in
    NO_SEAT | NO_PRODUCT) exit 7 ;;
    *) case $status in 400) exit 2 ;; 401 | 403) exit 4 ;; 503) exit 5 ;; *) exit 1 ;; esac ;;
  esac
}

leases_of() { jq -cn '$ARGS.positional' --args "$@"; }

command=${1:-}; shift || true
case $command in
  checkout)
    [ $# -ge 1 ] || fail 2 "checkout PRODUCT [SEATS]"
    ask /v1/checkout "$(jq -cn --arg key "k-$(nonce)" --arg nonce "$(nonce)" --arg product "$1" --argjson seats "${2:-1}" \
      '{ key: $key, nonce: $nonce, wants: [{ products: [$product], seats: $seats }] }')"
    jq -r '.leases[]' "$work/answer" | while IFS=. read -r _ claims _; do printf '%s' "$claims" | from_base64url | jq -r .jti; done ;;
  renew)
    [ $# -ge 1 ] || fail 2 "renew LEASE..."
    ask /v1/renew "$(jq -cn --arg nonce "$(nonce)" --argjson leases "$(leases_of "$@")" '{ nonce: $nonce, leases: $leases }')"
    jq -r '.leases[] | .lease + " " + (if .token then "ok" else .code end)' "$work/answer"
    [ "$(jq '[.leases[] | select(.token == null)] | length' "$work/answer")" = 0 ] || exit 7 ;;
  release)
    [ $# -ge 1 ] || fail 2 "release LEASE..."
    ask /v1/release "$(jq -cn --arg key "k-$(nonce)" --argjson leases "$(leases_of "$@")" '{ key: $key, leases: $leases }')" ;;
  *) fail 2 "checkout PRODUCT [SEATS] | renew LEASE... | release LEASE..." ;;
esac
