import type { Stats } from "ssh2";
import type { BlockReader } from "../../../device/index.ts";
import { refuseOutside } from "../../../device/index.ts";
import { nameIn, unfinishedEnding, type StoreWriter } from "../backup-store.ts";
import type { SftpConnection } from "./connection.ts";

/** What files need of the store that they are in. */
export interface Remote {
  readonly name: string;
  path(path: string): string;
  exists(path: string): Error;
  failure(action: string, path: string, error: unknown): Promise<unknown>;
}

/** Every server takes so much in one request: draft-ietf-secsh-filexfer-02 §3. */
const requestBytes = 32 * 1024;
/** As many are under way at a time as fill the window of a channel, 2 MiB. */
const requestsUnderWay = 64;

/** Splits a stretch into requests and has several of them answered at a time. */
async function inRequests(lengthBytes: number, work: (at: number, count: number) => Promise<void>): Promise<void> {
  let next = 0;
  let isBroken = false;
  const worker = async (): Promise<void> => {
    while (next < lengthBytes && !isBroken) {
      const at = next;
      const count = Math.min(requestBytes, lengthBytes - at);
      next += count;
      try {
        await work(at, count);
      } catch (error) {
        isBroken = true;
        throw error;
      }
    }
  };
  const workers = Array.from({ length: Math.min(requestsUnderWay, Math.ceil(lengthBytes / requestBytes)) }, worker);
  await Promise.allSettled(workers); // the buffer is not to be touched once this has failed
  await Promise.all(workers);
}

export class SftpReader implements BlockReader {
  readonly sizeBytes: number;
  readonly #remote: Remote;
  readonly #connection: SftpConnection;
  readonly #path: string;
  readonly #handle: Buffer;

  private constructor(remote: Remote, connection: SftpConnection, path: string, opened: [Buffer, number]) {
    this.#remote = remote;
    this.#connection = connection;
    this.#path = path;
    [this.#handle, this.sizeBytes] = opened;
  }

  static async open(remote: Remote, connection: SftpConnection, path: string): Promise<SftpReader> {
    const handle = await connection.call<Buffer>((sftp, done) => sftp.open(remote.path(path), "r", done));
    const { size } = await connection.call<Stats>((sftp, done) => sftp.fstat(handle, done));
    return new SftpReader(remote, connection, path, [handle, size]);
  }

  async read(at: number, into: Uint8Array): Promise<void> {
    refuseOutside(nameIn(this.#remote, this.#path), this.sizeBytes, at, into.length);
    const buffer = Buffer.from(into.buffer, into.byteOffset, into.length);
    try {
      await inRequests(into.length, (from, count) => this.#fill(buffer, from, at + from, count));
    } catch (error) {
      throw await this.#remote.failure("read", this.#path, error);
    }
  }

  /** A server may give less than it was asked for. */
  async #fill(buffer: Buffer, from: number, at: number, count: number): Promise<void> {
    for (let done = 0; done < count;) {
      const got = await this.#connection.call<number>((sftp, answer) => {
        sftp.read(this.#handle, buffer, from + done, count - done, at + done, answer);
      });
      // It has become shorter while it was read.
      if (got === 0) refuseOutside(nameIn(this.#remote, this.#path), at + done, at, count);
      done += got;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#connection.isLost) return;
    await this.#connection.call((sftp, done) => sftp.close(this.#handle, done)).catch(() => undefined); // was read only
  }
}

/** Written beside its name, and renamed to it. */
export class SftpWriter implements StoreWriter {
  readonly #remote: Remote;
  readonly #connection: SftpConnection;
  readonly #path: string;
  readonly #handle: Buffer;
  #length = 0;
  #isClosed = false;
  #isCommitted = false;

  private constructor(remote: Remote, connection: SftpConnection, path: string, handle: Buffer) {
    this.#remote = remote;
    this.#connection = connection;
    this.#path = path;
    this.#handle = handle;
  }

  /** What a run that was cut off has left under the unfinished name is overwritten. */
  static async create(remote: Remote, connection: SftpConnection, path: string): Promise<SftpWriter> {
    const handle = await connection.call<Buffer>((sftp, done) => {
      sftp.open(remote.path(path) + unfinishedEnding, "w", done);
    });
    return new SftpWriter(remote, connection, path, handle);
  }

  async write(bytes: Uint8Array): Promise<void> {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    const start = this.#length;
    await this.#do(async () => {
      await inRequests(bytes.length, (from, count) => {
        return this.#connection.call((sftp, done) => {
          sftp.write(this.#handle, buffer, from, count, start + from, (error) => done(error));
        });
      });
    });
    this.#length += bytes.length;
  }

  async commit(): Promise<void> {
    const target = this.#remote.path(this.#path);
    await this.#do(async () => {
      await this.#sync();
      await this.#close();
      await this.#connection.call((sftp, done) => {
        sftp.rename(target + unfinishedEnding, target, (error) => done(error));
      });
    });
    this.#isCommitted = true;
  }

  async #do(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      throw await this.#remote.failure("write", this.#path, error);
    }
  }

  /** An extension of OpenSSH; other servers have to be trusted. */
  async #sync(): Promise<void> {
    await this.#connection.call((sftp, done) => {
      try {
        sftp.ext_openssh_fsync(this.#handle, (error) => done(error));
      } catch {
        done(undefined, undefined);
      }
    });
  }

  async #close(): Promise<void> {
    this.#isClosed = true;
    await this.#connection.call((sftp, done) => sftp.close(this.#handle, (error) => done(error)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isCommitted || this.#connection.isLost) return;
    const part = this.#remote.path(this.#path) + unfinishedEnding;
    try {
      if (!this.#isClosed) await this.#close();
      await this.#connection.call((sftp, done) => sftp.unlink(part, (error) => done(error)));
    } catch {
      // What has failed before is what the user has to hear.
    }
  }
}
