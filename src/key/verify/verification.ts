import type { SumAlgorithm } from "./sum-list.ts";

/**
 * How sure it is that an ISO is what its maker made. `signed`: a key that is trusted has signed its sum, or all of it.
 * `sum`: it agrees with a list beside it. `embedded`: with what it says of itself, so it is whole. `none`: nobody says.
 */
export type VerificationLevel = "signed" | "sum" | "embedded" | "none";

export interface IsoVerification {
  readonly level: VerificationLevel;
  /** What agreed. */
  readonly evidence: readonly Evidence[];
}

/** One thing that an ISO agreed with. */
export interface Evidence {
  /** A file beside the ISO, or in it; `isomd5` for the sum that implantisomd5 leaves. */
  readonly file: string;
  readonly isInside?: true;
  /** Absent: `file` is a signature of the whole ISO. */
  readonly algorithm?: SumAlgorithm;
  /** The list has the sum, under another name. */
  readonly listedAs?: string;
  /** Of a list of the ISO's own files: how many agreed. */
  readonly fileCount?: number;
  readonly signers?: readonly Signer[];
  /** Those who signed and whose keys are not known here, by fingerprint or key ID. */
  readonly unknownKeys?: readonly string[];
}

export interface Signer {
  readonly userId: string;
  /** Of the primary key. */
  readonly fingerprint: string;
  /** The file with the signature. */
  readonly file: string;
}

const levels: readonly string[] = ["signed", "sum", "embedded", "none"] satisfies readonly VerificationLevel[];

/** Whether a value, read from a key that anyone may have edited, is a verification. */
export function isVerification(value: unknown): value is IsoVerification {
  if (typeof value !== "object" || value === null) return false;
  const { level, evidence } = value as Partial<Record<keyof IsoVerification, unknown>>;
  return typeof level === "string" && levels.includes(level) && Array.isArray(evidence) && evidence.every(isEvidence);
}

function isEvidence(value: unknown): value is Evidence {
  if (typeof value !== "object" || value === null) return false;
  const { file, signers = [], unknownKeys = [] } = value as Partial<Record<keyof Evidence, unknown>>;
  if (typeof file !== "string" || !Array.isArray(signers) || !Array.isArray(unknownKeys)) return false;
  return signers.every(isSigner) && unknownKeys.every((one) => typeof one === "string");
}

function isSigner(value: unknown): value is Signer {
  if (typeof value !== "object" || value === null) return false;
  const { userId, fingerprint, file } = value as Partial<Record<keyof Signer, unknown>>;
  return [userId, fingerprint, file].every((text) => typeof text === "string");
}
