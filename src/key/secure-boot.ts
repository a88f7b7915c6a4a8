import type { Startable } from "./machines.ts";

/** What of an entry decides whether firmware with Secure Boot lets it start. */
export type Signed = Pick<Startable, "firmwares" | "kind"> & { readonly signers?: readonly string[] };

/**
 * Whether an entry starts with Secure Boot on: as far as can be known; refused, being signed by nobody; or only where
 * its signer's key is enrolled. Undefined where no machine that has Secure Boot would start it at all.
 */
export type SecureBootVerdict = "starts" | "unknown" | "refused" | "needs-key";

/** What the entries of one file come to: `partly` where they differ. */
export function commonVerdict(
  entries: readonly Signed[],
  trusted: readonly string[],
): SecureBootVerdict | "partly" | undefined {
  const verdicts = new Set(entries.map((entry) => secureBootVerdict(entry, trusted)));
  verdicts.delete(undefined);
  const [verdict] = verdicts;
  return verdicts.size > 1 ? "partly" : verdict;
}

/** Machines are sold with Microsoft's keys: those of "Microsoft Corporation UEFI CA 2011" and its kin. */
const makersSigner = /^(Microsoft |Windows UEFI CA)/;

/** `trusted` are those whose signatures the key's own shim accepts. */
export function secureBootVerdict(
  { firmwares, kind, signers }: Signed,
  trusted: readonly string[],
): SecureBootVerdict | undefined {
  if (!firmwares.includes("uefi") || kind === "memdisk" || kind === "linux16") return undefined;
  if (kind === "bsd" || kind === "multiboot" || kind === "multiboot2") return "refused"; // GRUB cannot check these
  if (signers === undefined) return "unknown";
  if (signers.length === 0) return "refused";
  return signers.some((name) => makersSigner.test(name) || trusted.includes(name)) ? "starts" : "needs-key";
}
