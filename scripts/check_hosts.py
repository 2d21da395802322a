#!/usr/bin/env python3
"""Runs MPI jobs over several hosts and loses one: the job must end by itself and leave a valid checkpoint.

The hosts are namespaces of this machine (network, processes, name, mounts) joined by a switch, so messages
between them are TCP over a wire that can be cut. Needs root, and Open MPI's mpirun.

--transport-test: the transport's tests on two hosts of two ranks each. --program: `nanoday run` on them; one
host is cut off and its processes are killed. mpirun must end with another code than 0 within a minute, no
rank may be left, and `nanoday resume` on one rank must go on from the checkpoint.

Exit 0: all is well; 1: not; 77: skipped, with the reason.
"""
# SPDX-License-Identifier: Apache-2.0
import argparse
import contextlib
import ctypes
import os
import pathlib
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time

SKIPPED = 77
ROOT = pathlib.Path(__file__).resolve().parent.parent
RANKS_PER_HOST = 2
APART = ("unshare", "--pid", "--mount", "--mount-proc", "--fork", "--kill-child")
MCA = {  # settings of Open MPI
    "plm": "rsh", "btl": "self,vader,tcp", "pml": "ob1", "btl_vader_single_copy_mechanism": "none",
    "btl_tcp_if_include": "wire", "oob_tcp_if_include": "wire", "hwloc_base_binding_policy": "none",
    "rmaps_base_oversubscribe": "1", "mpi_yield_when_idle": "1",
    # A host that is cut off says nothing: ask it every two seconds instead of every five minutes.
    "oob_tcp_keepalive_time": "2", "oob_tcp_keepalive_intvl": "1", "oob_tcp_keepalive_probes": "3",
}


class Skip(Exception):
    """Something this machine lacks or forbids; the check says so and is skipped."""


