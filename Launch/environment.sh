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

# answers HOST: whether the remote shell that mpirun would use reaches it; this host needs none.
answers() {
  local shell
  read -ra shell <<<"${OMPI_MCA_plm_rsh_agent:-ssh -o BatchMode=yes -o ConnectTimeout=5}"
  [ "$1" = "$(hostname)" ] || [ "$1" = localhost ] || timeout 10 "${shell[@]}" "$1" true </dev/null 2>/dev/null
}

# hosts FILE: the host file's lines as `line host slots`.
hosts() {
  awk '{ sub(/#.*/, "") } NF { n = 1; for (i = 2; i <= NF; i++) if (sub(/^slots=/, "", $i)) n = $i; print NR, $1, n }' "$1"
}

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

# The folder of the repository.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# The program; ELECTRA_PROGRAM names another one, such as build.sh makes.
electra=${ELECTRA_PROGRAM:-$root/.build/release/electra}

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
