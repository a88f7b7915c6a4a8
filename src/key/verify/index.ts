export type { FileHasher } from "./file-hasher.ts";
export { algorithmTitle } from "./sum-list.ts";
export { isVerification, type Evidence, type IsoVerification } from "./verification.ts";
export { Verifier } from "./verifier.ts";
export type { VerificationPlan, VerifiedIso } from "./verify-iso.ts";
export { howToGive, type VerifyWish } from "./wish.ts";
