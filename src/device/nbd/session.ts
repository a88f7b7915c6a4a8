import type { Duplex } from "node:stream";
import { ChunkCursor } from "../../tree/index.ts";
import type { BlockReader } from "../block-device.ts";
import {
  blockSizeInfo,
  commands,
  errors,
  exportInfo,
  greeting,
  handshakeFlags,
  infoTypes,
  magics,
  oldExport,
  optionReply,
  optionRequest,
  options,
  replyTypes,
  request,
  simpleReply,
  transmissionFlags,
} from "./records.ts";

export interface SessionOptions {
  /** What clients may call it; the empty name does as well. */
  readonly exportName: string;
  /** Hears of what could not be read; the client gets an input/output error. */
  readonly onError?: (error: unknown) => void;
}

/** An option is a name and a few numbers. */
const optionLimitBytes = 8192;
/** What every server has to take (proto.md, "Size limits"). */
const readLimitBytes = 32 * 1024 * 1024;
const preferredBytes = 4096;
/** So many reads of one client are under way at once. */
const readsUnderWay = 8;
const oldPaddingBytes = 124;

/** Serves one client until it leaves, or says what no client says. */
export async function serveClient(socket: Duplex, reader: BlockReader, settings: SessionOptions): Promise<void> {
  const session = new Session(socket, reader, settings);
  socket.write(
    greeting.encode({
      magic: magics.greeting,
      optionMagic: magics.option,
      flags: handshakeFlags.fixedNewstyle | handshakeFlags.noZeroes,
    }),
  );
  if (await session.negotiate()) await session.transmit();
}

class Session {
  readonly #socket: Duplex;
  readonly #reader: BlockReader;
  readonly #settings: SessionOptions;
  readonly #cursor: ChunkCursor;
  readonly #reads = new Set<Promise<void>>();

  constructor(socket: Duplex, reader: BlockReader, settings: SessionOptions) {
    this.#socket = socket;
    this.#reader = reader;
    this.#settings = settings;
    this.#cursor = new ChunkCursor(socket as AsyncIterable<Uint8Array>);
  }

  /** True once the client has chosen what is served. */
  async negotiate(): Promise<boolean> {
    const clientFlags = (await this.#take(4))?.readUInt32BE();
    if (clientFlags === undefined) return false;
    for (;;) {
      const head = await this.#take(optionRequest.sizeBytes);
      if (head === undefined) return false;
      const { magic, option, lengthBytes } = optionRequest.decode(head);
      if (magic !== magics.option || lengthBytes > optionLimitBytes) return false;
      const data = await this.#take(lengthBytes);
      if (data === undefined) return false;
      if (option === options.exportName) return this.#startOld(data.toString(), clientFlags);
      if (this.#answer(option, data)) return true;
      if (option === options.abort) return false;
    }
  }

  /** Answers requests, several at a time, until the client is gone. */
  async transmit(): Promise<void> {
    for (;;) {
      const head = await this.#take(request.sizeBytes);
      if (head === undefined) break;
      const { magic, type, cookie, at, lengthBytes } = request.decode(head);
      if (magic !== magics.request || type === commands.disconnect) break;
      if (type === commands.write && !(await this.#cursor.skip(lengthBytes))) break;
      if (type !== commands.read) {
        const isChange = type === commands.write || type === commands.trim || type === commands.writeZeroes;
        this.#reply(cookie, type === commands.flush ? 0 : isChange ? errors.notPermitted : errors.invalid);
        continue;
      }
      while (this.#reads.size >= readsUnderWay) await Promise.race(this.#reads);
      const read = this.#read(cookie, at, lengthBytes).finally(() => this.#reads.delete(read));
      this.#reads.add(read);
    }
    await Promise.all(this.#reads);
  }

  async #read(cookie: bigint, at: bigint, lengthBytes: number): Promise<void> {
    const isInside = at + BigInt(lengthBytes) <= BigInt(this.#reader.sizeBytes);
    if (!isInside || lengthBytes > readLimitBytes) return this.#reply(cookie, errors.invalid);
    const bytes = Buffer.allocUnsafeSlow(lengthBytes);
    try {
      await this.#reader.read(Number(at), bytes);
    } catch (error) {
      this.#settings.onError?.(error);
      return this.#reply(cookie, errors.inputOutput);
    }
    this.#reply(cookie, 0);
    await this.#send(bytes);
  }

  #reply(cookie: bigint, error: number): void {
    this.#socket.write(simpleReply.encode({ magic: magics.simpleReply, error, cookie }));
  }

  /** Waits for a client that reads slower than it asks. */
  #send(bytes: Buffer): Promise<void> {
    return new Promise((resolve) => this.#socket.write(bytes, () => resolve()));
  }

  async #take(lengthBytes: number): Promise<Buffer | undefined> {
    if (!(await this.#cursor.ensure(lengthBytes))) return undefined;
    const { buffer, at } = this.#cursor;
    this.#cursor.at += lengthBytes;
    return Buffer.from(buffer.subarray(at, at + lengthBytes));
  }

  #startOld(name: string, clientFlags: number): boolean {
    if (!this.#isServed(name)) return false; // there is no other way to say so
    const { sizeBytes } = this.#reader;
    this.#socket.write(oldExport.encode({ sizeBytes, flags: transmissionFlags }));
    if ((clientFlags & handshakeFlags.noZeroes) === 0) this.#socket.write(Buffer.alloc(oldPaddingBytes));
    return true;
  }

  #isServed(name: string): boolean {
    return name === "" || name === this.#settings.exportName;
  }

  /** True where the client goes on to transmission. */
  #answer(option: number, data: Buffer): boolean {
    const reply = (type: number, bytes: Uint8Array = Buffer.alloc(0)): boolean => {
      const head = { magic: magics.optionReply, option, type, lengthBytes: bytes.length };
      return this.#socket.write(Buffer.concat([optionReply.encode(head), bytes]));
    };
    if (option === options.info || option === options.go) return this.#describe(option, data, reply);
    if (option === options.list) {
      const name = Buffer.from(this.#settings.exportName);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(name.length);
      reply(replyTypes.server, Buffer.concat([length, name]));
    }
    const isKnown = option === options.list || option === options.abort;
    reply(isKnown ? replyTypes.acknowledged : replyTypes.unsupported);
    return false;
  }

  /** NBD_OPT_INFO and NBD_OPT_GO: a name, and which facts are wanted; all are given. */
  #describe(option: number, data: Buffer, reply: (type: number, bytes?: Uint8Array) => boolean): boolean {
    const nameLength = data.length < 6 ? Infinity : data.readUInt32BE();
    if (4 + nameLength + 2 > data.length) {
      reply(replyTypes.invalid);
      return false;
    }
    if (!this.#isServed(data.toString("utf8", 4, 4 + nameLength))) {
      reply(replyTypes.unknown);
      return false;
    }
    const { sizeBytes } = this.#reader;
    reply(replyTypes.info, exportInfo.encode({ type: infoTypes.export, sizeBytes, flags: transmissionFlags }));
    const sizes = { minimumBytes: 1, preferredBytes, maximumBytes: readLimitBytes };
    reply(replyTypes.info, blockSizeInfo.encode({ type: infoTypes.blockSize, ...sizes }));
    reply(replyTypes.acknowledged);
    return option === options.go;
  }
}
