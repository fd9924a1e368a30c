#!/usr/bin/env bash
# Starts Salve for development with keys of its own, and prints a token to try it with.
# usage: scripts/run.sh BINARY
set -euo pipefail

salve=$1
data=${SALVE_DATA_DIR:-.salve}
keys=$data/dev-keys
addr=${SALVE_ADDR:-127.0.0.1:8080}
scopes="events:write intents:execute intents:decide read admin"

if [ -z "${SALVE_JWT_KEYS:-}" ]; then
  mkdir -p "$data"
  chmod 700 "$data"
  [ -f "$keys/salve.key.pem" ] || "$salve" keygen --out "$keys"
  # The server is shown the public key only: it refuses to start where it finds a private one.
  export SALVE_JWT_KEYS=$keys/salve.pub.pem
  echo "A token for a day, with every right:"
  echo
  "$salve" token --key "$keys/salve.key.pem" --sub demo --scope "$scopes" --ttl 24h
  echo
fi
echo "Once it says \"salve is ready\": http://$addr/docs"
exec "$salve" serve
