/** libvirt's schema and its own parser take what `disk vm --for libvirt` writes. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { libvirt } from "../../src/disk/vm/libvirt.ts";
import type { Machine } from "../../src/disk/vm/machine.ts";
import { direct, diskFacts, machineOf, windowsFacts } from "../disk/vm/machines.ts";
import { pairwise } from "../pairwise.ts";
import { temporaryFolder } from "../temp.ts";
import { runPeer, skipWithout } from "./peer.ts";

const skip = skipWithout("virt-xml-validate", "xmllint", "virsh", "/usr/share/libvirt/schemas/domain.rng");

const choices = {
  start: ["bios", "uefi", "secure uefi", "direct", "direct uefi"],
  system: ["Linux", "another"],
  architecture: ["x86_64", "aarch64"],
  network: ["default", "user", "bridge", "none"],
  format: ["raw", "qcow2", "vmdk", "vdi", "vpc", "qcow"],
  source: ["file", "device"],
  accelerator: ["kvm", "emulate"],
};

function machines(): readonly Machine[] {
  const possible = pairwise(choices, ({ start, system, architecture }) => {
    return (architecture === "x86_64" || start !== "bios") && (system === "Linux" || !start?.startsWith("direct"));
  });
  return possible.map(({ start, system, architecture, network, format, source, accelerator }) => {
    const disk = {
      ...(system === "Linux" ? diskFacts : windowsFacts),
      firmwares: ["bios", "uefi"] as const,
      architecture: architecture as "x86_64",
      format: format as "raw",
      isBlockDevice: source === "device",
      path: source === "device" ? "/dev/disk/by-id/usb-stick" : '/srv/it\'s, "big" & <old>/big.img',
    };
    return machineOf(disk, {
      name: "big--a-",
      network: network === "bridge" ? { kind: "bridge", name: "br0" } : { kind: network as "default" },
      emulate: accelerator === "emulate",
      secureBoot: start === "secure uefi",
      ...(start === "direct" ? {} : { firmware: start?.endsWith("uefi") === true ? "uefi" : "bios" }),
      ...(start?.startsWith("direct") === true ? { direct } : {}),
    });
  });
}

test("virt-xml-validate accepts every configuration", { skip }, async () => {
  await using folder = temporaryFolder();
  const file = folder.join("domain.xml");
  for (const machine of machines()) {
    fs.writeFileSync(file, libvirt.configure(machine).text);
    runPeer("virt-xml-validate", [file, "domain"]);
  }
});

test("libvirt itself defines a machine, and gives back what was meant", { skip }, async () => {
  await using folder = temporaryFolder();
  const file = folder.join("domain.xml");
  for (const machine of machines()) {
    if (machine.disk.architecture !== "x86_64") continue; // its test driver knows no other
    const { text } = libvirt.configure(machine);
    fs.writeFileSync(file, text.replace(/<domain type="\w+">/, '<domain type="test">'));
    // The test driver forgets its machines with each connection.
    const dumped = runPeer("virsh", ["-c", "test:///default", `define --validate ${file}; dumpxml big--a-`]);
    const xml = dumped.slice(dumped.indexOf("<domain"));
    const asked = {
      "/domain/uuid": machine.uuid,
      "/domain/memory[@unit='KiB']": String(1024 * 1024),
      "//disk/source/@*[name()='file' or name()='dev']": machine.disk.path,
      "//disk/driver/@type": machine.disk.format,
      "//os/@firmware": machine.firmware === "uefi" ? "efi" : "",
      "//os/firmware/feature[@name='secure-boot']/@enabled":
        machine.firmware === "uefi" ? (machine.secureBoot ? "yes" : "no") : "",
      "//os/kernel": machine.direct?.kernel ?? "",
      "//console/target/@type": "serial",
      "//interface/mac/@address": machine.network.kind === "none" ? "" : `52:54:00:${machine.macTail}`,
    };
    const xpath = `concat(${Object.keys(asked).join(", '\n', ")})`;
    const answers = runPeer("xmllint", ["--xpath", xpath, "-"], { input: xml }).split("\n");
    assert.deepEqual(answers.slice(0, Object.keys(asked).length), Object.values(asked));
  }
});

const text = fc.string({ unit: "binary", minLength: 1 }).filter((one) => !/[\p{Cc}\p{Cs}\ufffe\uffff]/u.test(one));
const markup = fc.stringMatching(/^[ <>&"'\]!a-]{1,20}$/);

test("whatever is in the paths and the kernel's words comes through", { skip }, () => {
  const property = fc.property(fc.oneof(text, markup), fc.oneof(text, markup), (path, words) => {
    const machine = machineOf({ ...diskFacts, path: `/${path}` }, { direct: { kernel: `/${path}` }, append: words });
    const input = libvirt.configure(machine).text;
    const xpath = "concat(//disk/source/@file, '\n', //os/kernel, '\n', //os/cmdline)";
    const [source, kernel, commandLine] = runPeer("xmllint", ["--xpath", xpath, "-"], { input }).split("\n");
    assert.deepEqual([source, kernel], [`/${path}`, `/${path}`]);
    assert.ok(commandLine?.endsWith(` console=ttyS0 ${words}`), commandLine);
  });
  fc.assert(property, { numRuns: 60 });
});

test("a format that libvirt does not have is refused", () => {
  const machine = machineOf({ ...diskFacts, format: "vhdx" });
  assert.throws(() => libvirt.configure(machine), { code: "unsupported", hint: /qemu-img convert/ });
});
