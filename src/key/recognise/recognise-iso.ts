import type { JobOptions } from "../../base/index.ts";
import { formatSize, printableName } from "../../bytes/index.ts";
import type { BlockReader } from "../../device/index.ts";
import { openFileSystem } from "../../filesystem/index.ts";
import type { BootEntry, RecognisedIso, Refusal } from "./boot-entry.ts";
import { Disc } from "./disc.ts";
import { BootImages } from "./boot-images.ts";
import { biosEntries, memoryImageLimitBytes, ownMenuEntries, uefiEntries } from "./el-torito-entries.ts";
import { Inspector } from "./inspector.ts";
import { kernelEntries, type KernelEntries, type Volume } from "./linux-entries.ts";
import type { MenuEntry } from "./menu-entry.ts";
import { readMenus, type Menus } from "./menus.ts";
import { titleOfDisc } from "./title.ts";

/** More entries of one ISO than this help nobody. */
const entryLimit = 64;
/** Padding at the end of a disc, that some tools leave out of the file. */
const paddingBytes = 150 * 2048;
/** Beyond this size, a disc with nothing but programs for firmware has more on it that they look for. */
const standaloneLimitBytes = 64 * 1024 * 1024;

export interface RecogniseOptions extends JobOptions {
  /** What it is called where nothing in it says so. */
  readonly otherwise?: string;
}

/**
 * Recognises an ISO by what is in it, and tells how a boot key starts it as a file; the name of the file does not
 * matter. What cannot be started so has a refusal. Damage shows as a refusal or a warning; throws `unsupported` where
 * there is no ISO 9660 or UDF at all, `damaged` where nothing of it can be read.
 */
export async function recogniseIso(reader: BlockReader, options: RecogniseOptions = {}): Promise<RecognisedIso> {
  await using fileSystem = await openFileSystem(reader);
  const disc = new Disc(fileSystem);
  const volume = { label: printableName(fileSystem.info.label), uuid: fileSystem.info.uuid ?? "" };
  const missingBytes = fileSystem.info.sizeBytes - reader.sizeBytes;
  if (missingBytes > paddingBytes) return cutOff(volume, fileSystem.info.sizeBytes, reader.sizeBytes);
  return await new IsoRecogniser(reader, disc, volume, options).recognise();
}

function cutOff({ label, uuid }: Volume, sizeBytes: number, thereBytes: number): RecognisedIso {
  const reason = `it is cut off: of its ${formatSize(sizeBytes)} only ${formatSize(thereBytes)} are there`;
  return {
    volumeLabel: label,
    volumeUuid: uuid,
    title: label,
    entries: [],
    evidence: [],
    refusal: { reason, hint: "download it again" },
    warnings: [],
  };
}

class IsoRecogniser {
  readonly #reader: BlockReader;
  readonly #disc: Disc;
  readonly #volume: Volume;
  readonly #inspector: Inspector;
  readonly #options: RecogniseOptions;

  constructor(reader: BlockReader, disc: Disc, volume: Volume, options: RecogniseOptions) {
    this.#reader = reader;
    this.#disc = disc;
    this.#volume = volume;
    this.#inspector = new Inspector(disc, options);
    this.#options = options;
  }

