import { Failure } from "../../base/index.ts";
import { writeMachine, type Network, type PortForward, type TargetName } from "../../disk/index.ts";
import { defineCommand, jsonOption } from "../command.ts";
import { parsePlace } from "../place.ts";
import { parseForward } from "./port-forward.ts";
import { printJson, printLines, printWarnings, showProgress } from "../print.ts";

const targetOfWord: Readonly<Record<string, TargetName>> = {
  qemu: "qemu",
  libvirt: "libvirt",
  xen: "xen",
  proxmox: "proxmox",
  kvm: "qemu",
  virsh: "libvirt",
  xl: "xen",
  pve: "proxmox",
};
const gibibyte = 2 ** 30;

/** `holdfast disk vm` */
export const vm = defineCommand({
  words: ["disk", "vm"],
  summary: "write the configuration of a virtual machine for a disk",
  description: `For QEMU it is a shell script, for libvirt XML for "virsh define", for Xen a file for "xl create", for Proxmox a shell script for its host, which makes the machine and imports the disk. Every machine has a serial console, and on x86 a screen where it has a BIOS or UEFI.

The disk is looked into: what firmware it starts by, for what processor, which kernel is in it. The machine's UUID and network address are made from the disk's identifier and the name, so that the same disk gives the same configuration.`,
  operands: {
    file: { arity: "one", parse: parsePlace, help: "the disk, or DISK:2 for the kernel in partition 2" },
  },
  options: {
    for: {
      kind: "choice",
      value: "WHAT",
      choices: ["qemu", "libvirt", "xen", "proxmox", "kvm", "virsh", "xl", "pve"],
      required: true,
      help: "what runs it",
    },
    direct: {
      kind: "flag",
      help: "take the newest kernel and its initrd out of the disk, as DISK.vmlinuz and DISK.initrd, and have them started",
    },
    into: { kind: "string", value: "DIR", help: "with --direct: the folder for these, if not beside the disk" },
    output: { kind: "string", short: "o", value: "FILE", help: "the file to write, if not standard output" },
    name: { kind: "string", value: "NAME", help: "of the machine, if not that of the file" },
    memory: { kind: "size", short: "m", value: "SIZE", default: gibibyte, help: "of the machine" },
    cpus: { kind: "number", value: "COUNT", minimum: 1, maximum: 512, default: 2, help: "of the machine" },
    bios: { kind: "flag", help: "start by BIOS, also where the disk starts by UEFI" },
    uefi: { kind: "flag", help: "start by UEFI, also where the disk starts by BIOS" },
    "secure-boot": {
      kind: "flag",
      help: "start by UEFI, and only what is signed by those whose keys machines are sold with",
    },
    bridge: { kind: "string", value: "NAME", parse: parseBridge, help: "the network bridge that it is connected to" },
    "user-network": {
      kind: "flag",
      help: "QEMU, libvirt: reach what the user reaches; nothing has to be set up for it",
    },
    "no-network": { kind: "flag", help: "without a network; else what is usual for what runs it" },
    forward: {
      kind: "string",
      value: "HERE:THERE",
      repeatable: true,
      parse: parseForward,
      help: "QEMU: lead a TCP port of this machine's loopback interface to one of its own: 2222:22",
    },
    append: { kind: "string", value: "WORDS", help: "with --direct or pygrub: further words for the kernel" },
    "no-acceleration": { kind: "flag", help: "emulate its processor: slower, but also where there is no KVM" },
    type: {
      kind: "choice",
      value: "TYPE",
      choices: ["pv", "pvh", "hvm"],
      help: "Xen: of the machine, if not what the kernel is built for",
    },
    bootloader: {
      kind: "choice",
      value: "WHAT",
      choices: ["pygrub", "pvgrub"],
      help: "Xen: what reads kernel and initrd from the disk: pygrub from outside, pvgrub in the machine itself",
    },
    force: { kind: "flag", short: "f", help: "replace files that are there" },
    json: jsonOption,
  },
  examples: [
    {
      line: "holdfast disk vm big --for qemu --forward 2222:22 --output big.sh",
      help: "then: ./big.sh; ssh -p 2222 localhost",
    },
    {
      line: "holdfast disk vm big --for libvirt --memory 4GiB --cpus 4 -o big.xml",
      help: "then: virsh define big.xml",
    },
    {
      line: "holdfast disk vm big --for xen -o big.cfg",
      help: "everything stays in the disk; then: xl create -c big.cfg",
    },
    { line: "holdfast disk vm big --for xen --direct -o big.cfg", help: "kernel and ramdisk beside the disk" },
    { line: "holdfast disk vm big --for proxmox -o big.sh", help: "on the Proxmox host: sh big.sh 100 local-lvm" },
  ],
  async run(context, args) {
    const target = targetOfWord[args.for] ?? "qemu";
    refuseMeaningless(args, target);
    const isInFile = args.output !== undefined && args.output !== "-";
    using progress = showProgress(context, args);
    const written = await writeMachine(
      {
        place: args.file,
        target,
        memoryBytes: args.memory,
        cpuCount: args.cpus,
        emulate: args.noAcceleration,
        secureBoot: args.secureBoot,
        network: networkIn(args),
        xen: given({ type: args.type, bootloader: args.bootloader }),
        force: args.force,
        ...given({ name: args.name, append: args.append, firmware: firmwareIn(args) }),
        ...(isInFile ? given({ output: args.output }) : {}),
        ...(args.direct ? { direct: given({ folder: args.into }) } : {}),
      },
      { signal: context.signal, onProgress: progress.onProgress },
    );
    progress.clear();
    await printWarnings(context, written.warnings);
    if (args.json) return await printJson(context, written);
    if (isInFile) await printLines(context, written.nextSteps);
    else await context.stdout.write(written.configuration);
  },
});

