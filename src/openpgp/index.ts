export { joinKeyrings, keysNamed, parseKeyring, type Keyring } from "./keyring.ts";
export { verifyCleartext, verifyDetached, type GoodSignature, type VerifyOptions } from "./verify.ts";
