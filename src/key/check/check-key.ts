import { Failure, stopIfAborted, type JobOptions } from "../../base/index.ts";
import { printableName } from "../../bytes/index.ts";
import { inUseNote, MappedReader, type BlockReader } from "../../device/index.ts";
import { checkDisk } from "../../disk/index.ts";
import { openFileSystem, resolvePath, type FileSystem } from "../../filesystem/index.ts";
import { isStartableName } from "../iso-name.ts";
import { filesBelow, readRecords, sumPathOf, type IsoRecord } from "../menu-files.ts";
import { openKey, readSmallFile, type OpenKey } from "../open-key.ts";
import { isoNamed } from "../remove-isos.ts";
import { planInside, startHasher, type HashResult, type HashTask } from "../verify/index.ts";
import { checkBootSums } from "./boot-sums.ts";

/** One thing that is wrong. A warning leaves everything that is there whole. */
export interface KeyFinding {
  readonly severity: "warning" | "error";
  /** `table`, `partition 2`, `GRUB`, or the name of an ISO file. */
  readonly where: string;
  readonly message: string;
}

/** What became of an ISO file: as it was when it was added, whole by what it says of itself, nothing known of it, wrong. */
export type FileVerdict = "as-added" | "whole" | "unknown" | "wrong";

export interface CheckedFile {
  readonly name: string;
  readonly verdict: FileVerdict;
  readonly sha256?: string;
}

export interface KeyCheckReport {
  readonly files: readonly CheckedFile[];
  readonly errorCount: number;
  readonly warningCount: number;
}

export interface CheckKeyRequest {
  readonly key: string;
  /** Only these ISO files, as `key list` shows them, and nothing else of the key. None: everything. */
  readonly names: readonly string[];
}

export interface CheckKeyOptions extends JobOptions {
  /** Hears of each thing as it is found; the check waits for it. */
  readonly onFinding: (finding: KeyFinding) => Promise<void>;
}

const sumLimitBytes = 64 * 1024;

/**
 * Reads everything on a key and compares it with what is known of it: table and file systems with themselves, GRUB with
 * what was put there, ISO files with their sums. Changes nothing. Damage is found, not thrown; throws `unsupported` for
 * what is no key.
 */
export async function checkKey({ key, names }: CheckKeyRequest, options: CheckKeyOptions): Promise<KeyCheckReport> {
  const checker = new Checker(options);
  let open: OpenKey<BlockReader> | undefined;
  try {
    open = await openKey(key);
    const message = inUseNote(open.uses);
    if (message !== undefined) await checker.report({ severity: "warning", where: "key", message });
  } catch (error) {
    if (!isDamage(error)) throw error;
    await checker.report({ severity: "error", where: "key", message: error.message });
  }
  if (names.length === 0) {
    const { signal } = options;
    const onProblem = (problem: KeyFinding): Promise<void> => checker.report(problem);
    await checkDisk({ image: key }, { ...(signal === undefined ? {} : { signal }), onProblem });
  }
  if (open === undefined) return checker.result([]);
  await using stack = new AsyncDisposableStack();
  stack.use(open);
  if (names.length === 0) await checker.checkGrub(open);
  return checker.result(await checker.checkFiles(open, names));
}

function isDamage(error: unknown): error is Failure {
  return error instanceof Failure && (error.code === "damaged" || error.code === "failed");
}

class Checker {
  readonly #options: CheckKeyOptions;
  #errorCount = 0;
  #warningCount = 0;

  constructor(options: CheckKeyOptions) {
    this.#options = options;
  }

  result(files: readonly CheckedFile[]): KeyCheckReport {
    return { files, errorCount: this.#errorCount, warningCount: this.#warningCount };
  }

  async report(finding: KeyFinding): Promise<void> {
    stopIfAborted(this.#options.signal);
    if (finding.severity === "error") this.#errorCount++;
    else this.#warningCount++;
    await this.#options.onFinding(finding);
  }

  async #error(where: string, message: string): Promise<void> {
    await this.report({ severity: "error", where, message });
  }

  async checkGrub({ whole, table, boot }: OpenKey<BlockReader>): Promise<void> {
    await this.#surviving("GRUB", async () => {
      for (const message of (await checkBootSums(whole, table, boot)) ?? []) await this.#error("GRUB", message);
    });
  }

  /** Goes on after damage, which is told of. */
  async #surviving(where: string, work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (!isDamage(error)) throw error;
      await this.#error(where, error.message);
      return false;
    }
  }

  async checkFiles(key: OpenKey<BlockReader>, names: readonly string[]): Promise<readonly CheckedFile[]> {
    const records = new Map<string, IsoRecord>();
    await this.#surviving("usbboot", async () => {
      await using boot = await openFileSystem(key.boot);
      for (const record of await readRecords(boot)) {
        records.set(record.path, record);
        await this.#checkSumFile(boot, record);
      }
    });
    const checked: CheckedFile[] = [];
    await this.#surviving("isos", async () => {
      await using isos = await openFileSystem(key.isos);
      const all = await filesBelow(isos, "/");
      const companions = new Set([...records.values()].flatMap(({ companions: own = [] }) => own));
      const there = all.filter((path) => records.has(path) || isStartableName(path) || companions.has(path));
      const wanted = names.length === 0 ? there : [...new Set(names.map((name) => isoNamed(name, there)))];
      if (names.length === 0) await this.#reportGone(records, new Set(all));
      const files = new FileChecks(key.isos, isos, this.#options);
      await files.measure(wanted);
      for (const path of wanted) checked.push(await this.#checkFile(files, path, records.get(path)));
    });
    return checked;
  }

  async #checkSumFile(boot: FileSystem, { path, sha256 }: IsoRecord): Promise<void> {
    if (sha256 === undefined) return;
    try {
      const text = await readSmallFile(boot, sumPathOf(path), sumLimitBytes);
      if (text?.startsWith(`${sha256}  `) === true) return;
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== "not-found") throw error;
    }
    const message = "the sum that the menu checks it against is not the one it was added with";
    await this.report({ severity: "warning", where: path.slice(1), message });
  }

  async #reportGone(records: ReadonlyMap<string, IsoRecord>, there: ReadonlySet<string>): Promise<void> {
    for (const { path, companions = [] } of records.values()) {
      if (!there.has(path)) {
        const message = "it is gone, and its entries are still there; the menu does not show them";
        await this.report({ severity: "warning", where: path.slice(1), message });
        continue;
      }
      for (const companion of companions.filter((one) => !there.has(one))) {
        await this.#error(path.slice(1), `"${companion.slice(1)}", which it starts with, is not there`);
      }
    }
  }

  async #checkFile(files: FileChecks, path: string, record: IsoRecord | undefined): Promise<CheckedFile> {
    const name = path.slice(1);
    let checked: CheckedFile = { name, verdict: "wrong" };
    await this.#surviving(name, async () => {
      const { problems, ...found } = await files.check(path, record);
      for (const message of problems) await this.#error(name, message);
      checked = { name, ...found };
    });
    return checked;
  }
}

