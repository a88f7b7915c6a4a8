import type { Progress } from "../base/index.ts";
import { formatSize } from "../bytes/index.ts";
import type { Output } from "./output.ts";
import { fitToWidth, textWidth } from "./text-width.ts";

/** Shows how far a work has come for as long as it lives; disposed, it leaves nothing behind on a terminal. */
export interface ProgressDisplay extends Disposable {
  readonly onProgress: (progress: Progress) => void;
  /** Makes way for other output, until the next report. */
  clear(): void;
}

const redrawMilliseconds = 100;
const eraseLine = "\r\u001b[K";
const widestBar = 40;

/** A line that is redrawn on a terminal. Work that is done within a moment is never drawn. */
export class ProgressBar implements ProgressDisplay {
  readonly #output: Output;
  readonly #now: () => number;
  readonly #started: number;
  #drawn: number;
  #isVisible = false;

  constructor(output: Output, now: () => number = () => performance.now()) {
    this.#output = output;
    this.#now = now;
    this.#started = now();
    this.#drawn = this.#started;
  }

  readonly onProgress = (progress: Progress): void => {
    const now = this.#now();
    if (now - this.#drawn < redrawMilliseconds) return;
    this.#drawn = now;
    this.#isVisible = true;
    const { columns, style } = this.#output;
    const line = progressLine(progress, { columns, seconds: (now - this.#started) / 1000 });
    ignoreClosed(this.#output.write(eraseLine + style("cyan", line)));
  };

  clear(): void {
    if (this.#isVisible) ignoreClosed(this.#output.write(eraseLine));
    this.#isVisible = false;
  }

  [Symbol.dispose](): void {
    this.clear();
  }
}

/** One JSON line for each report, at most ten a second; a phase's first report is never left out. */
export class ProgressLines implements ProgressDisplay {
  readonly #output: Output;
  readonly #now: () => number;
  readonly #started: number;
  #printed = -Infinity;
  #phase: string | undefined;

  constructor(output: Output, now: () => number = () => performance.now()) {
    this.#output = output;
    this.#now = now;
    this.#started = now();
  }

  readonly onProgress = (progress: Progress): void => {
    const now = this.#now();
    if (progress.phase === this.#phase && now - this.#printed < redrawMilliseconds) return;
    this.#printed = now;
    this.#phase = progress.phase;
    const line = { progress: { ...progress, ...speedOf(progress, (now - this.#started) / 1000) } };
    ignoreClosed(this.#output.write(`${JSON.stringify(line)}\n`).then(() => this.#output.flush()));
  };

  clear(): void {}

  [Symbol.dispose](): void {}
}

export const noProgress: ProgressDisplay = {
  onProgress: () => undefined,
  clear: () => undefined,
  [Symbol.dispose]: () => undefined,
};

/** How fast it goes, and how long it takes if it goes on so; nothing as long as that cannot be told. */
function speedOf({ doneBytes, totalBytes }: Progress, seconds: number) {
  const bytesPerSecond = Math.round(doneBytes / seconds);
  if (!(seconds > 0) || bytesPerSecond === 0) return {};
  if (totalBytes === undefined) return { bytesPerSecond };
  return { bytesPerSecond, secondsLeft: Math.ceil(Math.max(0, totalBytes - doneBytes) / bytesPerSecond) };
}

/** `filling  ███████░░░  70%  2.1 GiB of 3 GiB  310 MiB/s  3 s left`, no wider than the terminal. */
export function progressLine(
  progress: Progress,
  options: { readonly columns: number; readonly seconds: number },
): string {
  const { doneBytes, totalBytes, ofPhase } = progress;
  const phase = ofPhase === undefined ? progress.phase : `${progress.phase} ${percentOf(ofPhase)}`;
  const speed = options.seconds > 0 ? doneBytes / options.seconds : 0;
  const rate = speed > 0 ? `  ${formatSize(Math.round(speed))}/s` : "";
  if (totalBytes === undefined || totalBytes <= 0) {
    return fitToWidth(`${phase}  ${formatSize(doneBytes)}${rate}`, options.columns - 1);
  }
  const share = Math.min(1, doneBytes / totalBytes);
  const percent = `${Math.floor(share * 100)}%`.padStart(4);
  const left = speed > 0 && share < 1 ? `  ${formatSeconds((totalBytes - doneBytes) / speed)} left` : "";
  const figures = `${percent}  ${formatSize(doneBytes)} of ${formatSize(totalBytes)}${rate}${left}`;
  const room = options.columns - 1 - textWidth(phase) - textWidth(figures) - 3;
  const cells = Math.min(widestBar, room);
  if (cells < 5) return fitToWidth(`${phase} ${figures}`, options.columns - 1);
  const filled = Math.floor(share * cells);
  return `${phase}  ${"█".repeat(filled)}${"░".repeat(cells - filled)} ${figures}`;
}

function percentOf({ doneBytes, totalBytes }: { readonly doneBytes: number; readonly totalBytes: number }): string {
  return `${totalBytes <= 0 ? 100 : Math.min(100, Math.floor((doneBytes / totalBytes) * 100))}%`;
}

function formatSeconds(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 100) return `${whole} s`;
  const minutes = Math.ceil(whole / 60);
  return minutes < 100 ? `${minutes} min` : `${Math.ceil(minutes / 60)} h`;
}

/** Progress that nobody can see any more is no reason to stop the work. */
function ignoreClosed(written: Promise<void>): void {
  written.catch(() => undefined);
}
