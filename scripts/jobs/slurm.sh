#!/usr/bin/env bash
# A run under Slurm: one rank per GPU, or a few per node without any. Edit the three lines below, then:
#   sbatch --nodes=4 --ntasks-per-node=8 --gpus-per-task=1 --cpus-per-task=12 --time=2:00:00 slurm.sh
#   sbatch --nodes=4 --ntasks-per-node=2 --cpus-per-task=32 --time=2:00:00 slurm.sh             # no GPUs
# Again: the run goes on from its checkpoint.
# SPDX-License-Identifier: Apache-2.0
#SBATCH --job-name=nanoday
#SBATCH --output=nanoday.%j.log
#SBATCH --signal=TERM@120
#SBATCH --hint=nomultithread
nanoday=$HOME/nanoday/build/nanoday
run="$HOME/inputs/water.pb $HOME/inputs/water.data --nvt 330 --dt 0.5fs --time 100ps"
folder=$HOME/runs/water.run

set -euo pipefail

# The signal above reaches the ranks two minutes before the end: they stop with a checkpoint.
export OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1} OMP_PLACES=cores OMP_PROC_BIND=close
export SRUN_CPUS_PER_TASK=${SLURM_CPUS_PER_TASK:-1} # srun does not take it from the job (since 22.05)

launch=(srun --kill-on-bad-exit=1 --cpu-bind=cores --distribution=block:block)
device=cpu
if [ -n "${SLURM_GPUS_PER_TASK:-}${SLURM_GPUS_ON_NODE:-}" ]; then
  device=cuda
  # Each rank gets the GPU next to its cores and sees no other. Without the binding every rank sees all, and
  # takes the one with its own number in the node.
  launch+=(--gpus-per-task=1 --gpu-bind=single:1)
fi

if [ -e "$folder/checkpoint.bin" ]; then
  exec "${launch[@]}" "$nanoday" resume "$folder" --device "$device"
fi
# shellcheck disable=SC2086  # words of a command line
exec "${launch[@]}" "$nanoday" run $run --device "$device" --out "$folder"
