import * as path from "node:path/posix";
import { Failure } from "../../base/index.ts";
import { readPe } from "../pe-file.ts";
import { signersOf } from "../signers.ts";
import {
  fetchedFile,
  installedPath,
  readBootFiles,
  readInstalledFiles,
  withCause,
  type BootFileSources,
} from "./boot-files.ts";
import { moduleHeader, moduleInfo32, moduleInfo64, moduleInfoMagic, objectTypes } from "./core-records.ts";
import type { EfiPlatform } from "./platform-files.ts";

/** Programs that firmware with Secure Boot starts, as a distribution signed them. */
export interface SignedPrograms {
  readonly platform: EfiPlatform;
  /** Signed by the key that machines are sold with; it starts the GRUB beside it. */
  readonly shim: Uint8Array;
  readonly grub: Uint8Array;
  /** What shim starts where a user enrols a key of his own. */
  readonly keyManager?: Uint8Array;
  /** By whose certificates GRUB is signed: shim lets start what is signed by these, whatever else it knows. */
  readonly signers: readonly string[];
  /** Where this GRUB looks for its `grub.cfg` on the EFI system partition. */
  readonly prefix: string;
  /** The folders and packages that they are from. */
  readonly from: readonly string[];
}

/** How file names end on a platform, and which packages have them. */
export const signedNames: Readonly<Record<EfiPlatform, { readonly suffix: string; readonly architecture: string }>> = {
  "x86_64-efi": { suffix: "x64", architecture: "amd64" },
  "i386-efi": { suffix: "ia32", architecture: "i386" },
  "arm64-efi": { suffix: "aa64", architecture: "arm64" },
};
const grubPackages: Readonly<Record<EfiPlatform, string>> = {
  "x86_64-efi": "grub-efi-amd64-signed",
  "i386-efi": "grub-efi-ia32-signed",
  "arm64-efi": "grub-efi-arm64-signed",
};
const programs = ["shim", "grub", "mm"] as const;
type Program = (typeof programs)[number];

export interface SignedProgramsOptions {
  readonly isNeeded: boolean;
  /** What they are put on: GRUB is signed for disks of one system, and for media that are carried about. */
  readonly medium: "disk" | "removable";
}

/**
 * Shim and GRUB for a platform from what the user names, or what is installed, or where they are needed fetched.
 * Undefined where they are not needed and not there. Throws `not-found` where they cannot be had, and `unsupported`
 * where one of them is not signed.
 */
export async function findSignedPrograms(
  platform: EfiPlatform,
  sources: BootFileSources,
  options: SignedProgramsOptions,
): Promise<SignedPrograms | undefined> {
  const found = new Map<Program, FoundProgram>();
  const wanted = { platform, medium: options.medium };
  for (const source of sources.given ?? []) await addFrom(found, source, wanted, readBootFiles);
  const grubFolder = installedPath(sources, "grub", `${platform}-signed`);
  for (const folder of [installedPath(sources, "shim"), grubFolder]) {
    await addFrom(found, folder, wanted, readInstalledFiles);
  }
  if (options.isNeeded) {
    for (const [program, name] of packagesOf(platform)) {
      if (found.has(program)) continue;
      const request = { name, architecture: signedNames[platform].architecture };
      const file = await fetchedFile(sources, request, (cause) => noneSigned(program, platform, cause));
      if (file !== undefined) await addFrom(found, file, wanted, readBootFiles);
    }
  }
  const [shim, grub, keyManager] = programs.map((program) => found.get(program));
  if (shim === undefined || grub === undefined) {
    if (!options.isNeeded) return undefined;
    throw noneSigned(shim === undefined ? "shim" : "grub", platform);
  }
  for (const program of [shim, grub, keyManager]) if (program !== undefined) refuseUnsigned(program);
  return {
    platform,
    shim: shim.bytes,
    grub: grub.bytes,
    signers: [...new Set(signersOf(grub.bytes).map(({ issuer }) => issuer))],
    prefix: prefixOf(grub),
    from: [shim, grub, keyManager].flatMap((program) => (program === undefined ? [] : [program.source])),
    ...(keyManager === undefined ? {} : { keyManager: keyManager.bytes }),
  };
}

