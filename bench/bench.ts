/** One published figure: our command and the peer's, for the same job. */
export interface Bench {
  readonly name: string;
  /** What the peer is, as the table shows it. */
  readonly peer: string;
  /** What we promise: our wall time at most so many times the peer's. */
  readonly ratioLimit?: number;
  /** How often each is measured; five times unless told. */
  readonly runs?: number;
  /** The most memory that ours may take; 256 MiB unless told. */
  readonly memoryLimitBytes?: number;
  /** In place of a ratio: our wall time in seconds. */
  readonly secondsLimit?: number;
  /** In place of a ratio: how many seconds more than the peer's ours may be. */
  readonly secondsBeyondLimit?: number;
  /** Makes the inputs in `folder`, where they are kept for the next time, and says what to run on them. */
  prepare(folder: string): Contest | Promise<Contest>;
}

/** Something else than time that is measured of both. */
export interface Amount {
  readonly unit: string;
  readonly ours: () => Promise<number>;
  readonly theirs: () => Promise<number>;
}

export interface Contest {
  readonly ours: readonly string[];
  readonly theirs: readonly string[];
  /** Files and folders to remove before each run, of ours and of the peer. */
  readonly outputs: readonly string[];
  /** Done before each of our runs, outside of their time. */
  readonly beforeOurs?: () => unknown;
  /** Done before each of the peer's runs, outside of its time. */
  readonly beforeTheirs?: () => unknown;
  /** Done after each of the peer's runs, outside of its time. */
  readonly afterTheirs?: () => void;
  /** Done after the last run: unmounts, removes what is not to be kept. */
  readonly cleanUp?: () => unknown;
  /** In place of the time of the programs, which are not run then. */
  readonly amount?: Amount;
  /** The process whose memory is watched as ours, where that is not the program that is run. */
  readonly ourProcess?: number;
}
