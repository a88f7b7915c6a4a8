import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { Failure, findProgram } from "../../base/index.ts";
import { readBytes, SliceReader, type BlockReader } from "../../device/index.ts";
import { decompress } from "../../tree/index.ts";
import { readChunks, type BackupStore } from "../store/index.ts";
import { readGzipTable } from "./gzip-table.ts";
import { readSeekTable, type SeekTable } from "./seek-table.ts";
import { frameDecoders, FrameReader, unpackFrames, type FrameDecoder } from "./unpack-frames.ts";
import { readXzTable } from "./xz-table.ts";
import { VolumeReader, type Volume } from "./volumes.ts";

/** Compressed data in volumes. */
export interface PackedData {
  readonly store: BackupStore;
  readonly volumes: readonly Volume[];
  /** As Clonezilla names it in file names: `zst`; absent where only the first bytes tell. */
  readonly packed: string | undefined;
  /** For messages. */
  readonly name: string;
  /** Where programs are looked for. */
  readonly env: NodeJS.ProcessEnv;
}

/** The content of compressed data from its first to its last byte. */
export interface UnpackedData extends AsyncDisposable {
  readonly packedBytes: number;
  /** A chunk is valid until the next one is asked for. */
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** What the names mean: read here, or by a program that is installed. */
const formats: Readonly<Record<string, string>> = { gz: "gzip", xz: "xz", zst: "zstd", lz4: "lz4" };
const programs: Readonly<Record<string, readonly [string, ...string[]]>> = {
  bz2: ["bzip2", "-dc"],
  lzo: ["lzop", "-dc"],
  lzma: ["xz", "--format=lzma", "-dc"],
  lzip: ["lzip", "-dc"],
};

/** How each begins. Of lzma alone, which has no mark: its usual properties, and a dictionary of whole pages. */
const magics: readonly (readonly [packed: string, magic: RegExp])[] = [
  ["gz", /^1f8b/],
  ["bz2", /^425a68/],
  ["xz", /^fd377a585a00/],
  ["zst", /^(28b52ffd|5.2a4d18)/],
  ["lz4", /^(04224d18|02214c18)/],
  ["lzo", /^894c5a4f000d0a1a0a/],
  ["lzip", /^4c5a4950/],
  ["lrz", /^4c525a49/],
  ["lzma", /^5d0000..../],
];
const magicBytes = 9;

/** What old names do not tell. */
async function packedByMagic(reader: BlockReader): Promise<string> {
  const first = await readBytes(reader, 0, Math.min(magicBytes, reader.sizeBytes));
  const hex = Buffer.from(first).toString("hex");
  return magics.find(([, magic]) => magic.test(hex))?.[0] ?? "uncomp";
}

/** Opens compressed data to be read once. `onRead` hears how much of it was taken. */
export async function openUnpacked(data: PackedData, onRead: (bytes: number) => void): Promise<UnpackedData> {
  await using stack = new AsyncDisposableStack();
  const reader = stack.use(new CountingReader(new VolumeReader(data.store, data.volumes), onRead));
  const chunks = await chunksOf(reader, data);
  const open = stack.move();
  return { packedBytes: reader.sizeBytes, chunks, [Symbol.asyncDispose]: () => open.disposeAsync() };
}

async function chunksOf(reader: BlockReader, data: PackedData): Promise<AsyncIterable<Uint8Array>> {
  const packed = data.packed ?? (await packedByMagic(reader));
  if (packed === "uncomp") return readChunks(reader);
  const format = formats[packed];
  if (format === undefined) return throughProgram(reader, { ...data, packed });
  const framed = await framesOf(reader, packed);
  if (framed?.isQuick === true) return unpackFrames(reader, framed.table, framed.decode);
  const found = await decompress(readChunks(reader), data.name);
  if (format === found.format) return found.chunks;
  throw new Failure("damaged", `cannot read "${data.name}": it does not begin as ${format} does`);
}

/**
 * Opens compressed data to be read anywhere; undefined where that would take unpacking all that is in front. It is the
 * caller's to close.
 */
export async function openAnywhere(data: PackedData): Promise<BlockReader | undefined> {
  await using stack = new AsyncDisposableStack();
  const reader = stack.use(new VolumeReader(data.store, data.volumes));
  const packed = data.packed ?? (await packedByMagic(reader));
  const framed = await framesOf(reader, packed);
  if (packed !== "uncomp" && framed === undefined) return undefined;
  stack.move();
  return framed === undefined ? reader : new FrameReader(reader, framed.table, framed.decode);
}

interface Framed {
  readonly table: SeekTable;
  readonly decode: FrameDecoder;
  /** Node unpacks it in threads, several frames at a time. */
  readonly isQuick: boolean;
}

/** The frames of data that has a table of them. */
async function framesOf(reader: BlockReader, packed: string): Promise<Framed | undefined> {
  const readers = { zst: readSeekTable, gz: readGzipTable, lz4: readSeekTable, xz: readXzTable } as const;
  if (!(packed === "zst" || packed === "gz" || packed === "lz4" || packed === "xz")) return undefined;
  const table = await readers[packed](reader);
  return table && { table, decode: frameDecoders[packed], isQuick: packed === "zst" || packed === "gz" };
}

const keySampleBytes = 64 * 1024;

/** What tells data from all other, with little of it read: names, sizes and times of its files, both ends of it. */
export async function contentKey({ store, volumes, packed }: PackedData): Promise<string> {
  await using reader = new VolumeReader(store, volumes);
  const hash = createHash("sha256").update(`1 ${packed ?? ""}\n`);
  for (const volume of volumes) {
    const modifiedMs = (await store.find(volume.path))?.modifiedMs ?? 0;
    // Whole seconds: copies keep no more on many file systems.
    hash.update(`${volume.path} ${volume.sizeBytes} ${Math.floor(modifiedMs / 1000)}\n`);
  }
  const sampleBytes = Math.min(keySampleBytes, reader.sizeBytes);
  for (const at of [0, reader.sizeBytes - sampleBytes]) hash.update(await readBytes(reader, at, sampleBytes));
  return hash.digest("hex").slice(0, 32);
}

/** What an installed program makes of the data. */
async function* throughProgram(
  reader: BlockReader,
  { packed, name, env }: { readonly packed: string; readonly name: string; readonly env: NodeJS.ProcessEnv },
): AsyncGenerator<Uint8Array, void, void> {
  const [program, ...words] = programs[packed] ?? [];
  if (program === undefined) {
    throw new Failure("unsupported", `cannot read "${name}": it is compressed as "${packed}", which is not read`, {
      hint:
        packed === "lrz"
          ? "unpack it with lrunzip, and call the result ….uncomp"
          : "is the folder a newer Clonezilla's?",
    });
  }
  const path = findProgram(program, env);
  if (path === undefined) {
    throw new Failure("unsupported", `cannot read "${name}": it takes the program ${program}, which is not installed`, {
      hint: `install ${program === "xz" ? "xz-utils" : program}`,
    });
  }
  const child = spawn(path, words, { stdio: ["pipe", "pipe", "ignore"] });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  ended.catch(() => undefined); // looked at below
  child.stdin.on("error", () => undefined); // it stopped reading; its status says why
  const feeding = feed(reader, child.stdin);
  feeding.catch(() => child.kill());
  try {
    yield* child.stdout as AsyncIterable<Uint8Array>;
    await feeding;
    if ((await ended) === 0) return;
  } finally {
    child.kill();
    await Promise.allSettled([feeding, ended]);
  }
  throw new Failure("damaged", `cannot read "${name}": ${program} finds its compressed data damaged`);
}

async function feed(reader: BlockReader, to: NodeJS.WritableStream): Promise<void> {
  for await (const chunk of readChunks(reader)) {
    const isTaken = await new Promise<boolean>((resolve) => {
      const closed = (): void => resolve(false);
      to.once("close", closed);
      to.write(chunk, (error) => {
        to.off("close", closed);
        resolve(error === null || error === undefined);
      });
    });
    if (!isTaken) return;
  }
  to.end();
}

/** Tells how much is read. It owns the reader. */
class CountingReader extends SliceReader {
  readonly #inner: BlockReader;
  readonly #onRead: (bytes: number) => void;

  constructor(inner: BlockReader, onRead: (bytes: number) => void) {
    super(inner, 0, inner.sizeBytes);
    this.#inner = inner;
    this.#onRead = onRead;
  }

  override async read(at: number, into: Uint8Array): Promise<void> {
    await super.read(at, into);
    this.#onRead(into.length);
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await this.#inner[Symbol.asyncDispose]();
  }
}
