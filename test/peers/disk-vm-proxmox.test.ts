/**
 * The scripts that `disk vm --for proxmox` writes are run by a shell, with programs in the place of Proxmox's own that
 * keep their words. Debian has no Proxmox: the words are held against a grammar from its manual, qm(1) and qm.conf(5).
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import type { Machine } from "../../src/disk/vm/machine.ts";
import { proxmox } from "../../src/disk/vm/proxmox.ts";
import { direct, diskFacts, machineOf, windowsFacts } from "../disk/vm/machines.ts";
import { pairwise } from "../pairwise.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";

/** What each option may be. */
const grammar: Readonly<Record<string, RegExp>> = {
  agent: /^[01]$/,
  args: /^-kernel /,
  bios: /^(seabios|ovmf)$/,
  boot: /^order=(scsi|sata)0$/,
  cores: /^[1-9]\d*$/,
  efidisk0: /^[a-z][\w.-]*:1,efitype=4m,pre-enrolled-keys=[01]$/,
  kvm: /^[01]$/,
  machine: /^(pc|q35)$/,
  memory: /^[1-9]\d*$/,
  name: /^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$/,
  net0: /^(virtio|e1000)=([0-9A-F]{2}:){5}[0-9A-F]{2},bridge=[\w.-]+$/,
  ostype: /^(l26|other)$/,
  rng0: /^source=\/dev\/urandom$/,
  sata0: /^([a-z][\w.-]*:[\w./-]+|\/dev\/[\w./-]+),discard=on$/,
  scsi0: /^([a-z][\w.-]*:[\w./-]+|\/dev\/[\w./-]+),discard=on,iothread=1$/,
  scsihw: /^virtio-scsi-single$/,
  serial0: /^socket$/,
  smbios1: /^uuid=[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
};

interface Run {
  readonly status: number | null;
  readonly said: string;
  /** The words of each call of qm. */
  readonly calls: readonly (readonly string[])[];
}

/** Runs the script; `qm importdisk` fails if it is told to. */
function runScript(
  folder: TemporaryFolder,
  text: string,
  options: { words?: string[]; importFails?: boolean } = {},
): Run {
  const log = folder.join("log");
  fs.writeFileSync(log, "");
  const programs = {
    pvesh: "echo 104",
    qm: `
for word; do printf '%s\\0' "$word" >> "$LOG"; done; printf '\\n\\0' >> "$LOG"
case $1 in
  importdisk) exit ${options.importFails === true ? 1 : 0};;
  config) printf 'name: x\\nscsihw: virtio-scsi-single\\nunused0: %s:vm-%s-disk-0\\n' "local-lvm" "$2";;
esac`,
  };
  for (const [name, script] of Object.entries(programs)) {
    fs.writeFileSync(folder.join(name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  fs.writeFileSync(folder.join("script"), text);
  const env = { PATH: `${folder.path}:${process.env["PATH"] ?? ""}`, LOG: log };
  const { status, stdout, stderr } = spawnSync("sh", [folder.join("script"), ...(options.words ?? [])], {
    env,
    encoding: "utf8",
  });
  const calls = fs.readFileSync(log, "utf8").split("\n\0").slice(0, -1);
  return { status, said: stdout + stderr, calls: calls.map((call) => call.split("\0").slice(0, -1)) };
}

/** The options of a call after its first words. Each has to be one of the grammar, once, and what that says. */
function optionsOf(call: readonly string[]): ReadonlyMap<string, string> {
  const options = new Map<string, string>();
  for (let at = 2; at < call.length; at += 2) {
    const [name, value] = [call[at]?.replace(/^--/, "") ?? "", call[at + 1] ?? ""];
    assert.ok(call[at]?.startsWith("--") === true && !options.has(name), call.join(" "));
    assert.match(value, grammar[name] ?? assert.fail(`${name} is no option that is known`), name);
    options.set(name, value);
  }
  return options;
}

function onDisk(folder: TemporaryFolder, name: string): string {
  const file = folder.join(name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, "");
  return file;
}

const choices = {
  start: ["bios", "uefi", "secure", "direct"],
  system: ["Linux", "another"],
  network: ["default", "bridge", "none"],
  accelerator: ["kvm", "emulate"],
  source: ["file", "device"],
};

test("every script makes a machine with its disk, in the words of the manual", async () => {
  await using folder = temporaryFolder();
  const file = onDisk(folder, 'it\'s, a "disk" of $HOME.img');
  for (const { start, system, network, accelerator, source } of pairwise(
    choices,
    (one) => one["start"] !== "direct" || one["system"] === "Linux",
  )) {
    const facts = system === "Linux" ? diskFacts : windowsFacts;
    const disk = {
      ...facts,
      firmwares: ["bios", "uefi"] as const,
      path: source === "file" ? file : "/dev/null",
      isBlockDevice: source === "device",
    };
    const machine: Machine = machineOf(disk, {
      network: network === "bridge" ? { kind: "bridge", name: "vmbr1" } : { kind: network as "none" },
      emulate: accelerator === "emulate",
      secureBoot: start === "secure",
      ...(start === "direct" ? { direct } : start === "secure" ? {} : { firmware: start as "bios" }),
    });
    const { status, said, calls } = runScript(folder, proxmox.configure(machine).text);
    assert.equal(status, 0, said);
    const [create = [], ...others] = calls;
    const made = optionsOf(create);
    assert.deepEqual(create.slice(0, 2), ["create", "104"]);
    assert.equal(made.get("smbios1"), `uuid=${machine.uuid}`);
    const isUefi = start === "uefi" || start === "secure";
    assert.equal(made.get("bios"), isUefi ? "ovmf" : "seabios");
    assert.equal(made.get("efidisk0")?.at(-1), isUefi ? (start === "secure" ? "1" : "0") : undefined);
    assert.equal(made.get("kvm"), accelerator === "emulate" ? "0" : undefined);
    assert.equal(
      made.get("net0")?.split("=").at(-1),
      network === "none" ? undefined : network === "bridge" ? "vmbr1" : "vmbr0",
    );
    const imported = [
      ["importdisk", "104", file, "local-lvm"],
      ["config", "104"],
    ];
    assert.deepEqual(others.slice(0, -1), source === "file" ? imported : []);
    const set = optionsOf(others.at(-1) ?? []);
    const bus = system === "Linux" ? "scsi0" : "sata0";
    assert.equal(set.get("boot"), `order=${bus}`);
    assert.equal(set.get(bus)?.split(",")[0], source === "file" ? "local-lvm:vm-104-disk-0" : "/dev/null");
    assert.match(said, /qm start 104/);
  }
});

test("number, storage and disk can be given; what fails leaves no machine without its disk", async () => {
  await using folder = temporaryFolder();
  const { text } = proxmox.configure(machineOf({ ...diskFacts, path: onDisk(folder, "disk") }, { firmware: "uefi" }));
  const given = runScript(folder, text, { words: ["200", "fast"] });
  assert.equal(optionsOf(given.calls[0] ?? []).get("efidisk0"), "fast:1,efitype=4m,pre-enrolled-keys=0");
  assert.deepEqual(given.calls[1], ["importdisk", "200", folder.join("disk"), "fast"]);
  const moved = runScript(folder, text, { words: ["200", "fast", onDisk(folder, "moved there")] });
  assert.deepEqual(moved.calls[1], ["importdisk", "200", folder.join("moved there"), "fast"]);
  const failed = runScript(folder, text, { importFails: true });
  assert.equal(failed.status, 1);
  assert.deepEqual(failed.calls.at(-1), ["destroy", "104"]);
  fs.rmSync(folder.join("disk"));
  const missing = runScript(folder, text);
  assert.deepEqual([missing.status, missing.calls], [1, []]);
  assert.match(missing.said, /^the disk is not here: /);
});

// Proxmox divides `args` into words with this module.
const split = 'use Text::ParseWords; binmode(STDOUT); print join("\\0", shellwords($ARGV[0]));';
const skipPerl = (() => {
  const skip = skipWithout("perl");
  if (skip !== false) return skip;
  return spawnSync("perl", ["-MText::ParseWords", "-e1"]).status === 0 ? false : "no Text::ParseWords";
})();
const text = fc
  .string({ unit: "binary", minLength: 1, maxLength: 20 })
  .filter((one) => !/[\p{Cc}\p{Cs}\ufffe\uffff]/u.test(one));
const strange = fc.oneof(text, fc.stringMatching(/^[ "'\\$`;#a-]{1,12}$/));

test(
  "whatever is in the paths and the kernel's words comes through shell and Proxmox",
  { skip: skipPerl },
  async () => {
    await using folder = temporaryFolder();
    const disk = { ...diskFacts, path: onDisk(folder, "disk") };
    const property = fc.property(strange, strange, (kernel, words) => {
      const machine = machineOf(disk, { direct: { kernel: `/${kernel}` }, append: words });
      const { calls } = runScript(folder, proxmox.configure(machine).text);
      const args = optionsOf(calls[0] ?? []).get("args") ?? "";
      const [, given, , commandLine] = runPeer("perl", ["-e", split, "--", args]).split("\0");
      assert.equal(given, `/${kernel}`);
      assert.ok(commandLine?.endsWith(` console=ttyS0 ${words}`), commandLine);
    });
    fc.assert(property, { numRuns: 30 });
  },
);

test("what Proxmox does not have is refused", () => {
  const arm = { ...diskFacts, architecture: "aarch64", firmwares: ["uefi"] } as const;
  assert.throws(() => proxmox.configure(machineOf(arm)), { code: "unsupported", message: /for aarch64/ });
  const user = machineOf(diskFacts, { network: { kind: "user", forwards: [] } });
  assert.throws(() => proxmox.configure(user), { code: "usage", hint: /--bridge/ });
});
