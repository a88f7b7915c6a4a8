/** Xen's own parser and its own pygrub take what `disk vm --for xen` writes. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { after, test } from "node:test";
import fc from "fast-check";
import { createDisk, writeMachine, type CreateDiskRequest } from "../../src/disk/index.ts";
import { plainDisk } from "../disk/plain-disk.ts";
import type { MachineRequest } from "../../src/disk/vm/index.ts";
import { xen } from "../../src/disk/vm/xen.ts";
import { direct, diskFacts, kernelFacts, machineOf, windowsFacts } from "../disk/vm/machines.ts";
import { pairwise } from "../pairwise.ts";
import { temporaryFolder, type TemporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";
import { someKernel } from "./qemu.ts";
import { runPygrub, xenPeers, XlParser } from "./xen.ts";

const skip = skipWithout(...xenPeers);
const xl = skip === false ? new XlParser() : undefined;
after(() => xl?.[Symbol.asyncDispose]());

const choices = {
  start: ["pygrub", "pvgrub", "direct", "firmware"],
  type: ["usual", "pv", "pvh", "hvm"],
  firmware: ["bios", "uefi"],
  network: ["default", "bridge", "none"],
  format: ["raw", "qcow2", "vpc"],
};

test("xl reads every configuration, and finds in it what was meant", { skip }, () => {
  const possible = pairwise(
    choices,
    ({ start, type }) => (start === "firmware") === (type === "hvm") || start === "direct",
  );
  for (const { start, type, firmware, network, format } of possible) {
    const machine = machineOf(
      { ...diskFacts, format: format as "raw" },
      {
        memoryBytes: 3 * 2 ** 28,
        cpuCount: 3,
        network: network === "bridge" ? { kind: "bridge", name: "br-lan.7" } : { kind: network as "default" },
        firmware: firmware as "bios",
        ...(start === "direct" ? { direct } : {}),
      },
    );
    const target = xen({
      ...(type === "usual" ? {} : { type: type as "pv" }),
      ...(start === "pygrub" || start === "pvgrub" ? { bootloader: start } : {}),
    });
    const { text } = target.configure(machine);
    const { c_info, b_info, disks, nics } = xl!.parse(text);
    const kind = type === "usual" ? "pvh" : type;
    assert.deepEqual(
      { ...c_info, run_hotplug_scripts: undefined },
      { type: kind, name: "big", uuid: machine.uuid, run_hotplug_scripts: undefined },
    );
    assert.deepEqual([b_info.target_memkb, b_info.avail_vcpus], [768 * 1024, [0, 1, 2]]);
    const [disk] = disks;
    assert.deepEqual(
      [disk?.pdev_path, disk?.vdev, disk?.format],
      [diskFacts.path, "xvda", format === "vpc" ? "vhd" : format],
    );
    const bridge = network === "bridge" ? ["br-lan.7"] : [undefined];
    assert.deepEqual(nics?.map((nic) => nic.bridge) ?? [], network === "none" ? [] : bridge);
    for (const nic of nics ?? []) assert.equal(nic.mac, `00:16:3e:${machine.macTail}`);
    const root = "root=UUID=8dbf618f-d1e4-4883-a102-868a3ac7f815";
    const console = kind === "hvm" ? "ttyS0" : "hvc0";
    if (start === "direct") {
      assert.deepEqual([b_info.kernel, b_info.ramdisk], [direct.kernel, direct.initrd]);
      assert.equal(b_info.cmdline, `${root} ro quiet console=${console}`);
    } else if (start === "firmware") {
      assert.deepEqual(b_info["type.hvm"]?.bios, firmware === "uefi" ? "ovmf" : undefined);
      assert.equal(b_info["type.hvm"]?.serial, "pty");
    } else if (start === "pvgrub") assert.match(b_info.kernel ?? "", /^\/usr\/lib\/grub-xen\/grub-\S+\.bin$/);
    else
      assert.deepEqual(
        [b_info.bootloader, b_info.bootloader_args, b_info.cmdline],
        ["pygrub", undefined, "console=hvc0"],
      );
  }
});

test("xl drops a comma at the end of a disk's name, which is refused therefore", { skip }, () => {
  const configured = (path: string): string => xen({}).configure(machineOf({ ...diskFacts, path })).text;
  assert.throws(() => configured("/big,"), { code: "unsupported" });
  assert.equal(xl!.parse(configured("/big").replace("/big", "/big,")).disks[0]?.pdev_path, "/big");
});

/** What can be in a path: everything but control characters and what is no text. */
const path = fc
  .string({ unit: "binary", minLength: 1, maxLength: 30 })
  .filter((text) => !/[\p{Cc}\p{Cs}]/u.test(text))
  .map((text) => `/disks/${text}`);
