import { readBytes } from "../../../device/index.ts";
import type { ClusterRun } from "../../cluster-run.ts";
import { differences, type PlannedWrite } from "../../planned-write.ts";
import { chainEnd, type Allocation } from "../chain.ts";
import { entryBytes, type ExfatLayout } from "../layout.ts";
import { rootId } from "./directory-store.ts";
import type { ExfatVolume } from "./exfat-volume.ts";

/** The writes to the table: entries that nothing refers to and chains that grow, chains that turn off, chains that end. */
export interface TablePlan {
  readonly additions: readonly PlannedWrite[];
  readonly links: readonly PlannedWrite[];
  readonly cuts: readonly PlannedWrite[];
}

/** How many entries are read and held together. */
const windowEntries = 16 * 1024;
const stageNames = ["additions", "links", "cuts"] as const;
type StageName = (typeof stageNames)[number];

/** A stretch of the table as the device has it, and after each stage. */
interface Window {
  readonly at: number;
  readonly before: Uint8Array;
  readonly after: Readonly<Record<StageName, Uint8Array>>;
}

/** What has to be written of the chains that change. One stretch needs no chain, but in the root directory. */
export async function planTable(volume: ExfatVolume): Promise<TablePlan> {
  const windows = new Windows(volume);
  for (const [id, { was, runs }] of volume.chains) {
    if (runs.length <= 1 && id !== rootId) continue;
    const isChained = chainedIn(was);
    for (const [n, { start, count }] of runs.entries()) {
      for (let cluster = start; cluster < start + count; cluster++) {
        const next = cluster + 1 < start + count ? cluster + 1 : (runs[n + 1]?.start ?? chainEnd);
        await windows.set(cluster, next, isChained(cluster));
      }
    }
  }
  return windows.plan();
}

/** Whether the table says something of a cluster, as one of those of a file on the device. */
function chainedIn(was: Allocation | undefined): (cluster: number) => boolean {
  if (was === undefined || was.isContiguous) return () => false;
  const byStart = was.runs.toSorted((a, b) => a.start - b.start);
  return (cluster) => isIn(byStart, cluster);
}

function isIn(byStart: readonly ClusterRun[], cluster: number): boolean {
  let [low, high] = [0, byStart.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((byStart[middle]?.start ?? 0) <= cluster) low = middle + 1;
    else high = middle;
  }
  const run = byStart[low - 1];
  return run !== undefined && cluster < run.start + run.count;
}

class Windows {
  readonly #volume: ExfatVolume;
  readonly #windows = new Map<number, Window>();
  #last: { readonly number: number; readonly window: Window } | undefined;

  constructor(volume: ExfatVolume) {
    this.#volume = volume;
  }

  async set(cluster: number, next: number, isChained: boolean): Promise<void> {
    const number = Math.floor(cluster / windowEntries);
    const window = this.#last?.number === number ? this.#last.window : await this.#window(number);
    this.#last = { number, window };
    const at = (cluster - number * windowEntries) * entryBytes;
    const old = viewOf(window.before).getUint32(at, true);
    if (old === next) return;
    const first = isChained ? stageOf(old, next) : 0;
    for (const name of stageNames.slice(first)) viewOf(window.after[name]).setUint32(at, next, true);
  }

  plan(): TablePlan {
    const plan: Record<StageName, PlannedWrite[]> = { additions: [], links: [], cuts: [] };
    for (const { at, before, after } of this.#windows.values()) {
      let last = before;
      for (const name of stageNames) {
        for (const write of differences(last, after[name], this.#volume.layout.sectorBytes)) {
          plan[name].push({ at: at + write.at, bytes: write.bytes });
        }
        last = after[name];
      }
    }
    return plan;
  }

  async #window(number: number): Promise<Window> {
    const there = this.#windows.get(number);
    if (there !== undefined) return there;
    const { layout, device } = this.#volume;
    const at = layout.fatAt + number * windowEntries * entryBytes;
    const before = await readBytes(device, at, windowBytes(layout, number));
    const copy = (): Uint8Array => Uint8Array.from(before);
    const window = { at, before, after: { additions: copy(), links: copy(), cuts: copy() } };
    this.#windows.set(number, window);
    return window;
  }
}

function windowBytes({ fatBytes }: ExfatLayout, number: number): number {
  return Math.min(windowEntries * entryBytes, fatBytes - number * windowEntries * entryBytes);
}

/** A chain may grow before the set of its file says so, and end after that. */
function stageOf(old: number, next: number): number {
  if (old === chainEnd) return 0;
  return next === chainEnd ? 2 : 1;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