  async recognise(): Promise<RecognisedIso> {
    const menus = await readMenus(this.#disc);
    const own = menus.loopback?.entries ?? menus.entries;
    const kernels = await kernelEntries(this.#disc, this.#volume, own, this.#inspector);
    const nobody = this.#options.otherwise ?? own[0]?.title ?? `ISO of ${this.#volume.uuid.slice(0, 10)}`;
    const otherwise = kernels.family?.name ?? nobody;
    const title = await titleOfDisc(this.#disc, this.#volume.label, otherwise);
    const chosen = await this.#choose(menus, kernels);
    const entries = chosen.entries
      .slice(0, entryLimit)
      .map((entry) => (entry.title === "" ? { ...entry, title } : entry));
    const refusal = entries.length === 0 ? (chosen.refusal ?? nothingToStart) : undefined;
    return {
      volumeLabel: this.#volume.label,
      volumeUuid: this.#volume.uuid,
      ...(kernels.family === undefined ? {} : { family: kernels.family.id }),
      title,
      entries,
      certificates: this.#disc.certificates,
      evidence: [...menus.evidence, ...this.#inspector.evidence],
      ...(refusal === undefined ? {} : { refusal }),
      warnings: [...menus.warnings, ...chosen.warnings],
    };
  }

  async #choose(menus: Menus, kernels: KernelEntries): Promise<Chosen> {
    if (menus.loopback !== undefined && !(kernels.entries.length === 0 && kernels.isRefusalCertain)) {
      const { path, entries: own } = menus.loopback;
      const entry = loopbackEntry(path, kernels.entries);
      const signers = entry.signers ?? (await this.#signersOf(own));
      return { entries: [{ ...entry, ...(signers === undefined ? {} : { signers }) }], warnings: [] };
    }
    if (kernels.entries.some(isSystem)) return kernels;
    if (kernels.refusal !== undefined) return { entries: [], refusal: kernels.refusal, warnings: kernels.warnings };
    const images = await BootImages.open(this.#reader, this.#disc);
    return (await this.#inEfiImage(images)) ?? this.#asFirmwareWould(images, kernels);
  }

  /** By whom the first kernel of a menu is signed that is there. */
  async #signersOf(own: readonly MenuEntry[]): Promise<readonly string[] | undefined> {
    for (const { kernel } of own) {
      const file = await this.#disc.findFile(kernel);
      if (file !== undefined) return this.#inspector.signers(file);
    }
    return undefined;
  }

  /** Kernels that are not in the ISO itself but in its partition for UEFI, beside the loader there. */
  #inEfiImage(images: BootImages): Promise<Chosen | undefined> {
    return images.inEfiImages(async (disc, image) => {
      const inspector = new Inspector(disc, this.#options);
      const { entries: own, evidence } = await readMenus(disc);
      const kernels = await kernelEntries(disc, this.#volume, own, inspector);
      const entries = kernels.entries.flatMap(({ how, ...entry }): BootEntry[] => {
        return how.kind === "linux" ? [{ ...entry, how: { ...how, image } }] : [];
      });
      if (entries.length === 0 && kernels.refusal === undefined) return undefined;
      this.#inspector.evidence.push(...evidence, ...inspector.evidence);
      return { entries, refusal: kernels.refusal, warnings: kernels.warnings };
    });
  }

  /** What is left where no system was found: small programs, and what firmware would start. */
  async #asFirmwareWould(images: BootImages, kernels: KernelEntries): Promise<Chosen> {
    const forBios = kernels.entries.length > 0 ? kernels.entries : await biosEntries(images, this.#reader.sizeBytes);
    const menu = await ownMenuEntries(this.#disc);
    const forUefi = menu.length > 0 ? menu : await uefiEntries(images, this.#disc);
    const entries = [...forBios, ...forUefi];
    if (entries.length > 0) this.#inspector.evidence.push("no system is known in it: it is started as firmware would");
    const isLarge = this.#reader.sizeBytes > standaloneLimitBytes && forUefi.length > 0;
    const refusal = this.#reader.sizeBytes > memoryImageLimitBytes ? tooLarge : nothingToStart;
    const warnings = isLarge ? ["nothing in it is known: what it starts may look for its files on a disc"] : [];
    return { entries, refusal, warnings };
  }
}

/** Anything but a small program beside a system. */
function isSystem({ how }: BootEntry): boolean {
  return how.kind !== "linux16" && how.kind !== "efi";
}

interface Chosen {
  readonly entries: readonly BootEntry[];
  readonly refusal?: Refusal | undefined;
  readonly warnings: readonly string[];
}

const nothingToStart: Refusal = {
  reason: "there is nothing in it that starts a computer, as far as is known here",
  hint: "see that it is the whole file; one that only holds data starts nothing",
};
const tooLarge: Refusal = {
  reason: "no system in it is known, and it is too large to be started from memory",
  hint: "write it to a stick of its own",
};

/** The ISO's own menu for starting from a file, with what is known of the systems in it. */
function loopbackEntry(path: string, entries: readonly BootEntry[]): BootEntry {
  const known = entries.find(({ how }) => how.kind === "linux");
  const { readableFrom, persistence, signers, how } = known ?? {};
  return {
    title: "",
    how: { kind: "configfile", path },
    firmwares: known?.firmwares ?? ["bios", "uefi"],
    architecture: known?.architecture ?? "x86_64",
    ...(readableFrom === undefined ? {} : { readableFrom }),
    ...(persistence === undefined || how?.kind !== "linux" ? {} : { persistence, withoutMenu: how }),
    ...(signers === undefined ? {} : { signers }),
  };
}
