import { printableName } from "../../bytes/index.ts";
import type { BlockReader } from "../../device/index.ts";
import {
  issuersOf,
  OpenVerdict,
  signatureType,
  verdictsOf,
  type Signature,
  type Verdict,
  type VerifyOptions,
} from "../../openpgp/index.ts";
import { lookBeside, type Beside, type IsoSignatures, type SumList } from "./beside.ts";
import type { HashResult, HashTask } from "./hash-task.ts";
import { lookInside, sumOfFile, type Inside } from "./inside.ts";
import { algorithmTitle, isWeak, type ListedSum, type SumAlgorithm } from "./sum-list.ts";
import type { TrustedKeys } from "./trusted-keys.ts";
import type { Evidence, IsoVerification, Signer, VerificationLevel } from "./verification.ts";

/** What was found out about an ISO once all of it was read. */
export interface VerifiedIso {
  readonly sha256: string;
  readonly verified: IsoVerification;
  /** Why it is not what it should be, each a whole sentence: sums that differ, signatures that are wrong. */
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/** What is to be hashed while an ISO is read, and what follows from the results. */
export interface VerificationPlan {
  readonly tasks: readonly HashTask[];
  /** Known before the ISO is read. */
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
  /** Whether there is anything that the ISO has to agree with. */
  readonly hasClaims: boolean;
  /** Whether anybody who is trusted may turn out to have signed it. */
  readonly mayBeSigned: boolean;
  /** Keys that have signed and are not known here. */
  readonly unknownKeys: readonly string[];
  conclude(results: readonly HashResult[], reader: BlockReader): Promise<VerifiedIso>;
}

export interface VerifyIsoRequest {
  readonly source: string;
  readonly reader: BlockReader;
  readonly keys: TrustedKeys;
  readonly nowMs: number;
}

/** Finds what tells whether an ISO is what it should be: beside it, and if nothing there does, in it. */
export async function planVerification({ source, reader, keys, nowMs }: VerifyIsoRequest): Promise<VerificationPlan> {
  const plan = new Plan(lookBeside(source), (issuers) => ({ keyring: keys.named(issuers), nowMs }));
  if (!plan.isVouchedFor) plan.addInside(await lookInside(reader));
  return plan;
}

/** For an ISO that has nothing beside it: only what it says of itself. */
export async function planInside(reader: BlockReader): Promise<VerificationPlan> {
  const plan = new Plan({ lists: [], signatures: [], warnings: [] }, () => ({
    keyring: { names: [], keys: [] },
    nowMs: 0,
  }));
  plan.addInside(await lookInside(reader));
  return plan;
}

/** What signatures by these keys are checked with. */
type Trust = (issuers: readonly string[]) => VerifyOptions;

/** A list, and what the signatures of it are worth. */
interface JudgedList {
  readonly list: SumList;
  readonly signers: readonly Signer[];
  readonly unknownKeys: readonly string[];
}

class Plan implements VerificationPlan {
  readonly tasks: HashTask[] = [{ kind: "sum", algorithm: "sha256" }];
  readonly problems: string[] = [];
  readonly #beside: Beside;
  readonly #trust: Trust;
  readonly warnings: string[];
  readonly #lists: readonly JudgedList[];
  /** The number of the task of each, in their order. */
  readonly #algorithms = new Map<SumAlgorithm, number>([["sha256", 0]]);
  readonly #isoSignatures: { readonly file: string; readonly task: number }[] = [];
  readonly #unknownOfIso: { readonly file: string; readonly unknownKeys: readonly string[] }[] = [];
  #inside: Inside = {};
  #implantedTask: number | undefined;
  #partsTask: number | undefined;

