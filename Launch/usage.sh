# shellcheck shell=bash
# Sourced by the other scripts before they do anything: with --help or -h as the first argument, they
# print the comment at their head and end.

# print_usage: prints the comment at the head of the running script. awk would take a path such as
# `a=b/mpirun.sh` for an assignment.
print_usage() { awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); print }' <"$0"; }

case ${1:-} in -h | --help) print_usage; exit 0 ;; esac
