import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { Amount, Bench, Contest } from "./bench.ts";

/*
 * npm run bench [-- WORD…]: every bench whose name has all the words, ours and the peer's in turn, medians of five, or as many as a bench says.
 * Inputs are kept in a folder of the system's temporary folder for the next time.
 */

const runs = 5;
const pollMs = 5;
const memoryLimitBytes = 256 * 1024 * 1024;

interface Measure {
  readonly seconds: number;
  /** The most memory that the process held at once; 0 where it ended too soon to be asked. */
  readonly peakBytes: number;
}

/** Runs a program to its end, its wall time and memory watched. Its output is let go. */
async function measure(words: readonly string[], watched?: number): Promise<Measure> {
  const [program = "", ...args] = words;
  const start = performance.now();
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"], env: searchedEverywhere() });
  let said = "";
  child.stderr.on("data", (text: Buffer) => (said += text.toString()));
  let peakBytes = 0;
  const poll = setInterval(() => (peakBytes = Math.max(peakBytes, highWaterMark(watched ?? child.pid))), pollMs);
  const status = await new Promise((resolve, reject) => child.on("error", reject).on("close", resolve));
  clearInterval(poll);
  if (status !== 0) throw new Error(`${words.join(" ")} ended with status ${String(status)}: ${said}`);
  return { seconds: (performance.now() - start) / 1000, peakBytes };
}

/** Debian keeps disk tools where an unprivileged user's PATH does not look. */
function searchedEverywhere(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` };
}

function highWaterMark(pid: number | undefined): number {
  try {
    const match = /^VmHWM:\s+(\d+) kB/m.exec(fs.readFileSync(`/proc/${pid}/status`, "latin1"));
    return Number(match?.[1] ?? 0) * 1024;
  } catch {
    return 0; // it has just ended
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function run(bench: Bench, folder: string): Promise<string> {
  const contest = await bench.prepare(folder);
  try {
    return contest.amount === undefined ? await compete(bench, contest) : await compareAmounts(bench, contest.amount);
  } finally {
    await contest.cleanUp?.();
  }
}

async function compete(bench: Bench, contest: Contest): Promise<string> {
  const ours: Measure[] = [];
  const theirs: Measure[] = [];
  const clear = (): void => contest.outputs.forEach((output) => fs.rmSync(output, { recursive: true, force: true }));
  for (let n = 0; n <= (bench.runs ?? runs); n++) {
    clear();
    await contest.beforeOurs?.();
    const own = await measure(contest.ours, contest.ourProcess);
    clear();
    await contest.beforeTheirs?.();
    const other = await measure(contest.theirs);
    contest.afterTheirs?.();
    if (n === 0) continue; // fills caches, of the system and of compiled code
    ours.push(own);
    theirs.push(other);
  }
  clear();
  const ourSeconds = median(ours.map(({ seconds }) => seconds));
  const theirSeconds = median(theirs.map(({ seconds }) => seconds));
  const peakBytes = Math.max(...ours.map(({ peakBytes: bytes }) => bytes));
  const ratio = ourSeconds / theirSeconds;
  const isKept =
    keepsTime(bench, ourSeconds, theirSeconds) && peakBytes <= (bench.memoryLimitBytes ?? memoryLimitBytes);
  const cells = [
    bench.name,
    bench.peer,
    `${ourSeconds.toFixed(2)} s`,
    `${theirSeconds.toFixed(2)} s`,
    `**${ratio.toFixed(2)} ×**`,
    promiseOf(bench),
    `${(peakBytes / 2 ** 20).toFixed(0)} MiB`,
    isKept ? "kept" : "MISSED",
  ];
  return `| ${cells.join(" | ")} |`;
}

/** Once each: what is measured so does not depend on how busy the machine is. */
async function compareAmounts(bench: Bench, { unit, ours, theirs }: Amount): Promise<string> {
  const [own, other] = [await ours(), await theirs()];
  const isKept = own / other <= (bench.ratioLimit ?? Infinity);
  const cells = [
    bench.name,
    bench.peer,
    `${own.toFixed(0)} ${unit}`,
    `${other.toFixed(0)} ${unit}`,
    `**${(own / other).toFixed(2)} ×**`,
    promiseOf(bench),
    "",
    isKept ? "kept" : "MISSED",
  ];
  return `| ${cells.join(" | ")} |`;
}

function keepsTime(bench: Bench, ourSeconds: number, theirSeconds: number): boolean {
  if (bench.secondsLimit !== undefined) return ourSeconds <= bench.secondsLimit;
  if (bench.secondsBeyondLimit !== undefined) return ourSeconds - theirSeconds <= bench.secondsBeyondLimit;
  return ourSeconds / theirSeconds <= (bench.ratioLimit ?? Infinity);
}

function promiseOf({ secondsLimit, secondsBeyondLimit, ratioLimit }: Bench): string {
  if (secondsLimit !== undefined) return `≤ ${secondsLimit} s`;
  return secondsBeyondLimit === undefined ? `≤ ${ratioLimit} ×` : `≤ ${secondsBeyondLimit} s more`;
}

/** Those whose name has all the words. */
async function chooseBenches(words: readonly string[]): Promise<readonly Bench[]> {
  const files = fs.readdirSync(import.meta.dirname).filter((name) => name.endsWith(".bench.ts"));
  const modules = await Promise.all(
    files.toSorted().map((file) => import(`./${file}`) as Promise<{ readonly benches: readonly Bench[] }>),
  );
  const benches = modules.flatMap((module) => module.benches);
  return benches.filter(({ name }) => words.every((word) => name.includes(word)));
}

const words = process.argv.slice(2);
const chosen = await chooseBenches(words);
if (chosen.length === 0) {
  console.error(`no bench has all of these in its name: ${words.join(" ")}`);
  process.exitCode = 2;
} else {
  const folder = path.join(os.tmpdir(), `holdfast-bench-${os.userInfo().username}`);
  fs.mkdirSync(folder, { recursive: true });
  console.log("| job | peer | ours | peer's | ratio | promised | our peak memory | |");
  console.log("|---|---|---|---|---|---|---|---|");
  for (const bench of chosen) console.log(await run(bench, folder));
}
