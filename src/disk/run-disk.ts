import * as fs from "node:fs";
import { Failure, OutputFile, stopIfAborted, type JobOptions } from "../base/index.ts";
import { FileDevice, FileReader, readBytes } from "../device/index.ts";
import type { ImageOpener } from "./open-disk.ts";
import { howItStarts, type HowItStarts } from "./how-it-starts.ts";
import {
  SerialText,
  startMachine,
  type DiskBus,
  type Machine,
  type MachineFirmware,
  type MachineRequest,
  type PortForward,
  type Screen,
} from "./machine/index.ts";

/** How to start a disk in a virtual machine. What is absent follows from the disk. */
export interface RunDiskRequest {
  readonly path: string;
  /** What stands for a file or device of that path: how its bytes are looked at, and what QEMU opens in its stead. */
  readonly image?: { readonly open: ImageOpener; readonly address: string };
  readonly firmware?: MachineFirmware;
  readonly secureBoot: boolean;
  /** Changes are forgotten at the end. */
  readonly snapshot: boolean;
  readonly bus?: DiskBus;
  readonly memoryBytes: number;
  readonly cpus: number;
  /** Absent: no network. */
  readonly network?: { readonly forwards: readonly PortForward[] };
  readonly window: boolean;
  readonly accelerate: boolean;
  /** The machine's serial port is this process's terminal. */
  readonly inTerminal: boolean;
  /** The machine is switched off once its serial port has said this. */
  readonly until?: string;
  readonly timeLimitMs?: number;
  /** Where to put what the screen shows at the end, as PNG. */
  readonly screenshot?: string;
  /** What the machine's firmware tells whoever asks, as an OEM string of SMBIOS. */
  readonly firmwareText?: string;
  readonly env: NodeJS.ProcessEnv;
}

export interface RunDiskOptions extends JobOptions {
  /** Told once the machine runs. */
  readonly onStart?: (started: StartedDisk) => void;
  /** What the serial port says, unless that is the terminal: as it comes, and what can be seen of it. */
  readonly onSerial?: (bytes: Uint8Array, seen: string) => Promise<void>;
}

export interface StartedDisk {
  readonly firmware: MachineFirmware;
  /** `kvm`, `emulation`, … */
  readonly acceleration: string;
}

/** How to start a disk in a virtual machine for a program to watch. */
export type StartDiskRequest = Omit<RunDiskRequest, "until" | "timeLimitMs" | "screenshot" | "inTerminal">;

/** A disk that runs in a virtual machine until it is disposed of, or switches itself off. */
export interface RunningDisk extends AsyncDisposable, StartedDisk {
  /** What can be seen of what its serial port says, as it comes. */
  readonly said: AsyncIterable<string>;
  /** Resolves once it is switched off; throws `failed` where it could not be started. */
  readonly ended: Promise<void>;
  /** Types on its serial port. */
  type(text: string): void;
  screen(): Promise<Screen>;
  /** Writes what its screen shows, as PNG, over a file. */
  screenshot(file: string): Promise<void>;
}

/** Starts a disk in a virtual machine. Throws as `runDisk` does. */
export async function startDisk(request: StartDiskRequest): Promise<RunningDisk> {
  if (!request.snapshot) await refuseDeviceInUse(request.path);
  const machineRequest = await planMachine({ ...request, inTerminal: false });
  const machine = await startMachine(machineRequest, request.env);
  return {
    firmware: machineRequest.firmware,
    acceleration: machine.acceleration,
    said: seenOf(machine.serial),
    ended: machine.ended,
    type: (text) => machine.type(text),
    screen: () => machine.screen(),
    screenshot: (file) => machine.screenshot(file),
    [Symbol.asyncDispose]: () => machine[Symbol.asyncDispose](),
  };
}

