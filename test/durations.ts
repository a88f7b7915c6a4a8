/** How long each test file took when it was last remembered: the longest are started first, so that none is waited for. */
import * as fs from "node:fs";
import * as path from "node:path";

const remembered = path.join(import.meta.dirname, "durations.txt");
/** Shorter ones may come in any order. */
const worthRememberingMs = 2000;

/** Test files, by paths from the root, in the order in which to start them. */
export function longestFirst(files: readonly string[]): readonly string[] {
  const durations = readDurations();
  const expected = (file: string): number => durations.get(file) ?? (/^test\/(peers|fault)\//.test(file) ? 20_000 : 0);
  return files.toSorted((a, b) => expected(b) - expected(a));
}

/** Keeps what files took; of those that were not run what is known of them, while they are there. */
export function rememberDurations(durations: ReadonlyMap<string, number>): void {
  const all = [...readDurations(), ...durations].filter(([file]) =>
    fs.existsSync(path.join(remembered, "../..", file)),
  );
  const lines = Array.from(new Map(all), ([file, ms]) => ({ file, ms }))
    .filter(({ ms }) => ms >= worthRememberingMs)
    .toSorted((a, b) => b.ms - a.ms)
    .map(({ file, ms }) => `${(ms / 1000).toFixed(0).padStart(3)} ${file}\n`);
  fs.writeFileSync(remembered, `Seconds, by npm test -- --remember\n${lines.join("")}`);
}

function readDurations(): Map<string, number> {
  const text = fs.existsSync(remembered) ? fs.readFileSync(remembered, "utf8") : "";
  return new Map(Array.from(text.matchAll(/^ *(\d+) (test\S+)$/gm), ([, s, file = ""]) => [file, Number(s) * 1000]));
}
