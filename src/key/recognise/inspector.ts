import type { JobOptions } from "../../base/index.ts";
import type { Disc, DiscFile } from "./disc.ts";
import { InitrdReader, type InitrdFindings } from "./initrd.ts";
import { startableBytes, startableOf, type Startable } from "./startable.ts";

/** So many sets of initrds of one ISO are opened; installers for many machines have no more. */
const openedLimit = 12;

/** Looks into the files of an ISO, each once. */
export class Inspector {
  readonly evidence: string[] = [];
  readonly #disc: Disc;
  readonly #options: JobOptions;
  readonly #findings = new Map<string, InitrdFindings>();
  readonly #signers = new Map<string, readonly string[]>();
  readonly #startables = new Map<string, Startable | undefined>();

  constructor(disc: Disc, options: JobOptions) {
    this.#disc = disc;
    this.#options = options;
  }

  /** What a kernel or program is; undefined where it is neither. */
  async startable(file: DiscFile): Promise<Startable | undefined> {
    if (!this.#startables.has(file.path)) {
      this.#startables.set(file.path, startableOf(await this.#disc.start(file, startableBytes)));
    }
    return this.#startables.get(file.path);
  }

  /** By whom a kernel or program is signed. */
  async signers(file: DiscFile): Promise<readonly string[]> {
    let signers = this.#signers.get(file.path);
    if (signers === undefined) this.#signers.set(file.path, (signers = await this.#disc.signers(file)));
    return signers;
  }

  /** What initrds that are loaded together tell. */
  async initrds(paths: readonly string[]): Promise<InitrdFindings> {
    const key = paths.join("\0");
    let findings = this.#findings.get(key);
    if (findings === undefined) this.#findings.set(key, (findings = await this.#read(paths)));
    return findings;
  }

  async #read(paths: readonly string[]): Promise<InitrdFindings> {
    const reader = new InitrdReader(this.#options);
    if (this.#findings.size < openedLimit) {
      for (const path of paths) {
        const file = await this.#disc.findFile(path);
        if (file !== undefined) await reader.read(this.#chunksOf(file), path);
      }
    }
    const findings = reader.findings();
    const { convention, fileSystems, notes, isOpen } = findings;
    const mounts = fileSystems.length > 0 ? `, mounts ${fileSystems.join(", ")}` : "";
    if (isOpen)
      this.evidence.push(`initrd ${paths.join(" + ")}: ${convention?.name ?? "of no known convention"}${mounts}`);
    this.evidence.push(...notes);
    return findings;
  }

  async *#chunksOf({ id, sizeBytes }: DiscFile): AsyncGenerator<Uint8Array, void, void> {
    let doneBytes = 0;
    for await (const { bytes } of this.#disc.fileSystem.content(id)) {
      yield bytes;
      doneBytes += bytes.length;
      this.#options.onProgress?.({ phase: "looking into the initrd", doneBytes, totalBytes: sizeBytes });
    }
  }
}