interface FileFindings extends Omit<CheckedFile, "name"> {
  readonly problems: readonly string[];
}

/** Reads ISO files on isos from front to end, and tells how far it is with all of them. */
class FileChecks {
  readonly #device: BlockReader;
  readonly #isos: FileSystem;
  readonly #job: JobOptions;
  #totalBytes = 0;
  #doneBytes = 0;

  constructor(device: BlockReader, isos: FileSystem, job: JobOptions) {
    this.#device = device;
    this.#isos = isos;
    this.#job = job;
  }

  async measure(paths: readonly string[]): Promise<void> {
    for (const path of paths) this.#totalBytes += (await this.#stat(path)).sizeBytes;
  }

  async #stat(path: string): Promise<{ readonly id: number; readonly sizeBytes: number }> {
    return this.#isos.stat(await resolvePath(this.#isos, path));
  }

  async check(path: string, record: IsoRecord | undefined): Promise<FileFindings> {
    const { id, sizeBytes } = await this.#stat(path);
    if (record !== undefined && record.sizeBytes !== sizeBytes) {
      this.#doneBytes += sizeBytes;
      const problem = `it has ${sizeBytes} bytes, and had ${record.sizeBytes} when it was added: remove it, and add it again`;
      return { verdict: "wrong", problems: [problem] };
    }
    if (record?.sha256 !== undefined) return this.#checkSum(path, id, { sizeBytes, sha256: record.sha256 });
    return this.#checkInside(path, id, sizeBytes);
  }

  async #checkSum(
    path: string,
    id: number,
    { sizeBytes, sha256 }: { readonly sizeBytes: number; readonly sha256: string },
  ): Promise<FileFindings> {
    const [result] = await this.#hash(path, id, { sizeBytes, tasks: [{ kind: "sum", algorithm: "sha256" }] });
    const is = result?.kind === "sum" ? result.hex : "";
    if (is === sha256) return { verdict: "as-added", sha256, problems: [] };
    return { verdict: "wrong", sha256: is, problems: [`its SHA-256 is ${is}, and was ${sha256} when it was added`] };
  }

  async #checkInside(path: string, id: number, sizeBytes: number): Promise<FileFindings> {
    const places = await this.#isos.places?.(id);
    if (places === undefined) return this.#checkUnknown(path, id, sizeBytes);
    const stretches = places.map(({ at, deviceAt, lengthBytes }) => ({ at, from: deviceAt, lengthBytes }));
    const reader = new MappedReader(this.#device, sizeBytes, stretches);
    const plan = await planInside(reader);
    const results = await this.#hash(path, id, { sizeBytes, tasks: plan.tasks });
    const { sha256, problems } = await plan.conclude(results, reader);
    if (problems.length > 0) return { verdict: "wrong", sha256, problems };
    return { verdict: plan.hasClaims ? "whole" : "unknown", sha256, problems };
  }

  /** There is nothing to compare it with, but it has to be readable. */
  async #checkUnknown(path: string, id: number, sizeBytes: number): Promise<FileFindings> {
    const [result] = await this.#hash(path, id, { sizeBytes, tasks: [{ kind: "sum", algorithm: "sha256" }] });
    return { verdict: "unknown", ...(result?.kind === "sum" ? { sha256: result.hex } : {}), problems: [] };
  }

  async #hash(
    path: string,
    id: number,
    { sizeBytes, tasks }: { readonly sizeBytes: number; readonly tasks: readonly HashTask[] },
  ): Promise<readonly HashResult[]> {
    const phase = `checking ${printableName(path.slice(1))}`;
    const [before, totalBytes] = [this.#doneBytes, this.#totalBytes];
    this.#doneBytes += sizeBytes;
    await using hasher = startHasher(tasks, sizeBytes);
    for await (const piece of this.#isos.content(id)) {
      stopIfAborted(this.#job.signal);
      await hasher.update(piece);
      this.#job.onProgress?.({ phase, doneBytes: before + piece.at + piece.bytes.length, totalBytes });
    }
    return await hasher.results();
  }
}
