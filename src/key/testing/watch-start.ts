import { setTimeout as delay } from "node:timers/promises";
import { Failure } from "../../base/index.ts";
import type { RunningDisk } from "../../disk/index.ts";
import type { Verdict } from "../entry-test.ts";
import { Evidence, type Awaited } from "./evidence.ts";

const lookEveryMs = 300;

/** Watches a machine until it shows what came of the entry that it starts, at most for so long. */
export async function watchStart(
  disk: RunningDisk,
  awaited: Awaited,
  { timeLimitMs, signal }: { readonly timeLimitMs: number; readonly signal?: AbortSignal | undefined },
): Promise<Verdict> {
  const evidence = new Evidence(awaited);
  const done = new AbortController();
  const timer = AbortSignal.timeout(timeLimitMs);
  const stop = AbortSignal.any([done.signal, timer, ...(signal === undefined ? [] : [signal])]);
  let isOff = false;
  const switchOff = async (): Promise<void> => {
    await disk.ended;
    isOff = true;
  };
  try {
    await Promise.race([listen(disk, evidence), look(disk, evidence, stop), switchOff(), aborted(stop)]);
  } finally {
    done.abort();
  }
  return evidence.conclude(`within ${Math.round(timeLimitMs / 1000)} s`, isOff);
}

async function listen(disk: RunningDisk, evidence: Evidence): Promise<void> {
  for await (const text of disk.said) {
    const typed = evidence.addSaid(text);
    if (typed !== "") disk.type(typed);
    if (evidence.verdict !== undefined) return;
  }
  await disk.ended; // which knows why it has nothing more to say
}

async function look(disk: RunningDisk, evidence: Evidence, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && evidence.verdict === undefined) {
    try {
      evidence.addScreen(await disk.screen());
      await delay(lookEveryMs, undefined, { signal });
    } catch (error) {
      if (signal.aborted || error instanceof Failure) return aborted(signal); // it has no screen any more
      throw error;
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
