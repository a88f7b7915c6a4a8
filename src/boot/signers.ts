import { readBytes, type BlockReader } from "../device/index.ts";
import type { FileSystem } from "../filesystem/index.ts";
import { derTags, derValues, readDer } from "./der.ts";
import { peHeaderLimitBytes, readPe, type PeFile } from "./pe-file.ts";
import { certificateEntry, signedDataType } from "./pe-records.ts";
import { readParts } from "./read-parts.ts";

/** Some signatures with their certificates take a few kilobytes each. */
const tableLimitBytes = 256 * 1024;
/** X.520: what names of certificates are known by, in this order. */
const nameIds = ["550403", "55040a"]; // commonName, organizationName
const unnamed = "a certificate without a name";

/**
 * By whose certificates a kernel or program in a file system is signed, by the names of those that issued the signer's:
 * they are what firmware and shim have a list of. Empty where it is not signed. Whether the signature is right is not
 * looked at.
 */
export async function signersOfFile(fileSystem: FileSystem, id: number): Promise<readonly string[]> {
  const { sizeBytes } = await fileSystem.stat(id);
  return signersIn(sizeBytes, async (at, lengthBytes) => {
    const [part = new Uint8Array()] = await readParts(fileSystem, id, [{ at, lengthBytes }]);
    return part;
  });
}

/** The same of a program that is all of a device or file. */
export async function signersOfReader(reader: BlockReader): Promise<readonly string[]> {
  return signersIn(reader.sizeBytes, (at, lengthBytes) => readBytes(reader, at, lengthBytes));
}

/** The same of a program in memory. */
export function signersOf(program: Uint8Array): readonly string[] {
  const certificates = tableOf(program, program.length);
  if (certificates === undefined) return [];
  const { offset, sizeBytes } = certificates;
  return signersInTable(program.subarray(offset, offset + Math.min(sizeBytes, tableLimitBytes)), sizeBytes);
}

async function signersIn(
  sizeBytes: number,
  read: (at: number, lengthBytes: number) => Promise<Uint8Array>,
): Promise<readonly string[]> {
  const certificates = tableOf(await read(0, Math.min(peHeaderLimitBytes, sizeBytes)), sizeBytes);
  if (certificates === undefined) return [];
  const table = await read(certificates.offset, Math.min(certificates.sizeBytes, tableLimitBytes));
  return signersInTable(table, certificates.sizeBytes);
}

/** Where the table of certificates is; undefined where there is none, or not all of it. */
function tableOf(start: Uint8Array, fileBytes: number): PeFile["certificates"] | undefined {
  const certificates = readPe(start)?.certificates;
  if (certificates === undefined || certificates.sizeBytes === 0) return undefined;
  return certificates.offset + certificates.sizeBytes > fileBytes ? undefined : certificates;
}

/** Each entry of a table of certificates is a signature, and begins at a multiple of eight bytes. */
function signersInTable(table: Uint8Array, tableBytes: number): readonly string[] {
  const names = new Set<string>();
  for (let at = 0; at < table.length;) {
    const entry = table.subarray(at);
    if (!isSignature(entry, tableBytes - at)) break;
    const { entryBytes } = certificateEntry.decode(entry);
    for (const name of issuersIn(entry.subarray(certificateEntry.sizeBytes, entryBytes))) names.add(name);
    at += Math.ceil(entryBytes / 8) * 8;
  }
  return [...names];
}

/** Whether the first bytes of a certificate table hold a signature as firmware checks them (Authenticode). */
function isSignature(table: Uint8Array, tableBytes: number): boolean {
  if (table.length < certificateEntry.sizeBytes) return false;
  const { entryBytes, type } = certificateEntry.decode(table);
  return type === signedDataType && entryBytes > certificateEntry.sizeBytes && entryBytes <= tableBytes;
}

/** The issuers that a PKCS #7 SignedData names of its signers (RFC 2315 §9.1, §9.2). */
function issuersIn(signature: Uint8Array): readonly string[] {
  const inside = (bytes: Uint8Array | undefined): ReturnType<typeof derValues> => derValues(bytes ?? new Uint8Array());
  const [, content] = inside(readDer(signature)?.value.content);
  const signedData = readDer(content?.content ?? new Uint8Array())?.value;
  const signers = inside(signedData?.content).findLast(({ tag }) => tag === derTags.set);
  const issuers = inside(signers?.content).map((signer) => {
    const [, issuerAndSerial] = inside(signer.content);
    const [issuer] = inside(issuerAndSerial?.content);
    return nameOf(issuer?.content ?? new Uint8Array());
  });
  return issuers.length === 0 ? [unnamed] : issuers;
}

/** Of a distinguished name the part that people know it by. */
function nameOf(name: Uint8Array): string {
  const parts = new Map<string, string>();
  for (const set of derValues(name)) {
    for (const pair of derValues(set.content)) {
      const [id, text] = derValues(pair.content);
      if (id?.tag !== derTags.objectId || text === undefined) continue;
      const shown = Buffer.from(text.content)
        .toString("utf8")
        .replaceAll(/[\p{Control}\uFFFD]/gu, "");
      parts.set(Buffer.from(id.content).toString("hex"), shown);
    }
  }
  return nameIds.map((id) => parts.get(id)).find((one) => one !== undefined && one !== "") ?? unnamed;
}
