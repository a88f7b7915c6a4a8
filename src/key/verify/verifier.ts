import { FileReader, type BlockReader } from "../../device/index.ts";
import { startHasher, type FileHasher } from "./file-hasher.ts";
import { distributionKeyrings, TrustedKeys } from "./trusted-keys.ts";
import { planVerification, type VerificationPlan, type VerifiedIso } from "./verify-iso.ts";
import { accepted, refuseBeforehand, type VerifyWish } from "./wish.ts";

const usualWish: VerifyWish = { keyrings: [], acceptsProblems: false, needsSignature: false };

/** Verifies the ISO files of this machine that are added to a key. */
export class Verifier {
  readonly #wish: VerifyWish;
  readonly #keys: TrustedKeys;
  readonly #nowMs: number;

  constructor(wish: VerifyWish = usualWish, nowMs: number) {
    this.#wish = wish;
    this.#keys = new TrustedKeys(wish.keyrings, wish.keyringFolders ?? distributionKeyrings);
    this.#nowMs = nowMs;
  }

  /** Looks for what tells about an ISO. Throws where that is enough to refuse it. */
  async plan(source: string, reader: BlockReader): Promise<VerificationPlan> {
    const plan = await planVerification({ source, reader, keys: this.#keys, nowMs: this.#nowMs });
    refuseBeforehand(source, plan, this.#wish);
    return plan;
  }

  /** Verifies an ISO by all of it, which `read` gives the hasher. Throws where it is to be refused. */
  async check(
    source: string,
    plan: VerificationPlan,
    read: (hasher: FileHasher) => Promise<void>,
  ): Promise<VerifiedIso> {
    await using reader = await FileReader.open(source);
    await using hasher = startHasher(plan.tasks, reader.sizeBytes);
    await read(hasher);
    return accepted(source, await plan.conclude(await hasher.results(), reader), this.#wish);
  }
}
