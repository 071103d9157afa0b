#!/bin/sh
# A driver program that misbehaves: MISDEED says how, and in which verb (VERB=describe|parse|probe|connect|…). Else it answers rightly.
IFS= read -r request
verb=$1
answer() { printf '%s\n' "$1"; }
right() {
  case $verb in
  describe) answer '{"result":{"protocol":1,"driver":{"specVersion":1,"name":"hostile","schemes":["hostile"],"capabilities":["inspect","logs","lifecycle","list"],"options":[{"name":"token","type":"string","help":"A token.","secret":true}]}}}' ;;
  parse) answer '{"result":{"target":{"a":1}}}' ;;
  probe) answer '{"result":{"available":true}}' ;;
  provision) answer '{"result":{"handle":{"id":"one","endpoint":{},"owned":false}}}' ;;
  connect) answer '{"result":{"via":"stdio"}}'; exec cat ;;
  inspect) answer '{"result":{"status":"running"}}' ;;
  logs) answer '{"result":{}}'; echo "first"; echo "second" ;;
  start | stop | destroy) answer '{"result":{}}' ;;
  list) answer '{"result":{"handles":[]}}' ;;
  *) answer '{"error":{"code":"UNSUPPORTED","message":"no such verb"}}' ;;
  esac
}
[ -n "${RAN:-}" ] && echo "$verb" >>"$RAN"
[ -n "${ASKED:-}" ] && printf '%s\n' "$request" >>"$ASKED"
if [ "$verb" != "${VERB:-$verb}" ]; then
  right
  exit 0
fi
case ${MISDEED:-} in
"") right ;;
silent) sleep 60 ;;
stubborn) trap '' TERM; while :; do sleep 1; done ;;
garbage) echo "Hello, I am a driver!" ;;
gigabyte) printf '{"result":{"available":true,"detail":"'; exec head -c 1073741824 /dev/zero ;;
events) while :; do answer '{"event":{"type":"progress","id":"x","message":"still on it"}}'; done ;;
dies) echo "segmentation fault, sort of" >&2; exit 3 ;;
"closes output") exec >&-; sleep 60 ;;
"later protocol") answer '{"result":{"protocol":7,"driver":{}}}' ;;
"later interface") answer '{"result":{"protocol":1,"driver":{"specVersion":2}}}' ;;
"unknown code") answer '{"error":{"code":"MADE_UP","message":"x"}}' ;;
"other name") answer '{"result":{"protocol":1,"driver":{"specVersion":1,"name":"docker","schemes":["hostile","unix"],"capabilities":[],"options":[]}}}' ;;
"other scheme") answer '{"result":{"protocol":1,"driver":{"specVersion":1,"name":"hostile","schemes":["unix"],"capabilities":[],"options":[]}}}' ;;
"more schemes") answer '{"result":{"protocol":1,"driver":{"specVersion":1,"name":"hostile","schemes":["hostile","unix","tcp"],"capabilities":[],"options":[]}}}' ;;
"contradiction") answer '{"result":{"protocol":1,"driver":{"specVersion":1,"name":"hostile","schemes":["hostile"],"capabilities":[],"options":[{"name":"a","type":"string","help":""}]}}}' ;;
"says its secret") secret=$(printf '%s' "$request" | sed 's/.*\(s3cret-[0-9a-f]*\).*/\1/'); echo "debug: token is $secret" >&2; answer "{\"error\":{\"code\":\"AUTH_FAILED\",\"message\":\"token $secret refused\",\"hint\":\"change $secret\",\"details\":{\"token\":\"$secret\"}}}" ;;
"stores its secret") secret=$(printf '%s' "$request" | sed 's/.*\(s3cret-[0-9a-f]*\).*/\1/'); answer "{\"result\":{\"target\":{\"token\":\"$secret\"},\"handle\":{\"id\":\"$secret\",\"endpoint\":{},\"owned\":false}}}" ;;
forks) sleep 61 & sleep 62 & echo "$!" >"$PIDS"; right ;;
"dies in mid-stream") sleep 63 & echo "$!" >"$PIDS"; answer '{"result":{"via":"stdio"}}'; printf 'half of it'; echo "lost power" >&2; exit 9 ;;
"names its secret") secret=$(printf '%s' "$request" | sed 's/.*\(s3cret-[0-9a-f]*\).*/\1/'); answer "{\"result\":{\"via\":\"unix\",\"path\":\"/no/such/$secret.sock\"}}" ;;
"engine's own socket") answer "{\"result\":{\"via\":\"unix\",\"kind\":\"${KIND:-socket}\",\"path\":\"$SOCKET\"}}" ;;
"no listener") answer '{"result":{"via":"unix","path":"/no/such/hostile.sock"}}'; sleep 60 ;;
"fails in the log") answer '{"result":{}}'; echo "a line"; echo "disk full" >&2; exit 4 ;;
esac
