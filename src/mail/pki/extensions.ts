import {
  derBitString,
  derBoolean,
  DerCursor,
  derContext,
  derInteger,
  derObjectId,
  derOctetString,
  derSequence,
  derTags,
} from "../../bytes/der/index.ts";
import { objectIds } from "./object-ids.ts";

/** An extension of a certificate or revocation list (RFC 5280 §4.2): what it is about, and its value in DER. */
export interface Extension {
  readonly objectId: string;
  readonly isCritical: boolean;
  readonly value: Uint8Array;
}

export function encodeExtensions(extensions: readonly Extension[]): Uint8Array {
  return derSequence(
    ...extensions.map(({ objectId, isCritical, value }) =>
      derSequence(derObjectId(objectId), ...(isCritical ? [derBoolean(true)] : []), derOctetString(value)),
    ),
  );
}

/** The extensions in a SEQUENCE OF them, by their identifiers. */
export function readExtensions(list: DerCursor): ReadonlyMap<string, Extension> {
  const extensions = new Map<string, Extension>();
  while (!list.isAtEnd) {
    const parts = list.enter(derTags.sequence);
    const objectId = parts.takeObjectId();
    const isCritical = parts.takeIf(derTags.boolean)?.[0] === 0xff;
    const value = parts.take(derTags.octetString);
    parts.expectEnd();
    if (extensions.has(objectId)) throw list.damage(`the extension ${objectId} is there twice`);
    extensions.set(objectId, { objectId, isCritical, value });
  }
  return extensions;
}

/** Bits of keyUsage (RFC 5280 §4.2.1.3). */
const keyUsageBits = { digitalSignature: 0, keyEncipherment: 2, keyCertSign: 5, cRLSign: 6 } as const;
export type KeyUsage = keyof typeof keyUsageBits;

export function keyUsageExtension(...usages: readonly KeyUsage[]): Extension {
  const bits: readonly number[] = usages.map((usage) => keyUsageBits[usage]);
  const byte = bits.reduce((sum, bit) => sum | (0x80 >> bit), 0);
  const unusedBits = 7 - Math.max(...bits);
  return {
    objectId: objectIds.keyUsage,
    isCritical: true,
    value: derBitString(Uint8Array.of(byte), unusedBits),
  };
}

export function hasKeyUsage(extension: Extension, usage: KeyUsage, subject: string): boolean {
  const content = new DerCursor(extension.value, subject).take(derTags.bitString);
  return ((content[1] ?? 0) & (0x80 >> keyUsageBits[usage])) !== 0;
}

/** Of an authority: how many authorities may stand below it. */
export function authorityExtension(pathLength: number): Extension {
  return {
    objectId: objectIds.basicConstraints,
    isCritical: true,
    value: derSequence(derBoolean(true), derInteger(pathLength)),
  };
}

/** Of everyone else. */
export function noAuthorityExtension(): Extension {
  return { objectId: objectIds.basicConstraints, isCritical: true, value: derSequence() };
}

export function extKeyUsageExtension(purpose: "serverAuth" | "clientAuth"): Extension {
  return {
    objectId: objectIds.extKeyUsage,
    isCritical: false,
    value: derSequence(derObjectId(objectIds[purpose])),
  };
}

export function subjectKeyExtension(keyId: Uint8Array): Extension {
  return { objectId: objectIds.subjectKeyIdentifier, isCritical: false, value: derOctetString(keyId) };
}

export function authorityKeyExtension(keyId: Uint8Array): Extension {
  const value = derSequence(derContext(0, keyId, { isConstructed: false }));
  return { objectId: objectIds.authorityKeyIdentifier, isCritical: false, value };
}
