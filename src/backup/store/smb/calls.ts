/** What the thread that holds the C library is asked, and what it answers. Buffers change hands. */
export interface SmbCalls {
  list(url: string): SmbItem[];
  open(url: string, how: "read" | "write"): { readonly fd: number; readonly sizeBytes: number };
  read(fd: number, at: number, lengthBytes: number): Uint8Array<ArrayBuffer>;
  write(fd: number, bytes: Uint8Array<ArrayBuffer>): void;
  close(fd: number): void;
  makeFolder(url: string): void;
  removeFile(url: string): void;
  removeFolder(url: string): void;
  rename(from: string, to: string): void;
  freeBytes(url: string): number;
}

export interface SmbItem {
  readonly name: string;
  readonly isFolder: boolean;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

export type SmbVerb = keyof SmbCalls;

export interface SmbRequest {
  readonly id: number;
  readonly verb: SmbVerb;
  readonly args: readonly unknown[];
}

export interface SmbAnswer {
  readonly id: number;
  readonly value?: unknown;
  /** As the system numbers it; -1 where there is no library. */
  readonly errno?: number;
  readonly message?: string;
}
