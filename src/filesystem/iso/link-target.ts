import { decodeName } from "../../bytes/index.ts";
import { damaged } from "../damaged.ts";

/** Longest target of a symbolic link that Linux follows (PATH_MAX, with its NUL). */
const targetLimitBytes = 4096;

/** Bits of a component's flags (RRIP 1.12 §4.1.3.1). */
const continues = 0x1;
const isCurrent = 0x2;
const isParent = 0x4;
const isRoot = 0x8;

const slash = Buffer.from("/");

/** Puts together the target of a symbolic link from the components of its SL entries. */
export class LinkTarget {
  readonly #what: string;
  readonly #pieces: Uint8Array[] = [];
  #lengthBytes = 0;
  /** Whether the next component is a name of its own, not the rest of one. */
  #needsSlash = false;

  constructor(what: string) {
    this.#what = what;
  }

  /** One SL entry, from its flags on. */
  add(entry: Uint8Array): void {
    for (let at = 1; at + 2 <= entry.length;) {
      const [flags = 0, lengthBytes = 0] = entry.subarray(at);
      const end = at + 2 + lengthBytes;
      // What genisoimage leaves of a link that is too long for it is cut off: as much as there is.
      this.#addComponent(flags, entry.subarray(at + 2, end));
      at = end;
    }
  }

  /** Undefined where there was no component. */
  get text(): string | undefined {
    return this.#pieces.length === 0 ? undefined : decodeName(Buffer.concat(this.#pieces));
  }

  #addComponent(flags: number, content: Uint8Array): void {
    if (this.#needsSlash) this.#push(slash);
    if ((flags & isRoot) !== 0) this.#push(slash);
    else if ((flags & isParent) !== 0) this.#push(Buffer.from(".."));
    else if ((flags & isCurrent) !== 0) this.#push(Buffer.from("."));
    else this.#push(content);
    this.#needsSlash = (flags & (continues | isRoot)) === 0;
  }

  #push(piece: Uint8Array): void {
    this.#lengthBytes += piece.length;
    if (this.#lengthBytes >= targetLimitBytes) throw damaged(this.#what, "its link is too long");
    this.#pieces.push(piece);
  }
}
