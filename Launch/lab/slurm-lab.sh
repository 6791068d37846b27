#!/usr/bin/env bash
# Runs a private Slurm on one Linux machine, to test job scripts: its nodes are the hosts of an
# emulated cluster (cluster.sh). Needs root, iproute2, and the packages slurm-wlm, slurm-client and
# munge; `down` removes everything.
#
#   Launch/lab/slurm-lab.sh up 2                   starts Slurm with nodes n1 and n2
#   Launch/lab/slurm-lab.sh run COMMAND...         runs sbatch, squeue, scancel or any command on n1
#   Launch/lab/slurm-lab.sh down                   ends Slurm and removes the nodes
#
# A job of partition `high` pre-empts jobs of partition `low`, which have a GraceTime of ten
# seconds. KillWait is five seconds. A requeued job starts after about ten seconds; on other
# clusters it waits two minutes.
set -euo pipefail
here=$(CDPATH='' cd "$(dirname "$0")" && pwd)
# shellcheck source=../usage.sh
. "$here/../usage.sh"
export ELECTRA_CLUSTER=electra-slurm
state=${TMPDIR:-/tmp}/$ELECTRA_CLUSTER
export SLURM_CONF=$state/slurm.conf

fail() { echo "slurm-lab: $*" >&2; exit 1; }

# on HOST COMMAND...: runs a command on a node.
on() { "$here/cluster.sh" host "$@"; }

# down: ends Slurm and removes its files.
down() {
  "$here/cluster.sh" down
  rm -rf "$state"
}

# configure NODES: writes Slurm's settings. Every node has all cores of the machine; there is no
# accounting and there are no control groups; intervals are as short as possible.
configure() {
  local nodes=$1 cores
  cores=$(nproc)
  cat >"$SLURM_CONF" <<CONF
ClusterName=lab
SlurmctldHost=n1(10.77.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$state/munge.socket,cred_expire=5
StateSaveLocation=$state/controller
SlurmdSpoolDir=$state/%n
TmpFS=$state/%n
SlurmctldPidFile=$state/controller.pid
SlurmdPidFile=$state/%n.pid
SlurmctldLogFile=$state/controller.log
SlurmdLogFile=$state/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SchedulerParameters=bf_interval=2,sched_interval=2,batch_sched_delay=1
ReturnToService=2
KillWait=5
$(for i in $(seq "$nodes"); do echo "NodeName=n$i NodeAddr=10.77.0.$i CPUs=$cores"; done)
PartitionName=low Nodes=ALL Default=YES PriorityTier=1 GraceTime=10
PartitionName=high Nodes=ALL PriorityTier=10 PreemptMode=OFF
CONF
  # Slurm 22.05 looks for control groups even if it uses none.
  echo "CgroupPlugin=cgroup/$([ -e /sys/fs/cgroup/cgroup.controllers ] && echo v2 || echo v1)" >"$state/cgroup.conf"
}

# up NODES: starts Slurm and waits until all nodes are idle.
up() {
  local nodes=$1 i
  [ ! -e "$state" ] || fail "a lab is up; take it down first: $0 down"
  "$here/cluster.sh" up "$nodes"
  trap down ERR
  mkdir -m 700 "$state"
  configure "$nodes"
  mungekey --create --keyfile "$state/munge.key"
  on n1 munged --force --key-file "$state/munge.key" --socket "$state/munge.socket" --pid-file "$state/munge.pid" \
    --log-file "$state/munge.log" --seed-file "$state/munge.seed" >"$state/start.log" 2>&1
  on n1 slurmctld >>"$state/start.log" 2>&1
  for i in $(seq "$nodes"); do on "n$i" slurmd -N "n$i" >>"$state/start.log" 2>&1; done
  for _ in $(seq 100); do
    [ "$(on n1 sinfo -h -p low -t idle -o %D 2>/dev/null)" != "$nodes" ] || return 0
    sleep 0.2
  done
  cat "$state"/*.log >&2
  down
  fail "the nodes do not become idle; their logs are above"
}

[ $# -gt 0 ] || { print_usage >&2; exit 64; }
for command in ip mungekey munged slurmctld slurmd; do
  command -v "$command" >/dev/null || fail "the command $command is missing; install iproute2, slurm-wlm, slurm-client and munge"
done
verb=$1
shift
case $verb in
  up) [ $# -eq 1 ] || fail "up takes a number of nodes"; up "$1" ;;
  run) [ -e "$state" ] || fail "no lab is up; make one first: $0 up 2"; on n1 "$@" ;;
  down) down ;;
  *) fail "there is no verb $verb" ;;
esac
