import * as path from "node:path";
import { Failure, type JobOptions } from "../base/index.ts";
import type { FileReader } from "../device/index.ts";
import type { KernelParts } from "./kernel-parts.ts";
import { withParts } from "./kernel-parts.ts";
import {
  recogniseFile,
  whyNotStartable,
  type FileKind,
  type RecognisedIso,
  type RecognisedProgram,
} from "./recognise/index.ts";

/** What a file is, and how a key starts it. */
export interface LookedAt {
  readonly kind: FileKind;
  /** Of what is no ISO, only title, entries and warnings say anything. */
  readonly iso: RecognisedIso;
}

export interface LookOptions extends JobOptions {
  /** What is shown of what says nothing of itself. */
  readonly shownName: string;
}

/**
 * Looks into a file that is to be added to a key. Throws `unsupported`, with the reason, for what cannot be started from
 * a file, `usage` where it is to have parts of a kernel and is none.
 */
export async function lookAtFile(
  source: string,
  reader: FileReader,
  parts: KernelParts,
  options: LookOptions,
): Promise<LookedAt> {
  const { kind, iso } = await naming(source, () => recognise(source, reader, parts, options));
  if (iso.refusal === undefined && iso.entries.length > 0) return { kind, iso };
  const { reason, hint } = iso.refusal ?? { reason: "nothing in it can be started", hint: "is it the right file?" };
  throw new Failure("unsupported", `cannot add "${source}": ${reason}`, { hint });
}

async function recognise(
  source: string,
  reader: FileReader,
  parts: KernelParts,
  { shownName, ...job }: LookOptions,
): Promise<LookedAt> {
  const otherwise = path.basename(source).replace(/\.iso$/i, "");
  const file = await recogniseFile(reader, { ...job, otherwise });
  const isKernel = file?.kind === "kernel";
  if (!isKernel && file !== undefined && (parts.initrds.length > 0 || parts.words.length > 0)) {
    throw new Failure("usage", `cannot give "${source}" an initrd or words: it is no kernel`);
  }
  if (file?.kind === "iso") return { kind: "iso", iso: file.iso };
  if (file === undefined) return { kind: "kernel", iso: { ...nothingKnown, refusal: await whyNotStartable(reader) } };
  const titled = { ...file, title: titleOf(file, shownName) };
  const { entries, warnings } = isKernel ? withParts(file.entries, parts) : { entries: file.entries, warnings: [] };
  const renamed = entries.map((entry) => ({ ...entry, title: titled.title }));
  const { refusal } = file;
  const refused = refusal === undefined ? {} : { refusal };
  return { kind: file.kind, iso: { ...nothingKnown, title: titled.title, entries: renamed, warnings, ...refused } };
}

const nothingKnown: RecognisedIso = {
  volumeLabel: "",
  volumeUuid: "",
  title: "",
  entries: [],
  evidence: [],
  warnings: [],
};

/** What it says of itself or, as that is nothing or a mere number for most that is no ISO, the name of its file. */
function titleOf({ kind, title, entries }: RecognisedProgram, fileName: string): string {
  const saysItself = /^kernel ([A-Za-z].*)$/.exec(title)?.[1];
  if (kind !== "kernel") return fileName;
  if (saysItself !== undefined) return saysItself;
  return entries.some(({ how }) => how.kind === "linux") && title !== "kernel" ? `Linux ${title}` : fileName;
}

/** What is wrong inside a file is told with its name. */
async function naming<T>(source: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const isTold = error instanceof Failure && (error.code === "interrupted" || error.code === "usage");
    if (!(error instanceof Failure) || isTold) throw error;
    const { code, message, hint, cause } = error;
    throw new Failure(code, `cannot add "${source}": ${message.replace(/^cannot /, "this program cannot ")}`, {
      cause: cause ?? error,
      ...(hint === undefined ? {} : { hint }),
    });
  }
}
