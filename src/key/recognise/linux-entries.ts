import type { Architecture, BootEntry, Firmware, Persistence, Refusal } from "./boot-entry.ts";
import { bootsOf, familyFor, fittingFamilies, type FoundBoot } from "./choose-family.ts";
import { conventionOf, type Convention } from "./conventions.ts";
import type { Disc } from "./disc.ts";
import type { Family } from "./families/index.ts";
import type { InitrdFindings } from "./initrd.ts";
import type { Inspector } from "./inspector.ts";
import type { MenuEntry } from "./menu-entry.ts";
import { otherEntry } from "./other-kernels.ts";
import { cleanTitle } from "./title.ts";
import { mergedWords, needsKey, placed, withoutOddLabels } from "./words.ts";

/** What is known of the volume. */
export interface Volume {
  readonly label: string;
  readonly uuid: string;
}

/** What the kernels of an ISO come to. */
export interface KernelEntries {
  readonly entries: readonly BootEntry[];
  readonly family: Family | undefined;
  /** Why those that were found are not started. */
  readonly refusal: Refusal | undefined;
  /** What refuses them is known of their initrds, not only missing from what is known. */
  readonly isRefusalCertain: boolean;
  readonly warnings: readonly string[];
}

/** A kernel that is there, by the ISO's own menu or by the table. */
type Candidate = MenuEntry & { readonly found?: FoundBoot };

const unknownSystem: Refusal = {
  reason: "nothing in its initrd tells how its system could find an ISO file",
  hint: "write it to a stick of its own",
};
/** Kernels that are smaller, and have no initrd, use the BIOS to go on: iPXE, MEMTEST86+ and their kin. */
const linuxSmallestBytes = 4 * 1024 * 1024;

const memdiskName = /\/memdisk[^/]*$/i;
/** As MEMDISK takes images: up to so much it is a floppy. */
const floppyLimitBytes = 4 * 1024 * 1024;

/** The entries that start kernels of an ISO. */
export async function kernelEntries(
  disc: Disc,
  volume: Volume,
  own: readonly MenuEntry[],
  inspector: Inspector,
): Promise<KernelEntries> {
  return new KernelChooser(disc, volume, inspector).choose(own);
}

class KernelChooser {
  readonly #disc: Disc;
  readonly #volume: Volume;
  readonly #inspector: Inspector;
  readonly #warnings = new Set<string>();
  #refusal: Refusal | undefined;
  #isRefusalCertain = false;
  #family: Family | undefined;

  constructor(disc: Disc, volume: Volume, inspector: Inspector) {
    this.#disc = disc;
    this.#volume = volume;
    this.#inspector = inspector;
  }

