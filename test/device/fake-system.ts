/** Trees as Linux shows them in /sys and /proc, to be looked at in place of the real ones. */
import * as fs from "node:fs";
import * as path from "node:path";

export interface FakeDevice {
  /** Of the device under `sys/devices`, ending with its name: `pci0/ata1/host0/target0:0:0/0:0:0:0/block/sda`. */
  readonly at: string;
  readonly number: string;
  /** Files in its folder, by their names in it. */
  readonly files?: Readonly<Record<string, string>>;
  /** What stands on it, by name. */
  readonly holders?: readonly string[];
  readonly isPartition?: true;
}

export function fakeSystem(
  root: string,
  devices: readonly FakeDevice[],
  proc: { readonly mounts?: readonly string[]; readonly swaps?: readonly string[] } = {},
): void {
  for (const { at, number, files = {}, isPartition } of devices) {
    const folder = path.join("sys/devices", at);
    const name = path.basename(at);
    const usual = { dev: number, size: "15728640", ro: "0", removable: "0", "queue/logical_block_size": "512" };
    for (const [file, text] of Object.entries({ ...usual, ...(isPartition ? { partition: "1" } : {}), ...files })) {
      put(path.join(root, folder, file), `${text}\n`);
    }
    link(root, folder, `sys/dev/block/${number}`);
    link(root, folder, `sys/class/block/${name}`);
    if (!isPartition && at.includes("/block/") && !at.includes("virtual")) {
      link(root, path.dirname(path.dirname(folder)), `${folder}/device`);
    }
  }
  for (const { at, holders = [] } of devices) {
    for (const holder of holders) {
      const above = devices.find((one) => path.basename(one.at) === holder);
      link(root, path.join("sys/devices", above?.at ?? holder), path.join("sys/devices", at, "holders", holder));
    }
  }
  put(path.join(root, "proc/self/mountinfo"), (proc.mounts ?? []).map((line) => `${line}\n`).join(""));
  put(path.join(root, "proc/swaps"), ["Filename Type Size Used Priority", ...(proc.swaps ?? [])].join("\n"));
}

/** A line of /proc/self/mountinfo. */
export function mountLine(number: string, place: string, source: string, kind = "ext4"): string {
  return `30 1 ${number} / ${place} rw,relatime shared:1 - ${kind} ${source} rw`;
}

function put(file: string, text: string): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text, "latin1");
}

function link(root: string, target: string, at: string): void {
  const file = path.join(root, at);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.symlinkSync(path.relative(path.dirname(file), path.join(root, target)), file);
}
