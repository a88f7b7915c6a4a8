import * as fs from "node:fs";
import * as path from "node:path";
import { Failure } from "../../base/index.ts";
import { formatSize } from "../../bytes/index.ts";
import { logicalVolumeOf, mappedName, type LogicalVolume } from "../../device/index.ts";
import { Lvm, type ListedVolume } from "./lvm.ts";
import { hasEnded, makerOf, tagOf, thisMaker } from "./maker.ts";

export interface SnapshotRequest {
  /** The device of a logical volume. */
  readonly source: string;
  /** For what is overwritten meanwhile; by what is free unless told. */
  readonly sizeBytes?: number;
  readonly env: NodeJS.ProcessEnv;
  readonly nowMs: number;
  /** Where `sys` and `dev` are; `/` unless told. */
  readonly root?: string;
}

/** Unless told, a snapshot takes this much of what is free in its group: others may have to grow meanwhile. */
const usualShare = 0.8;
/** More than a volume, and the tables of what was overwritten, never goes into its snapshot. */
const largestShare = 1.02;
/** A snapshot that was filled beyond this is worth a word. */
const nearlyFullPercent = 80;

/**
 * A snapshot of a logical volume: a device that stays as the volume was, whoever writes to that. It is tagged with the
 * process that made it, so that another run finds and removes what one has left that was killed.
 */
export class Snapshot {
  /** The device that has the snapshot. */
  readonly devicePath: string;
  /** The volume that it is of. */
  readonly volume: LogicalVolume;
  /** What of earlier runs is still there. */
  readonly warnings: readonly string[];
  readonly #lvm: Lvm;
  readonly #own: LogicalVolume;
  readonly #source: string;

  private constructor(lvm: Lvm, { source, root = "/" }: SnapshotRequest, made: MadeSnapshot) {
    this.#lvm = lvm;
    this.#source = source;
    this.#own = made.own;
    this.volume = made.volume;
    this.warnings = made.warnings;
    this.devicePath = path.join(root, "dev/mapper", mappedName(made.own));
  }

  /**
   * Makes one, and removes others of the same group whose makers have ended. The kernel lets a file system that is mounted
   * from the volume write all that it has first. Throws `unsupported` where the source is no logical volume, `not-found`
   * where LVM's programs are not there, `no-space` where the group has no room for it.
   */
  static async take(request: SnapshotRequest): Promise<Snapshot> {
    const { source, env, nowMs } = request;
    const volume = volumeAt(request);
    const lvm = Lvm.find(env, source);
    const { listed, warnings } = await listWithoutLeftovers(lvm, volume.group);
    const origin = listed.find(({ name }) => name === volume.name);
    if (origin === undefined) {
      throw new Failure("unsupported", `cannot take a snapshot of "${source}": lvs does not list it`);
    }
    const own = { group: volume.group, name: `holdfast-${process.pid}-${nowMs.toString(36)}` };
    const words = ["--yes", "--snapshot", "--name", own.name, "--addtag", tagOf(thisMaker())];
    words.push(...roomWords(origin, request), `${volume.group}/${volume.name}`);
    try {
      await lvm.create(words);
    } catch (error) {
      await lvm.remove(own).catch(() => undefined); // there is hardly anything, and lvcreate has said why
      throw error;
    }
    return new Snapshot(lvm, request, { own, volume, warnings });
  }

  /**
   * Throws where the snapshot is not any more what the volume was, and what was read of it is worth nothing. Gives what a
   * user should know all the same.
   */
  async refuseBroken(): Promise<string[]> {
    const row = await this.#listed();
    const broken = this.#broken(row);
    if (broken !== undefined) throw broken;
    const percent = row?.filledPercent ?? 0;
    if (percent < nearlyFullPercent) return [];
    return [`its snapshot was ${Math.round(percent)} % full at the end: --snapshot-size makes it larger`];
  }

  /** Why a work has failed in which an error was thrown: the snapshot was broken, or else that error. */
  async whyFailed(error: unknown): Promise<unknown> {
    if (error instanceof Failure && error.code === "interrupted") return error;
    try {
      return this.#broken(await this.#listed()) ?? error;
    } catch {
      return error;
    }
  }