async function* seenOf(serial: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, void> {
  const text = new SerialText();
  for await (const bytes of serial) yield text.add(bytes);
}

/** Why a machine was switched off: the text was seen, it switched itself off, or the time was over. */
export type RunEnd = "seen" | "off" | "time-limit";

/**
 * Starts a disk in a virtual machine and waits for its end. Throws `failed` where a text was waited for in vain, and
 * `unsupported` where nothing on the disk could be started.
 */
export async function runDisk(request: RunDiskRequest, options: RunDiskOptions = {}): Promise<RunEnd> {
  const { path, screenshot } = request;
  if (!request.snapshot) await refuseDeviceInUse(path);
  const machineRequest = await planMachine(request);
  await using picture = screenshot === undefined ? undefined : OutputFile.create(screenshot, { force: true });
  const text = new SerialText();
  let end: RunEnd;
  {
    await using machine = await startMachine(machineRequest, request.env);
    options.onStart?.({ firmware: machineRequest.firmware, acceleration: machine.acceleration });
    end = await waitForEnd(machine, request, { ...options, text });
    if (picture !== undefined && end !== "off") {
      await machine.screenshot(picture.partPath);
      picture.commit();
    }
  }
  stopIfAborted(options.signal);
  if (request.until !== undefined && end !== "seen") throw notSeen(request, end, text);
  if (screenshot !== undefined && end === "off") {
    throw new Failure("failed", `cannot take the screenshot "${screenshot}": the machine has switched itself off`);
  }
  return end;
}

/** A device that is mounted would be written to from two sides. QEMU itself looks after files. */
async function refuseDeviceInUse(path: string): Promise<void> {
  if (fs.statSync(path, { throwIfNoEntry: false })?.isBlockDevice() !== true) return;
  await using device = await FileDevice.openExclusively(path);
  void device;
}

async function planMachine(
  request: Omit<RunDiskRequest, "until" | "timeLimitMs" | "screenshot">,
): Promise<MachineRequest> {
  const { path, memoryBytes, cpus, window, secureBoot, snapshot, network, accelerate, inTerminal } = request;
  const { image } = request;
  const format = image === undefined ? await formatOf(path) : "raw";
  const facts = format === "raw" ? await howItStarts(path, image?.open) : unknownDisk;
  const firmware = request.firmware ?? (secureBoot ? "uefi" : facts.firmwares[0]);
  if (firmware === undefined) {
    throw new Failure("unsupported", `cannot start "${path}": it has no boot code, and no program for UEFI`, {
      hint: "make it with disk create --boot bios,uefi; --bios or --uefi start it all the same",
    });
  }
  const bus = request.bus ?? (facts.isDisc ? "cd" : facts.hasLinux ? "virtio" : "ide");
  return {
    architecture: facts.architecture,
    firmware,
    secureBoot,
    disks: [
      {
        path: image?.address ?? path,
        format,
        bus: facts.architecture === "aarch64" && bus === "ide" ? "virtio" : bus,
        snapshot,
      },
    ],
    memoryBytes,
    cpus,
    window,
    accelerate,
    serial: inTerminal ? "terminal" : "captured",
    ...(network === undefined ? {} : { network }),
    ...(request.firmwareText === undefined ? {} : { firmwareText: request.firmwareText }),
  };
}

/** Only QEMU looks into these: what most disks are is assumed. */
const unknownDisk: HowItStarts = { firmwares: ["bios"], architecture: "x86_64", isDisc: false, hasLinux: true };

const qcow2Magic = Buffer.from("QFI\u00FB", "latin1");

async function formatOf(path: string): Promise<"raw" | "qcow2"> {
  await using reader = await FileReader.open(path);
  if (reader.sizeBytes < qcow2Magic.length) return "raw";
  return qcow2Magic.equals(await readBytes(reader, 0, qcow2Magic.length)) ? "qcow2" : "raw";
}

async function waitForEnd(
  machine: Machine,
  { until, timeLimitMs, inTerminal }: RunDiskRequest,
  { signal, onSerial, text }: RunDiskOptions & { readonly text: SerialText },
): Promise<RunEnd> {
  const seen = inTerminal ? new Promise<never>(() => undefined) : watchSerial(machine, { until, onSerial, text });
  using timer = timeLimit(timeLimitMs);
  const interrupted = new Promise<RunEnd>((resolve) => {
    if (signal?.aborted === true) resolve("off");
    signal?.addEventListener("abort", () => resolve("off"), { once: true });
  });
  return await Promise.race([seen, machine.ended.then((): RunEnd => "off"), timer.over, interrupted]);
}

/** Resolves where the text is seen; where the machine ends without it, never: `ended` knows more. */
async function watchSerial(
  { serial }: Machine,
  {
    until,
    onSerial,
    text,
  }: {
    readonly until: string | undefined;
    readonly onSerial: RunDiskOptions["onSerial"];
    readonly text: SerialText;
  },
): Promise<RunEnd> {
  for await (const bytes of serial) {
    await onSerial?.(bytes, text.add(bytes));
    if (until !== undefined && text.has(until)) return "seen";
  }
  return new Promise<never>(() => undefined);
}

function timeLimit(limitMs: number | undefined): Disposable & { readonly over: Promise<RunEnd> } {
  if (limitMs === undefined) return { over: new Promise<never>(() => undefined), [Symbol.dispose]() {} };
  const { promise: over, resolve } = Promise.withResolvers<RunEnd>();
  const timer = setTimeout(resolve, limitMs, "time-limit");
  return { over, [Symbol.dispose]: () => clearTimeout(timer) };
}

function notSeen(
  { path, until = "", timeLimitMs = 0 }: RunDiskRequest,
  end: RunEnd,
  { lastLine }: SerialText,
): Failure {
  const why =
    end === "off"
      ? "the machine has switched itself off"
      : `${Math.round(timeLimitMs / 1000)} s have passed without it`;
  const hint =
    lastLine === "" ? "it said nothing: is its console on the serial port?" : `the last line was: ${lastLine}`;
  return new Failure("failed", `cannot see "${until}" on the serial port of "${path}": ${why}`, { hint });
}
