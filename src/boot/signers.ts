import { readBytes, type BlockReader } from "../device/index.ts";
import type { FileSystem } from "../filesystem/index.ts";
import { derTags, derValues, readDer, type DerValue } from "../bytes/der/index.ts";
import { peHeaderLimitBytes, readPe, type PeFile } from "./pe-file.ts";
import { certificateEntry, signedDataType } from "./pe-records.ts";
import { readParts } from "./read-parts.ts";

/** Some signatures with their certificates take a few kilobytes each. */
const tableLimitBytes = 256 * 1024;
/** X.520: what names of certificates are known by, in this order. */
const nameIds = ["550403", "55040a"]; // commonName, organizationName
const unnamed = "a certificate without a name";

/** Who has signed a kernel or program. */
export interface Signer {
  /** Who issued the signer's certificate: firmware and shim have lists of these. */
  readonly issuer: string;
  /** The signer's own, in DER; absent where the signature does not bring it. */
  readonly certificate?: Uint8Array;
}

/** Who has signed a kernel or program in a file system; nobody where it is not signed. The signature itself is not verified. */
export async function signersOfFile(fileSystem: FileSystem, id: number): Promise<readonly Signer[]> {
  const { sizeBytes } = await fileSystem.stat(id);
  return signersIn(sizeBytes, async (at, lengthBytes) => {
    const [part = new Uint8Array()] = await readParts(fileSystem, id, [{ at, lengthBytes }]);
    return part;
  });
}

/** The same of a program that is all of a device or file. */
export async function signersOfReader(reader: BlockReader): Promise<readonly Signer[]> {
  return signersIn(reader.sizeBytes, (at, lengthBytes) => readBytes(reader, at, lengthBytes));
}

/** The same of a program in memory. */
export function signersOf(program: Uint8Array): readonly Signer[] {
  const certificates = tableOf(program, program.length);
  if (certificates === undefined) return [];
  const { offset, sizeBytes } = certificates;
  return signersInTable(program.subarray(offset, offset + Math.min(sizeBytes, tableLimitBytes)), sizeBytes);
}

async function signersIn(
  sizeBytes: number,
  read: (at: number, lengthBytes: number) => Promise<Uint8Array>,
): Promise<readonly Signer[]> {
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
function signersInTable(table: Uint8Array, tableBytes: number): readonly Signer[] {
  const signers: Signer[] = [];
  for (let at = 0; at < table.length;) {
    const entry = table.subarray(at);
    if (!isSignature(entry, tableBytes - at)) break;
    const { entryBytes } = certificateEntry.decode(entry);
    signers.push(...signersInSignature(entry.subarray(certificateEntry.sizeBytes, entryBytes)));
    at += Math.ceil(entryBytes / 8) * 8;
  }
  return signers;
}

/** Whether the first bytes of a certificate table hold a signature as firmware checks them (Authenticode). */
function isSignature(table: Uint8Array, tableBytes: number): boolean {
  if (table.length < certificateEntry.sizeBytes) return false;
  const { entryBytes, type } = certificateEntry.decode(table);
  return type === signedDataType && entryBytes > certificateEntry.sizeBytes && entryBytes <= tableBytes;
}

/** Whom a PKCS #7 SignedData names as its signers: by issuer and serial number of their certificates (RFC 2315 §9.1, §9.2). */
function signersInSignature(signature: Uint8Array): readonly Signer[] {
  const [, content] = inside(readDer(signature)?.value);
  const parts = inside(inside(content)[0]);
  const certificates = inside(parts.find(({ tag }) => tag === derTags.firstOfContext));
  const signers = inside(parts.findLast(({ tag }) => tag === derTags.set)).map((signer): Signer => {
    const [issuer, serial] = inside(inside(signer)[1]);
    const certificate = certificates.find((one) => isOf(one, issuer, serial))?.whole;
    return { issuer: nameOf(issuer), ...(certificate === undefined ? {} : { certificate }) };
  });
  return signers.length === 0 ? [{ issuer: unnamed }] : signers;
}

function inside(value: DerValue | undefined): readonly DerValue[] {
  return value === undefined ? [] : derValues(value.content);
}

/** Whether a certificate is the one with that serial number of that issuer (RFC 5280 §4.1). */
function isOf(certificate: DerValue, issuer: DerValue | undefined, serial: DerValue | undefined): boolean {
  const [toBeSigned] = inside(certificate);
  const fields = inside(toBeSigned);
  const at = fields.findIndex(({ tag }) => tag === derTags.integer);
  return isSame(fields[at], serial) && isSame(fields[at + 2], issuer);
}

function isSame(one: DerValue | undefined, other: DerValue | undefined): boolean {
  return one !== undefined && other !== undefined && Buffer.from(one.whole).equals(other.whole);
}

/** Of a distinguished name the part that people know it by. */
function nameOf(name: DerValue | undefined): string {
  const parts = new Map<string, string>();
  for (const set of inside(name)) {
    for (const pair of inside(set)) {
      const [id, text] = inside(pair);
      if (id?.tag !== derTags.objectId || text === undefined) continue;
      const shown = Buffer.from(text.content)
        .toString("utf8")
        .replaceAll(/[\p{Control}\uFFFD]/gu, "");
      parts.set(Buffer.from(id.content).toString("hex"), shown);
    }
  }
  return nameIds.map((id) => parts.get(id)).find((one) => one !== undefined && one !== "") ?? unnamed;
}
