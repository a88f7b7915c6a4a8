/** A value as it was written, and where. */
export interface Setting {
  readonly value: boolean | number | string | readonly string[];
  readonly line: number;
  /** As the file calls it. */
  readonly word: string;
}

export type Settings = ReadonlyMap<string, Setting>;

/** `joe` or `theirs=ours`. */
export interface LocalName {
  readonly theirs: string;
  readonly ours: string;
}

export interface RcUser {
  readonly line: number;
  /** Absent: that of the user who runs this. */
  readonly remote?: string;
  readonly password?: string;
  readonly localNames: readonly LocalName[];
  readonly options: Settings;
}

export interface RcServer {
  readonly line: number;
  readonly name: string;
  /** False for `skip`: polled only where it is named. */
  readonly isPolled: boolean;
  readonly options: Settings;
  readonly users: readonly RcUser[];
}

/** A `.fetchmailrc` as it was written; `defaults` are not yet put in. */
export interface RcFile {
  readonly path: string;
  readonly globals: Settings;
  readonly defaults?: RcServer;
  readonly servers: readonly RcServer[];
}