const strange = fc.oneof(path, fc.stringMatching(/^\/[ "'\\$`,;#=[\]\w]{1,20}$/));

test("whatever is in the paths and the kernel's words comes through", { skip }, () => {
  const named = strange.filter((one) => !one.endsWith(","));
  const property = fc.property(named, strange, strange, (disk, kernel, words) => {
    const machine = machineOf({ ...diskFacts, path: disk }, { direct: { kernel, initrd: kernel }, append: words });
    const { b_info, disks } = xl!.parse(xen({}).configure(machine).text);
    assert.deepEqual([disks[0]?.pdev_path, b_info.kernel, b_info.ramdisk], [disk, kernel, kernel]);
    assert.ok(b_info.cmdline?.endsWith(` console=hvc0 ${words}`), b_info.cmdline);
  });
  fc.assert(property, { numRuns: 100 });
});

const kernel = someKernel();
const version = kernel.replace(/^.*vmlinuz-/, "");
const initrd = Buffer.alloc(300_000, "initrd ");

/** A tree with a kernel and an initrd. */
function treeIn(folder: TemporaryFolder): string {
  fs.mkdirSync(folder.join("tree/boot"), { recursive: true });
  fs.copyFileSync(kernel, folder.join("tree", kernel));
  fs.writeFileSync(folder.join("tree/boot", `initrd.img-${version}`), initrd);
  return folder.join("tree");
}

async function makeDisk(folder: TemporaryFolder, request: Partial<CreateDiskRequest>): Promise<string> {
  const path = folder.join('it\'s a disk, "big".img');
  await createDisk({ ...plainDisk, path, sizeBytes: 160e6, from: [treeIn(folder)], ...request });
  return path;
}

async function configure(path: string, wishes: Partial<MachineRequest> = {}): Promise<string> {
  const usual = {
    target: "xen",
    memoryBytes: 2 ** 30,
    cpuCount: 1,
    network: { kind: "default" },
    emulate: false,
    secureBoot: false,
  } as const;
  const { configuration } = await writeMachine({ place: { image: path }, ...usual, xen: {}, force: false, ...wishes });
  return configuration;
}

const skipPygrub = skipWithout(...xenPeers, kernel, "/usr/lib/grub/i386-pc/kernel.img");
const boot = { firmwares: ["bios"], serial: true, secureBoot: false } as const;

for (const table of ["mbr", "gpt"] as const) {
  for (const layout of table === "mbr" ? (["aligned", "classic"] as const) : (["aligned"] as const)) {
    for (const kind of ["ext3", "ext4"]) {
      test(`pygrub finds kernel and initrd: ${table}, ${layout}, ${kind}`, { skip: skipPygrub }, async () => {
        await using folder = temporaryFolder();
        const root = { type: "linux", active: false, from: [treeIn(folder)], fileSystem: { kind } };
        const small = { sizeBytes: 2 ** 20, type: "bios-boot", active: false, fileSystem: "none", from: [] } as const;
        const partitions = table === "gpt" ? [small, root] : [root];
        const path = await makeDisk(folder, { table, layout, partitions, from: [], boot });
        const found = await runPygrub(xl!.parse(await configure(path)));
        assert.ok(found.kernel.equals(fs.readFileSync(kernel)));
        assert.ok(found.ramdisk?.equals(initrd));
        assert.match(found.args, /^root=UUID=[0-9a-f-]{36} ro console=tty0 console=ttyS0,115200 console=hvc0$/);
      });
    }
  }
}

test(
  "pygrub is told what it does not find: a logical partition, a kernel without a menu",
  { skip: skipPygrub },
  async () => {
    await using folder = temporaryFolder();
    const from = [treeIn(folder)];
    const empty = { sizeBytes: 2 ** 20, type: "linux", active: false, fileSystem: "none", from: [] } as const;
    const root = { type: "linux", active: false, from, fileSystem: { kind: "ext4" } };
    const path = await makeDisk(folder, { partitions: [empty, empty, empty, empty, root], from: [] });
    await findsUnlisted(path);
  },
);

test("as it does in a file system that takes the whole disk", { skip: skipPygrub }, async () => {
  await using folder = temporaryFolder();
  const path = folder.join("disk");
  runPeer("mke2fs", ["-q", "-t", "ext4", "-d", treeIn(folder), path, "100M"]);
  await findsUnlisted(path);
});

/** Asserts that pygrub finds kernel and initrd of a disk that has no menu. */
async function findsUnlisted(path: string): Promise<void> {
  const found = await runPygrub(xl!.parse(await configure(path)));
  assert.ok(found.kernel.equals(fs.readFileSync(kernel)));
  assert.ok(found.ramdisk?.equals(initrd));
  assert.match(found.args, /^root=UUID=[0-9a-f-]{36} ro console=hvc0$/);
}

test(
  "the other side of the trade: kernel and ramdisk are files, the same as in the disk",
  { skip: skipPygrub },
  async () => {
    await using folder = temporaryFolder();
    const path = await makeDisk(folder, { boot });
    const { b_info } = xl!.parse(await configure(path, { direct: {} }));
    assert.ok(fs.readFileSync(b_info.kernel ?? "").equals(fs.readFileSync(kernel)));
    assert.ok(fs.readFileSync(b_info.ramdisk ?? "").equals(initrd));
    assert.match(b_info.cmdline ?? "", /^root=UUID=\S+ ro console=tty0 console=ttyS0,115200 console=hvc0$/);
  },
);

test(
  "what pygrub does not read is said, and another way is taken where there is one",
  { skip: skipPygrub },
  async () => {
    await using folder = temporaryFolder();
    const path = folder.join("disk");
    runPeer("mke2fs", ["-q", "-t", "ext4", "-O", "bigalloc", "-d", treeIn(folder), path, "100M"]);
    await assert.rejects(configure(path), { code: "unsupported", message: /bigalloc/, hint: /--direct.*pvgrub/ });
    const byHand = xl!.parse(xen({ bootloader: "pygrub" }).configure(machineOf({ ...diskFacts, path })).text);
    await assert.rejects(runPygrub(byHand), /Unable to find partition containing kernel/);
    await assert.rejects(configure(path, { xen: { bootloader: "pvgrub" } }), { code: "not-found", message: /no menu/ });
    const bigalloc = {
      ...kernelFacts,
      pygrub: { ...kernelFacts.pygrub, whyNot: "pygrub does not read ext4 with bigalloc" },
    };
    assert.match(xen({}).configure(machineOf({ ...diskFacts, kernel: bigalloc })).text, /^type = "hvm"$/m);
  },
);

test("a console that may stay empty is told of, where the menu on the disk has the last word", () => {
  const warnings = (wishes: Parameters<typeof xen>[0]): string => {
    return xen(wishes).configure(machineOf(diskFacts)).warnings.join();
  };
  assert.equal(warnings({}), "");
  assert.match(warnings({ bootloader: "pvgrub" }), /console=hvc0/);
  assert.match(warnings({ type: "hvm" }), /console=ttyS0/);
});

test("the type is what the kernel is built for; a disk without Linux is hvm", () => {
  const typeOf = (facts: Partial<typeof kernelFacts>): string =>
    /^type = "(\w+)"$/m.exec(
      xen({}).configure(machineOf({ ...diskFacts, kernel: { ...kernelFacts, ...facts } })).text,
    )?.[1] ?? "";
  assert.equal(typeOf({}), "pvh");
  assert.equal(typeOf({ xen: { pv: true, pvh: false } }), "pv");
  assert.equal(typeOf({ xen: { pv: false, pvh: false } }), "hvm");
  assert.match(xen({}).configure(machineOf(windowsFacts)).text, /^type = "hvm"$/m);
  const old = { ...diskFacts, kernel: { ...kernelFacts, xen: { pv: true, pvh: false } } };
  assert.throws(() => xen({ type: "pvh" }).configure(machineOf(old)), { code: "unsupported", hint: "use --type pv" });
  assert.throws(() => xen({ type: "pv" }).configure(machineOf(windowsFacts)), {
    code: "not-found",
    hint: /--type hvm/,
  });
});
