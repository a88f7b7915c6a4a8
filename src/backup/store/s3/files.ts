import { createHash } from "node:crypto";
import type { S3mini, UploadPart } from "s3mini";
import { Failure } from "../../../base/index.ts";
import { refuseOutside, type BlockReader } from "../../../device/index.ts";
import type { StoreWriter } from "../backup-store.ts";
import { tryAgain, usualWaitsMs } from "../retrying-store.ts";
import { s3Failure } from "./failure.ts";

/** An object, and how messages call it. */
export interface S3File {
  readonly s3: S3mini;
  readonly key: string;
  readonly name: string;
}

export class S3Reader implements BlockReader {
  readonly sizeBytes: number;
  readonly #file: S3File;

  constructor(file: S3File, sizeBytes: number) {
    this.#file = file;
    this.sizeBytes = sizeBytes;
  }

  async read(at: number, into: Uint8Array): Promise<void> {
    const { s3, key, name } = this.#file;
    refuseOutside(name, this.sizeBytes, at, into.length);
    if (into.length === 0) return;
    let done = 0;
    try {
      const response = await s3.getObjectRaw(key, false, at, at + into.length);
      for await (const chunk of response.body ?? []) {
        if (done + chunk.length > into.length) throw moreThanAsked(name);
        into.set(chunk, done);
        done += chunk.length;
      }
    } catch (error) {
      throw s3Failure(`cannot read "${name}"`, error);
    }
    if (done < into.length) refuseOutside(name, at + done, at, into.length); // replaced by a shorter one
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

function moreThanAsked(name: string): Failure {
  return new Failure("failed", `cannot read "${name}": the server sends more than it was asked for`);
}

/** Every store takes parts of this length; of one object at most so many. */
const partBytes = 16 * 1024 * 1024;
const partCountLimit = 10_000;
export const largestObjectBytes = partBytes * partCountLimit;
/** As many parts are sent at a time; each is held in memory until the server has it. */
const partsUnderWay = 3;

/** Sent in parts; what is there in the end is asked for. An object appears as a whole. */
export class S3Writer implements StoreWriter {
  readonly #file: S3File;
  readonly #parts: UploadPart[] = [];
  readonly #sending = new Set<Promise<void>>();
  #uploadId: string | undefined;
  #part = Buffer.allocUnsafeSlow(partBytes);
  #filled = 0;
  #sent = 0;
  #lengthBytes = 0;
  #isOver = false;
  #failure: Error | undefined;

  constructor(file: S3File) {
    this.#file = file;
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      if (this.#filled === partBytes) await this.#send();
      const count = Math.min(bytes.length - done, partBytes - this.#filled);
      this.#part.set(bytes.subarray(done, done + count), this.#filled);
      this.#filled += count;
      this.#lengthBytes += count;
      done += count;
    }
  }

  async commit(): Promise<void> {
    const { s3, key, name } = this.#file;
    if (this.#uploadId === undefined) {
      await putObject(this.#file, this.#part.subarray(0, this.#filled));
      this.#isOver = true;
      return;
    }
    if (this.#filled > 0) await this.#send();
    await Promise.all(this.#sending);
    this.#refuseFailed();
    try {
      await s3.completeMultipartUpload(
        key,
        this.#uploadId,
        this.#parts.toSorted((a, b) => a.partNumber - b.partNumber),
      );
      this.#isOver = true;
      const stored = await s3.getContentLength(key);
      if (stored === this.#lengthBytes) return;
      throw new Failure("failed", `cannot write "${name}": the server has ${stored} bytes of ${this.#lengthBytes}`);
    } catch (error) {
      throw s3Failure(`cannot write "${name}"`, error);
    }
  }

  /** Sends what was gathered, while the next part is. */
  async #send(): Promise<void> {
    const { s3, key, name } = this.#file;
    const number = ++this.#sent;
    if (number > partCountLimit) {
      throw new Failure("unsupported", `cannot write "${name}": it takes more than ${partCountLimit} parts`, {
        hint: "give a smaller --volume-size",
      });
    }
    const bytes = this.#part.subarray(0, this.#filled);
    this.#part = Buffer.allocUnsafeSlow(partBytes);
    this.#filled = 0;
    try {
      this.#uploadId ??= await s3.getMultipartUploadId(key, "application/octet-stream");
    } catch (error) {
      throw s3Failure(`cannot write "${name}"`, error);
    }
    const uploadId = this.#uploadId;
    const sending = this.#sendPart(uploadId, bytes, number)
      .catch((error: unknown) => {
        this.#failure ??= error instanceof Error ? error : new Error(String(error));
      })
      .finally(() => this.#sending.delete(sending));
    this.#sending.add(sending);
    while (this.#sending.size >= partsUnderWay) await Promise.race(this.#sending);
    this.#refuseFailed();
  }

  async #sendPart(uploadId: string, bytes: Buffer, number: number): Promise<void> {
    const { s3, key, name } = this.#file;
    await tryAgain(usualWaitsMs, async () => {
      try {
        this.#parts.push(await s3.uploadPart(key, uploadId, bytes, number, {}, undefined, sumOf(bytes)));
      } catch (error) {
        throw s3Failure(`cannot write "${name}"`, error);
      }
    });
  }

  #refuseFailed(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#sending);
    if (this.#isOver || this.#uploadId === undefined) return;
    try {
      await this.#file.s3.abortMultipartUpload(this.#file.key, this.#uploadId);
    } catch {
      // What failed before is what the user has to hear; parts that stay behind are not seen as a file.
    }
  }
}

/** The server compares it with what has arrived. */
function sumOf(bytes: Uint8Array): { readonly "x-amz-content-sha256": string } {
  return { "x-amz-content-sha256": createHash("sha256").update(bytes).digest("hex") };
}

export async function putObject({ s3, key, name }: S3File, bytes: Uint8Array): Promise<void> {
  try {
    const type = "application/octet-stream";
    await s3.putObject(key, Buffer.from(bytes), type, undefined, sumOf(bytes), bytes.length);
  } catch (error) {
    throw s3Failure(`cannot write "${name}"`, error);
  }
}
