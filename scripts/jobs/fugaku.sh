#!/usr/bin/env bash
# A run on Fugaku-like nodes (pjsub): 4 ranks per node, one per core memory group, 12 threads each. Edit the
# three lines below (--pppm-cores, for DPLR models only: so many of a node's cores run the mesh solver while
# the others evaluate nets), then:
#   pjsub -g GROUP -L node=8x8x12:torus,rscgrp=large,elapse=2:00:00 scripts/jobs/fugaku.sh
# Again: the run goes on from its checkpoint. Folders outside the home need -x PJM_LLIO_GFSCACHE=VOLUME.
# The program is built on such a node: cmake --preset a64fx && cmake --build --preset a64fx.
# For 48 ranks of one thread: max-proc-per-node=48 and OMP_NUM_THREADS=1.
# SPDX-License-Identifier: Apache-2.0
#PJM --mpi max-proc-per-node=4
#PJM -N nanoday
#PJM -j
#PJM -S
nanoday=$HOME/nanoday/build-a64fx/nanoday
run="$HOME/inputs/water-dplr.pb $HOME/inputs/water188.data --nvt 330 --dt 0.5fs --time 100ps --pppm-cores 1"
folder=$HOME/runs/water.run

set -euo pipefail

# Four processes of a node get a core memory group each; threads stay on its 12 cores, and memory comes from
# its own stack where they first touch it, in large pages.
export OMP_NUM_THREADS=12 OMP_PLACES=cores OMP_PROC_BIND=close
export XOS_MMM_L_HPAGE_TYPE=hugetlbfs XOS_MMM_L_PAGING_POLICY=demand:demand:demand
export PLE_MPI_STD_EMPTYFILE=off # rank 0 alone prints
launch=(mpiexec)

if [ -e "$folder/checkpoint.bin" ]; then
  exec "${launch[@]}" "$nanoday" resume "$folder"
fi
# shellcheck disable=SC2086  # words of a command line
exec "${launch[@]}" "$nanoday" run $run --device sve --out "$folder"
