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
  /** How a place in a file is written, where it can be. */
  readonly within?: (file: string, startBytes: number) => string;
}

const e2fsck: Checker = { program: "e2fsck", words: ["-fn"], within: (file, at) => `${file}?offset=${at}` };
const checkers: Readonly<Record<string, Checker>> = {
  ext2: e2fsck,
  ext3: e2fsck,
  ext4: e2fsck,
  vfat: { program: "fsck.fat", words: ["-n"] },
  exfat: { program: "fsck.exfat", words: ["-n"] },
  xfs: { program: "xfs_repair", words: ["-n"] },
  ntfs: { program: "ntfsfix", words: ["-n"] },
  btrfs: { program: "btrfs", words: ["check", "--readonly"] },
};

/**
 * Lets the programs of the system look at every file system that is to be saved. Throws `damaged` where one of them finds
 * something wrong; gives what could not be looked at, and why.
 */
export async function checkBySystem(request: SaveRequest, options: SaveOptions): Promise<string[]> {
  const warnings: string[] = [];
  for (const { volume, checker, target } of await findTargets(request, options)) {
    stopIfAborted(options.signal);
    const path = findProgram(checker.program, request.env);
    if (path === undefined)
      warnings.push(`${volume.name}: ${checker.program} is not installed, and did not look at it`);
    else if (target === undefined) {
      warnings.push(`${volume.name}: ${checker.program} does not look at partitions in a file`);
    } else await look(path, { volume, checker, target }, { ...options, env: request.env });
  }
  return warnings;
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
  { env, signal, onProgress }: SaveOptions & Pick<SaveRequest, "env">,
): Promise<void> {
  const { program, words } = checker;
  onProgress?.({ phase: `${program} looks at ${volume.name}`, doneBytes: 0 });
  const aborting = signal === undefined ? {} : { signal };
  try {
    await run(path, [...words, target], { env: { ...env, LC_ALL: "C" }, maxBuffer: outputLimitBytes, ...aborting });
  } catch (error) {
    stopIfAborted(signal);
    throw new Failure("damaged", `cannot save ${volume.name}: ${program} is not content with it${lastLineOf(error)}`, {
      hint: `"${[program, ...words, target].join(" ")}" says more`,
      cause: error,
    });
  }
}

function lastLineOf(error: unknown): string {
  const { stdout = "", stderr = "" } = error as { readonly stdout?: string; readonly stderr?: string };
  const line = `${stderr}\n${stdout}`.split("\n").findLast((text) => text.trim() !== "");
  return line === undefined ? "" : `: ${printableName(line.trim())}`;
}
