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

const skip = skipWithout("apt-get", "ssh", "ssh-keygen", "e2fsck", "sha256sum", ...machinePeers.bios);
const main = path.join(import.meta.dirname, "../../src/cli/main.ts");
const nobody = { uid: 65534, gid: 65534 };
const user =
  process.getuid?.() === 0 && spawnSync(process.execPath, ["--check", main], { ...nobody }).status === 0 ? nobody : {};
const limitMs = 240_000;
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

async function serialUntil(machine: ChildProcess, text: string): Promise<string> {
  let said = "";
  machine.stdout?.setEncoding("latin1");
  for await (const piece of machine.stdout ?? []) {
    said += String(piece);
    if (said.includes(text)) break;
  }
  return said;
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
  const port = await freePort();
  const machine = startMachine(disk, port);
  const limit = setTimeout(() => machine.kill("SIGKILL"), limitMs);
  try {
    const said = await serialUntil(machine, "anchor login:");
    assert.match(said, /anchor login:/);
    assert.doesNotMatch(said, /FAILED|Configuring packages/);
    const ask = (command: string): string => {
      const options = [
        "StrictHostKeyChecking=no",
        "UserKnownHostsFile=/dev/null",
        "BatchMode=yes",
        "ConnectTimeout=60",
      ];
      const args = ["-p", String(port), "-i", key, ...options.flatMap((one) => ["-o", one]), "root@127.0.0.1", command];
      return runPeer("ssh", args, { stdio: ["ignore", "pipe", "ignore"] });
    };
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
    const answers = ask(script).trim().split("\n");
    assert.deepEqual(answers, ["apt is content", "127.0.1.1 anchor", "has an id", "L", "/dev/vda2", "finds modules"]);
  } finally {
    clearTimeout(limit);
    machine.kill("SIGKILL");
    await once(machine, "close");
  }
});

test("the same packages, time and UUID give the same bytes; size auto has room for them", { skip }, async () => {
  await using folder = newFolder();
  const sums = ["one", "two"].map((name) => {
    const made = holdfast(
      "disk",
      "create",
      folder.join(name),
      "--size",
      "auto",
      "--debian",
      "bookworm",
      "--uuid",
      uuid,
    );
    assert.equal(made.status, 0, made.said);
    return runPeer("sha256sum", [folder.join(name)]).split(" ")[0];
  });
  assert.equal(sums[0], sums[1]);
  const checked = holdfast("disk", "check", folder.join("one"));
  assert.match(checked.said, /no errors/);
});

test("what cannot be made leaves nothing and says why in a line", { skip }, async () => {
  await using folder = newFolder();
  const disk = folder.join("disk");
  const refusals = [
    [["--size", "100MB", "--debian", "bookworm"], 1, /no space|does not fit|do not fit|room/],
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
