import { alignedBuffer, type BlockDevice } from "../device/index.ts";

const bufferBytes = 4 * 1024 * 1024;
const bufferCount = 3;

/**
 * Writes that mostly follow one another, gathered into large ones; the device works on one buffer while the
 * next is filled. What lies past the limit is let go: its maker has counted it and will say so.
 */
export class CoalescingWriter {
  readonly #device: BlockDevice;
  readonly #limitBytes: number;
  readonly #free: Uint8Array[];
  #buffer: Uint8Array;
  #start = 0;
  #length = 0;
  readonly #inFlight: Promise<Uint8Array>[] = [];

  constructor(device: BlockDevice, limitBytes: number) {
    this.#device = device;
    this.#limitBytes = limitBytes;
    this.#buffer = alignedBuffer(bufferBytes);
    this.#free = Array.from({ length: bufferCount - 1 }, () => alignedBuffer(bufferBytes));
  }

  /**
   * Takes over `bytes` for the place `at`. Where that needs no waiting the result is undefined, so that callers
   * with many small pieces wait only when there is something to wait for; the bytes are copied either way
   * before the promise is settled.
   */
  put(at: number, bytes: Uint8Array): Promise<void> | undefined {
    if (at >= this.#limitBytes) return undefined;
    if (at === this.#start + this.#length && this.#length + bytes.length <= bufferBytes) {
      this.#buffer.set(bytes, this.#length);
      this.#length += bytes.length;
      return undefined;
    }
    return this.#putSlowly(at, bytes);
  }

  /** Returns once everything taken over is with the device. */
  async drain(): Promise<void> {
    await this.#send();
    while (this.#inFlight.length > 0) await this.#reclaim();
  }

  /** Returns once the device has nothing of it in hand, whatever became of it: for who gives up. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#inFlight);
  }

  async #putSlowly(at: number, bytes: Uint8Array): Promise<void> {
    if (at !== this.#start + this.#length) {
      await this.#send();
      this.#start = at;
    }
    for (let done = 0; done < bytes.length;) {
      if (this.#length === bufferBytes) await this.#send();
      const count = Math.min(bytes.length - done, bufferBytes - this.#length);
      this.#buffer.set(bytes.subarray(done, done + count), this.#length);
      this.#length += count;
      done += count;
    }
  }

  async #send(): Promise<void> {
    if (this.#length === 0) return;
    const full = this.#buffer;
    const written = this.#device.write(this.#start, full.subarray(0, this.#length)).then(() => full);
    written.catch(() => {}); // reported when its buffer is wanted again
    this.#inFlight.push(written);
    this.#start += this.#length;
    this.#length = 0;
    if (this.#free.length === 0) await this.#reclaim();
    this.#buffer = this.#free.pop() ?? alignedBuffer(bufferBytes);
  }

  async #reclaim(): Promise<void> {
    const oldest = this.#inFlight.shift();
    if (oldest !== undefined) this.#free.push(await oldest);
  }
}
