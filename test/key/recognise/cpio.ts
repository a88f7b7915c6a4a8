import { writeCpio } from "../../../src/tree/index.ts";

/** A cpio archive of files with these names, in the form that kernels unpack; contents are empty unless given. */
export function cpioOf(files: readonly (string | readonly [path: string, content: string])[]): Buffer {
  return writeCpio(
    files.map((file) => {
      const [path, content] = typeof file === "string" ? [file, ""] : file;
      return { path, mode: 0o100644, content: Buffer.from(content) };
    }),
  );
}
