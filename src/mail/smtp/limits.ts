/** What one peer may do, and what all may do at once. */
export interface ReceiveLimits {
  readonly messageBytes: number;
  readonly recipients: number;
  readonly connections: number;
  readonly connectionsPerAddress: number;
  /** Messages of one address within `windowMs`. */
  readonly messagesPerAddress: number;
  readonly windowMs: number;
  /** Recipients that are not here, after which a connection ends. */
  readonly unknownRecipients: number;
  /** A connection on which nothing happens. */
  readonly idleMs: number;
  /** A message, from its first byte to its last. */
  readonly messageMs: number;
  /** All messages that are being received, together. */
  readonly memoryBytes: number;
  /** For what the DNS says of a message. */
  readonly authenticationMs: number;
}

const mib = 2 ** 20;

export const usualReceiveLimits: ReceiveLimits = {
  messageBytes: 50 * mib,
  recipients: 100,
  connections: 200,
  connectionsPerAddress: 20,
  messagesPerAddress: 500,
  windowMs: 10 * 60_000,
  unknownRecipients: 10,
  idleMs: 5 * 60_000,
  messageMs: 10 * 60_000,
  memoryBytes: 512 * mib,
  authenticationMs: 20_000,
};

/** Addresses that are remembered at most. */
const addressLimit = 100_000;

/** Counts what addresses do, within a window of time. */
export class AddressCounts {
  readonly #windowMs: number;
  readonly #counts = new Map<string, { startMs: number; count: number }>();

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** How many it has been with this one. */
  add(address: string, nowMs: number): number {
    const known = this.#counts.get(address);
    const isOver = known === undefined || nowMs - known.startMs >= this.#windowMs;
    const entry = isOver ? { startMs: nowMs, count: 0 } : known;
    entry.count++;
    // The one counted last is last in the map.
    this.#counts.delete(address);
    this.#counts.set(address, entry);
    const [oldest] = this.#counts.keys();
    if (this.#counts.size > addressLimit && oldest !== undefined) this.#counts.delete(oldest);
    return entry.count;
  }
}
