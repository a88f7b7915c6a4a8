import { Failure } from "../../base/index.ts";
import { elf64Header, elf64Section, elfIdentity, elfMagic } from "../../bytes/elf/index.ts";

/** What a kernel module says of itself. */
export interface ModuleFacts {
  /** Modules whose symbols it uses. */
  readonly depends: readonly string[];
  readonly aliases: readonly string[];
  /** Modules to be loaded too, as modprobe.d(5) writes it. */
  readonly softDependencies: readonly string[];
  /** What it exports to others. */
  readonly symbols: readonly string[];
}

/** Reads what lies in the sections `.modinfo` and `.strtab`, both lists of texts with NUL after each. */
export function readModuleFacts(module: Buffer, name: string): ModuleFacts {
  const sections = checkedSections(module, name);
  const info = textsOf(sections.get(".modinfo")).map((text) => text.split(/=(.*)/s, 2) as [string, string?]);
  const values = (key: string): string[] => info.flatMap(([own, value]) => (own === key ? [value ?? ""] : []));
  return {
    depends: values("depends").flatMap((list) => list.split(",").filter((one) => one !== "")),
    aliases: values("alias"),
    softDependencies: values("softdep"),
    symbols: symbolsOf(sections.get(".strtab")),
  };
}

/** For each symbol that it exports a module has one with `__ksymtab_` before its name. */
function symbolsOf(names: Buffer = Buffer.alloc(0)): string[] {
  const symbols: string[] = [];
  if (names === undefined) return symbols;
  const mark = "\0__ksymtab_";
  for (let at = names.indexOf(mark); at !== -1; at = names.indexOf(mark, at + 1)) {
    const start = at + mark.length;
    const end = names.indexOf(0, start);
    symbols.push(names.toString("latin1", start, end === -1 ? names.length : end));
  }
  return symbols;
}

/** Names of modules are the same with `-` and `_`; the second is how they are written. */
export function moduleNameOf(path: string): string {
  const file = path.slice(path.lastIndexOf("/") + 1);
  return file.replace(/\.ko(\.\w+)?$/, "").replaceAll("-", "_");
}

function checkedSections(module: Buffer, name: string): Map<string, Buffer> {
  try {
    return sectionsOf(module, name);
  } catch (error) {
    if (error instanceof RangeError) throw damaged(name); // a number beyond all counts
    throw error;
  }
}

function sectionsOf(module: Buffer, name: string): Map<string, Buffer> {
  const isElf =
    module.length >= elf64Header.sizeBytes && elfIdentity.get(module, "magic").every((byte, n) => byte === elfMagic[n]);
  if (!isElf) throw damaged(name);
  const { sectionsOffset, sectionEntryBytes, sectionCount, namesIndex } = elf64Header.decode(module);
  const record = (index: number): ReturnType<typeof elf64Section.decode> => {
    const at = sectionsOffset + index * sectionEntryBytes;
    if (at + elf64Section.sizeBytes > module.length) throw damaged(name);
    return elf64Section.decode(module, at);
  };
  const wanted = new Map<string, Buffer>();
  if (sectionCount === 0) return wanted;
  const names = record(namesIndex);
  for (let index = 0; index < sectionCount; index++) {
    const section = record(index);
    const at = names.offset + section.name;
    const end = module.indexOf(0, at);
    const own = module.toString("latin1", at, end === -1 ? at : end);
    if (own !== ".modinfo" && own !== ".strtab") continue;
    if (section.offset + section.sizeBytes > module.length) throw damaged(name);
    wanted.set(own, module.subarray(section.offset, section.offset + section.sizeBytes));
  }
  return wanted;
}

function textsOf(section: Buffer | undefined): string[] {
  return (section?.toString("latin1") ?? "").split("\0").filter((text) => text !== "");
}

function damaged(name: string): Failure {
  return new Failure("damaged", `cannot read the kernel module "${name}": it is no ELF file of 64 bits`);
}