  constructor(beside: Beside, trust: Trust) {
    this.#beside = beside;
    this.#trust = trust;
    this.warnings = [...beside.warnings];
    this.#lists = beside.lists.filter(({ own }) => own.length > 0).map((list) => this.#judged(list));
    for (const { algorithm } of this.#lists.flatMap(({ list }) => list.own)) {
      if (!this.#algorithms.has(algorithm)) this.#algorithms.set(algorithm, this.#add({ kind: "sum", algorithm }));
    }
    for (const found of beside.signatures) this.#planSignatures(found);
  }

  /** Whether something outside of the ISO will tell. */
  get isVouchedFor(): boolean {
    return this.#lists.length > 0 || this.#isoSignatures.length > 0;
  }

  get hasClaims(): boolean {
    const { implanted, list } = this.#inside;
    return this.#beside.lists.length > 0 || this.isVouchedFor || implanted !== undefined || list !== undefined;
  }

  get mayBeSigned(): boolean {
    // In a list of others it may turn out to be one of them that was renamed.
    const isPerhapsListed =
      this.#lists.length === 0 && this.#beside.lists.some(({ signatures }) => signatures.length > 0);
    return this.#isoSignatures.length > 0 || this.#lists.some(isSignedStrongly) || isPerhapsListed;
  }

  get unknownKeys(): readonly string[] {
    return [...new Set([...this.#lists, ...this.#unknownOfIso].flatMap(({ unknownKeys }) => unknownKeys))];
  }

  #add(task: HashTask): number {
    return this.tasks.push(task) - 1;
  }

  #judged(list: SumList): JudgedList {
    const signers: Signer[] = [];
    const unknownKeys: string[] = [];
    for (const { file, signed } of list.signatures) {
      for (const verdict of verdictsOf(signed, this.#trustFor(signed.signatures))) {
        if (verdict.kind === "good") signers.push(signerOf(verdict.signature, file));
        else if (verdict.kind === "bad") this.problems.push(badSignature(file, list.file, verdict));
        else this.#takeOther(verdict, file, unknownKeys);
      }
    }
    return { list, signers, unknownKeys };
  }

  #takeOther(verdict: Extract<Verdict, { kind: "unknown-key" | "void" }>, file: string, unknownKeys: string[]): void {
    if (verdict.kind === "unknown-key" && verdict.issuer !== undefined) unknownKeys.push(verdict.issuer);
    else this.warnings.push(`${quoted(file)}: ${verdict.why}`);
  }

  #trustFor(signatures: readonly Signature[]): VerifyOptions {
    return this.#trust(issuersOf(signatures).filter((issuer) => issuer !== undefined));
  }

  #planSignatures({ file, signatures }: IsoSignatures): void {
    const unknownKeys: string[] = [];
    for (const signature of signatures) {
      const options = this.#trustFor([signature]);
      if (signature.type !== signatureType.binary) {
        this.warnings.push(`${quoted(file)} does not count: it is made for a text`);
      } else if (options.keyring.keys.length > 0) {
        this.#isoSignatures.push({ file, task: this.#add({ kind: "signature", signature, options }) });
      } else {
        const verdict = new OpenVerdict(signature, options).verdict(false);
        if (verdict.kind === "unknown-key" || verdict.kind === "void") this.#takeOther(verdict, file, unknownKeys);
      }
    }
    if (unknownKeys.length > 0) this.#unknownOfIso.push({ file, unknownKeys });
  }

  addInside(inside: Inside): void {
    this.#inside = inside;
    const { implanted, list } = inside;
    if (implanted !== undefined) {
      const { sizeBytes, recordAt, recordBytes } = implanted;
      const blank = { at: recordAt, lengthBytes: recordBytes };
      this.#implantedTask = this.#add({ kind: "sum", algorithm: "md5", sizeBytes, blank });
    }
    const parts = list?.files.flatMap(({ part }) => part ?? []) ?? [];
    if (parts.length > 0) this.#partsTask = this.#add({ kind: "parts", parts });
  }