interface Words {
  readonly bios: boolean;
  readonly uefi: boolean;
  readonly secureBoot: boolean;
  readonly direct: boolean;
  readonly into: string | undefined;
  readonly append: string | undefined;
  readonly type: string | undefined;
  readonly bootloader: string | undefined;
  readonly bridge: string | undefined;
  readonly userNetwork: boolean;
  readonly noNetwork: boolean;
  readonly forward: readonly PortForward[];
}

function refuseMeaningless(args: Words, target: TargetName): void {
  if (args.bios && (args.uefi || args.secureBoot)) {
    throw new Failure("usage", `cannot use --bios with --${args.uefi ? "uefi" : "secure-boot"}: choose one`);
  }
  if (args.into !== undefined && !args.direct) throw new Failure("usage", "cannot use --into without --direct");
  if (args.bootloader !== undefined && args.direct) {
    throw new Failure("usage", "cannot use --bootloader with --direct: the kernel is started without one");
  }
  if (args.forward.length > 0 && target !== "qemu") throw new Failure("usage", "cannot use --forward but for QEMU");
  if (args.append !== undefined && !args.direct && target !== "xen") {
    throw new Failure(
      "usage",
      "cannot use --append without --direct: the kernel on the disk is told what its menu says",
    );
  }
  const option = args.type === undefined ? args.bootloader && "--bootloader" : "--type";
  if (option !== undefined && target !== "xen") throw new Failure("usage", `cannot use ${option} but for Xen`);
}

function firmwareIn({ bios, uefi }: Words): "bios" | "uefi" | undefined {
  if (uefi) return "uefi";
  return bios ? "bios" : undefined;
}

function networkIn({ bridge, userNetwork, noNetwork, forward }: Words): Network {
  const chosen = [
    bridge === undefined ? "" : "--bridge",
    userNetwork ? "--user-network" : "",
    noNetwork ? "--no-network" : "",
  ].filter((option) => option !== "");
  if (chosen.length > 1) throw new Failure("usage", `cannot use ${chosen.join(" with ")}: choose one`);
  if (forward.length > 0 && chosen.some((option) => option !== "--user-network")) {
    throw new Failure(
      "usage",
      `cannot use --forward with ${chosen.join("")}: ports are forwarded to the user's network`,
    );
  }
  if (bridge !== undefined) return { kind: "bridge", name: bridge };
  if (noNetwork) return { kind: "none" };
  return userNetwork || forward.length > 0 ? { kind: "user", forwards: forward } : { kind: "default" };
}

/** As Linux names network devices, without what would have a meaning in a configuration. */
function parseBridge(text: string): string {
  if (/^[A-Za-z0-9_.-]{1,15}$/.test(text)) return text;
  throw new Failure("usage", `cannot use "${text}" as a bridge: up to 15 letters, digits, _, . and - are needed`);
}

type Given<Values> = { readonly [Key in keyof Values]?: Exclude<Values[Key], undefined> };

/** The values that there are. */
function given<Values extends Readonly<Record<string, unknown>>>(values: Values): Given<Values> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Given<Values>;
}
