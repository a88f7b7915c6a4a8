import { systemFlags } from "../../message-record.ts";
import type { FlagChange } from "../open-mailbox.ts";

const systemFlagOf = new Map(systemFlags.map((flag) => [flag.toLowerCase(), flag as string]));

/** System flags in their usual spelling; keywords as they are, each once, without those that no header can hold. */
export function spelledFlags(flags: readonly string[]): readonly string[] {
  const spelled = new Map(flags.map((flag) => [flag.toLowerCase(), systemFlagOf.get(flag.toLowerCase()) ?? flag]));
  return [...spelled.values()].filter((flag) => (flag.startsWith("\\") ? systemFlagOf.has(flag.toLowerCase()) : true));
}

/** Sorted; keywords as the mailbox spells them. */
export function flagsAfter(
  before: readonly string[],
  { mode, flags }: FlagChange,
  keywords: readonly string[],
): readonly string[] {
  const given = new Set(flags.map((flag) => flag.toLowerCase()));
  const spelling = new Map(keywords.map((keyword) => [keyword.toLowerCase(), keyword]));
  const kept = mode === "set" ? [] : before.filter((flag) => !given.has(flag.toLowerCase()));
  const added = mode === "remove" ? [] : flags.map((flag) => spelling.get(flag.toLowerCase()) ?? flag);
  return [...kept, ...added].sort();
}