  async conclude(results: readonly HashResult[], reader: BlockReader): Promise<VerifiedIso> {
    const sums = new Map(Array.from(this.#algorithms, ([algorithm, task]) => [algorithm, hexOf(results[task])]));
    const sha256 = sums.get("sha256") ?? "";
    const problems = [...this.problems];
    const evidence: Evidence[] = [];
    for (const judged of this.#lists) {
      for (const sum of judged.list.own) {
        const is = sums.get(sum.algorithm) ?? "";
        if (is === sum.hex) evidence.push(evidenceOf(judged, sum));
        else problems.push(difference(quoted(judged.list.file), sum, is));
      }
    }
    evidence.push(...this.#concludeSignatures(results, problems));
    if (evidence.length === 0 && problems.length === 0) evidence.push(...this.#listedElsewhere(sha256, problems));
    evidence.push(...this.#unknownOfIso.map(({ file, unknownKeys }) => ({ file, unknownKeys })));
    evidence.push(...(await this.#concludeInside(results, reader, problems)));
    return { sha256, verified: { level: levelOf(evidence), evidence }, problems, warnings: this.warnings };
  }

  #concludeSignatures(results: readonly HashResult[], problems: string[]): readonly Evidence[] {
    return this.#isoSignatures.flatMap(({ file, task }) => {
      const result = results[task];
      if (result?.kind !== "signature") return [];
      const { verdict } = result;
      if (verdict.kind === "good") return [{ file, signers: [signerOf(verdict.signature, file)] }];
      if (verdict.kind === "bad") problems.push(badSignature(file, "it", verdict));
      else this.warnings.push(`${quoted(file)}: ${verdict.why}`);
      return [];
    });
  }

  /** An ISO that was renamed is in its list under the name that it had. */
  #listedElsewhere(sha256: string, problems: string[]): readonly Evidence[] {
    for (const list of this.#beside.lists) {
      const sum = list.others.find(({ algorithm, hex }) => algorithm === "sha256" && hex === sha256);
      if (sum?.name === undefined) continue;
      const before = this.problems.length;
      const judged = this.#judged(list);
      problems.push(...this.problems.slice(before));
      return [{ ...evidenceOf(judged, sum), listedAs: sum.name }];
    }
    return [];
  }

  async #concludeInside(
    results: readonly HashResult[],
    reader: BlockReader,
    problems: string[],
  ): Promise<readonly Evidence[]> {
    const { implanted, list } = this.#inside;
    const evidence: Evidence[] = [];
    if (implanted !== undefined && this.#implantedTask !== undefined) {
      const is = hexOf(results[this.#implantedTask]);
      if (is === implanted.hex) evidence.push({ file: "isomd5", isInside: true, algorithm: "md5" });
      else problems.push(difference("what implantisomd5 left in it", { algorithm: "md5", hex: implanted.hex }, is));
    }
    const [first] = list?.files ?? [];
    if (list === undefined || first === undefined) return evidence;
    const result = this.#partsTask === undefined ? undefined : results[this.#partsTask];
    const hexes = result?.kind === "parts" ? result.hexes : [];
    let next = 0;
    const wrong: string[] = [];
    for (const file of list.files) {
      const is = file.part === undefined ? await sumOfFile(reader, file) : hexes[next++];
      if (is !== file.hex) wrong.push(file.name);
    }
    if (wrong.length === 0) {
      evidence.push({ file: list.file, isInside: true, algorithm: first.algorithm, fileCount: list.files.length });
    } else problems.push(differentFiles(list.file, wrong));
    if (list.missingCount > 0) {
      this.warnings.push(`${list.missingCount} of the files that ${quoted(list.file)} in it lists are not there`);
    }
    return evidence;
  }
}

function isSignedStrongly({ list, signers }: JudgedList): boolean {
  return signers.length > 0 && list.own.some(({ algorithm }) => !isWeak(algorithm));
}

function levelOf(evidence: readonly Evidence[]): VerificationLevel {
  const isSigned = evidence.some(({ signers = [], algorithm }) => {
    return signers.length > 0 && (algorithm === undefined || !isWeak(algorithm));
  });
  if (isSigned) return "signed";
  if (evidence.some(({ isInside, algorithm }) => isInside !== true && algorithm !== undefined)) return "sum";
  return evidence.some(({ isInside }) => isInside === true) ? "embedded" : "none";
}

function evidenceOf({ list, signers, unknownKeys }: JudgedList, { algorithm }: ListedSum): Evidence {
  return {
    file: list.file,
    algorithm,
    ...(signers.length === 0 ? {} : { signers }),
    ...(unknownKeys.length === 0 ? {} : { unknownKeys }),
  };
}

function signerOf(
  { userId, primaryFingerprint }: { readonly userId: string; readonly primaryFingerprint: string },
  file: string,
): Signer {
  return { userId, fingerprint: primaryFingerprint, file };
}

function hexOf(result: HashResult | undefined): string {
  return result?.kind === "sum" ? result.hex : "";
}

function difference(where: string, { algorithm, hex }: Pick<ListedSum, "algorithm" | "hex">, is: string): string {
  return `${where} says its ${algorithmTitle(algorithm)} is ${hex}, and it is ${is}`;
}

function differentFiles(list: string, names: readonly string[]): string {
  const others = names.length === 1 ? "" : ` and ${names.length - 1} more`;
  return `${quoted(names[0] ?? "")}${others} in it differ from ${quoted(list)} in it`;
}

function badSignature(file: string, what: string, { why }: { readonly why: string }): string {
  return what === "it" ? `${quoted(file)}: ${why}` : `${quoted(file)}, about ${quoted(what)}: ${why}`;
}

function quoted(name: string): string {
  return `"${printableName(name)}"`;
}
