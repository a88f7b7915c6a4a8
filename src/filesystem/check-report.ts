import { Failure } from "../base/index.ts";
import type { Problem } from "./file-system.ts";

/** How many problems are told one by one. */
const problemLimit = 500;

/** A problem, and the inode that it is about, so that its path can be looked up. */
interface Finding extends Problem {
  readonly inode: number | undefined;
}

/** Gathers what a check finds, up to a limit. */
export class CheckReport {
  readonly #findings: Finding[] = [];
  #dropped = 0;

  error(message: string, inode?: number): void {
    this.#add({ severity: "error", message, inode });
  }

  warning(message: string, inode?: number): void {
    this.#add({ severity: "warning", message, inode });
  }

  #add(finding: Finding): void {
    if (this.#findings.length < problemLimit) this.#findings.push(finding);
    else this.#dropped++;
  }

  /** Runs a step; where it fails because something is damaged, that is a finding. Gives whether it did not. */
  async attempt(step: () => Promise<void>, inode?: number): Promise<boolean> {
    try {
      await step();
      return true;
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== "damaged") throw error;
      this.error(error.message.replace(/^cannot read /, ""), inode);
      return false;
    }
  }

  /** What was found, with the path of the file where there is one. */
  async *problems(
    pathsOf: (inodes: ReadonlySet<number>) => Promise<ReadonlyMap<number, string>>,
  ): AsyncGenerator<Problem> {
    const wanted = new Set(this.#findings.flatMap(({ inode }) => (inode === undefined ? [] : [inode])));
    const paths = wanted.size === 0 ? new Map<number, string>() : await pathsOf(wanted);
    for (const { severity, message, inode } of this.#findings) {
      const path = inode === undefined ? undefined : paths.get(inode);
      yield { severity, message: path === undefined ? message : `${message} (${path})` };
    }
    if (this.#dropped > 0) yield { severity: "error", message: `and ${this.#dropped} more` };
  }
}
