/** A cpio archive of files with these names, in the form that kernels unpack; contents are empty unless given. */
export function cpioOf(
  files: readonly (string | readonly [path: string, content: string])[],
  magic = "070701",
): Buffer {
  const parts: Buffer[] = [];
  const add = (bytes: Buffer): void => {
    parts.push(bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4));
  };
  for (const [n, file] of [...files, "TRAILER!!!"].entries()) {
    const [path, text] = typeof file === "string" ? [file, ""] : file;
    const [name, content] = [Buffer.from(`${path}\0`), Buffer.from(text)];
    const checksum = magic === "070702" ? content.reduce((sum, byte) => sum + byte, 0) : 0;
    const numbers = [n + 1, 0o100644, 0, 0, 1, 0, content.length, 0, 0, 0, 0, name.length, checksum];
    const header = magic + numbers.map((value) => value.toString(16).padStart(8, "0")).join("");
    add(Buffer.concat([Buffer.from(header, "latin1"), name]));
    add(content);
  }
  return Buffer.concat(parts);
}
