import * as os from "node:os";
import * as path from "node:path";
import { Failure, OutputFile, type JobOptions } from "../base/index.ts";
import { FileDevice, FileReader } from "../device/index.ts";
import { BackupUse } from "./backup-use.ts";
import { chooseDisk } from "./choose-disk.ts";
import {
  isSwap,
  numberInName,
  partitionNumber,
  readFolder,
  type BackupDisk,
  type BackupFolder,
  type BackupPart,
  type BackupSwap,
  type DumpedPartition,
} from "./clonezilla/index.ts";
import { deviceBytesOf } from "./restoring/copy-part.ts";
import type { Filling, FillPlace } from "./restoring/fill-part.ts";
import {
  isBlockDevice,
  lookAtTarget,
  openConfirmed,
  planOf,
  refuseHolder,
  type DeviceTarget,
} from "./restoring/open-target.ts";
import { Sources } from "./restoring/open-source.ts";
import { planDisk, type DiskPlan } from "./restoring/plan-disk.ts";
import { findPlaces, wholePlace, type Place, type Places } from "./restoring/places.ts";
import type { PlannedPlace, RestorePlan } from "./restoring/restore-plan.ts";
import type { RestoredBackup, RestoreOptions, RestoreRequest } from "./restoring/restore-request.ts";
import { followInParts } from "./restoring/renew-ids.ts";
import { restoreContent, writeDisk, type RestoredPart } from "./restoring/write-disk.ts";
import { LateDevice } from "./restoring/late-device.ts";
import { openStore } from "./store/index.ts";

export type { RestoredBackup, RestoredPart, RestoreOptions, RestoreRequest };

const sectorBytes = 512;
/** A table with boot code, and the second copy of a GPT: what makes a disk known as one. */
const headBytes = 64 * 1024;
const tailBytes = 64 * 1024;
/** What makes a file system known. */
const beginningBytes = 2 ** 20;

/**
 * Restores a disk, or partitions of one: to a new file, which appears once all is in it and every checksum was right, or
 * onto a device, or into partitions that are there, once they are confirmed. What is cut off does not look whole: table
 * and beginnings are written last.
 */
export async function restoreBackup(request: RestoreRequest, options: RestoreOptions = {}): Promise<RestoredBackup> {
  await using stack = new AsyncDisposableStack();
  const store = stack.use(await openStore(request.backup, request));
  stack.use(new BackupUse(request.backup));
  const folder = await readFolder(store);
  refuseHolder(request.target, request.backup);
  const names = partitionsOf(request);
  refuseProblems(request.backup, folder, names);
  await using sources = new Sources(scratchFor(request));
  const run = new Run(request, folder, { ...options, sources });
  const [only] = folder.parts;
  if (names.length === 0 && folder.disks.length === 0 && folder.parts.length === 1 && only !== undefined) {
    return await run.parts([only]);
  }
  if (names.length > 0) return await run.parts(names.map((name) => contentNamed(name, request, folder)));
  if (request.to !== undefined) {
    throw new Failure("usage", `cannot restore a disk to partition ${request.to} of "${request.target}"`, {
      hint: "--partition says which one of the backup is meant",
    });
  }
  return await run.disk(chooseDisk(folder, request.disk));
}

/** Beside a new file there is room; a device has none. */
function scratchFor({ target, env }: RestoreRequest): string {
  return isBlockDevice(target) ? (env["TMPDIR"] ?? os.tmpdir()) : path.dirname(target);
}

function partitionsOf({ partition = [] }: RestoreRequest): readonly string[] {
  return typeof partition === "string" ? [partition] : partition;
}

function refuseProblems(backup: string, { problems }: BackupFolder, names: readonly string[]): void {
  const isAbout = (problem: string): boolean => names.length === 0 || names.some((name) => problem.includes(name));
  const problem = problems.find(isAbout);
  if (problem === undefined) return;
  throw new Failure("damaged", `cannot restore "${backup}": ${problem}`, {
    hint: "--partition restores single partitions that are there",
  });
}

type Content = BackupPart | BackupSwap;

function contentNamed(word: string, { disk, backup }: RestoreRequest, folder: BackupFolder): Content {
  const hasNumber = /^\d+$/.test(word);
  const chosen = hasNumber && folder.disks.length > 0 ? chooseDisk(folder, disk) : undefined;
  const isMeant = ({ name }: Content): boolean => {
    if (chosen !== undefined) return partitionNumber(chosen.name, name) === Number(word);
    return name === word || (hasNumber && numberOf(name, folder.tables) === Number(word));
  };
  const found = folder.parts.find(isMeant) ?? folder.swaps.find(isMeant);
  if (found !== undefined) return found;
  const names = folder.parts.map(({ name }) => name).join(", ");
  throw new Failure("not-found", `cannot find data of partition ${word} in "${backup}"`, {
    hint: names === "" ? "it has none" : `it has ${names}`,
  });
}

