import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Failure, OutputFile, stopIfAborted, type JobOptions } from "../../base/index.ts";
import { serveNbd, SliceReader, type BlockReader } from "../../device/index.ts";
import { startDisk, type MachineFirmware, type RunningDisk } from "../../disk/index.ts";
import { BootSigns, type BootVerdict } from "./boot-signs.ts";

export interface BootRequest {
  /** What messages call it. */
  readonly backup: string;
  /** The backup as a disk. It stays the caller's to close. */
  readonly reader: BlockReader;
  /** Absent: by what the disk was made for. */
  readonly firmware?: MachineFirmware;
  /** Only this counts, said on the serial port or the screen. */
  readonly until?: string;
  readonly timeLimitMs: number;
  readonly memoryBytes: number;
  readonly cpus: number;
  readonly accelerate: boolean;
  /** Where to put what the screen shows at the end, as PNG. */
  readonly screenshot?: string;
  readonly env: NodeJS.ProcessEnv;
}

export interface BootedBackup extends BootVerdict {
  readonly firmware: MachineFirmware;
  /** `kvm`, `emulation`, … */
  readonly acceleration: string;
  readonly seconds: number;
}

const lookEveryMs = 500;

/**
 * Starts a backup in a virtual machine straight from its compressed data, and watches whether it comes up. What the
 * machine writes is kept apart and forgotten. Throws `unsupported` where there is nothing to start.
 */
export async function bootBackup(request: BootRequest, job: JobOptions = {}): Promise<BootedBackup> {
  const { backup, reader, firmware, memoryBytes, cpus, accelerate, env } = request;
  await using stack = new AsyncDisposableStack();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "holdfast-boot-"));
  stack.defer(() => fs.rmSync(folder, { recursive: true, force: true }));
  const socket = path.join(folder, "disk");
  let readError: unknown;
  stack.use(await serveNbd(reader, { socket, onError: (error) => (readError ??= error) }));
  const startedMs = performance.now();
  const disk = stack.use(
    await startDisk({
      path: backup,
      image: { open: async () => new SliceReader(reader, 0, reader.sizeBytes), address: `nbd:unix:${socket}` },
      ...(firmware === undefined ? {} : { firmware }),
      secureBoot: false,
      snapshot: true,
      window: false,
      memoryBytes,
      cpus,
      accelerate,
      env,
    }),
  );
  const verdict = await watch(disk, request, job);
  if (request.screenshot !== undefined) await keepScreen(disk, request.screenshot);
  stopIfAborted(job.signal);
  const seconds = Math.round((performance.now() - startedMs) / 100) / 10;
  const facts = { firmware: disk.firmware, acceleration: disk.acceleration, seconds };
  if (readError instanceof Failure) return { isUp: false, seen: readError.message, ...facts };
  return { ...verdict, ...facts };
}

async function watch(disk: RunningDisk, request: BootRequest, { signal }: JobOptions): Promise<BootVerdict> {
  const { until, timeLimitMs } = request;
  const signs = new BootSigns(until);
  using done = new DisposableStack();
  const end = new AbortController();
  done.defer(() => end.abort());
  const timer = AbortSignal.timeout(timeLimitMs);
  const stop = AbortSignal.any([end.signal, timer, ...(signal === undefined ? [] : [signal])]);
  const off = disk.ended.then(() => "before the machine switched itself off");
  const ends = [listen(disk, signs), look(disk, signs, stop), off, over(stop)];
  const why = await Promise.race(ends);
  return signs.conclude(why ?? `within ${Math.round(timeLimitMs / 1000)} s`);
}

async function listen(disk: RunningDisk, signs: BootSigns): Promise<undefined> {
  for await (const text of disk.said) {
    signs.addSaid(text);
    if (signs.verdict !== undefined) return undefined;
  }
  return await new Promise<never>(() => undefined); // that it has ended is said elsewhere
}

async function look(disk: RunningDisk, signs: BootSigns, signal: AbortSignal): Promise<undefined> {
  while (!signal.aborted && signs.verdict === undefined) {
    try {
      signs.addScreen(await disk.screen());
      await delay(lookEveryMs, undefined, { signal });
    } catch (error) {
      if (signal.aborted || error instanceof Failure) return over(signal); // it has no screen any more
      throw error;
    }
  }
  return undefined;
}

function over(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });
}

async function keepScreen(disk: RunningDisk, file: string): Promise<void> {
  await using picture = OutputFile.create(file, { force: true });
  await disk.screenshot(picture.partPath);
  picture.commit();
}
