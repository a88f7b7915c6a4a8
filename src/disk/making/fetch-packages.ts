import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import { Failure, isSystemError, libc, stopIfAborted, systemReason, type JobOptions } from "../../base/index.ts";

const run = promisify(execFile);

export interface FetchOptions extends JobOptions {
  /** Where the packages are put, and found again. It is made. */
  readonly folder: string;
  /** Debian's name for it. Absent: that of this machine. */
  readonly architecture?: string;
}

const downloadLimitMs = 120_000;
const askAgainMs = 100;
// As another user, apt's own sandbox could not write to a folder of ours and would say so.
const plainOptions = ["-qq", "-o", "APT::Sandbox::User="];

/** Gets one package into a cache, for `BootFileSources`. */
export function packageFetcher(cacheFolder: string, job: JobOptions) {
  return async ({ name, architecture }: { readonly name: string; readonly architecture: string }): Promise<string> => {
    const folder = path.join(cacheFolder, "packages", architecture);
    const [file = ""] = await fetchPackages([name], { folder, architecture, ...job });
    return file;
  };
}

/**
 * Has apt fetch packages and verify them, by the sources, keys and proxy of this machine; nothing is installed and no
 * root is needed. Gives their files, in the order of the names. Throws `not-found` where they cannot be had.
 */
export async function fetchPackages(names: readonly string[], options: FetchOptions): Promise<readonly string[]> {
  const { folder, architecture, signal, onProgress } = options;
  onProgress?.({ phase: "getting packages", doneBytes: 0 });
  using stack = new DisposableStack();
  try {
    fs.mkdirSync(folder, { recursive: true });
    stack.use(await turnIn(folder, signal));
    const native = (await apt("apt-config", ["shell", "native", "APT::Architecture"], options)).match(/'(.+)'/)?.[1];
    const isForeign = architecture !== undefined && architecture !== native;
    const settings = [...plainOptions, ...(isForeign ? foreignOptions(folder, architecture) : [])];
    if (isForeign) await apt("apt-get", [...settings, "update"], options);
    await apt("apt-get", [...settings, "download", ...names], options); // verifies those that are there as well
    // It lists what is not in the folder where it runs: with none of them there, all.
    const listed = await apt("apt-get", [...settings, "--print-uris", "download", ...names], {
      ...options,
      folder: "/",
    });
    return names.map((name) => path.join(folder, fileNamed(listed, name)));
  } catch (error) {
    stopIfAborted(signal);
    throw notFetched(names, error);
  }
}

/** Waits until nobody else fetches into the folder: apt does not wait for another apt, and fails. */
async function turnIn(folder: string, signal?: AbortSignal): Promise<Disposable> {
  const fd = fs.openSync(path.join(folder, "lock"), "w");
  const turn = { [Symbol.dispose]: () => fs.closeSync(fd) };
  try {
    for (let waitedMs = 0; waitedMs < downloadLimitMs && libc()?.lockWhole(fd) === false; waitedMs += askAgainMs) {
      await wait(askAgainMs, undefined, signal === undefined ? {} : { signal });
    }
    return turn;
  } catch (error) {
    turn[Symbol.dispose]();
    throw error;
  }
}

/** The file of a package among lines of `'URI' file size hash`. */
function fileNamed(listed: string, name: string): string {
  const files = Array.from(listed.matchAll(/^'.*' (\S+\.deb) /gm), ([, file = ""]) => file);
  const file = files.find((one) => one.startsWith(`${name}_`));
  if (file === undefined) throw new Failure("failed", "apt has left no file");
  return file;
}

/** Lists of packages of another architecture, kept beside the packages: those of this machine stay as they are. */
function foreignOptions(folder: string, architecture: string): readonly string[] {
  const settings = {
    "APT::Architecture": architecture,
    "APT::Architectures::": architecture,
    "Dir::State::Lists": path.resolve(folder, "lists"),
    "Dir::Cache": path.resolve(folder, "cache"),
    "Acquire::Languages": "none",
  };
  fs.mkdirSync(path.join(folder, "lists/partial"), { recursive: true });
  fs.mkdirSync(path.join(folder, "cache/archives/partial"), { recursive: true });
  return Object.entries(settings).flatMap(([key, value]) => ["-o", `${key}=${value}`]);
}

async function apt(program: string, words: readonly string[], { folder, signal }: FetchOptions): Promise<string> {
  const { stdout } = await run(program, words, {
    cwd: folder,
    timeout: downloadLimitMs,
    ...(signal === undefined ? {} : { signal }),
  });
  return stdout;
}

function notFetched(names: readonly string[], error: unknown): Failure {
  return new Failure("not-found", `cannot fetch the package "${names.join(" ")}": ${reasonOf(error)}`, {
    hint: "apt fetches it by the sources of this machine: apt-get update may be needed, or a network",
    cause: error,
  });
}

/** What apt says: lines with `E: ` at their start. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error) || error instanceof Failure) return String(error);
  if (isSystemError(error, "ENOENT") && "syscall" in error && String(error.syscall).startsWith("spawn"))
    return "there is no apt here";
  if (!("stderr" in error)) return systemReason(error);
  return /^E: (.*)$/m.exec(String(error.stderr))?.[1] ?? "apt did not say why";
}
