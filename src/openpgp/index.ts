export { isArmoured } from "./armour.ts";
export { isCleartext } from "./cleartext.ts";
export { OpenVerdict, type GoodSignature, type Verdict, type VerifyOptions } from "./judge.ts";
export { joinKeyrings, keysNamed, parseKeyring, type Keyring } from "./keyring.ts";
export { signatureType, type Signature } from "./signature.ts";
export { issuersOf, openSigned, readDetached, verdictsOf, withDetached, type SignedContent } from "./signed-content.ts";
export { verifyCleartext, verifyDetached } from "./verify.ts";
