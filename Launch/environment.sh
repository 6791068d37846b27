# Sourced by the other scripts: settings for a quiet mpirun on one machine, and functions that they
# share. Whatever the user has set stays.

# Root in a container is as good as any user.
if [ "$(id -u)" -eq 0 ]; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
# More ranks than cores are allowed, and give way to each other instead of spinning.
export OMPI_MCA_rmaps_base_oversubscribe=${OMPI_MCA_rmaps_base_oversubscribe:-1}
export OMPI_MCA_mpi_yield_when_idle=${OMPI_MCA_mpi_yield_when_idle:-1}
# Lanes pin themselves.
export OMPI_MCA_hwloc_base_binding_policy=${OMPI_MCA_hwloc_base_binding_policy:-none}
# Containers without ptrace: do not try to copy between processes, and do not complain.
export OMPI_MCA_btl_vader_single_copy_mechanism=${OMPI_MCA_btl_vader_single_copy_mechanism:-none}
# Lanes are the only threads.
export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1

# The folder of the repository.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# The program; ELECTRA_PROGRAM names another one, such as build.sh makes.
electra=${ELECTRA_PROGRAM:-$root/.build/release/electra}

# Functions that find something wrong say it with `say SENTENCE`, which the script defines, and return the exit status.

# read_launch ARGUMENTS...: reads -np into $ranks and --hosts into $hosts, empty where they are not given, and the
# verb of electra with its options into the array $job.
read_launch() {
  local option
  ranks='' hosts=''
  while [ $# -gt 0 ]; do
    option=$1
    case $option in
      -np | -n | --np | --hosts)
        [ -n "${2:-}" ] || { say "$option needs a value"; return 64; }
        if [ "$option" = --hosts ]; then hosts=$2; else ranks=$2; fi
        shift 2 ;;
      --help | -h | --version) break ;;
      -*) say "$option is no option here: -np N and --hosts FILE come before the verb, those of electra after it"; return 64 ;;
      *) break ;;
    esac
    if [ -n "$ranks" ] && ! [[ $ranks =~ ^0*[1-9][0-9]{0,5}$ ]]; then
      say "-np takes a number of ranks from 1 on, and not $ranks"
      return 64
    fi
  done
  [ $# -gt 0 ] || { say "a verb of electra is missing, as in: -np 2 pretrain --data data --output run"; return 64; }
  ranks=${ranks:+$((10#$ranks))}
  job=("$@")
  expect_program
}

# expect_program: that there is one.
expect_program() {
  [ -f "$electra" ] && [ -x "$electra" ] && return
  say "there is no program $electra; build it with 'swift build -c release', or name it with ELECTRA_PROGRAM"
  return 66
}

# host_lines FILE: the host file's lines as `line host slots`, or the first one that cannot be read and why.
host_lines() {
  LC_ALL=C awk '
    function refuse(why) { print NR ": " why; exit 65 }
    function number(text) { return text ~ /^[0-9]+$/ && length(text) < 7 }
    NR == 1 { sub(/^\357\273\277/, "") }
    { sub(/\r$/, ""); sub(/#.*/, ""); gsub(/[ \t]*=[ \t]*/, "=") }
    !NF { next }
    {
      host = $1; slots = 1; most = ""
      if (host ~ /^[^:]*:[^:]*$/) {
        slots = host; sub(/.*:/, "", slots); sub(/:.*/, "", host)
        if (!number(slots)) refuse($1 ": " slots " is no number of ranks")
      }
      if (host !~ /^[[A-Za-z0-9_][][A-Za-z0-9_.:%@-]*$/) refuse(host " is no name of a host")
      for (i = 2; i <= NF; i++) {
        key = tolower($i); value = $i
        sub(/=.*/, "", key); sub(/^[^=]*=?/, "", value); gsub(/-/, "_", key)
        if (key !~ /^(slots?|cpus?|count|max_slots|slots_max)$/)
          refuse($i " is not known; a host has slots=N and perhaps max_slots=N")
        if (!number(value)) refuse($i " is no number of ranks")
        if (key ~ /max/) most = value; else slots = value
      }
      if (slots + 0 < 1) refuse(host " has no slots; take the line out")
      if (most != "" && most + 0 < slots + 0) refuse("max_slots=" most " is less than slots=" slots)
      print NR, host, slots + 0
    }' "$1"
}

# own_name HOST: this host where HOST is another name of it, or else HOST.
own_name() {
  local own address addresses
  own=$(hostname)
  addresses=" $(hostname -I 2>/dev/null) "
  case $1 in localhost | "$own") echo "$own"; return ;; esac
  for address in $(timeout 5 getent ahosts "$1" | awk '{ print $1 }' | sort -u); do
    case $address in 127.* | ::1) echo "$own"; return ;; esac
    [[ $addresses != *" $address "* ]] || { echo "$own"; return; }
  done
  echo "$1"
}

# read_hosts FILE: its hosts as lines `line host slots`. A line of the file is `name`, `name slots=2`, perhaps with
# max_slots, or `name:2` as for MPICH. This host has one name, whatever the file calls it: mpirun needs no
# remote shell then, and a host that comes twice is found.
read_hosts() {
  local lines line name host slots
  [ -f "$1" ] && [ -r "$1" ] || { say "there is no host file $1"; return 66; }
  lines=$(host_lines "$1") || { say "$1, line ${lines##*$'\n'}"; return 65; }
  [ -n "$lines" ] || { say "$1 names no host"; return 65; }
  local -A first=()
  while read -r line name slots; do
    host=$(own_name "$name")
    if [ -n "${first[$host]:-}" ]; then
      say "$1 names $host in line ${first[$host]} and again in line $line$([ "$host" = "$name" ] || echo ", as $name"); give it one line with slots=2"
      return 65
    fi
    first[$host]=$line
    echo "$line $host $slots"
  done <<<"$lines"
}

# host_file: what read_hosts printed, as a host file for mpirun; without slots it would take all cores of a host.
host_file() { awk '{ print $2 " slots=" $3 }'; }

# answers HOST: whether the remote shell that mpirun would use reaches it; this host needs none.
answers() {
  local shell
  read -ra shell <<<"${OMPI_MCA_plm_rsh_agent:-ssh -o BatchMode=yes -o ConnectTimeout=5}"
  [ "$1" = "$(hostname)" ] || timeout 10 "${shell[@]}" "$1" true </dev/null 2>/dev/null
}

# is_final STATUS: whether another start of the job would change nothing: it is done, electra has said what is wrong
# with options, data, folder, memory or the run, or the program cannot be executed.
is_final() { case $1 in 0 | 64 | 65 | 66 | 70 | 71 | 73 | 77 | 78 | 126 | 127) ;; *) return 1 ;; esac; }

# value OPTION ARGUMENTS...: what the arguments of electra give for an option.
value() {
  local option=$1 previous= result= argument
  shift
  for argument in "$@"; do
    case $argument in "$option="*) result=${argument#*=} ;; esac
    [ "$previous" != "$option" ] || result=$argument
    previous=$argument
  done
  echo "$result"
}

# await JOB: waits for a job of this shell, whatever signals come; returns its status.
await() {
  local status again
  while :; do
    wait "$1"
    status=$?
    kill -0 "$1" 2>/dev/null || break
  done
  # The status was a signal's if the job ended just then; the job's own can be had once.
  wait "$1" 2>/dev/null
  again=$?
  [ "$again" -eq 127 ] || status=$again
  return "$status"
}

# newest RUN: its newest checkpoint's folder.
newest() { find "$1/checkpoints" -maxdepth 1 -name 'step-*[0-9]' 2>/dev/null | sort | tail -n 1; }

# word KEY FILE: what a rank says in its file of signs of life.
word() { sed -n "s/.*\b$1=\([^ ]*\).*/\1/p" "$2" 2>/dev/null; }

# lost RUN FILE: the ranks that were last heard of since FILE was made and were then at work, with host
# and place.
lost() {
  local file list=
  for file in "$1"/heartbeats/rank-*; do
    if [ "$file" -nt "$2" ] && [ "$(word state "$file")" = running ]; then
      list+="${list:+, }rank $(word rank "$file") on $(word host "$file") in $(word section "$file") of step $(word step "$file")"
    fi
  done
  echo "${list:-no rank}"
}

# build: the release program, quietly unless it fails.
build() {
  echo "building (one to two minutes the first time)"
  local log
  log=$(mktemp)
  if ! (cd "$root" && swift build -c release --product electra) >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    echo "the build failed; its output stands above" >&2
    return 1
  fi
  rm -f "$log"
}
