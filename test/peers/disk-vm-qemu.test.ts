/** The scripts that `disk vm --for qemu` writes start QEMU, which starts what is on the disk. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { createDisk, writeMachine, type CreateDiskRequest } from "../../src/disk/index.ts";
import { plainDisk } from "../disk/plain-disk.ts";
import type { MachineRequest } from "../../src/disk/vm/index.ts";
import { qemu } from "../../src/disk/vm/qemu.ts";
import { diskFacts, machineOf } from "../disk/vm/machines.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";
import { machinePeers, someKernel } from "./qemu.ts";
import { shownBy } from "./shown-by.ts";

const kernel = someKernel();
const skip = skipWithout(kernel, ...machinePeers.bios, ...machinePeers.uefi);
const limitMs = 120_000;

/** A disk with a kernel, under a name that every syntax has trouble with. */
async function makeDisk(folder: TemporaryFolder, request: Partial<CreateDiskRequest>): Promise<string> {
  fs.mkdirSync(folder.join("tree/boot"), { recursive: true });
  fs.copyFileSync(kernel, folder.join("tree", kernel));
  const disk = folder.join('it\'s, a "disk" of $HOME;.img');
  await createDisk({ ...plainDisk, path: disk, sizeBytes: 160e6, from: [folder.join("tree")], ...request });
  return disk;
}

/** The script that starts a disk, beside it. */
async function writeScript(disk: string, wishes: Partial<MachineRequest> = {}): Promise<string> {
  const output = path.join(path.dirname(disk), "start it.sh");
  const machine = { target: "qemu", memoryBytes: 2 ** 28, cpuCount: 1, network: { kind: "default" } } as const;
  const plain = { emulate: false, secureBoot: false, xen: {}, force: true } as const;
  await writeMachine({ place: { image: disk }, ...machine, ...plain, output, ...wishes });
  return output;
}

/** What the script shows on the terminal until that has the text, or QEMU stops. */
function shownUntil(script: string, until: RegExp): Promise<string> {
  return shownBy(script, ["-snapshot"], { until, limitMs, env: { ACCEL: "tcg", DISPLAY: "" } });
}

const serial = "console=ttyS0,115200";

test("by BIOS", { skip }, async () => {
  await using folder = temporaryFolder();
  const disk = await makeDisk(folder, {
    boot: { firmwares: ["bios"], serial: true, secureBoot: false, timeoutSeconds: 0 },
  });
  const said = await shownUntil(await writeScript(disk), /ttyS0,115200\n/);
  assert.match(said, new RegExp(`Command line: BOOT_IMAGE=.*${serial}`));
});

test("by UEFI, whose settings are kept beside the disk; with Secure Boot only what is signed", { skip }, async () => {
  await using folder = temporaryFolder();
  const disk = await makeDisk(folder, {
    table: "gpt",
    boot: { firmwares: ["uefi"], serial: true, secureBoot: false, timeoutSeconds: 0 },
  });
  const said = await shownUntil(await writeScript(disk), /ttyS0,115200\n/);
  assert.match(said, new RegExp(`Command line: BOOT_IMAGE=.*${serial}`));
  assert.ok(fs.existsSync(`${disk}.efivars`));
  assert.match(await shownUntil(await writeScript(disk, { secureBoot: true }), /Access Denied/), /Access Denied/);
  const { status, stderr } = spawnSync(await writeScript(disk), {
    encoding: "utf8",
    env: { ...process.env, OVMF_CODE: "/nowhere" },
  });
  assert.equal(status, 1);
  assert.match(stderr, /^no UEFI firmware is found here: install it .*OVMF_CODE/);
});

test("the kernel directly", { skip }, async () => {
  await using folder = temporaryFolder();
  const script = await writeScript(await makeDisk(folder, {}), { direct: {}, append: "holdfast='a b'" });
  assert.match(
    await shownUntil(script, /holdfast='a b'\n/),
    /Command line: root=PARTUUID=[0-9a-f]{8}-01 ro console=ttyS0 holdfast='a b'/,
  );
});

test("a machine for arm64 starts its firmware", { skip: skipWithout(...machinePeers.arm64) }, async () => {
  await using folder = temporaryFolder();
  const disk = folder.join("disk, for arm");
  fs.writeFileSync(disk, Buffer.alloc(2 ** 20));
  const machine = machineOf({ ...diskFacts, path: disk, architecture: "aarch64", firmwares: ["uefi"] });
  fs.writeFileSync(folder.join("script"), qemu.configure(machine).text, { mode: 0o755 });
  assert.match(await shownUntil(folder.join("script"), /UEFI firmware/), /UEFI firmware/);
});

const character = fc.oneof(
  fc.string({ unit: "binary", minLength: 1, maxLength: 1 }).filter((one) => !/[\p{Cc}\p{Cs}\p{Cn}/]/u.test(one)),
  fc.constantFrom(...Array.from(",= :;'\"\\\\$`#%&*?{}[]()<>|~!")),
);
const strange = fc.array(character, { minLength: 1, maxLength: 12 }).map((all) => `n${all.join("")}`);

/** The words with which a script calls QEMU. */
function wordsOfScript(folder: TemporaryFolder, text: string): readonly string[] {
  fs.writeFileSync(folder.join("qemu"), "#!/bin/sh\nprintf '%s\\0' \"$@\"\n", { mode: 0o755 });
  const env = { ...process.env, QEMU: folder.join("qemu") };
  return execFileSync("sh", ["-c", text], { encoding: "utf8", env }).split("\0");
}

function valueAfter(option: string, words: readonly string[]): string {
  return words[words.indexOf(option) + 1] ?? "";
}

test(
  "whatever is in the paths and the kernel's words comes through the shell",
  { skip: skipWithout("sh") },
  async () => {
    await using folder = temporaryFolder();
    const property = fc.property(strange, strange, (name, append) => {
      const direct = { kernel: `/${name}`, initrd: `/${name}.initrd` };
      const called = wordsOfScript(folder, qemu.configure(machineOf(diskFacts, { direct, append })).text);
      assert.equal(valueAfter("-kernel", called), direct.kernel);
      assert.equal(valueAfter("-initrd", called), direct.initrd);
      assert.ok(valueAfter("-append", called).endsWith(` console=ttyS0 ${append}`));
    });
    fc.assert(property, { numRuns: 30 });
  },
);

test("QEMU opens the disk, whatever its name", { skip: skipWithout("qemu-system-x86_64") }, async () => {
  await using folder = temporaryFolder();
  const names = fc.sample(strange, 40).map((name, n) => `${n}${name}`);
  const drives = names.map((name, n) => {
    fs.writeFileSync(folder.join(name), Buffer.alloc(512));
    const { text } = qemu.configure(machineOf({ ...diskFacts, path: folder.join(name) }));
    return valueAfter("-drive", wordsOfScript(folder, text)).replace("id=disk0", `id=disk${n}`);
  });
  const words = ["-machine", "none", "-display", "none", "-nodefaults", "-qmp", "stdio"];
  const input = ["qmp_capabilities", "query-block", "quit"].map((execute) => JSON.stringify({ execute })).join("\n");
  const said = runPeer("qemu-system-x86_64", [...words, ...drives.flatMap((drive) => ["-drive", drive])], { input });
  const answers = said
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { readonly return?: unknown });
  const blocks = answers.map((answer) => answer.return).find((one) => Array.isArray(one)) as {
    inserted: { file: string };
  }[];
  assert.deepEqual(
    blocks.map(({ inserted }) => inserted.file),
    names.map((name) => folder.join(name)),
  );
});
