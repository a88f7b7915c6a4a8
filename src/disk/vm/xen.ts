import { Failure } from "../../base/index.ts";
import { shellWord } from "../../bytes/index.ts";
import { directCommandLine, serialWarnings } from "./command-line.ts";
import type { DiskFacts } from "./facts.ts";
import type { Machine } from "./machine.ts";
import type { Target } from "./target.ts";
import { planXen, type XenPlan, type XenWishes } from "./xen-plan.ts";

/** A configuration for `xl create`. */
export function xen(wishes: XenWishes): Target {
  return {
    title: "Xen",
    // Digits alone are taken for the number of a running domain.
    name: {
      pattern: /^(?!\d+$)[A-Za-z0-9][\w.+-]*$/,
      words: "letters, digits, _, ., + and -, not digits alone",
      filler: "-",
    },
    isScript: false,
    configure(machine) {
      const plan = planXen(machine, wishes);
      const usesFirmware = plan.type === "hvm" && machine.direct === undefined;
      const warnings = plan.type === "hvm" ? serialWarnings(machine, "ttyS0") : [];
      return { text: textFor(machine, plan), usesFirmware, warnings };
    },
    nextSteps: ({ name }, file) => [`xl create ${shellWord(file)}`, `xl console ${name}`],
  };
}

type Value = string | number | readonly string[];

function textFor(machine: Machine, plan: XenPlan): string {
  const lines = [
    `# xl create THIS-FILE starts it; xl console ${machine.name} is its console, Ctrl-] leaves that.`,
    ...[...settings(machine, plan)].map(([key, value]) => `${key} = ${valueText(value)}`),
    "",
  ];
  return lines.join("\n");
}

function settings(machine: Machine, plan: XenPlan): ReadonlyMap<string, Value> {
  const { disk, network, macTail } = machine;
  if (machine.secureBoot) {
    throw new Failure("unsupported", "cannot use --secure-boot with Xen: its firmware has no keys enrolled");
  }
  const all = new Map<string, Value>([
    ["name", machine.name],
    ["uuid", machine.uuid],
    ["type", plan.type],
    ["memory", machine.memoryMiB],
    ["vcpus", machine.cpuCount],
    ...startSettings(machine, plan),
    ["disk", [diskSpec(disk)]],
  ]);
  if (network.kind === "user") {
    throw new Failure("usage", "cannot give a machine of Xen the network of its user: it has bridges", {
      hint: "leave --user-network out for the bridge that xl.conf names, or give --bridge",
    });
  }
  const bridge = network.kind === "bridge" ? `,bridge=${network.name}` : "";
  if (network.kind !== "none") all.set("vif", [`mac=00:16:3e:${macTail}${bridge}`]);
  if (plan.type === "hvm") all.set("serial", "pty").set("vnc", 1).set("vnclisten", "127.0.0.1");
  return all;
}

function startSettings(machine: Machine, plan: XenPlan): readonly (readonly [string, Value])[] {
  const { disk, direct, append } = machine;
  const console = plan.type === "hvm" ? "ttyS0" : "hvc0";
  const given = append === undefined ? {} : { append };
  if (direct !== undefined && disk.kernel !== undefined) {
    const words = directCommandLine(disk.kernel, { console, diskDevice: "/dev/xvda", ...given }).split(" ");
    const root = words.find((word) => word.startsWith("root=")) ?? "";
    return [
      ["kernel", direct.kernel],
      ...(direct.initrd === undefined ? [] : [["ramdisk", direct.initrd] as const]),
      ["root", root.slice("root=".length)],
      ["extra", words.filter((word) => word !== root).join(" ")],
    ];
  }
  if (plan.type === "hvm") return [["firmware", machine.firmware === "uefi" ? "uefi" : "bios"]];
  if (plan.loader.kind === "pvgrub") return [["kernel", plan.loader.path]];
  return [
    ["bootloader", "pygrub"],
    ...(plan.loader.arguments.length === 0 ? [] : [["bootloader_args", plan.loader.arguments] as const]),
    ["extra", plan.loader.extra],
  ];
}

const formatNames: Partial<Readonly<Record<DiskFacts["format"], string>>> = {
  raw: "raw",
  qcow: "qcow",
  qcow2: "qcow2",
  vpc: "vhd",
};

/** What follows `target=` is the path, whatever is in it, but for a comma at its end, which xl takes off. */
function diskSpec(disk: DiskFacts): string {
  if (!disk.path.endsWith(",")) return `format=${formatName(disk)},vdev=xvda,access=rw,target=${disk.path}`;
  throw new Failure("unsupported", `cannot use "${disk.path}" with Xen: xl takes no name that ends with a comma`, {
    hint: "give the file another name, or use a link to it",
  });
}

function formatName({ path, format }: DiskFacts): string {
  const name = formatNames[format];
  if (name !== undefined) return name;
  throw new Failure("unsupported", `cannot use "${path}" with Xen: it is a ${format} file`, {
    hint: `"qemu-img convert -O raw" makes one that Xen takes`,
  });
}

function valueText(value: Value): string {
  if (typeof value === "number") return String(value);
  if (typeof value === "string") return quoted(value);
  return `[ ${value.map(quoted).join(", ")} ]`;
}

/** A string as xl.cfg(5) reads it. */
function quoted(text: string): string {
  return `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}