  /** Nothing may have it open any more. Gives what to do by hand where it cannot be removed. */
  async remove(): Promise<string | undefined> {
    try {
      await this.#lvm.remove(this.#own);
      return undefined;
    } catch (error) {
      return notRemoved(this.#own, error);
    }
  }

  async #listed(): Promise<ListedVolume | undefined> {
    const { group, name } = this.#own;
    return (await this.#lvm.list(group)).find((one) => one.name === name);
  }

  /** lvs(8), lv_attr: the fifth sign is a state, of which `I` and `S` are broken, and the ninth a health. */
  #broken(row: ListedVolume | undefined): Failure | undefined {
    const { group, name } = this.#own;
    const begin = `cannot save "${this.#source}": its snapshot`;
    if (row === undefined) return new Failure("failed", `${begin} "${group}/${name}" was removed meanwhile`);
    const [state = "", health = ""] = [row.attributes.at(4), row.attributes.at(8)];
    if ("IS".includes(state) || row.filledPercent >= 100) {
      return new Failure("no-space", `${begin} of ${formatSize(row.sizeBytes)} was full before everything was read`, {
        hint: `--snapshot-size makes it larger; "${group}" has ${formatSize(row.groupFreeBytes)} left beside it`,
      });
    }
    if ("as".includes(state) && health !== "F") return undefined;
    return new Failure("failed", `${begin} "${group}/${name}" is not active any more: ${row.attributes}`, {
      hint: "lvs says more; is the pool of its thin volumes full?",
    });
  }
}

interface MadeSnapshot {
  readonly own: LogicalVolume;
  readonly volume: LogicalVolume;
  readonly warnings: readonly string[];
}

function volumeAt({ source, root }: SnapshotRequest): LogicalVolume {
  const volume = logicalVolumeOf(source, root);
  if (volume !== undefined) return volume;
  if (!fs.existsSync(source)) throw new Failure("not-found", `cannot find "${source}": it is not there`);
  throw new Failure("unsupported", `cannot take a snapshot of "${source}": it is no logical volume of LVM`, {
    hint: "lvs lists those there are; without LVM, --freeze lets what is mounted stand still",
  });
}

/** How large a snapshot is to be, in words of lvcreate; thin ones share the room of their pool. */
function roomWords(volume: ListedVolume, { source, sizeBytes }: SnapshotRequest): string[] {
  const { group, attributes, groupFreeBytes, extentBytes } = volume;
  const begin = `cannot take a snapshot of "${source}"`;
  if ("sS".includes(attributes.at(0) ?? "-")) {
    throw new Failure("unsupported", `${begin}: it is a snapshot itself`, { hint: "save it without --snapshot" });
  }
  const hint = { hint: `"vgextend ${group} DEVICE" adds to it` };
  if (sizeBytes !== undefined) {
    if (sizeBytes <= groupFreeBytes) return ["--size", `${sizeBytes}b`];
    const room = `${formatSize(sizeBytes)} are wanted, "${group}" has ${formatSize(groupFreeBytes)} left`;
    throw new Failure("no-space", `${begin}: ${room}`, hint);
  }
  if (attributes.startsWith("V")) return ["--activate", "y", "--ignoreactivationskip"];
  if (groupFreeBytes < extentBytes) {
    const room = `its group "${group}" has no room left, and what is overwritten meanwhile has to be kept there`;
    throw new Failure("no-space", `${begin}: ${room}`, hint);
  }
  const share = Math.max(1, Math.floor((groupFreeBytes / extentBytes) * usualShare));
  const largest = Math.ceil((volume.sizeBytes / extentBytes) * largestShare) + 1;
  return ["--extents", String(Math.min(share, largest))];
}

/** The volumes of a group, once what runs have left that were killed is removed; and what of that could not be. */
async function listWithoutLeftovers(lvm: Lvm, group: string) {
  const listed = await lvm.list(group);
  const leftovers = listed.filter(({ origin, tags }) => origin !== "" && tags.some(isOfNobody));
  const warnings: string[] = [];
  for (const leftover of leftovers) {
    try {
      await lvm.remove(leftover);
    } catch (error) {
      warnings.push(notRemoved(leftover, error));
    }
  }
  return { listed: leftovers.length === 0 ? listed : await lvm.list(group), warnings };
}

function isOfNobody(tag: string): boolean {
  const maker = makerOf(tag);
  return maker !== undefined && hasEnded(maker);
}

function notRemoved({ group, name }: LogicalVolume, error: unknown): string {
  const why = error instanceof Failure ? error.message : String(error);
  return `the snapshot "${group}/${name}" is still there, "lvremove ${group}/${name}" removes it: ${why}`;
}