  async choose(own: readonly MenuEntry[]): Promise<KernelEntries> {
    const fitting = await fittingFamilies(this.#disc, own);
    let entries = await this.#entriesOf(own, fitting);
    // Entries without an initrd are tools beside the system, which the table may know.
    if (entries.every(({ how }) => how.kind === "linux16" || how.kind === "efi")) {
      const known = await this.#entriesOf(await this.#candidatesOf(fitting), fitting);
      entries = [...known, ...entries];
    }
    this.#refusal ??= fitting.find(({ refusal }) => refusal !== undefined)?.refusal;
    const family = this.#family ?? fitting[0];
    if (family !== undefined) this.#inspector.evidence.push(`family ${family.id} by ${family.has.join(", ")}`);
    if (family?.warning !== undefined && entries.length > 0) this.#warnings.add(family.warning);
    const refused = { refusal: this.#refusal, isRefusalCertain: this.#isRefusalCertain };
    return { entries, family, ...refused, warnings: [...this.#warnings] };
  }

  /** The kernels that the table knows, of the first row that has any here. */
  async #candidatesOf(fitting: readonly Family[]): Promise<readonly Candidate[]> {
    for (const family of fitting) {
      const boots = await bootsOf(this.#disc, family);
      if (boots.length > 0) return boots.map((found) => candidateOf(family, found, boots.length > 1));
    }
    return [];
  }

  async #entriesOf(candidates: readonly Candidate[], fitting: readonly Family[]): Promise<readonly BootEntry[]> {
    const entries: BootEntry[] = [];
    for (const candidate of candidates) {
      const entry = await this.#entryOf(candidate, fitting);
      if (entry !== undefined) entries.push(entry);
    }
    return entries;
  }

  async #entryOf(candidate: Candidate, fitting: readonly Family[]): Promise<BootEntry | undefined> {
    const kernel = await this.#disc.findFile(candidate.kernel);
    if (kernel === undefined) return undefined;
    if (candidate.found?.boot.bsd !== undefined || candidate.kind.startsWith("multiboot")) {
      return this.#otherEntry(candidate, fitting);
    }
    if (memdiskName.test(candidate.kernel)) return this.#memdiskEntry(candidate);
    const startable = await this.#inspector.startable(kernel);
    // For arm64, a kernel may be a program for UEFI that unpacks itself.
    if (startable === undefined && candidate.kind !== "linux16") return undefined;
    const architecture = startable?.architecture ?? "i386";
    const base = { title: cleanTitle(candidate.title), architecture };
    if (candidate.initrds.length === 0 && kernel.sizeBytes < linuxSmallestBytes) {
      const { words } = candidate;
      const signers = await this.#inspector.signers(kernel);
      if (startable?.kind === "efi")
        return { ...base, how: { kind: "efi", program: kernel.path }, firmwares: ["uefi"], signers };
      return { ...base, how: { kind: "linux16", kernel: kernel.path, initrds: [], words }, firmwares: ["bios"] };
    }
    const entry = await this.#linuxEntry(candidate, fitting, base);
    return entry && { ...entry, signers: await this.#inspector.signers(kernel) };
  }

  /** A menu's own MEMDISK, with the image that it is to load. */
  async #memdiskEntry({ title, initrds, words }: Candidate): Promise<BootEntry | undefined> {
    const image = initrds[0] === undefined ? undefined : await this.#disc.findFile(initrds[0]);
    if (image === undefined || initrds.length !== 1) return undefined;
    const isSmall = image.sizeBytes <= floppyLimitBytes;
    const medium = words.includes("iso") ? "iso" : words.includes("harddisk") || !isSmall ? "harddisk" : "floppy";
    return {
      title: cleanTitle(title),
      how: { kind: "memdisk", image: { kind: "file", path: image.path }, medium },
      firmwares: ["bios"],
      architecture: "i386",
      imageBytes: image.sizeBytes,
    };
  }

  async #linuxEntry(
    candidate: Candidate,
    fitting: readonly Family[],
    base: { readonly title: string; readonly architecture: Architecture },
  ): Promise<BootEntry | undefined> {
    const { kernel, initrds } = candidate;
    const findings = await this.#inspector.initrds(initrds);
    const convention = meantBy(findings.convention, candidate.words);
    const family = familyFor(fitting, convention?.id, findings.isOpen && findings.isWhole);
    const refusal = convention === undefined ? refusalOf(family) : convention.refusal;
    if (refusal !== undefined) {
      this.#isRefusalCertain ||= convention !== undefined;
      this.#refuse(candidate, refusal);
      return undefined;
    }
    this.#family ??= family;
    this.#warnOfDoubt(initrds, convention, family, findings);
    const followed = convention ?? (family?.convention === undefined ? undefined : conventionOf(family.convention));
    const words = this.#wordsOf(candidate, followed, family);
    const needsIso = followed?.needsIso === true || family?.needsIso === true || needsKey(words);
    return {
      ...base,
      how: { kind: "linux", kernel, initrds, words },
      firmwares: firmwaresOf(base.architecture),
      ...(needsIso ? { readableFrom: readableFrom(findings) } : {}),
      ...(family?.onlyInFolder === undefined ? {} : { onlyInFolder: family.onlyInFolder }),
      ...(followed?.persistence === undefined ? {} : { persistence: persistenceOf(followed.persistence, findings) }),
    };
  }

  #wordsOf(candidate: Candidate, followed: Convention | undefined, family: Family | undefined): readonly string[] {
    const ofConvention = [
      ...(followed?.words ?? []),
      ...(candidate.found === undefined ? [] : (followed?.wordsWithoutMenu ?? [])),
    ];
    const ofFamily = [
      ...(family?.words ?? []),
      ...(candidate.found === undefined ? [] : (family?.wordsWithoutMenu ?? [])),
    ];
    const added = [...(family?.replacesConvention === true ? [] : ofConvention), ...ofFamily];
    const places = this.#placesOf(candidate);
    return withoutOddLabels(mergedWords(candidate.words, placed(added, places), family?.drops), places);
  }

