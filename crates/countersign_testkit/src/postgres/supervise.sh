# Keeps one PostgreSQL cluster in a folder of its own, for as long as somebody holds the other end of standard input.
# Arguments: the folder of the programs, the cluster's folder, the settings. Orders are lines; each is answered by one.
set -u
bin=$1 folder=$2 settings=$3
data=$folder/data
umask 022

start() {
  # After a kill the old processes hold the shared memory for a moment longer.
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    "$bin/pg_ctl" -D "$data" -w -t 60 -l "$folder/log" -o "-k $folder $settings" start >/dev/null 2>&1 && return 0
    sleep 0.2
  done
  return 1
}
# As if the machine's power had gone, as far as the programs are concerned: nobody says goodbye.
crash() {
  pid=$(head -n 1 "$data/postmaster.pid")
  kill -STOP "$pid"
  kill -KILL $(cat "/proc/$pid/task/$pid/children") "$pid" 2>/dev/null
  while kill -0 "$pid" 2>/dev/null; do sleep 0.02; done
}
# A copy of everything as it is now, while the server runs, and none of the log that comes after it.
base() {
  rm -rf "$folder/base"
  "$bin/pg_basebackup" -h "$folder" -U countersign -D "$folder/base" --checkpoint=fast --wal-method=stream >>"$folder/log" 2>&1
}
# What the server has is lost. Back from the copy, with what was archived since: all of it, or up to a moment.
restore() {
  "$bin/pg_ctl" -D "$data" -w -m immediate stop >/dev/null 2>&1
  rm -rf "$data" && cp -a "$folder/base" "$data" || return 1
  : >"$data/recovery.signal"
  printf '%s\n' "restore_command = 'cp ../archive/%f %p'" "recovery_target_timeline = 'current'" >>"$data/postgresql.auto.conf"
  if [ -n "$1" ]; then
    printf '%s\n' "recovery_target_time = '$1'" "recovery_target_action = 'promote'" >>"$data/postgresql.auto.conf"
  fi
  start
}
finish() {
  "$bin/pg_ctl" -D "$data" -w -m immediate stop >/dev/null 2>&1
  rm -rf "$folder"
}
# Its end is the end of standard input, nothing else.
trap '' HUP INT TERM
trap finish EXIT

mkdir "$folder/archive"
if ! "$bin/initdb" -D "$data" -A trust -U countersign -E UTF8 --locale=C.UTF-8 >"$folder/log" 2>&1; then
  echo failed
  exit 1
fi
start && echo done || { echo failed; exit 1; }
while read -r order about; do
  case $order in
    start) start ;;
    stop) "$bin/pg_ctl" -D "$data" -w -m fast stop >/dev/null 2>&1 ;;
    crash) crash ;;
    passwords) printf 'local all %s scram-sha-256\nlocal all all trust\n' "$about" >"$data/pg_hba.conf" ;;
    base) base ;;
    restore) restore "$about" ;;
    standby) : >"$data/standby.signal" ;;
    *) false ;;
  esac && echo done || echo failed
done
