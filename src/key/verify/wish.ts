import { Failure } from "../../base/index.ts";
import { printableName } from "../../bytes/index.ts";
import type { VerificationPlan, VerifiedIso } from "./verify-iso.ts";

/** How strict whoever adds an ISO wants to be. */
export interface VerifyWish {
  /** Files of keys that may sign ISO files, besides those of the distribution. */
  readonly keyrings: readonly string[];
  /** Where the distribution has its keyrings. Absent: in the usual places. */
  readonly keyringFolders?: readonly string[];
  /** What is wrong is a warning, and no more. */
  readonly acceptsProblems: boolean;
  /** Only what a key that is trusted has signed will do. */
  readonly needsSignature: boolean;
}

/** Refuses an ISO, before it is read, that can only be refused once it was. */
export function refuseBeforehand(source: string, plan: VerificationPlan, wish: VerifyWish): void {
  if (!wish.acceptsProblems && plan.problems.length > 0) throw refusal(source, plan.problems);
  if (wish.needsSignature && !plan.mayBeSigned) throw unsigned(source, plan.unknownKeys);
}

/** What is known of an ISO that was read. Throws `mismatch` where it is not what it should be, unless that is accepted. */
export function accepted(source: string, found: VerifiedIso, wish: VerifyWish): VerifiedIso {
  if (found.problems.length > 0 && !wish.acceptsProblems) throw refusal(source, found.problems);
  const { level, evidence } = found.verified;
  if (wish.needsSignature && level !== "signed") {
    throw unsigned(source, [...new Set(evidence.flatMap(({ unknownKeys = [] }) => unknownKeys))]);
  }
  if (found.problems.length === 0) return found;
  // Half of the truth would look like all of it.
  return { ...found, verified: { level: "none", evidence: [] }, warnings: [...found.problems, ...found.warnings] };
}

function refusal(source: string, problems: readonly string[]): Failure {
  const [first = ""] = problems;
  return new Failure("mismatch", `cannot add "${source}": ${first}`, {
    hint: "download it again, and what is beside it, from where it comes from; key add --unverified adds it all the same",
  });
}

function unsigned(source: string, unknownKeys: readonly string[]): Failure {
  const [key] = unknownKeys;
  const why =
    key === undefined ? "nobody has signed it" : `the key ${unknownKeys.join(", ")} has, which is not known here`;
  return new Failure("refused", `cannot add "${source}": a signature is required, and ${why}`, {
    hint: key === undefined ? "put the signature and the list of sums beside it" : howToGive(key),
  });
}

/** How a user makes a key known. */
export function howToGive(key: string): string {
  return `get the key from its owner, and name its file with --keyring; gpg --export ${printableName(key)} writes one`;
}
