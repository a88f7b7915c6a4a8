import { addressKey } from "../address-key.ts";
import type { GuardLimits } from "../settings/index.ts";

/** Why an address or a certificate is kept out for the moment. */
export type Barrier = "banned" | "too many connections";

interface Account {
  connections: number;
  /** Since `since`. */
  begun: number;
  refusals: number;
  since: number;
  bannedUntil: number;
}

/** More addresses than these are not remembered: the oldest without a connection are forgotten. */
const accountsLimit = 100_000;

/**
 * Counts what addresses and certificates do. There is one for all processes. An address of IPv6 counts with its /64,
 * which is what one customer has.
 */
export class Ledger {
  limits: GuardLimits;
  readonly #clock: () => number;
  readonly #accounts = new Map<string, Account>();
  #connections = 0;

  constructor(limits: GuardLimits, clock: () => number) {
    this.limits = limits;
    this.#clock = clock;
  }

  /** A new connection: undefined where it may begin, and `end` has to be called then. */
  begin(address: string): Barrier | undefined {
    const account = this.#account(addressKey(address));
    if (account.bannedUntil > this.#clock()) return "banned";
    account.begun++;
    const { connections, connectionsPerAddress, handshakesPerAddress } = this.limits;
    if (
      this.#connections >= connections ||
      account.connections >= connectionsPerAddress ||
      account.begun > handshakesPerAddress
    ) {
      return "too many connections";
    }
    account.connections++;
    this.#connections++;
    return undefined;
  }

  end(address: string): void {
    this.#account(addressKey(address)).connections--;
    this.#connections--;
  }

  /** A certificate that was verified: undefined where it may go on, and `release` has to be called then. */
  hold(fingerprint: string): Barrier | undefined {
    const account = this.#account(fingerprint);
    if (account.bannedUntil > this.#clock()) return "banned";
    if (account.connections >= this.limits.connectionsPerCertificate) return "too many connections";
    account.connections++;
    return undefined;
  }

  release(fingerprint: string): void {
    this.#account(fingerprint).connections--;
  }

  /** Counts a refusal against an address, and the certificate where one was shown. */
  refuse(address: string, fingerprint?: string): void {
    this.#countRefusal(addressKey(address), this.limits.refusalsPerAddress);
    if (fingerprint !== undefined) this.#countRefusal(fingerprint, this.limits.refusalsPerCertificate);
  }

  #countRefusal(key: string, limit: number): void {
    const account = this.#account(key);
    account.refusals++;
    if (account.refusals < limit) return;
    account.bannedUntil = this.#clock() + this.limits.banMs;
    account.refusals = 0;
  }

  #account(key: string): Account {
    const now = this.#clock();
    let account = this.#accounts.get(key);
    if (account === undefined) {
      account = { connections: 0, begun: 0, refusals: 0, since: now, bannedUntil: 0 };
      this.#accounts.set(key, account);
      if (this.#accounts.size > accountsLimit) this.#forgetSome(now);
    } else if (now - account.since > this.limits.windowMs) {
      account.begun = 0;
      account.refusals = 0;
      account.since = now;
    }
    return account;
  }

  #forgetSome(now: number): void {
    const idle = [...this.#accounts].filter(([, one]) => one.connections === 0 && one.bannedUntil <= now);
    for (const [key] of idle.slice(0, accountsLimit / 2)) this.#accounts.delete(key);
  }
}
