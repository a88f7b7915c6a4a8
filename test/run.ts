import { globSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import * as path from "node:path";
import { run } from "node:test";
import { longestFirst, rememberDurations } from "./durations.ts";
import { CompactReport } from "./report.ts";

/**
 * `npm test` runs every test/**\/*.test.ts, each in a process of its own; `npm test -- partition peers/ext` those
 * whose path contains one of the words; `npm test -- --name "GPT header"` only the tests of that name in them. With
 * `--remember` how long each took is kept, which is in what order they are started from then on.
 */
const testLimitMs = 10 * 60_000;
const fileLimitMs = 30 * 60_000;

const root = path.join(import.meta.dirname, "..");

function chooseFiles(words: readonly string[]): readonly string[] {
  const files = globSync("test/**/*.test.ts", { cwd: root }).toSorted();
  const chosen = files.filter((file) => words.length === 0 || words.some((word) => file.includes(word)));
  return longestFirst(chosen).map((file) => path.join(root, file));
}

/** Ends the process of a test file. Node asks with SIGTERM, which a test that never yields does not hear. */
function endProcessOf(file: string): void {
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, "utf8").split(" ").filter(Boolean);
  for (const pid of children) {
    const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    if (words.includes(file)) process.kill(Number(pid), "SIGKILL");
  }
}

async function runFiles(files: readonly string[], names: readonly string[]): Promise<CompactReport> {
  const report = new CompactReport(root);
  const limits = new Map<string, NodeJS.Timeout>();
  const events = run({
    cwd: root,
    files,
    concurrency: availableParallelism(),
    execArgv: [`--test-timeout=${testLimitMs}`, "--import", path.join(import.meta.dirname, "uncaught.ts")],
    ...(names.length > 0 && { testNamePatterns: names }),
  });
  for await (const event of events) {
    const { type, data } = event;
    if (type === "test:dequeue" && path.isAbsolute(data.name) && process.platform === "linux") {
      limits.set(data.name, setTimeout(endProcessOf, fileLimitMs, data.name));
    }
    if (type === "test:complete") clearTimeout(limits.get(data.name));
    process.stdout.write(report.add(event));
  }
  return report;
}

// The program is started hundreds of times: compiled once it takes a quarter of the time.
process.env["NODE_COMPILE_CACHE"] ??= path.join(root, ".cache/node");
// Whole images are held in memory, and programs are started beside them: both take longer by pages of 4 KiB.
process.env["GLIBC_TUNABLES"] ??= "glibc.malloc.hugetlb=1";

const args = process.argv.slice(2);
const nameAt = args.indexOf("--name");
const names = nameAt === -1 ? [] : args.splice(nameAt, 2).slice(1);
const rememberAt = args.indexOf("--remember");
if (rememberAt !== -1) args.splice(rememberAt, 1);
const files = chooseFiles(args);
if (files.length === 0) {
  console.error(`no test file matches: ${args.join(" ")}`);
  process.exitCode = 2;
} else {
  const { passed, durations } = await runFiles(files, names);
  if (!passed) process.exitCode = 1;
  else if (rememberAt !== -1) rememberDurations(durations);
}
