/** Consecutive blocks of a file that are consecutive on the device. */
export interface FileRun {
  readonly logical: number;
  readonly physical: number;
  readonly count: number;
  /** False for blocks that are reserved and read as zeros. */
  readonly isWritten: boolean;
}

/** Follows a map of blocks: told of each block that holds a part of the map itself. */
export type OnMapBlock = (physical: number, block: Uint8Array) => void;
