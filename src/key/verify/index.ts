export { startHasher, type FileHasher } from "./file-hasher.ts";
export type { HashResult, HashTask } from "./hash-task.ts";
export { algorithmTitle } from "./sum-list.ts";
export { isVerification, type Evidence, type IsoVerification } from "./verification.ts";
export { Verifier } from "./verifier.ts";
export { planInside, type VerificationPlan, type VerifiedIso } from "./verify-iso.ts";
export { howToGive, type VerifyWish } from "./wish.ts";
