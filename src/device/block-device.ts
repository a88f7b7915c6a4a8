/** Bytes at offsets, to be read. A read fills its buffer or throws; reads may overlap in time. */
export interface BlockReader extends AsyncDisposable {
  readonly sizeBytes: number;
  /** Fills `into` with the bytes from `at` on. Throws a `damaged` failure where they pass the end. */
  read(at: number, into: Uint8Array): Promise<void>;
}

/** Bytes at offsets, to be read and written. */
export interface BlockDevice extends BlockReader {
  /** Writes all of `from` at `at`. The buffer may be used again once the promise is settled. */
  write(at: number, from: Uint8Array): Promise<void>;
  /** Makes these bytes zero, as a hole where the device can. */
  zero(at: number, lengthBytes: number): Promise<void>;
  /** Returns once everything written is durable. */
  flush(): Promise<void>;
}

/** `lengthBytes` bytes from `at` on, in a new buffer. */
export async function readBytes(
  reader: BlockReader,
  at: number,
  lengthBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const into = new Uint8Array(lengthBytes);
  await reader.read(at, into);
  return into;
}
