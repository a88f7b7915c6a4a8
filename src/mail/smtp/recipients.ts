import type { Aliases } from "./aliases.ts";

export interface RecipientOptions {
  /** In lower case; the first is that of addresses without one. */
  readonly domains: readonly string[];
  readonly aliases: Aliases;
  /** Whether `joe@example.org` has a mailbox. */
  readonly hasMailbox: (address: string) => boolean | Promise<boolean>;
  /** What parts a name from what its owner adds to it: `joe+lists`. Absent where nothing does. */
  readonly separator?: string | undefined;
}

/** Whose mailboxes a message to an address goes to; or why it goes nowhere. */
export type Resolved =
  | { readonly mailboxes: readonly string[] }
  | { readonly refusal: "relay" | "unknown" | "loop" | "too-many" };

/** To so many mailboxes one address may lead. */
export const expansionLimit = 1000;

/**
 * Finds the mailboxes of an address. What is not of this machine's domains is never taken, in whatever way it is
 * written: routes with `%`, `!` and quoted addresses mean nothing here.
 */
export async function resolveRecipient(address: string, options: RecipientOptions): Promise<Resolved> {
  const parts = partsOf(address, options.domains);
  if (parts === undefined || !options.domains.includes(parts.domain)) return { refusal: "relay" };
  const mailboxes = new Set<string>();
  const refusal = await expand(address, { options, mailboxes, trail: [] });
  return refusal === undefined ? { mailboxes: [...mailboxes] } : { refusal };
}

interface Expansion {
  readonly options: RecipientOptions;
  readonly mailboxes: Set<string>;
  /** Aliases on the way to here. */
  readonly trail: readonly string[];
}

async function expand(
  address: string,
  { options, mailboxes, trail }: Expansion,
): Promise<"unknown" | "loop" | "too-many" | undefined> {
  const parts = partsOf(address, options.domains);
  // An alias that leads away from this machine would be a relay.
  if (parts === undefined || !options.domains.includes(parts.domain)) return "unknown";
  const { domain } = parts;
  for (const name of namesOf(parts.name, options.separator)) {
    const key = options.aliases.has(`${name}@${domain}`) ? `${name}@${domain}` : name;
    const targets = options.aliases.get(key);
    const isItself = targets?.length === 1 && [name, `${name}@${domain}`].includes(targets[0] ?? "");
    if (targets !== undefined && !isItself) {
      if (trail.includes(key)) return "loop";
      for (const target of targets) {
        const full = target.includes("@") ? target : `${target}@${domain}`;
        // A list may have its own name in it: then that is the mailbox.
        const isOwnMailbox = full === `${name}@${domain}` && (await options.hasMailbox(full));
        if (isOwnMailbox) mailboxes.add(full);
        const refusal = isOwnMailbox ? undefined : await expand(full, { options, mailboxes, trail: [...trail, key] });
        if (refusal !== undefined) return refusal;
        if (mailboxes.size > expansionLimit) return "too-many";
      }
      return undefined;
    }
    if (!(await options.hasMailbox(`${name}@${domain}`))) continue;
    mailboxes.add(`${name}@${domain}`);
    return undefined;
  }
  return "unknown";
}

/** The whole, then without what was added to it. */
function namesOf(name: string, separator: string | undefined): readonly string[] {
  const at = separator === undefined || separator === "" ? -1 : name.indexOf(separator);
  return at > 0 ? [name, name.slice(0, at)] : [name];
}

function partsOf(
  address: string,
  domains: readonly string[],
): { readonly name: string; readonly domain: string } | undefined {
  const match = /^([^\s@%!:"\\/|<>(),;]+)(?:@([^\s@%!:"\\/|<>(),;[\]]+))?$/.exec(address.toLowerCase());
  const [, name, domain = domains[0]] = match ?? [];
  return name === undefined || domain === undefined ? undefined : { name, domain: domain.replace(/\.$/, "") };
}
