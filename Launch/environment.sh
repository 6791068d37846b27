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

# The folder of the repository.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# build: the release program, quietly unless it fails; its path is in $electra.
electra=$root/.build/release/electra
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
