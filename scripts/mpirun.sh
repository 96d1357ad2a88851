#!/usr/bin/env bash
# mpirun as a workstation or a container needs it: allowed for root, with more ranks than cores, without calls that containers forbid.
#
# usage: scripts/mpirun.sh [mpirun's options and program]      for example: scripts/mpirun.sh -n 3 build/bin/weft-svd --rows 1000 --cols 10
# Only Open MPI reads these settings; what the caller has set already stays. For a cluster's nodes use mpirun or srun itself.
set -euo pipefail

if [ "$(id -u)" -eq 0 ]; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
export OMPI_MCA_rmaps_base_oversubscribe="${OMPI_MCA_rmaps_base_oversubscribe:-1}"
# Ranks that wait give their core to those that work.
export OMPI_MCA_mpi_yield_when_idle="${OMPI_MCA_mpi_yield_when_idle:-1}"
# The seccomp filter of a container may refuse process_vm_readv, which Open MPI then complains about at every large message.
if [ -e /.dockerenv ] || [ -e /run/.containerenv ]; then
  export OMPI_MCA_btl_vader_single_copy_mechanism="${OMPI_MCA_btl_vader_single_copy_mechanism:-none}"
fi

exec mpirun "$@"
