# For demo and bench: a mail host's servers on loopback, without root, in a
# directory that is gone at the end. Everything started here is stopped when
# the script that reads this ends, however it ends.

PATH=/usr/sbin:/sbin:$PATH
bin=${SPFWRAP_BIN:-.}
build=${SPFWRAP_BUILD:-build}
bin=$(cd "$bin" && pwd) || exit 111
build=$(cd "$build" && pwd) || exit 111
child=$build/tests/programs/child
home=$(mktemp -d "${TMPDIR:-/tmp}/spfwrap.XXXXXX") || exit 111
started=

# Each server has a process group of its own, with all that it starts.
stop_everything() {
  for pid in $started; do kill -- "-$pid" 2>/dev/null; done
  for pid in $started; do wait "$pid" 2>/dev/null; done
  started=
  rm -rf "$home"
}
trap stop_everything EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

die() {
  echo "$0: fatal: $*" >&2
  exit 111
}

# wait_for SECONDS COMMAND: until the command succeeds.
wait_for() {
  tries=$(($1 * 20))
  shift
  until "$@"; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || return 1
    sleep 0.05
  done
}

# name_server: nsd with the zone example.org, whose records are standard input.
# Any other name is refused. Points NAMESERVERS and RES_OPTIONS at it.
name_server() {
  dns_port=$("$build/tests/programs/free_port") || die "no free port"
  {
    printf '$ORIGIN example.org.\n$TTL 300\n'
    printf '@ SOA ns hostmaster 1 3600 600 86400 300\n@ NS ns\nns A 127.0.0.1\n'
    cat
  } >"$home/zone"
  cat >"$home/nsd.conf" <<EOF
server:
  ip-address: 127.0.0.1@$dns_port
  username: ""
  chroot: ""
  database: ""
  server-count: 1
  rrl-ratelimit: 0
  rrl-size: 1
  xfrd-tcp-max: 1
  zonesdir: "$home"
  xfrdir: "$home"
  pidfile: "$home/nsd.pid"
  xfrdfile: "$home/nsd.xfrd"
  zonelistfile: "$home/nsd.zones"
  cookie-secret-file: "$home/nsd.cookie"
remote-control:
  control-enable: no
zone:
  name: example.org
  zonefile: zone
EOF
  : >"$home/nsd.log"
  setsid nsd -d -c "$home/nsd.conf" >"$home/nsd.log" 2>&1 &
  started="$started $!"
  wait_for 10 grep -q 'nsd started' "$home/nsd.log" ||
    die "nsd does not start: $(cat "$home/nsd.log")"
  export NAMESERVERS=127.0.0.1 RES_OPTIONS="port:$dns_port"
}

# server NAME COMMAND ...: tcpserver runs the command for each connection, which
# seems to come from 192.0.2.1, $connections at a time and with a backlog of
# $backlog, or else 100 of both; its descriptor 2 goes to $home/NAME.log. Sets port
# and server_pid.
server() {
  name=$1
  shift
  [ -f "$home/rules.cdb" ] ||
    echo '127.:allow,TCPREMOTEIP="192.0.2.1",TCPREMOTEHOST="client.example"' |
    tcprules "$home/rules.cdb" "$home/rules.tmp" || die "tcprules"
  setsid tcpserver -1 -R -H -l mx.local -c "${connections:-100}" -b "${backlog:-100}" -x "$home/rules.cdb" 127.0.0.1 0 "$@" \
    >"$home/$name.port" 2>>"${log:-$home/$name.log}" &
  server_pid=$!
  started="$started $server_pid"
  wait_for 10 test -s "$home/$name.port" ||
    die "tcpserver does not start: $(cat "$home/$name.log")"
  read -r port <"$home/$name.port"
}

# certificate NAME REQ_ARGUMENT ...: the key and the certificate that "openssl
# req" makes of it go to $home/NAME.pem.
certificate() {
  name=$1
  shift
  (umask 077 && openssl req -x509 -subj /CN=mx.local -days 2 -nodes "$@" \
    -keyout "$home/$name.pem" -out "$home/$name.crt" 2>"$home/$name.log" &&
    cat "$home/$name.crt" >>"$home/$name.pem") || die "openssl: $(cat "$home/$name.log")"
}
