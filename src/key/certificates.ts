import { createHash } from "node:crypto";
import type { EditableFileSystem } from "../filesystem/index.ts";
import type { Timestamp } from "../tree/index.ts";
import { certificatesFolder } from "./key-layout.ts";
import { placeFor } from "./menu-files.ts";
import type { RecognisedIso } from "./recognise/index.ts";
import { secureBootVerdict } from "./secure-boot.ts";

/** Of somebody whose signatures a key's own shim does not accept, unless it is enrolled. */
export interface NeededCertificate {
  readonly issuer: string;
  /** On usbboot, where MokManager finds it; absent where the signature does not bring it. */
  readonly file?: { readonly path: string; readonly bytes: Uint8Array };
}

/** What has to be enrolled before the systems in an ISO start where Secure Boot is on. */
export function certificatesNeeded(
  { entries, certificates }: Pick<RecognisedIso, "entries" | "certificates">,
  trusted: readonly string[],
): readonly NeededCertificate[] {
  const needing = entries.filter((entry) => {
    return secureBootVerdict({ ...entry, kind: entry.how.kind }, trusted) === "needs-key";
  });
  const issuers = new Set(needing.flatMap(({ signers = [] }) => signers));
  return [...issuers].map((issuer) => {
    const bytes = certificates?.get(issuer);
    return bytes === undefined ? { issuer } : { issuer, file: { path: pathOf(issuer, bytes), bytes } };
  });
}

/** One issuer has signers that change with the years: each has a file of its own. */
function pathOf(issuer: string, bytes: Uint8Array): string {
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 8);
  const name = issuer
    .replaceAll(/[^A-Za-z0-9]+/g, "-")
    .slice(0, 60)
    .replaceAll(/^-|-$/g, "");
  return `${certificatesFolder}/${[name, hash].filter((part) => part !== "").join("-")}.cer`;
}

/** Puts certificates onto usbboot, each once. The caller commits. */
export async function putCertificates(
  boot: EditableFileSystem,
  needed: readonly NeededCertificate[],
  now: Timestamp,
): Promise<void> {
  for (const { file } of needed) {
    if (file === undefined) continue;
    const place = await placeFor(boot, file.path, now);
    if ((await boot.find(place.directory, place.name)) !== undefined) continue;
    const content = { sizeBytes: file.bytes.length, content: [{ at: 0, bytes: file.bytes }] };
    await boot.create(place, { kind: "file", mode: 0o644, uid: 0, gid: 0, modified: now, ...content });
  }
}
