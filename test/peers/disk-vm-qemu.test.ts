/** The scripts that `disk vm --for qemu` writes start QEMU, which starts what is on the disk. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { test } from "node:test";
import { createDisk, writeMachine, type CreateDiskRequest } from "../../src/disk/index.ts";
import type { MachineRequest } from "../../src/disk/vm/index.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { skipWithout } from "./peer.ts";
import { machinePeers, someKernel } from "./qemu.ts";

const kernel = someKernel();
const skip = skipWithout(kernel, ...machinePeers.bios, ...machinePeers.uefi);
const limitMs = 120_000;

/** A disk with a kernel, under a name that every syntax has trouble with, and the script that starts it. */
async function scriptFor(
  folder: TemporaryFolder,
  disk: Partial<CreateDiskRequest>,
  wishes: Partial<MachineRequest> = {},
): Promise<string> {
  fs.mkdirSync(folder.join("tree/boot"), { recursive: true });
  fs.copyFileSync(kernel, folder.join("tree", kernel));
  const path = folder.join('it\'s, a "disk" of $HOME;.img');
  const usual = {
    sizeBytes: 160e6,
    table: "mbr",
    layout: "aligned",
    partitions: [],
    force: false,
    preallocate: false,
  } as const;
  await createDisk({ path, ...usual, from: [folder.join("tree")], nowMs: Date.now(), ...disk });
  const output = folder.join("start it.sh");
  const machine = {
    target: "qemu",
    memoryBytes: 2 ** 28,
    cpuCount: 1,
    network: { kind: "default" },
    emulate: false,
  } as const;
  await writeMachine({ place: { image: path }, ...machine, xen: {}, output, force: false, ...wishes });
  return output;
}

/** What the script shows on the terminal until that has the text, or QEMU stops. */
async function shownUntil(script: string, text: RegExp): Promise<string> {
  const env = { ...process.env, ACCEL: "tcg", DISPLAY: "" };
  const machine = spawn(script, ["-snapshot"], { env, stdio: ["ignore", "pipe", "pipe"] });
  const limit = setTimeout(() => machine.kill(), limitMs);
  let said = "";
  for (const stream of [machine.stdout, machine.stderr]) {
    stream.setEncoding("latin1");
    stream.on("data", (piece: string) => {
      said += piece;
      if (text.test(said)) machine.kill();
    });
  }
  await once(machine, "close");
  clearTimeout(limit);
  return said;
}

const serial = "console=ttyS0,115200";

test("by BIOS", { skip }, async () => {
  await using folder = temporaryFolder();
  const script = await scriptFor(folder, {
    boot: { firmwares: ["bios", "uefi"], serial: true, secureBoot: false },
    sizeBytes: 240e6,
  });
  assert.match(await shownUntil(script, /ttyS0,115200\r\n/), new RegExp(`Command line: BOOT_IMAGE=.*${serial}`));
});

test("by UEFI, whose settings are kept beside the disk", { skip }, async () => {
  await using folder = temporaryFolder();
  const script = await scriptFor(folder, {
    table: "gpt",
    boot: { firmwares: ["uefi"], serial: true, secureBoot: false },
    sizeBytes: 240e6,
  });
  assert.match(await shownUntil(script, /ttyS0,115200\r\n/), new RegExp(`Command line: BOOT_IMAGE=.*${serial}`));
  assert.ok(fs.readdirSync(folder.path).some((name) => name.endsWith("$HOME;.img.efivars")));
});

test("the kernel directly", { skip }, async () => {
  await using folder = temporaryFolder();
  const script = await scriptFor(folder, {}, { direct: {}, append: "holdfast='a b'" });
  assert.match(
    await shownUntil(script, /holdfast='a b'\r\n/),
    /Command line: root=PARTUUID=[0-9a-f]{8}-01 ro console=ttyS0 holdfast='a b'/,
  );
});

test("where there is no firmware the script says what to install", { skip }, async () => {
  await using folder = temporaryFolder();
  const script = await scriptFor(folder, {
    boot: { firmwares: ["uefi"], serial: true, secureBoot: false },
    sizeBytes: 240e6,
  });
  const { status, stderr } = spawnSync(script, { encoding: "utf8", env: { ...process.env, OVMF_CODE: "/nowhere" } });
  assert.equal(status, 1);
  assert.match(stderr, /^no UEFI firmware is found here: install it .*OVMF_CODE/);
});
