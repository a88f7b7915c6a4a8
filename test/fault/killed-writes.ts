import * as fs from "node:fs";
import { createRequire, syncBuiltinESMExports } from "node:module";

/** What changes files. Reading and closing go on. */
const changes = [
  "openSync",
  "writeFileSync",
  "fchmodSync",
  "fsyncSync",
  "renameSync",
  "linkSync",
  "unlinkSync",
  "rmSync",
  "mkdirSync",
] as const;

class Killed extends Error {}

/**
 * Does something as a process would that is killed at its n-th change of a file: from then on no file changes any more,
 * whatever is tried. Gives true where it came to its end before.
 */
export async function killedAt(nth: number, work: () => Promise<unknown>): Promise<boolean> {
  // The object behind the imports of all modules; they follow it once they are told to.
  const real = createRequire(import.meta.url)("node:fs") as Record<string, (...args: unknown[]) => unknown>;
  const kept = new Map(changes.map((name) => [name, real[name]]));
  let count = 0;
  for (const [name, call] of kept) {
    real[name] = (...args: unknown[]) => {
      if (name === "openSync" && (args[1] ?? "r") === "r") return call?.(...args);
      count++;
      if (count === nth && name === "writeFileSync") tear(args);
      if (count >= nth) throw new Killed(`killed at ${name}`);
      return call?.(...args);
    };
  }
  syncBuiltinESMExports();
  try {
    await work();
    return true;
  } catch (error) {
    if (count < nth) throw error;
    return false;
  } finally {
    for (const [name, call] of kept) if (call !== undefined) real[name] = call;
    syncBuiltinESMExports();
  }
}

/** Half of what was to be written is. */
function tear([target, content]: readonly unknown[]): void {
  if (typeof target === "number" && typeof content === "string") {
    fs.writeSync(target, content.slice(0, content.length / 2));
  }
}
