import { Failure } from "../../base/index.ts";
import { fieldOf, parseStanzas, type Stanza } from "../control/index.ts";
import { parseFlag } from "./configuration.ts";

/** Which keys a source is to be signed by. */
export interface SignedBy {
  /** Absolute paths of keyrings. */
  readonly files: readonly string[];
  /** Of keys in these or in the trusted keyrings. */
  readonly fingerprints: readonly string[];
  /** An armoured key in the source itself. */
  readonly embedded?: string;
}

/** One suite of one archive that apt fetches packages from (sources.list(5)). */
export interface AptSource {
  /** Where it is written, for messages. */
  readonly origin: string;
  /** The archive's address, ended by `/`. */
  readonly url: string;
  readonly suite: string;
  /** Empty for a flat archive, whose suite ends with `/`. */
  readonly components: readonly string[];
  /** Absent: whatever the machine is. */
  readonly architectures?: readonly string[];
  readonly signedBy?: SignedBy;
  /** Whether apt trusts it without a signature, or never. */
  readonly trusted?: boolean;
  readonly checkValidUntil?: boolean;
  readonly checkDate?: boolean;
  readonly byHash?: boolean;
}

const oneLinePattern = /^(deb|deb-src)\s+(?:\[([^\]]*)\]\s+)?((?:cdrom:\[[^\]]*\])?\S*)\s+(\S+)((?:\s+\S+)*)\s*$/;

/** The sources of a `*.list` file, `deb-src` left out. `name` is for errors. */
export function parseOneLineSources(text: string, name: string): AptSource[] {
  return text.split("\n").flatMap((line, n) => {
    const content = line.replace(/#.*$/, "").trim();
    if (content === "") return [];
    const [, type, options = "", url = "", suite = "", components = ""] = oneLinePattern.exec(content) ?? [];
    if (type === undefined || url === "") {
      throw new Failure("damaged", `cannot read "${name}": line ${n + 1} is no source: ${content.slice(0, 80)}`);
    }
    if (type !== "deb") return [];
    const fields = new Map<string, string>();
    for (const option of options.split(/\s+/).filter((word) => word !== "")) {
      const at = option.indexOf("=");
      fields.set(oneLineNames[option.slice(0, at)] ?? option.slice(0, at), option.slice(at + 1).replaceAll(",", " "));
    }
    return [sourceOf(fields, { url, suite, components: words(components), origin: `${name}:${n + 1}` })];
  });
}

/** Options of the one-line form whose names differ from the fields of the other form. */
const oneLineNames: Readonly<Record<string, string>> = { arch: "Architectures" };

/** The sources of a `*.sources` file (deb822), switched-off ones and `deb-src` left out. `name` is for errors. */
export function parseStanzaSources(text: string, name: string): AptSource[] {
  return parseStanzas(text, name).flatMap((stanza) => {
    if (parseFlag(fieldOf(stanza, "Enabled")) === false) return [];
    const [types, urls, suites, components] = ["Types", "URIs", "Suites", "Components"].map((field) => {
      return words(fieldOf(stanza, field) ?? "");
    });
    if (!types?.length || !urls?.length || !suites?.length) {
      throw new Failure("damaged", `cannot read "${name}": a source in it lacks Types, URIs or Suites`);
    }
    if (!types.includes("deb")) return [];
    return urls.flatMap((url) => {
      return suites.map((suite) => sourceOf(stanza, { url, suite, components: components ?? [], origin: name }));
    });
  });
}

function sourceOf(
  fields: Stanza,
  { url, ...given }: Pick<AptSource, "url" | "suite" | "components" | "origin">,
): AptSource {
  const architectures = fieldOf(fields, "Architectures");
  const signedBy = fieldOf(fields, "Signed-By");
  const flags = {
    trusted: parseFlag(fieldOf(fields, "Trusted")),
    checkValidUntil: parseFlag(fieldOf(fields, "Check-Valid-Until")),
    checkDate: parseFlag(fieldOf(fields, "Check-Date")),
    byHash: parseFlag(fieldOf(fields, "By-Hash")),
  };
  const known = Object.entries(flags).filter(([, flag]) => flag !== undefined);
  return {
    ...given,
    url: url.endsWith("/") ? url : `${url}/`,
    ...(architectures === undefined ? {} : { architectures: words(architectures) }),
    ...(signedBy === undefined ? {} : { signedBy: parseSignedBy(signedBy) }),
    ...(Object.fromEntries(known) as Pick<AptSource, "trusted">),
  };
}

function parseSignedBy(value: string): SignedBy {
  if (value.includes("-----BEGIN PGP PUBLIC KEY BLOCK-----")) {
    // deb822 needs a sign on every line: a line with only a dot stands for an empty one.
    const lines = value.split("\n").map((line) => line.trim());
    return { files: [], fingerprints: [], embedded: lines.map((line) => (line === "." ? "" : line)).join("\n") };
  }
  const named = words(value.replaceAll(",", " "));
  return {
    files: named.filter((one) => one.startsWith("/")),
    fingerprints: named.filter((one) => !one.startsWith("/")),
  };
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}
