import type { SigningKey } from "./certificate.ts";
import type { Keyring } from "./keyring.ts";
import { startCheck, weakness, type ContentCheck, type Signature } from "./signature.ts";

export interface VerifyOptions {
  readonly keyring: Keyring;
  readonly nowMs: number;
  /** The clock of this machine may be wrong: a signature from the future is none the worse. */
  readonly anyTime?: boolean;
}

/** A signature that counts. */
export interface GoodSignature {
  /** Of the key that signed. */
  readonly fingerprint: string;
  readonly primaryFingerprint: string;
  readonly userId: string;
  readonly createdMs: number;
}

/** What one signature is worth. `why` reads on after a colon. */
export type Verdict =
  | { readonly kind: "good"; readonly signature: GoodSignature }
  /** By a key that is not in the keyring; named by its fingerprint or key ID, where the signature tells. */
  | { readonly kind: "unknown-key"; readonly issuer?: string; readonly why: string }
  /** By a key of the keyring, but weak, out of time or revoked. */
  | { readonly kind: "void"; readonly issuer?: string; readonly why: string }
  /** By a key of the keyring, over something else. */
  | { readonly kind: "bad"; readonly issuer?: string; readonly why: string };

/** Clocks differ; a signature may be this much newer than this machine's time. */
const clockToleranceMs = 24 * 60 * 60 * 1000;

/** What a signature is worth over content that is in memory; undefined: content of another kind than it is made for. */
export function judge(signature: Signature, content: Uint8Array | undefined, options: VerifyOptions): Verdict {
  const open = new OpenVerdict(signature, options);
  if (content !== undefined) open.update(content);
  return open.verdict(content !== undefined);
}

/** The verdict on one signature, while its content comes by. */
export class OpenVerdict {
  readonly #signature: Signature;
  readonly #options: VerifyOptions;
  readonly #issuer: string | undefined;
  readonly #candidates: readonly SigningKey[];
  readonly #weakness: string | undefined;
  readonly #checks: readonly (readonly [SigningKey, ContentCheck])[];

  constructor(signature: Signature, options: VerifyOptions) {
    this.#signature = signature;
    this.#options = options;
    const issuer = issuerOf(signature);
    this.#issuer = issuer;
    this.#candidates = options.keyring.keys.filter(({ key }) => {
      return issuer === undefined || key.fingerprint === issuer || key.keyId === issuer;
    });
    this.#weakness = weakness(signature);
    this.#checks =
      this.#weakness === undefined
        ? this.#candidates.flatMap((one) => {
            const check = startCheck(signature, one.key);
            return check === undefined ? [] : [[one, check] as const];
          })
        : [];
  }

  update(stretch: Uint8Array): void {
    for (const [, check] of this.#checks) check.update(stretch);
  }

  /** Asked once, at the end. `isItsKind` is false where the signature is made for content of another kind. */
  verdict(isItsKind: boolean): Verdict {
    const issuer = this.#issuer;
    const id = issuer === undefined ? {} : { issuer };
    const named = issuer === undefined ? "by an unnamed key" : `by the key ${issuer}`;
    const unknown = `a signature ${named} is there, which is not in the keyring`;
    if (this.#candidates.length === 0) {
      if (issuer === undefined || this.#options.keyring.unusable?.includes(issuer) !== true) {
        return { kind: "unknown-key", ...id, why: unknown };
      }
      const why = `the signature ${named} does not count, since the key is too weak, or of a kind that is not known here`;
      return { kind: "void", ...id, why };
    }
    if (this.#weakness !== undefined) {
      return { kind: "void", ...id, why: `the signature ${named} does not count, since ${this.#weakness}` };
    }
    const signers = isItsKind ? this.#checks.filter(([, check]) => check.isGood()).map(([signer]) => signer) : [];
    const signer = speakerOf(signers);
    if (signer === undefined) {
      if (issuer === undefined) return { kind: "unknown-key", why: unknown };
      return { kind: "bad", issuer, why: `the signature ${named} is not over this content: it was changed or damaged` };
    }
    const { nowMs, anyTime = false } = this.#options;
    const outOfTime = timeProblem(this.#signature, signer, anyTime ? Infinity : nowMs);
    if (outOfTime !== undefined) {
      return { kind: "void", ...id, why: `the signature ${named} does not count, since ${outOfTime}` };
    }
    const { key, primaryFingerprint, userId } = signer;
    const { createdMs } = this.#signature;
    return { kind: "good", signature: { fingerprint: key.fingerprint, primaryFingerprint, userId, createdMs } };
  }
}

/** The fingerprint of the key that says it made this, else its key ID. */
export function issuerOf({ issuerFingerprint, issuerKeyId }: Signature): string | undefined {
  return issuerFingerprint ?? issuerKeyId;
}

/** Of several copies of a key, one that is revoked speaks for all; else the one with the latest end does. */
function speakerOf(signers: readonly SigningKey[]): SigningKey | undefined {
  const revoked = signers.find(({ revokedMs }) => revokedMs !== undefined);
  return revoked ?? signers.toSorted((a, b) => (b.expiresMs ?? Infinity) - (a.expiresMs ?? Infinity))[0];
}

function timeProblem({ createdMs, expiresMs }: Signature, signer: SigningKey, nowMs: number): string | undefined {
  if (createdMs > nowMs + clockToleranceMs) return `it was made on ${day(createdMs)}, which is still to come`;
  if (nowMs < Infinity && expiresMs !== undefined && expiresMs < nowMs) return `it expired on ${day(expiresMs)}`;
  if (createdMs < signer.key.createdMs) return `it is older than its key, of ${day(signer.key.createdMs)}`;
  if (signer.expiresMs !== undefined && createdMs >= signer.expiresMs)
    return `the key expired on ${day(signer.expiresMs)}`;
  if (signer.revokedMs === 0) return "the key was revoked";
  if (signer.revokedMs !== undefined && createdMs >= signer.revokedMs) {
    return `the key was revoked on ${day(signer.revokedMs)}`;
  }
  return undefined;
}

function day(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10);
}
