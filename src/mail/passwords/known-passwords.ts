import { createHmac, randomBytes } from "node:crypto";

const limit = 1000;
const usualMs = 10 * 60 * 1000;

/**
 * Passwords that were found right a short while ago. Mail programs log in again and again, and a good hash takes a
 * tenth of a second of a processor each time. What is kept is a keyed digest; the key never leaves this process.
 */
export class KnownPasswords {
  readonly #key = randomBytes(32);
  readonly #until = new Map<string, number>();
  readonly #running = new Map<string, Promise<boolean>>();
  readonly #clock: () => number;

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** Whether a password fits what is stored: asks `verify` unless that was so a short while ago. */
  async check(stored: string, password: string, verify: () => Promise<boolean>): Promise<boolean> {
    const digest = createHmac("sha256", this.#key).update(`${stored.length} ${stored}${password}`).digest("base64");
    if ((this.#until.get(digest) ?? 0) > this.#clock()) return true;
    const running = this.#running.get(digest) ?? verify();
    this.#running.set(digest, running);
    try {
      const isRight = await running;
      if (isRight) this.#remember(digest);
      return isRight;
    } finally {
      this.#running.delete(digest);
    }
  }

  #remember(digest: string): void {
    this.#until.delete(digest);
    this.#until.set(digest, this.#clock() + usualMs);
    const [oldest] = this.#until.keys();
    if (this.#until.size > limit && oldest !== undefined) this.#until.delete(oldest);
  }
}
