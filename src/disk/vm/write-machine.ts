import * as fs from "node:fs";
import * as path from "node:path";
import { Failure, isSystemError, OutputFile, systemReason, type JobOptions } from "../../base/index.ts";
import type { Place } from "../place.ts";
import { readFile } from "../read-file.ts";
import { readDiskFacts, type DiskFacts } from "./facts.ts";
import { libvirt } from "./libvirt.ts";
import { machineName } from "./machine-name.ts";
import { planMachine, type DirectFiles, type Machine, type MachineWishes } from "./machine.ts";
import { proxmox } from "./proxmox.ts";
import { qemu } from "./qemu.ts";
import type { Target } from "./target.ts";
import type { XenWishes } from "./xen-plan.ts";
import { xen } from "./xen.ts";

export type TargetName = "qemu" | "libvirt" | "xen" | "proxmox";

export interface MachineRequest extends Omit<MachineWishes, "direct"> {
  readonly place: Place;
  readonly target: TargetName;
  readonly xen: XenWishes;
  /** Take kernel and initrd out of the disk, to be started directly: into this folder, or beside the disk. */
  readonly direct?: { readonly folder?: string };
  /** The file for the configuration. Absent: it is only given back. */
  readonly output?: string;
  /** Replace files that are there. */
  readonly force: boolean;
}

/** A configuration that was made; field names are kept from version to version. */
export interface WrittenMachine {
  readonly target: TargetName;
  readonly name: string;
  readonly uuid: string;
  readonly disk: { readonly path: string; readonly format: string };
  readonly architecture: string;
  readonly firmware?: string;
  /** Of what was taken out of the disk. */
  readonly kernel?: { readonly version: string; readonly path: string; readonly initrd?: string };
  readonly configuration: string;
  /** Absent where the configuration is in no file. */
  readonly file?: string;
  /** What starts the machine and shows its console. */
  readonly nextSteps: readonly string[];
  readonly warnings: readonly string[];
}

/** Makes the configuration of a virtual machine for a disk. The files that it needs appear whole, or none does. */
export async function writeMachine(request: MachineRequest, job: JobOptions = {}): Promise<WrittenMachine> {
  const { place, target: targetName, output, force, direct, xen: xenWishes, ...wishes } = request;
  const target = targets[targetName](xenWishes);
  const disk = await readDiskFacts(place, { ...job, mustHaveKernel: direct !== undefined });
  const files = direct === undefined ? undefined : directFiles(disk, direct.folder);
  const machine = planMachine(disk, {
    ...wishes,
    name: machineName(target, wishes.name, disk.path),
    ...(files === undefined ? {} : { direct: files }),
  });
  const { text, usesFirmware, warnings } = target.configure(machine);

  await using stack = new AsyncDisposableStack();
  const outputs: OutputFile[] = [];
  if (files !== undefined) outputs.push(...(await extract(stack, disk, { place, files, force }, job)));
  if (output !== undefined) {
    const file = stack.use(OutputFile.create(output, { force, mode: target.isScript ? 0o777 : 0o666 }));
    writeAll(file, Buffer.from(text));
    outputs.push(file);
  }
  for (const one of outputs) one.commit();
  const firmware = usesFirmware && machine.firmware !== undefined ? { firmware: machine.firmware } : {};
  return {
    ...describe(machine, targetName),
    ...firmware,
    ...whereTo(target, machine, output),
    configuration: text,
    warnings,
  };
}

const targets: Readonly<Record<TargetName, (xenWishes: XenWishes) => Target>> = {
  qemu: () => qemu,
  libvirt: () => libvirt,
  proxmox: () => proxmox,
  xen,
};

/** Their names do not have the version in them, so that a configuration stays right when they are taken out again. */
function directFiles({ path: disk, kernel }: DiskFacts, folder: string | undefined): DirectFiles {
  const beside = folder === undefined ? disk : path.resolve(folder, path.basename(disk));
  const files = { kernel: `${beside}.vmlinuz` };
  return kernel?.kernel.initrd === undefined ? files : { ...files, initrd: `${beside}.initrd` };
}

interface Extraction {
  readonly place: Place;
  readonly files: DirectFiles;
  readonly force: boolean;
}

/** Copies kernel and initrd out of the disk, into files that are not committed yet. */
async function extract(
  stack: AsyncDisposableStack,
  { kernel: facts }: DiskFacts,
  { place, files, force }: Extraction,
  job: JobOptions,
): Promise<readonly OutputFile[]> {
  if (facts === undefined) throw new Failure("not-found", `cannot find a kernel in "${place.image}"`);
  const where =
    facts.partition === undefined ? { image: place.image } : { image: place.image, partition: facts.partition };
  const { kernel } = facts;
  const initrds = kernel.initrds ?? (kernel.initrd === undefined ? [] : [kernel.initrd]);
  const copies = [{ from: [kernel.path], to: files.kernel }];
  if (files.initrd !== undefined) copies.push({ from: [...initrds], to: files.initrd });
  const outputs: OutputFile[] = [];
  for (const { from, to } of copies) {
    const output = stack.use(OutputFile.create(to, { force }));
    for (const inside of from) {
      for await (const bytes of readFile({ ...where, path: inside }, job)) writeAll(output, bytes);
      // Several are one to the kernel, if each begins at a multiple of four bytes.
      if (inside !== from.at(-1)) writeAll(output, Buffer.alloc(-fs.fstatSync(output.fd).size & 3));
    }
    outputs.push(output);
  }
  return outputs;
}

function writeAll({ fd, target }: OutputFile, bytes: Uint8Array): void {
  try {
    for (let done = 0; done < bytes.length;) done += fs.writeSync(fd, bytes, done);
  } catch (error) {
    const code = isSystemError(error, "ENOSPC", "EDQUOT") ? "no-space" : "failed";
    throw new Failure(code, `cannot write "${target}": ${systemReason(error)}`, { cause: error });
  }
}

function describe(
  machine: Machine,
  target: TargetName,
): Omit<WrittenMachine, "configuration" | "nextSteps" | "warnings"> {
  const { name, uuid, disk, direct } = machine;
  const version = disk.kernel?.kernel.version ?? "";
  return {
    target,
    name,
    uuid,
    disk: { path: disk.path, format: disk.format },
    architecture: disk.architecture,
    ...(direct === undefined
      ? {}
      : {
          kernel: { version, path: direct.kernel, ...(direct.initrd === undefined ? {} : { initrd: direct.initrd }) },
        }),
  };
}

function whereTo(
  target: Target,
  machine: Machine,
  output: string | undefined,
): Pick<WrittenMachine, "file" | "nextSteps"> {
  if (output === undefined) return { nextSteps: target.nextSteps(machine, "FILE") };
  return { file: output, nextSteps: target.nextSteps(machine, output) };
}
