import { spawn, type ChildProcess } from "node:child_process";
import { closeSync } from "node:fs";
import * as fs from "node:fs/promises";
import * as os from "node:os";
import * as path from "node:path";
import type { Duplex } from "node:stream";
import { Failure, findProgram } from "../../base/index.ts";
import { workingAccelerator } from "./acceleration.ts";
import { findUefi } from "./firmware.ts";
import type { Machine } from "./machine.ts";
import type { MachineRequest } from "./machine-request.ts";
import { qemuArguments, qemuProgram, type QemuFacts } from "./qemu-arguments.ts";
import { QmpClient } from "./qmp-client.ts";
import { characterMemory, readPicture, withCharacters, type Screen } from "./screen.ts";
import { SerialLog } from "./serial-log.ts";

const controlFd = 3;
const stopLimitMs = 5000;
const complaintLimit = 4096;

/** Starts a virtual machine by QEMU. Throws `not-found` where a program or firmware is not installed. */
export async function startQemu(request: MachineRequest, env: NodeJS.ProcessEnv): Promise<Machine> {
  const program = findQemu(request, env);
  await using stack = new AsyncDisposableStack();
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), "holdfast-machine-"));
  stack.defer(() => fs.rm(folder, { recursive: true, force: true }));
  const facts = await prepare(request, { program, env, folder });
  const log = request.serial === "captured" ? new SerialLog(path.join(folder, "serial")) : undefined;
  const [input, output] = log === undefined ? (["inherit", "inherit"] as const) : (["pipe", log.fd] as const);
  const child = spawn(program, qemuArguments(request, facts), { stdio: [input, output, "pipe", "pipe"], env });
  const ended = endOf(child).finally(() => log?.end());
  ended.catch(() => undefined); // whoever waits for it hears of it
  if (log !== undefined) closeSync(log.fd); // QEMU has its own
  const control = new QmpClient(child.stdio[controlFd] as Duplex);
  stack.defer(() => stop(child, control, ended));
  const open = stack.move();
  child.stdin?.on("error", () => undefined); // it has been switched off
  return {
    acceleration: facts.accelerator ?? "emulation",
    serial: log ?? nothing(),
    ended,
    type: (text) => void child.stdin?.write(text),
    screenshot: async (file) => void (await control.execute("screendump", { filename: file, format: "png" })),
    screen: () => screenOf(control, folder),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

async function screenOf(control: QmpClient, folder: string): Promise<Screen> {
  const [picture, memory] = [path.join(folder, "screen.ppm"), path.join(folder, "screen.bin")];
  await control.execute("screendump", { filename: picture });
  await control.execute("pmemsave", { val: characterMemory.at, size: characterMemory.lengthBytes, filename: memory });
  return withCharacters(readPicture(await fs.readFile(picture)), await fs.readFile(memory));
}

/** Where QEMU is for a machine of this architecture. Throws `not-found` where it is not installed. */
export function findQemu({ architecture }: Pick<MachineRequest, "architecture">, env: NodeJS.ProcessEnv): string {
  const name = qemuProgram(architecture);
  const program = findProgram(name, env);
  if (program !== undefined) return program;
  throw new Failure("not-found", `cannot start a machine: ${name} is not installed`, {
    hint: `install Debian's ${architecture === "aarch64" ? "qemu-system-arm" : "qemu-system-x86"}, or QEMU from your system's packages`,
  });
}

async function prepare(
  request: MachineRequest,
  { program, env, folder }: { readonly program: string; readonly env: NodeJS.ProcessEnv; readonly folder: string },
): Promise<QemuFacts> {
  const { architecture, firmware, secureBoot = false } = request;
  const accelerator =
    request.accelerate && architecture === "x86_64" ? await workingAccelerator(program, env) : undefined;
  const facts = { controlFd, ...(accelerator === undefined ? {} : { accelerator }) };
  if (firmware === "bios") return facts;
  const uefi = findUefi({ architecture, secureBoot, env });
  const variablesPath = path.join(folder, "variables.fd");
  await fs.copyFile(uefi.variablesPath, variablesPath);
  await fs.chmod(variablesPath, 0o600); // where the original may not be written to
  return { ...facts, uefi, variablesPath };
}

function endOf(child: ChildProcess): Promise<void> {
  let complaint = "";
  child.stderr?.setEncoding("utf8");
  child.stderr?.on("data", (text: string) => (complaint = (complaint + text).slice(-complaintLimit)));
  return new Promise((resolve, reject) => {
    child.on("error", (error) =>
      reject(new Failure("failed", `cannot start QEMU: ${error.message}`, { cause: error })),
    );
    child.on("close", (status, signal) => {
      if (status === 0 || signal !== null) resolve();
      else reject(failureOf(complaint, status));
    });
  });
}

function failureOf(complaint: string, status: number | null): Failure {
  if (/Failed to get .* lock/.test(complaint)) {
    return new Failure("refused", "cannot run the machine: something else uses its disk", {
      hint: "end that first; a machine that runs is no good to copy from either",
    });
  }
  const lines = complaint.split("\n").filter((line) => line.trim() !== "" && !line.includes(": warning: "));
  const last = lines.at(-1)?.replace(/^qemu-system-\w+: /, "");
  return new Failure("failed", `cannot run the machine: ${last ?? `QEMU ended with status ${status}`}`);
}

/** Switches it off as by its button's long press: what it has not written is lost, what QEMU holds is not. */
async function stop(child: ChildProcess, control: QmpClient, ended: Promise<void>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const limit = setTimeout(() => child.kill("SIGKILL"), stopLimitMs);
  await control.execute("quit").catch(() => child.kill("SIGKILL"));
  await ended.catch(() => undefined);
  clearTimeout(limit);
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
