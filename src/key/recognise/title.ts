import type { Disc } from "./disc.ts";

const titleLimit = 100;

/** Files in which ISOs say what they are, and how to find it in their text. */
const sources: readonly { readonly path: string; readonly titleOf: (text: string) => string | undefined }[] = [
  { path: "/.disk/info", titleOf: firstLine },
  { path: "/.treeinfo", titleOf: treeInfo },
  { path: "/.discinfo", titleOf: (text) => text.split("\n")[1] },
  { path: "/etc/os-release", titleOf: (text) => /^PRETTY_NAME="?([^"\n]*)/m.exec(text)?.[1] },
  { path: "/README.diskdefines", titleOf: (text) => /^#define\s+DISKNAME\s+(.+)$/m.exec(text)?.[1] },
  { path: "/live/Clonezilla-Live-Version", titleOf: firstLine },
  { path: "/live/GParted-Live-Version", titleOf: firstLine },
  { path: "/antiX/version", titleOf: firstLine },
];

/** Small programs that say nothing of themselves but this. */
const programs: readonly { readonly path: string; readonly label?: RegExp; readonly title: string }[] = [
  { path: "/ipxe.{krn,lkrn}", title: "iPXE" },
  { path: "/boot/floppy.img", label: /^MT86PLUS_32$/, title: "Memtest86+ (32 bits)" },
  { path: "/boot/floppy.img", label: /^MT86PLUS_64$/, title: "Memtest86+ (64 bits)" },
];

/** What makers of ISOs put where nobody named them. */
const meaninglessLabel = /^(?:iso ?image|cd ?rom|cd ?image|new|untitled|undefined|none)?$/i;

/** What an ISO is called, from what is in it; `otherwise` where it does not say. */
export async function titleOfDisc(disc: Disc, label: string, otherwise: string): Promise<string> {
  for (const { path, titleOf } of sources) {
    const title = cleanTitle(titleOf((await disc.text(path)) ?? "") ?? "");
    if (title !== "") return title;
  }
  for (const { path, label: itsLabel, title } of programs) {
    if (itsLabel?.test(label) !== false && (await disc.has(path))) return title;
  }
  const fromLabel = cleanTitle(label.replaceAll("_", " "));
  return meaninglessLabel.test(fromLabel) ? cleanTitle(otherwise) : fromLabel;
}

/** A line fit for a menu: printable, without what surrounds it, of bounded length. */
export function cleanTitle(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Zl}\p{Zp}\ufffd\s]+/gu, " ").trim();
  return line.length > titleLimit ? `${line.slice(0, titleLimit - 1)}…` : line;
}

function firstLine(text: string): string | undefined {
  return text.split("\n", 1)[0];
}

/** `name = Fedora 39`, or `family = Fedora` and `version = 39`. */
function treeInfo(text: string): string | undefined {
  const valueOf = (key: string): string | undefined => new RegExp(`^${key}\\s*=\\s*(.+)$`, "m").exec(text)?.[1];
  const [family, version] = [valueOf("family"), valueOf("version")];
  return valueOf("name") ?? (family === undefined ? undefined : `${family} ${version ?? ""}`);
}
