import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { Failure, findProgram, stopIfAborted } from "../../base/index.ts";
import { printableName } from "../../bytes/index.ts";
import { partitionOf, partitionsOf } from "../../device/index.ts";
import { openSource } from "./open-source.ts";
import type { SaveOptions, SaveRequest, Volume } from "./request.ts";

const run = promisify(execFile);
const outputLimitBytes = 64 * 1024 * 1024;

/** The system's own program for a kind of file system, told to change nothing. */
interface Checker {
  readonly program: string;
  readonly words: readonly string[];
  /** What it is told on a snapshot of what is mounted, where that differs; false where it cannot judge one. */
  readonly onSnapshot?: readonly string[] | false;
  /** How a place in a file is written, where it can be. */
  readonly within?: (file: string, startBytes: number) => string;
}

const e2fsck: Checker = {
  program: "e2fsck",
  words: ["-fn"],
  // What waits to be deleted or replayed it calls damage, unless it may do that. Nothing but the snapshot is changed by it.
  onSnapshot: ["-fp"],
  within: (file, at) => `${file}?offset=${at}`,
};
const checkers: Readonly<Record<string, Checker>> = {
  ext2: e2fsck,
  ext3: e2fsck,
  ext4: e2fsck,
  vfat: { program: "fsck.fat", words: ["-n"] },
  exfat: { program: "fsck.exfat", words: ["-n"] },
  xfs: { program: "xfs_repair", words: ["-n"], onSnapshot: false },
  ntfs: { program: "ntfsfix", words: ["-n"] },
  btrfs: { program: "btrfs", words: ["check", "--readonly"] },
};

/**
 * Lets the programs of the system look at every file system that is to be saved. Throws `damaged` where one of them finds
 * something wrong; gives what could not be looked at, and why.
 */
export async function checkBySystem(request: SaveRequest, options: SaveOptions): Promise<string[]> {
  const warnings: string[] = [];
  for (const found of await findTargets(request, options)) {
    const { volume, checker, target } = found;
    stopIfAborted(options.signal);
    const path = findProgram(checker.program, request.env);
    const why = whyNotLooked(found, path, request);
    if (why !== undefined) warnings.push(`${volume.name}: ${checker.program} ${why}`);
    else if (path !== undefined && target !== undefined)
      await look(path, { volume, checker, target }, request, options);
  }
  return warnings;
}

function whyNotLooked({ checker, target }: Target, path: string | undefined, { snapshot }: SaveRequest) {
  if (path === undefined) return "is not installed, and did not look at it";
  if (target === undefined) return "does not look at partitions in a file";
  const isJudge = snapshot === undefined || checker.onSnapshot !== false;
  return isJudge ? undefined : "takes what is unfinished in a snapshot for damage, and did not look at it";
}

interface Target {
  readonly volume: Volume;
  readonly checker: Checker;
  /** Undefined where the program cannot be told where it is. */
  readonly target: string | undefined;
}

/** Nothing is held any more when it returns: some of the programs want a device to themselves. */
async function findTargets(request: SaveRequest, options: SaveOptions): Promise<Target[]> {
  await using stack = new AsyncDisposableStack();
  const { volumes } = await openSource(request, options, stack);
  const nodes = partitionsOf(partitionOf(request.source)?.diskPath ?? request.source);
  return volumes.flatMap((volume) => {
    const checker = checkers[volume.content?.type ?? ""];
    if (checker === undefined) return [];
    const { partition } = volume;
    const node = nodes.find(({ number }) => number === partition?.number)?.path;
    const target =
      partition === undefined ? request.source : (node ?? checker.within?.(request.source, partition.startBytes));
    return [{ volume, checker, target }];
  });
}

async function look(
  path: string,
  { volume, checker, target = "" }: Target,
  { env, snapshot }: SaveRequest,
  { signal, onProgress }: SaveOptions,
): Promise<void> {
  const { program, onSnapshot } = checker;
  const words = snapshot !== undefined && onSnapshot !== undefined && onSnapshot !== false ? onSnapshot : checker.words;
  onProgress?.({ phase: `${program} looks at ${volume.name}`, doneBytes: 0 });
  const aborting = signal === undefined ? {} : { signal };
  try {
    await run(path, [...words, target], { env: { ...env, LC_ALL: "C" }, maxBuffer: outputLimitBytes, ...aborting });
  } catch (error) {
    stopIfAborted(signal);
    throw new Failure("damaged", `cannot save ${volume.name}: ${program} is not content with it${lastLineOf(error)}`, {
      hint:
        snapshot === undefined
          ? `"${[program, ...words, target].join(" ")}" says more`
          : `let ${program} look at it while it is not mounted`,
      cause: error,
    });
  }
}

function lastLineOf(error: unknown): string {
  const { stdout = "", stderr = "" } = error as { readonly stdout?: string; readonly stderr?: string };
  const line = `${stderr}\n${stdout}`.split("\n").findLast((text) => text.trim() !== "");
  return line === undefined ? "" : `: ${printableName(line.trim())}`;
}