function noneSigned(program: Program, platform: EfiPlatform, cause?: Failure): Failure {
  const what = { shim: "shim", grub: "GRUB", mm: "MokManager" }[program];
  const message = `cannot make a disk for Secure Boot: there is no signed ${what} for ${platform}`;
  return new Failure("not-found", withCause(message, cause), {
    hint: `install Debian's shim-signed and ${grubPackages[platform]}, or name their package files`,
    cause,
  });
}

interface FoundProgram {
  readonly source: string;
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** In this order: the first has what the others need. */
function packagesOf(platform: EfiPlatform): readonly (readonly [Program, string])[] {
  return [
    ["shim", "shim-signed"],
    ["mm", `shim-helpers-${signedNames[platform].architecture}-signed`],
    ["grub", grubPackages[platform]],
  ];
}

/** Where Debian's packages of GRUB's modules have the programs that are then signed. */
const beforeSigning = /(^|\/)monolithic\/[^/]+$/;

interface Wanted extends Pick<SignedProgramsOptions, "medium"> {
  readonly platform: EfiPlatform;
}

/** Adds what a place has and none before it had. */
async function addFrom(
  found: Map<Program, FoundProgram>,
  source: string,
  { platform, medium }: Wanted,
  read: typeof readBootFiles,
): Promise<void> {
  const { suffix } = signedNames[platform];
  const namesOf = (program: Program): readonly string[] =>
    namesFor(program, medium).flatMap((name) => spelled(name, suffix));
  const wanted = new Set(programs.flatMap(namesOf));
  const files = await read(source, (entryPath) => {
    const name = path.basename(entryPath);
    return wanted.has(name) && !beforeSigning.test(entryPath) ? name : undefined;
  });
  for (const program of programs) {
    const name = namesOf(program).find((one) => files.has(one));
    const bytes = name === undefined ? undefined : files.get(name);
    if (bytes !== undefined && !found.has(program)) found.set(program, { source, name: `${source}/${name}`, bytes });
  }
}

/** Debian calls its GRUB for media `gcd`: that looks for its menu where media have it. */
function namesFor(program: Program, medium: SignedProgramsOptions["medium"]): readonly string[] {
  return program === "grub" && medium === "removable" ? ["gcd", "grub"] : [program];
}

/** The names are Debian's, then Ubuntu's and everyone else's. */
function spelled(name: string, suffix: string): readonly string[] {
  const plain = `${name}${suffix}.efi`;
  return [`${plain}.signed`, `${plain}.signed.latest`, plain];
}

function refuseUnsigned({ name, bytes }: FoundProgram): void {
  if (signersOf(bytes).length > 0) return;
  throw new Failure("unsupported", `cannot use "${name}" for Secure Boot: it is not signed`, {
    hint: "take the programs of a distribution's signed packages, such as Debian's shim-signed",
  });
}

/** A path in a file that GRUB was told at its making: some words. */
const prefixLimitBytes = 256;

/** Where a GRUB that was built as one program looks for its configuration: an object behind its modules. */
function prefixOf({ name, bytes }: FoundProgram): string {
  const section = readPe(bytes)?.sections.find((one) => one.name === "mods");
  const area = bytes.subarray(section?.offset ?? bytes.length).subarray(0, section?.sizeBytes ?? 0);
  for (const { type, content } of objectsIn(area)) {
    if (type !== objectTypes.prefix || content.length > prefixLimitBytes) continue;
    const text = Buffer.from(content).toString("latin1").replace(/\0.*$/s, "");
    if (/^\/[\w./-]*$/.test(text)) return text.replace(/\/+$/, "");
  }
  throw new Failure("unsupported", `cannot use "${name}" for Secure Boot: it does not say where its menu has to be`);
}

function* objectsIn(area: Uint8Array): Generator<{ readonly type: number; readonly content: Uint8Array }> {
  const info = [moduleInfo64, moduleInfo32].find((struct) => {
    if (area.length < struct.sizeBytes || struct.get(area, "magic") !== moduleInfoMagic) return false;
    return Buffer.from(area.buffer, area.byteOffset).readUInt32LE(struct.fields.offset[0]) === struct.sizeBytes;
  });
  if (info === undefined) return;
  for (let at: number = info.sizeBytes; at + moduleHeader.sizeBytes <= area.length;) {
    const { type, sizeBytes } = moduleHeader.decode(area, at);
    if (sizeBytes < moduleHeader.sizeBytes || at + sizeBytes > area.length) return;
    yield { type, content: area.subarray(at + moduleHeader.sizeBytes, at + sizeBytes) };
    at += sizeBytes;
  }
}