/** The number of a partition, by the disks whose tables are there, or else by its name. */
function numberOf(name: string, disks: readonly BackupDisk[]): number | undefined {
  for (const disk of disks) {
    const number = partitionNumber(disk.name, name);
    if (number !== undefined) return number;
  }
  return numberInName(name);
}

/** One restore, with what all its steps have in hand. */
class Run {
  readonly #request: RestoreRequest;
  readonly #folder: BackupFolder;
  readonly #options: RestoreOptions & Pick<Filling, "sources">;

  constructor(request: RestoreRequest, folder: BackupFolder, options: RestoreOptions & Pick<Filling, "sources">) {
    this.#request = request;
    this.#folder = folder;
    this.#options = options;
  }

  async disk(disk: BackupDisk): Promise<RestoredBackup> {
    const { target, fit, sizeBytes, isRehearsal, confirm, backup } = this.#request;
    const isOnto = isBlockDevice(target);
    const found = isOnto ? await lookAtTarget(target, backup) : undefined;
    if (found?.part.partition !== undefined) {
      throw new Failure("refused", `cannot restore a disk onto "${target}": it is a partition`, {
        hint: `its disk is ${found.part.disk.path}; --partition restores one partition into it`,
      });
    }
    if (found !== undefined) this.#refuseSize();
    const filling = this.#filling(this.#folder.parts);
    const plan = await planDisk(filling, disk, {
      sizeBytes: found?.part.disk.sizeBytes ?? sizeBytes ?? disk.sizeBytes,
      fit,
    });
    const shown = this.#planOfDisk(plan, found);
    if (isRehearsal === true) return this.#result(shown, { parts: [], warnings: [] });
    if (found === undefined) return await this.#diskToFile(plan, shown, filling);
    const approve = async (): Promise<string | undefined> => this.#options.approve?.(shown);
    await using device = await openConfirmed(found, { confirm, approve });
    return await sayingThatItIsNotWhole(target, async () => {
      const tail = { startBytes: Math.max(headBytes, device.sizeBytes - tailBytes), lengthBytes: tailBytes };
      const late = await LateDevice.over(device, [{ startBytes: 0, lengthBytes: headBytes }, tail]);
      const done = await writeDisk(this.#verifying(filling, device), plan, { device: late, isFresh: false });
      await late.release();
      const isSeen = device.rereadPartitions() || found.part.disk.transport === "loop";
      return this.#result(shown, { ...done, warnings: [...done.warnings, ...(isSeen ? [] : [notSeen])] });
    });
  }

  async #diskToFile(plan: DiskPlan, shown: RestorePlan, filling: Filling): Promise<RestoredBackup> {
    const { target, force } = this.#request;
    await using output = OutputFile.create(target, { force });
    await using device = FileDevice.overNewFile(target, output.fd, plan.sizeBytes);
    const done = await writeDisk(this.#verifying(filling, device), plan, { device, isFresh: true });
    output.commit();
    return this.#result(shown, done);
  }

  async parts(contents: readonly Content[]): Promise<RestoredBackup> {
    const { target, to } = this.#request;
    if (to !== undefined && contents.length > 1) {
      throw new Failure("usage", `cannot restore ${contents.length} partitions to partition ${to}`, {
        hint: "without --to each is restored to the partition of its own number",
      });
    }
    const [content] = contents;
    const isInto = to !== undefined || contents.length > 1 || isBlockDevice(target);
    if (!isInto && content !== undefined) return await this.#partToFile(content);
    return await this.#into(contents);
  }

  async #partToFile(content: Content): Promise<RestoredBackup> {
    const { target, force, sizeBytes: wanted, isRehearsal } = this.#request;
    const filling = this.#filling(isSwap(content) ? [] : [content]);
    const oldBytes = this.#oldSize(content);
    const sizeBytes = wanted ?? oldBytes ?? (isSwap(content) ? leastSwapBytes : await deviceBytesOf(filling, content));
    const place = { startBytes: 0, sizeBytes };
    const shown = this.#plan(sizeBytes, [
      {
        name: content.name,
        kind: kindOf(content),
        number: 0,
        before: { ...place, sizeBytes: oldBytes ?? sizeBytes },
        after: place,
      },
    ]);
    if (isRehearsal === true) return this.#result(shown, { parts: [], warnings: [] });
    await using output = OutputFile.create(target, { force });
    await using device = FileDevice.overNewFile(target, output.fd, sizeBytes);
    const { wasLba: startLba = 0, ...fit } = this.#fitOf(sizeBytes, content); // alone in a file it stays as it was
    const place_ = { device, isFresh: true, startLba, ...fit };
    const { part, notes } = await restoreContent(this.#verifying(filling, device), content, content, place_);
    await followInParts(filling, [{ content, device }]);
    output.commit();
    return this.#result(shown, { parts: [part], warnings: notes });
  }

  /** Into partitions that are there, of a device or an image. */
  async #into(contents: readonly Content[]): Promise<RestoredBackup> {
    const { target, isRehearsal, confirm, backup, force } = this.#request;
    this.#refuseSize();
    const found = isBlockDevice(target) ? await lookAtTarget(target, backup) : undefined;
    const filling = this.#filling(contents.filter((one): one is BackupPart => !isSwap(one)));
    const whole = found === undefined ? undefined : this.#wholeTarget(contents, found);
    const places = whole === undefined ? await this.#placesIn(contents, force || found !== undefined) : [whole];
    const shown = this.#planOfParts(contents, places, found);
    if (isRehearsal === true) return this.#result(shown, { parts: [], warnings: [] });
    const approve = async (): Promise<string | undefined> => this.#options.approve?.(shown);
    await using device = await (found === undefined
      ? FileDevice.openExclusively(target)
      : openConfirmed(found, { confirm, approve }));
    return this.#result(shown, await this.#fillPlaces(contents, places, { device, filling }));
  }

  async #placesIn(contents: readonly Content[], isConfirmed: boolean): Promise<Places> {
    const { target, to } = this.#request;
    const numbers = contents.map((content) => to ?? this.#numberOf(content));
    await using reader = await FileReader.open(target);
    return await findPlaces(reader, { target, numbers, isConfirmed });
  }

  /** A device of a partition takes one; that of a disk, what was no partition. */
  #wholeTarget(contents: readonly Content[], { part: { disk, partition } }: DeviceTarget): Place | undefined {
    const { target, to } = this.#request;
    const isNone = contents.every(({ name }) => numberOf(name, this.#folder.tables) === undefined);
    if (partition === undefined && (to !== undefined || !isNone)) return undefined;
    if (contents.length > 1 || (to !== undefined && to !== partition?.number)) {
      const what = to === undefined ? `${contents.length} partitions` : `partition ${to}`;
      throw new Failure("usage", `cannot find ${what} in "${target}": it is a single one`);
    }
    return wholePlace(partition ?? { path: disk.path, number: 0, startBytes: 0, sizeBytes: disk.sizeBytes });
  }

  async #fillPlaces(
    contents: readonly Content[],
    places: Places,
    { device, filling }: { readonly device: FileDevice; readonly filling: Filling },
  ): Promise<Pick<RestoredBackup, "parts" | "warnings">> {
    const parts: RestoredPart[] = [];
    const warnings: string[] = [];
    const filled: { readonly content: Content; readonly device: LateDevice }[] = [];
    return await sayingThatItIsNotWhole(this.#request.target, async () => {
      for (const [n, content] of contents.entries()) {
        const place = places[n];
        if (place === undefined) continue;
        const { device: slice, startLba } = place.on(device);
        const late = await LateDevice.over(slice, [{ startBytes: 0, lengthBytes: beginningBytes }]);
        const where = { device: late, isFresh: false, startLba, ...this.#fitOf(slice.sizeBytes, content) };
        const restored = await restoreContent(this.#verifying(filling, device), content, content, where);
        parts.push(restored.part);
        warnings.push(...restored.notes);
        filled.push({ content, device: late });
      }
      await followInParts(filling, filled);
      for (const { device: late } of filled) await late.release();
      return { parts, warnings };
    });
  }

  /** A file system follows its partition where that was asked for, and onto a smaller one there is no other way. */
  #fitOf(sizeBytes: number, content: Content): Pick<FillPlace, "isFilled" | "wasBytes" | "wasLba"> {
    const old = this.#oldPlace(content);
    const { fit = "none" } = this.#request;
    if (old === undefined) return { isFilled: fit !== "none" };
    const wasBytes = old.sectorCount * sectorBytes;
    return { isFilled: sizeBytes > wasBytes && fit !== "none", wasBytes, wasLba: old.startLba };
  }

  #refuseSize(): void {
    if (this.#request.sizeBytes === undefined) return;
    throw new Failure("usage", `cannot give "${this.#request.target}" another size: it is there already`, {
      hint: "--size is for new files",
    });
  }

  #numberOf({ name }: Content): number {
    const number = numberOf(name, this.#folder.tables);
    if (number !== undefined) return number;
    throw new Failure("usage", `cannot tell to which partition of "${this.#request.target}" ${name} is to go`, {
      hint: "--to names it",
    });
  }

  #oldSize(content: Content): number | undefined {
    const old = this.#oldPlace(content);
    return old === undefined ? undefined : old.sectorCount * sectorBytes;
  }

  /** By the table of its disk. */
  #oldPlace({ name }: Content): DumpedPartition | undefined {
    for (const disk of this.#folder.disks) {
      const number = partitionNumber(disk.name, name);
      const found = disk.dump.partitions.find((one) => one.number === number);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #filling(parts: readonly BackupPart[]): Filling {
    const { env, nowMs = 0, hasNewIds } = this.#request;
    const progress = progressOf(parts, this.#options, this.#request.isVerified === true);
    const seconds = Math.floor(nowMs / 1000);
    return {
      folder: this.#folder,
      env,
      job: this.#options.signal === undefined ? {} : { signal: this.#options.signal },
      onRead: progress,
      now: { seconds, nanoseconds: Math.floor((nowMs - seconds * 1000) * 1e6) },
      ...(hasNewIds === true
        ? { renewal: { randomUuid: () => crypto.randomUUID(), ids: new Map<string, string>() } }
        : {}),
      sources: this.#options.sources,
    };
  }

  #verifying(filling: Filling, device: FileDevice): Filling {
    if (this.#request.isVerified !== true) return filling;
    return { ...filling, verify: { forgetCached: () => device.forgetCached() } };
  }

  #planOfDisk(plan: DiskPlan, found: DeviceTarget | undefined): RestorePlan {
    const places = plan.parts.map(({ name, number, before, after, content }): PlannedPlace => {
      return {
        name,
        number,
        kind: content === undefined ? "" : kindOf(content),
        before: { startBytes: before.startLba * sectorBytes, sizeBytes: before.sectorCount * sectorBytes },
        after: { startBytes: after.startLba * sectorBytes, sizeBytes: after.sectorCount * sectorBytes },
      };
    });
    return this.#plan(plan.sizeBytes, places, found);
  }

  #planOfParts(contents: readonly Content[], places: Places, found: DeviceTarget | undefined): RestorePlan {
    const planned = contents.flatMap((content, n): PlannedPlace[] => {
      const place = places[n];
      if (place === undefined) return [];
      const after = { startBytes: place.startBytes, sizeBytes: place.sizeBytes };
      const before = { startBytes: place.startBytes, sizeBytes: this.#oldSize(content) ?? place.sizeBytes };
      return [{ name: content.name, kind: kindOf(content), number: place.number, before, after }];
    });
    const sizeBytes = planned.reduce((sum, { after }) => sum + after.sizeBytes, 0);
    const plan = this.#plan(sizeBytes, planned, found);
    return plan.device === undefined
      ? plan
      : { ...plan, device: { ...plan.device, isWhole: planned.some(({ number }) => number === 0) } };
  }

  #plan(sizeBytes: number, places: readonly PlannedPlace[], found?: DeviceTarget): RestorePlan {
    const { backup, target } = this.#request;
    return { backup, target, sizeBytes, places, ...(found === undefined ? {} : { device: planOf(found) }) };
  }

  #result(plan: RestorePlan, done: Pick<RestoredBackup, "parts" | "warnings">): RestoredBackup {
    return { path: plan.target, sizeBytes: plan.sizeBytes, plan, ...done };
  }
}

const leastSwapBytes = 2 ** 20;
const notSeen =
  "the kernel did not look at the new partition table: take the device out and plug it in again, or restart";

function kindOf(content: Content): string {
  return isSwap(content) ? "swap" : content.kind;
}

async function sayingThatItIsNotWhole<T>(target: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const state = `"${target}" is not whole, and does not look so`;
    const isStopped = error.code === "interrupted";
    const message = isStopped ? `interrupted: ${state}` : error.message;
    const hint = isStopped ? "run the same command again" : [error.hint, state].filter(Boolean).join("; ");
    throw new Failure(error.code, message, { hint, cause: error });
  }
}

function progressOf(
  parts: readonly BackupPart[],
  { onProgress }: JobOptions,
  isVerified: boolean,
): (phase: string, bytes: number) => void {
  const packedBytes = parts.reduce((sum, one) => sum + one.packedBytes, 0);
  const totalBytes = packedBytes * (isVerified ? 2 : 1);
  let doneBytes = 0;
  return (phase, bytes) => {
    doneBytes = Math.min(totalBytes, doneBytes + bytes);
    onProgress?.({ phase, doneBytes, totalBytes });
  };
}
