import { Failure } from "../../base/index.ts";
import type { Problem } from "../file-system.ts";

export function error(message: string): Problem {
  return { severity: "error", message };
}

export function warning(message: string): Problem {
  return { severity: "warning", message };
}

/** What `work` gives; where that is damaged, its problem instead. */
export async function attempted<T>(work: () => Promise<T>): Promise<T | Problem> {
  try {
    return await work();
  } catch (failure) {
    return problemOf(failure);
  }
}

/** The problem that a failure of reading tells of; anything else is thrown on. */
export function problemOf(failure: unknown): Problem {
  if (failure instanceof Failure && (failure.code === "damaged" || failure.code === "unsupported")) {
    return error(failure.message);
  }
  throw failure;
}

/** As many problems as this are remembered. */
const rememberedLimit = 1000;

/** Without what was told before: several checks come upon the same node. */
export async function* onlyOnce(problems: AsyncIterable<Problem>): AsyncGenerator<Problem> {
  const told = new Set<string>();
  for await (const problem of problems) {
    if (told.has(problem.message)) continue;
    if (told.size < rememberedLimit) told.add(problem.message);
    yield problem;
  }
}
