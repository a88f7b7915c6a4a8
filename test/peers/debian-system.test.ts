/** `disk create --debian`, by whoever is nobody: the disk starts to a login prompt, and its key opens it. */
import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import * as net from "node:net";
import * as path from "node:path";
import { test } from "node:test";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { sharedArchiveCache } from "./debian-packages.ts";
import { runPeer, skipWithout } from "./peer.ts";
import { machinePeers } from "./qemu.ts";

const skip = skipWithout("apt-get", "ssh", "ssh-keygen", "cmp", ...machinePeers.bios);
const main = path.join(import.meta.dirname, "../../src/cli/main.ts");
const nobody = { uid: 65534, gid: 65534 };
const user =
  process.getuid?.() === 0 && spawnSync(process.execPath, ["--check", main], { ...nobody }).status === 0 ? nobody : {};
const limitMs = 600_000;
const uuid = "6a0dbb5b-4e5c-4ad7-9f6f-4f38a6f4d2a1";

/** Runs the program, as a user who may do nothing where that is possible. */
function holdfast(...words: readonly string[]): { readonly status: number | null; readonly said: string } {
  const cache = path.join(sharedArchiveCache(), "cache");
  const env = { ...process.env, XDG_CACHE_HOME: cache, SOURCE_DATE_EPOCH: "1700000000" };
  if (!fs.existsSync(cache)) fs.mkdirSync(cache, { mode: 0o777 });
  fs.chmodSync(cache, 0o777);
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...words], { encoding: "utf8", env, ...user });
  return { status, said: stdout + stderr };
}

function newFolder(): TemporaryFolder {
  const folder = temporaryFolder();
  fs.chmodSync(folder.path, 0o777);
  return folder;
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** Starts the disk; a port of the loopback interface leads to its SSH server. */
function startMachine(disk: string, port: number): ChildProcess {
  const network = ["-netdev", `user,id=net,hostfwd=tcp:127.0.0.1:${port}-:22`, "-device", "virtio-net-pci,netdev=net"];
  const plain = ["-accel", "tcg", "-m", "1024", "-smp", "2", "-display", "none", "-nodefaults", "-no-reboot"];
  const drive = ["-drive", `file=${disk},format=raw,if=virtio,snapshot=on`];
  return spawn("qemu-system-x86_64", [...plain, "-serial", "stdio", ...drive, ...network], {
    stdio: ["ignore", "pipe", "ignore"],
  });
}

/** What the serial port says until it has said the text, or the machine is off. It is read on, lest the machine wait. */
function serialUntil({ stdout }: ChildProcess, text: string): Promise<string> {
  let said = "";
  stdout?.setEncoding("latin1");
  return new Promise((resolve) => {
    stdout?.on("data", (piece: string) => {
      said += piece;
      if (said.includes(text)) resolve(said);
    });
    stdout?.on("close", () => resolve(said));
  });
}

/** Runs a command by SSH: again and again until the server answers, as long as the machine runs. */
async function askBySsh(machine: ChildProcess, args: readonly string[]): Promise<string> {
  const options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "BatchMode=yes", "ConnectTimeout=60"];
  const words = [...options.flatMap((one) => ["-o", one]), ...args];
  while (machine.exitCode === null && machine.signalCode === null) {
    const child = spawn("ssh", words, { stdio: ["ignore", "pipe", "ignore"] });
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (piece: string) => (said += piece));
    const [status] = (await once(child, "close")) as [number | null];
    if (status !== 255) return said;
  }
  return "the machine is off";
}

test("a disk with Debian starts to a login prompt, and root's key opens it", { skip }, async () => {
  await using folder = newFolder();
  const disk = folder.join("disk");
  const key = folder.join("key");
  runPeer("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
  const words = [
    "--size",
    "2GB",
    "--debian",
    "bookworm",
    "--boot",
    "bios,uefi",
    "--hostname",
    "anchor",
    "--uuid",
    uuid,
  ];
  const made = holdfast("disk", "create", disk, ...words, "--ssh-key", `${key}.pub`);
  assert.equal(made.status, 0, made.said);
  assert.doesNotMatch(made.said, /is configured when|are configured when/); // nothing is left to the first start
  const again = holdfast("disk", "create", folder.join("again"), ...words, "--ssh-key", `${key}.pub`);
  assert.equal(again.status, 0, again.said);
  runPeer("cmp", [disk, folder.join("again")]); // the same words, packages, time and UUID: the same bytes
  const port = await freePort();
  const machine = startMachine(disk, port);
  const limit = setTimeout(() => machine.kill("SIGKILL"), limitMs);
  try {
    const said = await serialUntil(machine, "anchor login:");
    assert.match(said, /anchor login:/);
    assert.doesNotMatch(said, /FAILED|Configuring packages/);
    const script = [
      "dpkg --audit",
      "dpkg -l | tail -n +6 | grep -v '^ii' || true",
      "apt-get check > /dev/null && echo apt is content",
      "systemctl --failed --no-legend",
      "getent hosts anchor | tr -s ' '",
      "test -s /etc/machine-id && echo has an id",
      "passwd -S root | cut -d ' ' -f 2",
      "findmnt -n -o SOURCE /",
      "modprobe -n vfat && echo finds modules",
    ].join("; ");
    const address = ["-p", String(port), "-i", key, "root@127.0.0.1"];
    const answers = (await askBySsh(machine, [...address, script])).trim().split("\n");
    assert.deepEqual(answers, ["apt is content", "127.0.1.1 anchor", "has an id", "L", "/dev/vda2", "finds modules"]);
  } finally {
    clearTimeout(limit);
    machine.kill("SIGKILL");
    await once(machine, "close");
  }
});

test("what cannot be made leaves nothing and says why in a line", { skip }, async () => {
  await using folder = newFolder();
  const disk = folder.join("disk");
  const refusals = [
    [["--size", "100MB", "--debian", "bookworm"], 1, /the files need one of/],
    [["--size", "2GB", "--debian", "bookworm", "--package", "no-such-package"], 1, /no-such-package/],
    [["--size", "2GB", "--debian", "no-such-release"], 1, /no-such-release/],
    [["--size", "2GB", "--debian", "bookworm", "--kernel", "busybox-static"], 1, /none of its packages has a kernel/],
    [["--size", "2GB", "--debian", "bookworm", "--hostname", "-x"], 2, /cannot call the machine/],
    [["--size", "2GB", "--debian", "bookworm", "-p", "fs=ext2"], 2, /its root is to be ext4/],
    [["--size", "2GB", "--ssh-key", "/dev/null"], 2, /without --debian/],
    [["--size", "2GB", "--debian", "bookworm", "--configure"], 2, /does not start by BIOS/],
  ] as const;
  for (const [words, status, message] of refusals) {
    const made = holdfast("disk", "create", disk, ...words);
    assert.match(made.said, message);
    assert.equal(made.status, status, made.said);
    assert.deepEqual(fs.readdirSync(folder.path), []);
  }
});
