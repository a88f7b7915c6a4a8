import { Failure } from "../base/index.ts";

/**
 * Keeps changes whole that are made in memory step by step: after one that failed half-way none can be committed any
 * more.
 */
export class ChangeGuard {
  /** Why nothing can be committed any more. */
  #broken: unknown;

  /** What fails before `begin` has changed nothing; what fails after it leaves the changes half done. */
  async changing<T>(change: (begin: () => void) => Promise<T>): Promise<T> {
    this.refuseBroken();
    let isBegun = false;
    try {
      return await change(() => (isBegun = true));
    } catch (error) {
      if (isBegun) this.#broken = error;
      throw error;
    }
  }

  /** Runs what makes the changes durable. */
  async committing(commit: () => Promise<void>): Promise<void> {
    await this.changing(async (begin) => {
      begin();
      await commit();
    });
  }

  refuseBroken(): void {
    if (this.#broken === undefined) return;
    throw new Failure("failed", "cannot make the changes: one of them has failed, so none is made", {
      cause: this.#broken,
    });
  }
}
