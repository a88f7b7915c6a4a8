import type { Architecture, Refusal } from "../boot-entry.ts";
import type { ConventionId } from "../conventions.ts";

/**
 * A kernel, and what is loaded with it, by patterns from the root of the ISO: `*` is any part of a name, `{a,b}` one
 * of several. In initrds `${*}` is what the first `*` of the kernel stood for. An initrd that is not there is left
 * out; at least one has to be there.
 */
export interface FamilyBoot {
  readonly kernel: string;
  readonly initrds: readonly string[];
  /** The kernel is one of Multiboot, and these are its modules, all of them there. */
  readonly multiboot?: readonly { readonly path: string; readonly words: readonly string[] }[];
  /** The kernel is one of BSD. */
  readonly bsd?: {
    readonly loader: "kfreebsd" | "kopenbsd" | "knetbsd";
    /** `whole` is the ISO itself. */
    readonly modules: readonly { readonly path: string; readonly words: readonly string[] }[];
    readonly environment?: Readonly<Record<string, string>>;
    readonly architecture?: Architecture;
  };
}

/** One row of the table: what an ISO is recognised by, and how what is in it starts from a file. */
export interface Family {
  /** One word, as in messages. */
  readonly id: string;
  /** Who belongs to it. */
  readonly name: string;
  /** Patterns that all have to be there. Names of files in the ISO only: neither its own name nor its label. */
  readonly has: readonly string[];
  /** Patterns that must not be there. */
  readonly lacks?: readonly string[];
  /** What the text of a file in it has to match. */
  readonly says?: { readonly path: string; readonly pattern: RegExp };
  /** What one of the arguments in its own menu has to match. */
  readonly menuSays?: RegExp;
  /** What its initrd follows, where that can be opened. Its words are added. */
  readonly convention?: ConventionId;
  readonly boots: readonly FamilyBoot[];
  /**
   * Kernel arguments, added to those of its own menu unless one of the same key is there; one with a place to be
   * filled in replaces it. Places: `${isoPath}`, `${isosUuid}`, and from the ISO `${label}`, `${isoUuid}`, `${base}`
   * (the first folder of the kernel's path), `${kernelFolder}`.
   */
  readonly words?: readonly string[];
  /** What else is said where its menu was not understood. */
  readonly wordsWithoutMenu?: readonly string[];
  /** Keys of arguments of its own menu that are left out. */
  readonly drops?: readonly string[];
  /** Only these words count, not the convention's. */
  readonly replacesConvention?: true;
  /** It looks for its ISO without being told. */
  readonly needsIso?: true;
  /** The only folder in which it looks. */
  readonly onlyInFolder?: string;
  readonly warning?: string;
  /** Nothing of it starts from a file, unless its initrd turns out to follow a convention. */
  readonly refusal?: Refusal;
}
