import * as fs from "node:fs";
import * as path from "node:path";
import { Failure } from "../../base/index.ts";
import type { MachineArchitecture } from "./machine-request.ts";

/** UEFI for a virtual machine: its program, and what its variables are at first. */
export interface UefiFirmware {
  readonly codePath: string;
  readonly variablesPath: string;
  /** It keeps its variables from the system behind system management mode, without which it does not start. */
  readonly needsSmm: boolean;
}

interface FirmwareRequest {
  readonly architecture: MachineArchitecture;
  readonly secureBoot: boolean;
  readonly env: NodeJS.ProcessEnv;
}

/** The largest description that distributions ship has some two kilobytes. */
const descriptionLimitBytes = 1024 * 1024;

/**
 * UEFI as the machine's packages describe it (QEMU's docs/interop/firmware.json): the first one by file name that fits.
 * Throws `not-found` where there is none.
 */
export function findUefi(request: FirmwareRequest): UefiFirmware {
  for (const file of descriptions(request.env)) {
    const description = readDescription(file);
    const firmware = description === undefined ? undefined : usable(description, request);
    if (firmware !== undefined) return firmware;
  }
  const kind = request.secureBoot ? "UEFI firmware with Secure Boot" : "UEFI firmware";
  const packageName = request.architecture === "aarch64" ? "qemu-efi-aarch64" : "ovmf";
  throw new Failure("not-found", `cannot start a machine: no ${kind} for ${request.architecture} is installed`, {
    hint: `install Debian's ${packageName}, or edk2-ovmf where that is its name`,
  });
}

/** Descriptions by file name; one in a folder nearer to the user hides those of its name further away. */
function descriptions(env: NodeJS.ProcessEnv): readonly string[] {
  const config = env["XDG_CONFIG_HOME"] ?? (env["HOME"] === undefined ? undefined : path.join(env["HOME"], ".config"));
  const folders = [
    ...(config === undefined ? [] : [path.join(config, "qemu/firmware")]),
    "/etc/qemu/firmware",
    "/usr/share/qemu/firmware",
  ];
  const byName = new Map<string, string>();
  for (const folder of folders) {
    if (!fs.existsSync(folder)) continue;
    for (const name of fs.readdirSync(folder)) {
      if (name.endsWith(".json") && !byName.has(name)) byName.set(name, path.join(folder, name));
    }
  }
  return [...byName].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, file]) => file);
}

/** Undefined for an empty file, which is how a user hides one of the system's. */
function readDescription(file: string): unknown {
  try {
    if (fs.statSync(file).size > descriptionLimitBytes) return undefined;
    return JSON.parse(fs.readFileSync(file, "utf8"));
  } catch {
    return undefined; // unreadable or no JSON: as if it were not there
  }
}

function usable(description: unknown, { architecture, secureBoot }: FirmwareRequest): UefiFirmware | undefined {
  if (!listOf(member(description, "interface-types")).includes("uefi")) return undefined;
  const targets = listOf(member(description, "targets"));
  if (!targets.some((target) => member(target, "architecture") === architecture)) return undefined;
  const features = listOf(member(description, "features"));
  const isSecure = features.includes("secure-boot") && features.includes("enrolled-keys");
  if (secureBoot ? !isSecure : features.includes("secure-boot")) return undefined;
  const mapping = member(description, "mapping");
  if (member(mapping, "device") !== "flash") return undefined;
  const codePath = rawFile(member(mapping, "executable"));
  const variablesPath = rawFile(member(mapping, "nvram-template"));
  if (codePath === undefined || variablesPath === undefined) return undefined;
  return { codePath, variablesPath, needsSmm: features.includes("requires-smm") };
}

function rawFile(image: unknown): string | undefined {
  const name = member(image, "filename");
  return member(image, "format") === "raw" && typeof name === "string" && fs.existsSync(name) ? name : undefined;
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
