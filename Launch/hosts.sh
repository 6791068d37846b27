# shellcheck shell=bash
# Functions for the hosts of a job: those of a host file, or of an allocation of PBS or LSF. Sourced
# after environment.sh, not executed. Errors are reported as there.

# parse_host_file FILE: prints each host as `line host slots`. At the first invalid line it prints
# the line's number and the reason, and fails. awk would take a path such as `nodes=2.txt` for an
# assignment, and wait for standard input.
parse_host_file() {
  LC_ALL=C awk '
    function refuse(why) { print NR ": " why; exit 65 }
    function is_number(text) { return text ~ /^[0-9]+$/ && length(text) < 7 }
    # A byte order mark, CR line ends, comments, and spaces around "=" are allowed.
    NR == 1 { sub(/^\357\273\277/, "") }
    { sub(/\r$/, ""); sub(/#.*/, ""); gsub(/[ \t]*=[ \t]*/, "=") }
    !NF { next }
    {
      host = $1; slots = 1; most = ""
      if (host ~ /^[^:]*:[^:]*$/) {
        slots = host; sub(/.*:/, "", slots); sub(/:.*/, "", host)
        if (!is_number(slots)) refuse($1 ": " slots " is not a number of ranks")
      }
      if (host !~ /^[[A-Za-z0-9_][][A-Za-z0-9_.:%@-]*$/) refuse(host " is not a host name")
      for (i = 2; i <= NF; i++) {
        key = tolower($i); value = $i
        sub(/=.*/, "", key); sub(/^[^=]*=?/, "", value); gsub(/-/, "_", key)
        if (key !~ /^(slots?|cpus?|count|max_slots|slots_max)$/)
          refuse("unknown setting " $i "; a host has slots=N and optionally max_slots=N")
        if (!is_number(value)) refuse($i " is not a number of ranks")
        if (key ~ /max/) most = value; else slots = value
      }
      if (slots + 0 < 1) refuse(host " has no slots; remove the line")
      if (most != "" && most + 0 < slots + 0) refuse("max_slots=" most " is less than slots=" slots)
      print NR, host, slots + 0
    }' <"$1"
}

# canonical_host HOST: prints this machine's host name if HOST is a name or address of this machine,
# else HOST unchanged.
canonical_host() {
  local this address addresses
  this=$(hostname)
  addresses=" $(hostname -I 2>/dev/null) "
  case $1 in localhost | "$this") echo "$this"; return ;; esac
  for address in $(timeout 5 getent ahosts "$1" | awk '{ print $1 }' | sort -u); do
    case $address in 127.* | ::1) echo "$this"; return ;; esac
    [[ $addresses != *" $address "* ]] || { echo "$this"; return; }
  done
  echo "$1"
}

# host_lines FILE [NAME]: prints the lines of parse_host_file; its errors name the file, or NAME.
host_lines() {
  local lines name=${2:-$1}
  [ -r "$1" ] && [ ! -d "$1" ] || { report "there is no host file $name"; return 66; }
  lines=$(parse_host_file "$1") || { report "$name, line ${lines##*$'\n'}"; return 65; }
  [ -n "$lines" ] || { report "$name names no host"; return 65; }
  echo "$lines"
}

# read_hosts FILE: prints the hosts of a host file as lines `line host slots`. A line of the file is
# `name`, `name slots=2`, optionally with max_slots, or `name:2` as for MPICH. All names of this
# machine are printed as its host name: mpirun then needs no remote shell for it, and duplicates are
# detected.
read_hosts() {
  local lines line name host slots
  lines=$(host_lines "$1") || return
  local -A first_line=()
  while read -r line name slots; do
    host=$(canonical_host "$name")
    if [ -n "${first_line[$host]:-}" ]; then
      report "$1 names $host in line ${first_line[$host]} and again in line $line$([ "$host" = "$name" ] || echo ", as $name"); give it one line with slots=2"
      return 65
    fi
    first_line[$host]=$line
    echo "$line $host $slots"
  done <<<"$lines"
}

# add_slots: turns lines `line host slots` into one line per host, with the sum of its slots.
add_slots() {
  awk '
    !($2 in slots) { host[++count] = $2; line[$2] = $1 }
    { slots[$2] += $3 }
    END { for (i = 1; i <= count; i++) print line[host[i]], host[i], slots[host[i]] }'
}

# read_allocation FILE [NAME]: as read_hosts, for a file that repeats a host for each of its slots.
# Errors name the file, or NAME.
read_allocation() {
  local lines line name slots
  lines=$(host_lines "$@") || return
  add_slots <<<"$lines" \
    | while read -r line name slots; do echo "$line $(canonical_host "$name") $slots"; done | add_slots
}

# find_hosts: sets $lines to the hosts of the host file $hosts, in the form of read_hosts. Without a
# host file and without --host among mpirun's options, it sets both for an allocation of PBS or LSF.
# Otherwise both stay empty: mpirun uses this machine, or the allocation of Slurm. In a job of PBS or
# LSF mpirun uses its remote shell, also for hosts that the user names.
# shellcheck disable=SC2034 # the sourcing script uses lines
find_hosts() {
  local remote_shell=
  lines=
  if [ -n "${PBS_NODEFILE:-}" ]; then
    remote_shell=pbs_tmrsh
  elif [ -n "${LSB_DJOB_HOSTFILE:-}${LSB_MCPU_HOSTS:-}" ]; then
    remote_shell=blaunch
  fi
  if [ -n "$remote_shell" ] && command -v "$remote_shell" >/dev/null; then
    export OMPI_MCA_plm_rsh_agent=${OMPI_MCA_plm_rsh_agent:-$remote_shell}
  fi
  if [ -n "$hosts" ]; then
    lines=$(read_hosts "$hosts")
    return
  fi
  case " ${mpirun_options[*]} " in *" -H "* | *" -host "* | *" --host "*) return ;; esac
  if [ -n "${PBS_NODEFILE:-}" ]; then
    hosts=$PBS_NODEFILE
    lines=$(read_allocation "$hosts")
  elif [ -n "${LSB_DJOB_HOSTFILE:-}" ]; then
    hosts=$LSB_DJOB_HOSTFILE
    lines=$(read_allocation "$hosts")
  elif [ -n "${LSB_MCPU_HOSTS:-}" ]; then
    hosts=LSB_MCPU_HOSTS
    # Pairs of a name and a number.
    lines=$(read_allocation <(xargs -n 2 printf '%s slots=%s\n' <<<"$LSB_MCPU_HOSTS") "$hosts")
  fi
}

# format_host_file: turns the output of read_hosts into a host file for mpirun. The slots are
# explicit because mpirun gives a host without them as many ranks as it has cores.
format_host_file() { awk '{ print $2 " slots=" $3 }'; }

# is_reachable HOST: whether mpirun's remote shell reaches the host; this machine needs no remote
# shell.
is_reachable() {
  local shell
  read -ra shell <<<"${OMPI_MCA_plm_rsh_agent:-ssh -o BatchMode=yes -o ConnectTimeout=5}"
  [ "$1" = "$(hostname)" ] || timeout 10 "${shell[@]}" "$1" true </dev/null 2>/dev/null
}