  /** A kernel of Multiboot or BSD: as the table has it, or of the ISO's own menu if its initrd is known to find the ISO. */
  async #otherEntry(candidate: Candidate, fitting: readonly Family[]): Promise<BootEntry | undefined> {
    const places = this.#placesOf(candidate);
    const family = fitting.find(({ boots }) => boots.some(({ multiboot, bsd }) => (multiboot ?? bsd) !== undefined));
    const entry = otherEntry(candidate, candidate.found, placed(family?.words ?? [], places));
    const { how } = entry;
    if (how.kind !== "multiboot" && how.kind !== "multiboot2") {
      this.#family ??= family;
      return entry;
    }
    const findings = await this.#inspector.initrds(await this.#initrdsAmong(how.modules.map(({ path }) => path)));
    const refusal = findings.convention === undefined ? refusalOf(family) : findings.convention.refusal;
    if (refusal !== undefined) {
      this.#refuse(candidate, refusal);
      return undefined;
    }
    this.#family ??= family;
    const added = placed(findings.convention?.words ?? [], places);
    const modules = how.modules.map(({ path, words }, n) => {
      return { path, words: withoutOddLabels(mergedWords(placed(words, places), n === 0 ? added : []), places) };
    });
    const needsIso = modules.some(({ words }) => needsKey(words));
    return { ...entry, how: { ...how, modules }, ...(needsIso ? { readableFrom: readableFrom(findings) } : {}) };
  }

  /** Those of the modules of a hypervisor that are no kernel. */
  async #initrdsAmong(paths: readonly string[]): Promise<readonly string[]> {
    const initrds: string[] = [];
    for (const path of paths) {
      const file = await this.#disc.findFile(path);
      if (file !== undefined && (await this.#inspector.startable(file)) === undefined) initrds.push(path);
    }
    return initrds;
  }

  #placesOf({ kernel }: Candidate): { label: string; isoUuid: string; kernel: string } {
    return { label: this.#volume.label, isoUuid: this.#volume.uuid, kernel };
  }

  #refuse({ title }: Candidate, refusal: Refusal): void {
    this.#refusal ??= refusal;
    this.#warnings.add(`"${cleanTitle(title)}" is left out: ${refusal.reason}`);
  }

  #warnOfDoubt(
    initrds: readonly string[],
    convention: Convention | undefined,
    family: Family | undefined,
    { isOpen, isWhole }: InitrdFindings,
  ): void {
    const wanted = family?.convention;
    if (convention !== undefined || wanted === undefined || !isOpen || !isWhole) return;
    const { name } = conventionOf(wanted);
    this.#warnings.add(`"${initrds.join('", "')}" shows no sign of ${name}: the system may not find its ISO file`);
  }
}

/** What the initrd follows, unless the words of the menu mean another way that it has too. */
function meantBy(convention: Convention | undefined, words: readonly string[]): Convention | undefined {
  const { unless } = convention ?? {};
  if (unless === undefined || !words.some((word) => unless.test(word))) return convention;
  return conventionOf("dracut-live");
}

function refusalOf(family: Family | undefined): Refusal | undefined {
  return family === undefined ? unknownSystem : family.refusal;
}

function candidateOf(family: Family, found: FoundBoot, isOneOfMany: boolean): Candidate {
  const { kernel, initrds, boot } = found;
  return {
    title: isOneOfMany ? kernel.path.slice(1) : "",
    kind: boot.multiboot === undefined ? "linux" : "multiboot",
    kernel: kernel.path,
    words: [],
    initrds,
    modules: boot.multiboot ?? [],
    menu: family.id,
    found,
  };
}

function firmwaresOf(architecture: Architecture): readonly Firmware[] {
  return architecture === "arm64" ? ["uefi"] : ["bios", "uefi"];
}

function persistenceOf(usual: Persistence, { changesName }: InitrdFindings): Persistence {
  return changesName === undefined ? usual : { ...usual, fileName: changesName, label: changesName };
}

function readableFrom({ fileSystems }: InitrdFindings): NonNullable<BootEntry["readableFrom"]> {
  return fileSystems.length === 0 ? "unknown" : fileSystems;
}
