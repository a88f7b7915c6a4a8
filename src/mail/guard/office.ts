import type { FoundUser, LoginAttempt, PasswordCheck, UserDirectory } from "../passwords/index.ts";
import type { Barrier, Ledger } from "./ledger.ts";

/**
 * What the processes that serve ask of the one that counts, and knows the users. They never see a file of passwords,
 * and what one of them counts holds for all.
 */
export interface Office {
  hold(fingerprint: string): Promise<Barrier | undefined>;
  release(fingerprint: string): void;
  refuse(address: string, fingerprint?: string): void;
  checkPassword(user: string, password: string, attempt: LoginAttempt): Promise<PasswordCheck>;
  /** For EXTERNAL: whether a user is there, and may come from that address. */
  checkUser(user: string, address: string): Promise<PasswordCheck>;
  /** For mail that comes in: the user, from wherever it comes. */
  findUser(user: string): Promise<FoundUser | undefined>;
}

export class LocalOffice implements Office {
  readonly #ledger: Ledger;
  readonly #users: UserDirectory;

  constructor(ledger: Ledger, users: UserDirectory) {
    this.#ledger = ledger;
    this.#users = users;
  }

  async hold(fingerprint: string): Promise<Barrier | undefined> {
    return this.#ledger.hold(fingerprint);
  }

  release(fingerprint: string): void {
    this.#ledger.release(fingerprint);
  }

  refuse(address: string, fingerprint?: string): void {
    this.#ledger.refuse(address, fingerprint);
  }

  async checkPassword(user: string, password: string, attempt: LoginAttempt): Promise<PasswordCheck> {
    return this.#users.check(user, password, attempt);
  }

  async checkUser(user: string, address: string): Promise<PasswordCheck> {
    const why = this.#users.whyNot(user, address);
    const found: FoundUser | undefined = this.#users.find(user);
    if (why !== undefined || found === undefined) return { isRight: false, why: why ?? "unknown user" };
    return { isRight: true, user: found };
  }

  async findUser(user: string): Promise<FoundUser | undefined> {
    return this.#users.find(user);
  }
}
