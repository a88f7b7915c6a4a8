import { Failure, stopIfAborted } from "../base/index.ts";
import type { BlockReader } from "../device/index.ts";
import { openFileSystem, probe, recognise } from "../filesystem/index.ts";
import {
  unknownPart,
  type CheckedPart,
  type CheckOptions,
  type CheckReport,
  type DiskProblem,
} from "./check-report.ts";
import { OpenDisk } from "./open-disk.ts";
import type { Place } from "./place.ts";

/** Checks the table and every file system of a disk, or of one partition. Changes nothing. */
export async function checkDisk(place: Place, options: CheckOptions): Promise<CheckReport> {
  const counter = new ProblemCounter(options);
  const parts: CheckedPart[] = [];
  let disk: OpenDisk;
  try {
    disk = await OpenDisk.open(place.image, options.openImage);
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "damaged") throw error;
    await counter.report({ severity: "error", where: "table", message: error.message });
    return { parts: [{ where: "table", what: "damaged", isChecked: true }], ...counter.counts };
  }
  await using open = disk;
  const { table } = open;
  if (table !== undefined && place.partition === undefined) {
    parts.push({ where: "table", what: table.kind, isChecked: true });
    for (const problem of table.problems) await counter.report({ ...problem, where: "table" });
  }
  const wanted = place.partition === undefined ? await partsToCheck(open) : [place.partition];
  for (const number of wanted) {
    stopIfAborted(options.signal);
    const where = number === undefined ? "disk" : `partition ${number}`;
    parts.push(await checkPart(() => open.readerOf(number), where, counter));
  }
  return { parts, ...counter.counts };
}

/** Every partition, and the whole disk (undefined) where a file system takes that. */
async function partsToCheck(disk: OpenDisk): Promise<(number | undefined)[]> {
  const numbers = disk.partitions.map(({ number }) => number);
  return (await disk.isWhole()) ? [undefined, ...numbers] : numbers;
}

class ProblemCounter {
  readonly #options: CheckOptions;
  #errorCount = 0;
  #warningCount = 0;

  constructor(options: CheckOptions) {
    this.#options = options;
  }

  get counts(): Pick<CheckReport, "errorCount" | "warningCount"> {
    return { errorCount: this.#errorCount, warningCount: this.#warningCount };
  }

  async report(problem: DiskProblem): Promise<void> {
    stopIfAborted(this.#options.signal);
    if (problem.severity === "error") this.#errorCount++;
    else this.#warningCount++;
    await this.#options.onProblem(problem);
  }
}

async function checkPart(openReader: () => BlockReader, where: string, counter: ProblemCounter): Promise<CheckedPart> {
  try {
    const reader = openReader();
    if ((await probe(reader)) === undefined) return await checkRecognised(reader, where, counter);
    await using fileSystem = await openFileSystem(reader);
    for await (const problem of fileSystem.check()) await counter.report({ ...problem, where });
    return { where, what: fileSystem.info.kind, isChecked: true };
  } catch (error) {
    if (!(error instanceof Failure) || (error.code !== "damaged" && error.code !== "unsupported")) throw error;
    await counter.report({ severity: "error", where, message: error.message });
    return { where, what: "damaged", isChecked: true };
  }
}

/** Of kinds that are not looked into, what looking at them comes upon is told all the same. */
async function checkRecognised(reader: BlockReader, where: string, counter: ProblemCounter): Promise<CheckedPart> {
  const found = await recognise(reader);
  for (const problem of found?.problems ?? []) await counter.report({ ...problem, where });
  return { where, what: found?.kind ?? unknownPart, isChecked: false };
}
