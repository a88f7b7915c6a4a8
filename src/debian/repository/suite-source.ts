import { Failure } from "../../base/index.ts";
import type { AptSource } from "../apt/index.ts";

const usableSchemes: readonly string[] = ["http", "https", "file", "copy"];

/** What suites of one release are called besides it. */
const suffixPattern = /(-(updates|security|proposed-updates|backports|backports-sloppy)|\/updates)$/;

/** The release that a suite belongs to: `bookworm` for `bookworm-updates`. */
export function releaseOf(suite: string): string {
  return suite.replace(suffixPattern, "");
}

/** Whether it is a suite with components, of this architecture, and not a flat folder of packages. */
export function isSuiteFor(source: AptSource, architecture: string): boolean {
  return !source.suite.endsWith("/") && (source.architectures?.includes(architecture) ?? true);
}

/** Why a source cannot be used, undefined where it can: the ways to fetch that are not spoken here. */
export function whyUnusable(source: AptSource): string | undefined {
  const scheme = /^([a-z0-9+.-]+):/i.exec(source.url)?.[1]?.toLowerCase() ?? "";
  if (!usableSchemes.includes(scheme) || !URL.canParse(source.url)) {
    return `"${source.url.slice(0, 100)}" of ${source.origin} is not used: only ${usableSchemes.join(", ")} are fetched from`;
  }
  return undefined;
}

/** `URL[ suite[ components]]`, as one source. */
export function parseMirror(text: string, release: string): AptSource {
  const [url = "", suite = release, ...components] = text.split(/[\s,]+/).filter((word) => word !== "");
  const source: AptSource = {
    origin: "--mirror",
    url: url.endsWith("/") ? url : `${url}/`,
    suite,
    components: components.length === 0 ? ["main"] : components,
  };
  const why = whyUnusable(source);
  if (why === undefined) return source;
  throw new Failure("usage", `cannot use the mirror "${text}": ${why}`, {
    hint: "give the address of an archive, and after blanks a suite and components: URL bookworm main contrib",
  });
}
