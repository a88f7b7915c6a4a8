import * as fs from "node:fs";
import { createRequire } from "node:module";
import * as path from "node:path";
import { Failure } from "../../base/index.ts";
import { FileDevice, FileReader, OverlayDevice, type BlockDevice } from "../../device/index.ts";
import type { Machine } from "./machine.ts";
import type { MachineDisk, MachineRequest } from "./machine-request.ts";
import { connectTerminal } from "./v86-terminal.ts";

/** Where packages put SeaBIOS and its counterpart for screens. */
const biosFolders = ["/usr/share/seabios", "/usr/share/qemu", "/usr/share/qemu/firmware"];
const vgaMemoryBytes = 8 * 2 ** 20;
/** It has no more than 32 bits, and takes what it is given at once. */
const memoryLimitBytes = 512 * 2 ** 20;

/**
 * Starts a PC inside this process: 32 bits, BIOS, one disk, no network. For where QEMU is not installed. Throws
 * `unsupported` for what it cannot be, `not-found` where there is no SeaBIOS.
 */
export async function startV86(request: MachineRequest): Promise<Machine> {
  const [disk] = request.disks;
  if (disk === undefined || whyNotV86(request) !== undefined) {
    throw new Failure("unsupported", `cannot run the machine without QEMU: ${whyNotV86(request) ?? "it has no disk"}`);
  }
  const [bios, vgaBios] = [readBios("bios.bin"), readBios("vgabios-stdvga.bin")];
  await using stack = new AsyncDisposableStack();
  const device = await openDevice(disk, stack);
  const { V86 } = await import("v86");
  const emulator = new V86({
    wasm_path: path.join(path.dirname(createRequire(import.meta.url).resolve("v86")), "v86.wasm"),
    memory_size: powerOfTwoBelow(Math.min(request.memoryBytes, memoryLimitBytes)),
    vga_memory_size: vgaMemoryBytes,
    bios: { buffer: bios },
    vga_bios: { buffer: vgaBios },
    hda: new LoadedDisk(device) as unknown as { buffer: ArrayBuffer }, // it takes anything that reads and writes
    autostart: true,
  });
  stack.defer(() => emulator.destroy());
  const serial = new ByteQueue();
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  emulator.add_listener("emulator-stopped", () => resolve());
  if (request.serial === "terminal") stack.use(connectTerminal(emulator, resolve));
  else emulator.add_listener("serial0-output-byte", (byte) => serial.add(byte));
  const open = stack.move();
  return {
    acceleration: "v86",
    serial,
    ended,
    type: (text) => emulator.serial0_send(text),
    screenshot: noScreen,
    screen: noScreen,
    async [Symbol.asyncDispose]() {
      await open.disposeAsync();
      serial.end();
      resolve();
    },
  };
}

async function noScreen(): Promise<never> {
  throw new Failure("unsupported", "cannot take a screenshot without QEMU: install it");
}

/** Why a machine needs QEMU; undefined where v86 may do. */
export function whyNotV86({ architecture, firmware, firmwareText, disks, window }: MachineRequest): string | undefined {
  if (architecture !== "x86_64") return `it is for ${architecture}`;
  if (firmware !== "bios") return "it starts by UEFI";
  if (window) return "it is to have a window";
  if (firmwareText !== undefined) return "its firmware is to pass a text on";
  if (disks.some(({ format }) => format !== "raw")) return "its disk is no plain one";
  return disks.some(({ bus }) => bus === "cd") ? "it starts from a disc" : undefined;
}

function readBios(name: string): ArrayBuffer {
  const file = biosFolders.map((folder) => path.join(folder, name)).find((one) => fs.existsSync(one));
  if (file === undefined) {
    throw new Failure("not-found", `cannot run the machine: neither QEMU nor SeaBIOS ("${name}") is installed`, {
      hint: "install QEMU; Debian's package is qemu-system-x86",
    });
  }
  return new Uint8Array(fs.readFileSync(file)).buffer;
}

async function openDevice({ path: file, snapshot }: MachineDisk, stack: AsyncDisposableStack): Promise<BlockDevice> {
  if (snapshot) return stack.use(new OverlayDevice(stack.use(await FileReader.open(file))));
  const device = stack.use(await FileDevice.openExclusively(file));
  stack.defer(() => device.flush());
  return device;
}

function powerOfTwoBelow(value: number): number {
  return 2 ** Math.floor(Math.log2(value));
}

/** A device as v86 uses its disks. Reads and writes are done one after another, in the order in which they come. */
class LoadedDisk {
  readonly byteLength: number;
  onload: ((event: object) => void) | undefined;
  readonly #device: BlockDevice;
  #last: Promise<void> = Promise.resolve();
  #cached: Uint8Array | undefined;

  constructor(device: BlockDevice) {
    this.#device = device;
    this.byteLength = device.sizeBytes;
  }

  load(): void {
    this.onload?.({});
  }

  get(at: number, lengthBytes: number, done: (bytes: Uint8Array) => void): void {
    const bytes = new Uint8Array(lengthBytes);
    this.#then(async () => {
      await this.#device.read(at, bytes);
      done(bytes);
    });
  }

  set(at: number, bytes: Uint8Array, done: () => void): void {
    const kept = bytes.slice();
    this.#then(async () => {
      await this.#device.write(at, kept);
      done();
    });
  }

  /** The first sector, before the start: v86 looks into it for the geometry. */
  get_and_cache(at: number, lengthBytes: number, done: (bytes: Uint8Array) => void): void {
    this.get(at, lengthBytes, (bytes) => {
      this.#cached = bytes;
      done(bytes);
    });
  }

  get_from_cache(): Uint8Array | undefined {
    return this.#cached;
  }

  get_buffer(done: (buffer?: ArrayBuffer) => void): void {
    done(); // all of it is more than memory holds
  }

  /** A disk that fails is one that does not answer: the system in the machine notices. */
  #then(work: () => Promise<void>): void {
    this.#last = this.#last.then(work).catch(() => undefined);
  }
}

/** Bytes that come singly, given in pieces. */
class ByteQueue implements AsyncIterable<Uint8Array> {
  readonly #bytes: number[] = [];
  #isAtEnd = false;
  #wake = Promise.withResolvers<void>();

  add(byte: number): void {
    this.#bytes.push(byte);
    this.#wake.resolve();
  }

  end(): void {
    this.#isAtEnd = true;
    this.#wake.resolve();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
    for (;;) {
      await this.#wake.promise;
      this.#wake = Promise.withResolvers<void>();
      if (this.#bytes.length > 0) yield Uint8Array.from(this.#bytes.splice(0));
      if (this.#isAtEnd) return;
    }
  }
}
