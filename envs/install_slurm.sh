#!/usr/bin/env bash
# Installs Debian's Slurm for tests/workflow/test_slurm.py, which starts it as one node and stops it; starts nothing here.
set -euo pipefail

if command -v slurmctld slurmd sbatch munged > /dev/null; then
    echo "install_slurm: Slurm is here already"
    exit 0
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then
    echo "install_slurm: needs root and apt-get; without Slurm the cluster's test is skipped"
    exit 0
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update --quiet=2
# Services of the packages stay off where a policy can say so.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod +x "$policy"
fi
apt-get install --quiet=2 --yes --no-install-recommends munge slurmctld slurmd slurm-client
