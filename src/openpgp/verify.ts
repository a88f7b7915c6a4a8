import { Failure } from "../base/index.ts";
import { parseCleartext } from "./cleartext.ts";
import { parseSignatures } from "./detached.ts";
import type { GoodSignature, VerifyOptions } from "./judge.ts";
import { signatureType } from "./signature.ts";
import { verdictsOf, withDetached, type SignedContent } from "./signed-content.ts";

/**
 * The text of a cleartext-signed message with the signatures that count, of which there is one at least. Throws
 * `mismatch` where a key of the keyring has signed something else, `refused` where no key of the keyring has signed,
 * `damaged` where it is no such message; messages go on after `cannot trust "…": `.
 */
export function verifyCleartext(
  content: Uint8Array,
  options: VerifyOptions,
): { readonly text: string; readonly signatures: readonly GoodSignature[] } {
  const { text, hashed, signatures } = parseCleartext(content);
  const over = (type: number): Uint8Array | undefined => (type === signatureType.text ? hashed : undefined);
  return { text, signatures: goodSignatures({ content, over, signatures: parseSignatures(signatures) }, options) };
}

/** As `verifyCleartext`, for a file and its detached signatures, armoured or not. */
export function verifyDetached(
  content: Uint8Array,
  signatures: Uint8Array,
  options: VerifyOptions,
): readonly GoodSignature[] {
  return goodSignatures(withDetached(content, signatures), options);
}

function goodSignatures(signed: SignedContent, options: VerifyOptions): GoodSignature[] {
  const verdicts = verdictsOf(signed, options);
  const bad = verdicts.find(({ kind }) => kind === "bad");
  if (bad?.kind === "bad") throw new Failure("mismatch", bad.why);
  const good = verdicts.flatMap((verdict) => (verdict.kind === "good" ? verdict.signature : []));
  if (good.length > 0) return good;
  const others = verdicts.flatMap((verdict) => (verdict.kind === "good" ? [] : verdict.why));
  const why = others.length === 0 ? "it has no signature known here" : [...new Set(others)].join("; ");
  throw new Failure("refused", `no key of ${options.keyring.names.join(", ") || "the keyring"} has signed it: ${why}`);
}
