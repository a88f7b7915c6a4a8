/** One file of a cpio archive to be written. */
export interface CpioEntry {
  readonly path: string;
  /** Type and permissions, as in `st_mode`. */
  readonly mode: number;
  /** Of a file, or of a link: what it says. */
  readonly content?: Uint8Array;
}

const magic = "070701";
const lastName = "TRAILER!!!";

/**
 * A cpio archive in the form that kernels unpack as their first root: "newc", as the kernel's
 * Documentation/driver-api/early-userspace/buffer-format.rst has it. Everything belongs to root.
 */
export function writeCpio(entries: readonly CpioEntry[]): Buffer {
  const parts: Uint8Array[] = [];
  const add = (bytes: Uint8Array): void => {
    parts.push(bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4));
  };
  for (const [n, { path, mode, content = Buffer.alloc(0) }] of [...entries, { path: lastName, mode: 0 }].entries()) {
    const inode = path === lastName ? 0 : n + 1;
    const fields = [inode, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, Buffer.byteLength(path) + 1, 0];
    const header = magic + fields.map((value) => value.toString(16).padStart(8, "0")).join("");
    add(Buffer.from(`${header}${path}\0`));
    add(content);
  }
  return Buffer.concat(parts);
}
