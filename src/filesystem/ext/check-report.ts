import type { Problem } from "../file-system.ts";

/** How many problems are told one by one. */
const problemLimit = 500;

/** A problem, and the inode that it is about, so that its path can be looked up. */
export interface Finding extends Problem {
  readonly inode: number | undefined;
}

/** Gathers what a check finds, up to a limit. */
export class Report {
  readonly findings: Finding[] = [];
  #left = problemLimit;
  #dropped = 0;

  get dropped(): number {
    return this.#dropped;
  }

  error(message: string, inode?: number): void {
    this.#add({ severity: "error", message, inode });
  }

  warning(message: string, inode?: number): void {
    this.#add({ severity: "warning", message, inode });
  }

  #add(finding: Finding): void {
    if (this.#left === 0) {
      this.#dropped++;
      return;
    }
    this.#left--;
    this.findings.push(finding);
  }
}