class Failure(Exception):
    """What the check is there to find."""


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def call(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Skip(f"{' '.join(command)}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


class Host:
    """A set of namespaces, held by its process 1; all its processes end when that one does."""

    def __init__(self, name):
        self.name = name
        script = f"hostname {name} && ip link set lo up && echo ready && exec sleep 3600"
        self.holder = subprocess.Popen(
            [*APART, "--net", "--uts", "--ipc", "sh", "-c", script],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            preexec_fn=die_with_parent)
        if self.holder.stdout.readline() != "ready\n":
            self.holder.wait(10)
            raise Skip(f"no namespaces can be made here ({self.holder.stderr.read().strip()})")
        children = pathlib.Path(f"/proc/{self.holder.pid}/task/{self.holder.pid}/children")
        self.pid = int(children.read_text(encoding="ascii").split()[0])

    def enter(self, *more):
        """What to write before a command to run it there; with "--pid", "--mount" it ends with the host."""
        return ["nsenter", "--target", str(self.pid), "--net", "--uts", "--ipc", *more]

    def network(self, *command):
        """Runs `ip` in its network, where other hosts' process numbers are still known."""
        return call("nsenter", "--target", str(self.pid), "--net", "ip", *command)

    def kill(self):
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self.holder.wait(10)


class Network:
    """Hosts 10.77.0.1, 10.77.0.2, … on one switch; each one's end of the wire is called `wire`."""

    def __init__(self, names):
        self.switch = Host("switch")
        self.switch.network("link", "add", "bridge", "type", "bridge")
        self.switch.network("link", "set", "bridge", "up")
        self.hosts = [Host(name) for name in names]
        for number, host in enumerate(self.hosts, 1):
            port, host.address = f"port{number}", f"10.77.0.{number}"
            self.switch.network("link", "add", port, "type", "veth", "peer", "name", "wire", "netns",
                             str(host.pid))
            self.switch.network("link", "set", port, "master", "bridge", "up")
            host.network("address", "add", f"{host.address}/24", "dev", "wire")
            host.network("link", "set", "wire", "up")

    def cut(self, host):
        """The wire between a host and the switch."""
        self.switch.network("link", "set", f"port{self.hosts.index(host) + 1}", "down")


def write_agent(path, hosts):
    """What mpirun calls instead of ssh: `agent ADDRESS COMMAND…`. It too hears nothing from a lost host."""
    lines = ["#!/bin/sh", "address=$1; shift", "case $address in"]
    for host in hosts:
        enter = shlex.join(host.enter("--pid", "--mount"))
        lines.append(f"  {host.address}) {enter} sh -c \"$*\" ;;")
    lines += ["  *) echo \"no host $address\" >&2; exit 1 ;;", "esac", "code=$?",
              "[ $code = 137 ] && exec sleep 70", "exit $code"]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def start(network, scratch, command, log):
    """mpirun on the first host, two ranks on each. It sees all processes, for its agent enters the others."""
    agent = scratch / "agent"
    write_agent(agent, network.hosts)
    where = ",".join(f"{host.address}:{RANKS_PER_HOST}" for host in network.hosts)
    # Ranks that are killed leave such files behind; the scratch folder goes in any case.
    files = {f"{user}_backing_directory": str(scratch) for user in ("btl_vader", "osc_sm")}
    mca = [word for name, value in {**MCA, **files}.items() for word in ("--mca", name, value)]
    mpirun = ["mpirun", *mca, "--mca", "plm_rsh_agent", str(agent), "--host", where,
              "-n", str(RANKS_PER_HOST * len(network.hosts)),
              "-x", "OMP_NUM_THREADS", "-x", "NANODAY_TEST_RANKS_PER_NODE", *command]
    environment = dict(os.environ, OMP_NUM_THREADS="1", NANODAY_TEST_RANKS_PER_NODE=str(RANKS_PER_HOST),
                       OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", TMPDIR=str(scratch))
    with open(log, "w", encoding="utf-8") as out:
        return subprocess.Popen([*network.hosts[0].enter(), *mpirun], env=environment, stdout=out,
                                stderr=subprocess.STDOUT, preexec_fn=die_with_parent)


def end_of(job, seconds):
    """A job's exit code; None when it does not end in time."""
    try:
        return job.wait(seconds)
    except subprocess.TimeoutExpired:
        return None


def check_transport(network, scratch, test):
    log = scratch / "transport.log"
    ranks = RANKS_PER_HOST * len(network.hosts)
    job = start(network, scratch, [str(test), f"--gtest_filter=*/mpi_{ranks}_ranks", "--gtest_color=no"], log)
    code = end_of(job, 100)
    text = log.read_text(encoding="utf-8")
    if code != 0:
        raise Failure(f"the transport's tests between hosts end with {code} (None: never):\n{text}")
    passed = [line for line in text.splitlines() if "PASSED" in line]
    print(f"transport tests between hosts: {' '.join(passed).strip()}", flush=True)


def wait_for(condition, seconds, what):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise Failure(f"{what} within {seconds} s")
        time.sleep(0.05)


def ranks_of(program):
    """Processes of a program on this machine, whatever namespace they are in."""
    found = []
    for link in pathlib.Path("/proc").glob("[0-9]*/exe"):
        with contextlib.suppress(OSError):
            if os.readlink(link) == str(program):
                found.append(int(link.parent.name))
    return found


def last_step(folder):
    lines = (folder / "thermo.csv").read_text(encoding="utf-8").split()
    return int(lines[-1].split(",")[0])


def check_lost_host(network, scratch, program):
    # A copy of its own: its processes are told from others of the program.
    mine = scratch / "nanoday"
    shutil.copy2(program, mine)
    folder, log = scratch / "lost.run", scratch / "run.log"
    examples = ROOT / "examples"
    command = [str(mine), "run", str(examples / "models/water.pb"),
               str(examples / "structures/water192.data"), "--nve", "--temperature", "300", "--dt", "0.5fs",
               "--steps", "1000000", "--checkpoint-every", "10", "--thermo-every", "5", "--out", str(folder)]
    job = start(network, scratch, command, log)
    wait_for(lambda: (folder / "checkpoint.prev.bin").exists() or job.poll() is not None, 60,
             "the run wrote no two checkpoints")
    text = log.read_text(encoding="utf-8")
    if job.poll() is not None:
        raise Failure(f"the run ended by itself with {job.returncode}:\n{text}")
    lost = network.hosts[-1]
    print(f"cutting off and killing host {lost.name} with {len(ranks_of(mine))} ranks running", flush=True)
    begin = time.monotonic()
    network.cut(lost)
    lost.kill()
    code = end_of(job, 60)
    if code is None:
        raise Failure("mpirun did not end within 60 s of losing a host")
    print(f"mpirun ended with {code} after {time.monotonic() - begin:.1f} s", flush=True)
    if code == 0:
        raise Failure("mpirun ended with 0 though a host was lost")
    wait_for(lambda: not ranks_of(mine), 10, "not all ranks ended")
    reached = last_step(folder)
    done = subprocess.run([str(mine), "resume", str(folder), "--steps", str(reached + 20)], check=False,
                          capture_output=True, text=True, env=dict(os.environ, OMP_NUM_THREADS="2"))
    if done.returncode != 0:
        raise Failure(f"the run cannot be resumed ({done.returncode}):\n{done.stdout}{done.stderr}")
    if last_step(folder) != reached + 20:
        raise Failure(f"the resumed run ended at step {last_step(folder)} instead of {reached + 20}")
    print(f"resumed on one rank to step {reached + 20}", flush=True)


def check_requirements():
    if os.geteuid() != 0:
        raise Skip("namespaces need root")
    for tool in ("unshare", "nsenter", "ip", "mpirun"):
        if not shutil.which(tool):
            raise Skip(f"there is no {tool}")
    if "Open MPI" not in call("mpirun", "--version"):
        raise Skip("this mpirun is not Open MPI's")
    call(*APART, "true")


def check_apart(arguments, scratch):
    """The checks, in a namespace of processes: whatever happens, none of them outlives this one."""
    network = Network(["alpha", "beta"])
    if arguments.transport_test:
        check_transport(network, scratch, arguments.transport_test.resolve())
    if arguments.program:
        check_lost_host(network, scratch, arguments.program.resolve())


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--transport-test", type=pathlib.Path, help="transport_mpi_test")
    parser.add_argument("--program", type=pathlib.Path, help="nanoday")
    parser.add_argument("--scratch", type=pathlib.Path, help=argparse.SUPPRESS)  # of a call by itself
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    try:
        if arguments.scratch:
            check_apart(arguments, arguments.scratch)
            return 0
        check_requirements()
        with tempfile.TemporaryDirectory(prefix="nd-hosts-") as scratch:
            return subprocess.call([*APART, sys.executable, *sys.argv, "--scratch", scratch],
                                   preexec_fn=die_with_parent)
    except Skip as reason:
        print(f"skipped: {reason}")
        return SKIPPED
    except Failure as problem:
        print(f"failed: {problem}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
