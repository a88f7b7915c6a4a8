import assert from "node:assert/strict";
import { test } from "node:test";
import { directCommandLine } from "../../../src/disk/vm/command-line.ts";
import { machineName } from "../../../src/disk/vm/machine-name.ts";
import { libvirt } from "../../../src/disk/vm/libvirt.ts";
import { proxmox } from "../../../src/disk/vm/proxmox.ts";
import { qemu } from "../../../src/disk/vm/qemu.ts";
import { planXen } from "../../../src/disk/vm/xen-plan.ts";
import { direct, diskFacts, kernelFacts, machineOf, windowsFacts } from "./machines.ts";

test("the same disk under the same name is the same machine; another name or disk is another one", () => {
  const identity = ({ uuid, macTail }: { uuid: string; macTail: string }): string => `${uuid} ${macTail}`;
  const one = identity(machineOf(diskFacts));
  assert.match(
    one,
    /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12} ([0-9a-f]{2}:){2}[0-9a-f]{2}$/,
  );
  assert.equal(identity(machineOf({ ...diskFacts, path: "/elsewhere/big" }, { memoryBytes: 2 ** 31 })), one);
  assert.notEqual(identity(machineOf(diskFacts, { name: "copy" })), one);
  assert.notEqual(identity(machineOf({ ...diskFacts, id: "0x1234abce" })), one);
});

test("the firmware is what the disk is made for, BIOS where it is made for both", () => {
  assert.equal(machineOf(diskFacts).firmware, "bios");
  assert.equal(machineOf(diskFacts, { firmware: "uefi" }).firmware, "uefi");
  assert.equal(machineOf({ ...diskFacts, firmwares: ["uefi"] }).firmware, "uefi");
  assert.equal(machineOf({ ...diskFacts, firmwares: undefined, format: "qcow2" }).firmware, "bios");
  assert.throws(() => machineOf(windowsFacts, { firmware: "uefi" }), { hint: /leave --uefi out: it starts by bios/ });
  assert.throws(() => machineOf({ ...diskFacts, architecture: "aarch64" }, { firmware: "bios" }), /for aarch64/);
});

test("a disk that nothing would start is refused, unless its kernel is started directly", () => {
  const inert = { ...diskFacts, firmwares: [] };
  for (const target of [qemu, libvirt, proxmox]) {
    assert.throws(() => target.configure(machineOf(inert)), {
      code: "not-found",
      message: /no boot code/,
      hint: /--direct/,
    });
    target.configure(machineOf(inert, { direct }));
  }
  assert.equal(planXen(machineOf(inert), {}).type, "pvh"); // pygrub needs no boot code
  assert.throws(() => planXen(machineOf(inert), { type: "hvm" }), /no boot code/);
});

test("memory is whole MiB", () => {
  assert.equal(machineOf(diskFacts, { memoryBytes: 2 ** 20 }).memoryMiB, 1);
  assert.throws(() => machineOf(diskFacts, { memoryBytes: 2 ** 20 + 1 }), { code: "usage" });
  assert.throws(() => machineOf(diskFacts, { memoryBytes: 0 }), { code: "usage" });
});

test("a path with characters that are no text is refused", () => {
  for (const path of ["/a\nb", "/a\x7f", "/a\udc80", "/a\uffff"]) {
    assert.throws(() => machineOf({ ...diskFacts, path }), { code: "unsupported" });
    assert.throws(() => machineOf(diskFacts, { direct: { kernel: path } }), { code: "unsupported" });
    assert.throws(() => machineOf(diskFacts, { append: path }), { code: "usage" });
  }
});

test("the name comes from the file, as the target takes it", () => {
  assert.equal(machineName(qemu, undefined, "/srv/my disk (2).img"), "my-disk-2");
  assert.equal(machineName(qemu, undefined, "/srv/été_1.tar.img"), "ete_1.tar");
  assert.equal(machineName(proxmox, undefined, "/srv/a_b.c-.img"), "a-b.c");
  assert.equal(machineName(libvirt, undefined, "/srv/2024.img"), "vm-2024");
  assert.equal(machineName(libvirt, undefined, "/srv/...."), "vm");
  assert.equal(machineName(qemu, undefined, `/${"x".repeat(200)}`).length, 57);
});

test("a name that the target does not take is refused with one that it takes", () => {
  assert.equal(machineName(qemu, "web_1", "/disk"), "web_1");
  assert.throws(() => machineName(proxmox, "web_1", "/disk"), { code: "usage", hint: "such as web-1" });
  assert.throws(() => machineName(libvirt, "12", "/disk"), { code: "usage", hint: "such as vm-12" });
  assert.equal(machineName(qemu, "x".repeat(60), "/disk").length, 60);
  assert.throws(() => machineName(qemu, "x".repeat(61), "/disk"), { code: "usage" });
});

test("a kernel started directly is told what its menu tells it, and the console", () => {
  const options = { console: "ttyS0", diskDevice: "/dev/vda" };
  const line = (commandLine: string | undefined, others = {}): string => {
    const { commandLine: _, ...plain } = { ...kernelFacts.kernel, ...others };
    return directCommandLine(
      { ...kernelFacts, kernel: commandLine === undefined ? plain : { ...plain, commandLine } },
      options,
    );
  };
  const uuid = "root=UUID=8dbf618f-d1e4-4883-a102-868a3ac7f815";
  assert.equal(line(undefined), `${uuid} ro console=ttyS0`);
  assert.equal(line("root=LABEL=/ rw quiet"), "root=LABEL=/ rw quiet console=ttyS0");
  assert.equal(line(`${uuid} ro console=tty0 console=ttyS0,115200`), `${uuid} ro console=tty0 console=ttyS0,115200`);
  assert.equal(line(`${uuid} ro console=ttyS0 console=tty0`), `${uuid} ro console=ttyS0 console=tty0 console=ttyS0`);
  assert.equal(
    line('BOOT_IMAGE=/vmlinuz root=/dev/vda1 ro ${extra} a="b c"'),
    'root=/dev/vda1 ro a="b c" console=ttyS0',
  );
});

test("without an initrd the root is a partition, which the kernel finds by itself", () => {
  const { initrd: _, ...kernel } = kernelFacts.kernel;
  const options = { console: "hvc0", diskDevice: "/dev/xvda", append: "init=/bin/sh" };
  assert.equal(
    directCommandLine({ ...kernelFacts, kernel }, options),
    "root=PARTUUID=1234abcd-01 ro quiet console=hvc0 init=/bin/sh",
  );
  const { partUuid: _partUuid, rootUuid: _rootUuid, ...unknown } = { ...kernelFacts, kernel };
  const { partition: _partition, ...whole } = unknown;
  assert.equal(directCommandLine(whole, options), "root=/dev/xvda ro quiet console=hvc0 init=/bin/sh");
  assert.throws(() => directCommandLine(unknown, options), { code: "not-found", hint: /--append root=/ });
  assert.equal(
    directCommandLine(unknown, { ...options, append: "root=/dev/xvda2" }),
    "ro quiet console=hvc0 root=/dev/xvda2",
  );
});
