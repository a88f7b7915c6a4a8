import * as path from "node:path";
import type { SystemFiles } from "./system-files.ts";

/** Who uses a disk, or a part of it, or what stands on that. */
export interface DeviceUse {
  readonly kind: "mount" | "swap" | "holder" | "loop";
  /** The device that is used: `sdb1`, `dm-0`. */
  readonly device: string;
  /** Where it is mounted; the name of the holder; the loop device. */
  readonly by: string;
  /** The running system is on it. */
  readonly isSystem: boolean;
}

/** Without what is mounted here the running system stops. */
const systemPlaces: ReadonlySet<string> = new Set([
  "/",
  "/boot",
  "/boot/efi",
  "/boot/firmware",
  "/efi",
  "/usr",
  "/var",
]);

/** A device: its name, its number, and the other names that mounts may know it by. */
interface Member {
  readonly name: string;
  readonly number: string;
  readonly paths: ReadonlySet<string>;
}

/** Everything that uses a disk, given its folder in sysfs: partitions, and what is stacked on them, are looked at too. */
export function usesOf(files: SystemFiles, folder: string): readonly DeviceUse[] {
  const uses: DeviceUse[] = [];
  const members = new Map<string, Member>();
  const waiting = [folder, ...partitionsIn(files, folder)];
  for (let at = waiting.shift(); at !== undefined; at = waiting.shift()) {
    const member = memberOf(files, at);
    if (members.has(member.name)) continue;
    members.set(member.name, member);
    for (const holder of holdersOf(files, at, member)) {
      uses.push({ kind: holder.kind, device: member.name, by: holder.shown, isSystem: false });
      const above = files.real(`sys/class/block/${holder.name}`);
      if (above !== undefined) waiting.push(above, ...partitionsIn(files, above));
    }
  }
  const all = [...members.values()];
  return [...mountsOf(files, all), ...swapsOf(files, all), ...uses];
}

function partitionsIn(files: SystemFiles, folder: string): readonly string[] {
  return files
    .names(folder)
    .filter((name) => files.exists(`${folder}/${name}/partition`))
    .map((name) => `${folder}/${name}`);
}

function memberOf(files: SystemFiles, folder: string): Member {
  const name = path.basename(folder);
  const mapped = files.text(`${folder}/dm/name`);
  return {
    name,
    number: files.text(`${folder}/dev`) ?? "",
    paths: new Set([`/dev/${name.replaceAll("!", "/")}`, ...(mapped === undefined ? [] : [`/dev/mapper/${mapped}`])]),
  };
}

interface Holder {
  readonly kind: "holder" | "loop";
  readonly name: string;
  readonly shown: string;
}

/** What the kernel keeps on a device: device mapper, RAID, bcache; and loop devices over it. */
function holdersOf(files: SystemFiles, folder: string, { paths }: Member): readonly Holder[] {
  const holders = files.names(`${folder}/holders`).map((name): Holder => {
    const mapped = files.text(`${folder}/holders/${name}/dm/name`);
    return { kind: "holder", name, shown: mapped === undefined ? name : `${name} (${mapped})` };
  });
  const loops = files
    .names("sys/class/block")
    .filter((name) => /^loop\d+$/.test(name))
    .filter((name) => paths.has(files.text(`sys/class/block/${name}/loop/backing_file`) ?? ""))
    .map((name): Holder => ({ kind: "loop", name, shown: name }));
  return [...holders, ...loops];
}

/** proc(5), /proc/self/mountinfo: the third word is the device's number, the fifth the place, after ` - ` its source. */
function mountsOf(files: SystemFiles, members: readonly Member[]): readonly DeviceUse[] {
  const lines = (files.text("proc/self/mountinfo") ?? "").split("\n");
  return lines.flatMap((line): DeviceUse[] => {
    const [before = "", after = ""] = line.split(" - ");
    const [, , number, , place = ""] = before.split(" ");
    const source = unescapeMount(after.split(" ")[1] ?? "");
    // btrfs has numbers of its own, and is known by its source alone.
    const member = members.find((one) => one.number === number || one.paths.has(source));
    if (member === undefined) return [];
    const by = unescapeMount(place);
    return [{ kind: "mount", device: member.name, by, isSystem: systemPlaces.has(by) }];
  });
}

function swapsOf(files: SystemFiles, members: readonly Member[]): readonly DeviceUse[] {
  const lines = (files.text("proc/swaps") ?? "").split("\n").slice(1);
  return lines.flatMap((line): DeviceUse[] => {
    const source = unescapeMount(line.split(/\s/)[0] ?? "");
    const member = members.find(({ paths }) => paths.has(source));
    return member === undefined ? [] : [{ kind: "swap", device: member.name, by: "swap", isSystem: false }];
  });
}

/** Spaces and the like are written as `\040`. */
function unescapeMount(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
