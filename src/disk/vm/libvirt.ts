import { Failure } from "../../base/index.ts";
import { shellWord } from "../../bytes/index.ts";
import { consoleOf, directCommandLine, serialWarnings } from "./command-line.ts";
import { requireSomethingToStart, type Machine, type Network } from "./machine.ts";
import type { Target } from "./target.ts";
import { element, xmlText, type XmlElement } from "./xml.ts";

/** A domain in XML, for `virsh define`. */
export const libvirt: Target = {
  title: "libvirt",
  // Digits alone are taken for the number of a running domain.
  name: {
    pattern: /^(?!\d+$)[A-Za-z0-9][\w.+-]*$/,
    words: "letters, digits, _, ., + and -, not digits alone",
    filler: "-",
  },
  isScript: false,
  configure: (machine) => ({
    text: `${comment(machine)}\n${xmlText(domain(machine))}`,
    usesFirmware: true,
    warnings: serialWarnings(machine, consoleOf(machine)),
  }),
  nextSteps: ({ name }, file) => [`virsh define ${shellWord(file)}`, `virsh start --console ${name}`],
};

function comment({ name }: Machine): string {
  const shown = name.replaceAll(/-(?=-)/g, "- "); // there may be no two hyphens in a comment of XML
  return `<!-- "virsh define FILE" takes it over; then "virsh start ${shown}", "virsh console ${shown}" (Ctrl-] leaves) -->`;
}

function domain(machine: Machine): XmlElement {
  requireSomethingToStart(machine);
  const { disk, emulate } = machine;
  const isX86 = disk.architecture === "x86_64";
  return element("domain", { type: emulate ? "qemu" : "kvm" }, [
    element("name", {}, machine.name),
    element("uuid", {}, machine.uuid),
    element("memory", { unit: "MiB" }, String(machine.memoryMiB)),
    element("vcpu", {}, String(machine.cpuCount)),
    operatingSystem(machine),
    element("features", {}, isX86 ? [element("acpi"), element("apic")] : [element("acpi")]),
    element("cpu", { mode: emulate ? "maximum" : "host-passthrough" }),
    element("clock", { offset: "utc" }),
    element("on_poweroff", {}, "destroy"),
    element("on_reboot", {}, "restart"),
    element("on_crash", {}, "destroy"),
    element("devices", {}, devices(machine)),
  ]);
}

function operatingSystem(machine: Machine): XmlElement {
  const { disk, firmware, secureBoot, direct, append } = machine;
  const isX86 = disk.architecture === "x86_64";
  const type = element("type", { arch: disk.architecture, machine: isX86 ? "q35" : "virt" }, "hvm");
  const enabled = secureBoot ? "yes" : "no"; // with it, only programs that a vendor signed would start
  const features = [element("feature", { enabled, name: "secure-boot" })];
  if (secureBoot) features.push(element("feature", { enabled, name: "enrolled-keys" }));
  const start: XmlElement[] = [];
  if (direct !== undefined && disk.kernel !== undefined) {
    const commandLine = directCommandLine(disk.kernel, {
      console: consoleOf(machine),
      diskDevice: "/dev/vda",
      ...(append === undefined ? {} : { append }),
    });
    start.push(element("kernel", {}, direct.kernel));
    if (direct.initrd !== undefined) start.push(element("initrd", {}, direct.initrd));
    start.push(element("cmdline", {}, commandLine));
  } else start.push(element("boot", { dev: "hd" }));
  return firmware === "uefi"
    ? element("os", { firmware: "efi" }, [type, element("firmware", {}, features), ...start])
    : element("os", {}, [type, ...start]);
}

/** Formats by the names of libvirt's schema, which does not have all. */
function driverType({ path, format }: Machine["disk"]): string {
  if (format !== "vhdx") return format;
  throw new Failure("unsupported", `cannot use "${path}" with libvirt: it is a vhdx file`, {
    hint: `"qemu-img convert -O qcow2" makes one that libvirt takes`,
  });
}

function devices({ disk, network, macTail }: Machine): readonly XmlElement[] {
  const source = disk.isBlockDevice ? { dev: disk.path } : { file: disk.path };
  return [
    element("disk", { type: disk.isBlockDevice ? "block" : "file", device: "disk" }, [
      element("driver", { name: "qemu", type: driverType(disk), discard: "unmap" }),
      element("source", source),
      disk.isLinux ? element("target", { dev: "vda", bus: "virtio" }) : element("target", { dev: "sda", bus: "sata" }),
    ]),
    ...networkDevices(network, { mac: `52:54:00:${macTail}`, model: disk.isLinux ? "virtio" : "e1000" }),
    element("serial", { type: "pty" }),
    element("console", { type: "pty" }, [element("target", { type: "serial" })]),
    element("channel", { type: "unix" }, [element("target", { type: "virtio", name: "org.qemu.guest_agent.0" })]),
    ...(disk.architecture === "x86_64" ? screen : []),
    element("rng", { model: "virtio" }, [element("backend", { model: "random" }, "/dev/urandom")]),
    element("memballoon", { model: "virtio" }),
  ];
}

const screen: readonly XmlElement[] = [
  element("graphics", { type: "vnc", port: "-1", autoport: "yes", listen: "127.0.0.1" }),
  element("video", {}, [element("model", { type: "vga" })]),
];

function networkDevices(
  network: Network,
  { mac, model }: { readonly mac: string; readonly model: string },
): readonly XmlElement[] {
  if (network.kind === "none") return [];
  const sources = {
    default: element("source", { network: "default" }),
    bridge: element("source", { bridge: network.kind === "bridge" ? network.name : "" }),
  };
  const type = network.kind === "default" ? "network" : network.kind;
  const source = network.kind === "user" ? [] : [sources[network.kind]];
  return [
    element("interface", { type }, [element("mac", { address: mac }), ...source, element("model", { type: model })]),
  ];
}
