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
