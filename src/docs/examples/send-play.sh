#!/bin/sh
# A whole player: pairs by a claim code, shows a play, signs its log and posts it. Needs openssl and curl, nothing else.
#
#   sh send-play.sh --base http://localhost:8787 --claim CODE --content CONTENT_ID [--campaign CAMPAIGN_ID] [--seconds 5]
#
# Its key, its tokens and the logs that wait are kept in ./player. From the second time on it needs no claim code.
set -eu

base=http://localhost:8787 claim='' content='' campaign='' seconds=5 home=./player
while [ $# -gt 1 ]; do
  case $1 in
    --base) base=$2 ;;
    --claim) claim=$2 ;;
    --content) content=$2 ;;
    --campaign) campaign=$2 ;;
    --seconds) seconds=$2 ;;
    --home) home=$2 ;;
    *) echo "What is $1?" >&2; exit 2 ;;
  esac
  shift 2
done
[ -n "$content" ] || { echo "Say what was played: --content CONTENT_ID" >&2; exit 2; }

umask 077
mkdir -p "$home/queue" "$home/refused"
base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
sign() { openssl dgst -sha256 -sign "$home/key.pem"; } # RS256: RSASSA-PKCS1-v1_5 over SHA-256
# The text or number of a member of a flat JSON object.
member() { sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p" "$2"; }
now() { date -u +%Y-%m-%dT%H:%M:%SZ; }

# Posts a file of JSON; the answer goes to answer.json, its status to $status. No answer at all is status 000.
post() { # path, file, further arguments of curl
  path=$1 body=$2
  shift 2
  : >"$home/answer.json"
  status=$(curl -s -o "$home/answer.json" -w '%{http_code}' --max-time 30 "$@" \
    -H 'Content-Type: application/json' --data-binary "@$body" "$base$path") || status=000
}

# 1. The key pair. The private key never leaves the player.
[ -s "$home/key.pem" ] || openssl genrsa -out "$home/key.pem" 2048 2>/dev/null

# 2. Pairing. The public key as a JWK: of a 2048-bit key's DER, the last 261 bytes are the modulus and the exponent's five.
#    The proof is a compact JWS over the claim code. Where the answer was lost, run it again: the same key gets the same device.
pair() {
  [ -n "$claim" ] || { echo "This player is not paired: give it a claim code, --claim CODE" >&2; exit 2; }
  code=$(printf %s "$claim" | tr 'a-z' 'A-Z' | tr -d ' -')
  modulus=$(openssl rsa -in "$home/key.pem" -pubout -outform DER 2>/dev/null | tail -c 261 | head -c 256 | base64url)
  signed=$(printf '{"alg":"RS256"}' | base64url).$(printf %s "$code" | base64url)
  proof=$signed.$(printf %s "$signed" | sign | base64url)
  printf '{"claim_code":"%s","device_info":{"model":"shell"},"public_key":{"kty":"RSA","alg":"RS256","n":"%s","e":"AQAB"},"proof":"%s"}' \
    "$code" "$modulus" "$proof" >"$home/claim.json"
  post /v1/device/pairing/claim "$home/claim.json"
  keep_tokens || { echo "Pairing was answered $status:" >&2; cat "$home/answer.json" >&2; exit 1; }
  echo "paired as device $(member device_id "$home/device.json")"
}

# 3. Tokens last an hour; the refresh token fetches the next pair. The new ones are on disk before the old are forgotten.
keep_tokens() {
  [ "$status" = 200 ] || return 1
  mv "$home/answer.json" "$home/device.json"
}
refresh() {
  printf '{"refresh_token":"%s"}' "$(member refresh_token "$home/device.json")" >"$home/refresh.json"
  post /v1/device/token "$home/refresh.json"
  keep_tokens
}

# 4. The play log. Its members stand in the order of their names, without spaces, and hold plain ASCII: so it is canonical JSON
#    as it stands, and what is signed is the text itself. It is on disk before anything is sent.
play() {
  id=$(openssl rand -hex 16 | sed -E 's/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/\1-\2-4\3-8\4-\5/')
  start=$(now) from=$(date +%s)
  sleep "$seconds" # here a player shows its content
  end=$(now) lasted=$(($(date +%s) - from))
  before=''
  [ -z "$campaign" ] || before="\"campaign_id\":\"$campaign\","
  log=$(printf '%s"content_id":"%s","device_id":"%s","duration_actual":%d,"duration_expected":%d,"ended_at":"%s","log_id":"%s"' \
    "$before" "$content" "$(member device_id "$home/device.json")" "$lasted" "$seconds" "$end" "$id")
  behind=$(printf '"started_at":"%s","status":"COMPLETED"' "$start")
  signature=$(printf '{%s,%s}' "$log" "$behind" | sign | openssl base64 -A)
  printf '{%s,"signature":"%s",%s}' "$log" "$signature" "$behind" >"$home/queue/$id.new"
  mv "$home/queue/$id.new" "$home/queue/$id.json"
}

# 5. Sending: a log leaves the queue when the server has answered for it, and not before.
send() { # file
  post /api/v1/playback-logs "$1" -H "Authorization: Bearer $(member device_token "$home/device.json")" -H "Sent-At: $(now)"
  if [ "$status" = 401 ] && refresh; then send "$1"; return; fi
  said=$(member code "$home/answer.json")
  echo "$(basename "$1" .json): $status ${said:-$(member status "$home/answer.json")}"
}

[ -s "$home/device.json" ] || pair
play
for file in "$home"/queue/*.json; do
  send "$file"
  case $status$(member retryable "$home/answer.json") in
    202) send "$file"; rm "$file" ;; # the second time shows a retry: it is answered as a duplicate, and the play counts once
    422false) mv "$file" "$home/refused/" ;; # refused for good; the answer says why
    *) exit 1 ;; # no answer, or not now (429, 503): it waits for the next time
  esac
done
