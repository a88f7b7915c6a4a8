import { decompressBytes } from "../../tree/index.ts";
import { moduleNameOf, readModuleFacts, type ModuleFacts } from "./kernel-module.ts";
import { writeModuleIndex, type IndexValue } from "./module-index.ts";
import type { SystemTree } from "../system-tree.ts";

interface KernelModule extends ModuleFacts {
  readonly name: string;
  /** From the folder of the version: `kernel/…`. */
  readonly path: string;
}

/** The modules of a kernel that is in a tree. */
export class KernelModules {
  readonly version: string;
  readonly #tree: SystemTree;
  readonly #folder: string;
  /** In the order of `modules.order`, those that it does not name after it. */
  readonly #modules: ReadonlyMap<string, KernelModule>;

  private constructor(tree: SystemTree, version: string, modules: ReadonlyMap<string, KernelModule>) {
    this.#tree = tree;
    this.version = version;
    this.#folder = folderOf(version);
    this.#modules = modules;
  }

  static async open(tree: SystemTree, version: string): Promise<KernelModules> {
    const folder = folderOf(version);
    const found = new Map<string, string>();
    if (tree.find(`${folder}/kernel`) !== undefined) {
      for (const path of pathsBelow(tree, folder, "kernel")) found.set(path.replace(/\.(xz|zst|gz)$/, ""), path);
    }
    const order = linesOf(tree, `${folder}/modules.order`).filter((path) => found.has(path));
    const modules = new Map<string, KernelModule>();
    for (const plain of new Set([...order, ...[...found.keys()].sort()])) {
      const path = found.get(plain) ?? plain;
      const bytes = await decompressBytes(tree.read(`${folder}/${path}`), path);
      const name = moduleNameOf(path);
      modules.set(name, { name, path, ...readModuleFacts(bytes, path) });
    }
    return new KernelModules(tree, version, modules);
  }

  /** Those of the names that there are, each after all that it needs. */
  closure(names: readonly string[]): string[] {
    const ordered = new Set<string>();
    for (const name of names) {
      for (const one of this.#needsOf(name).toReversed()) ordered.add(one);
      if (this.#modules.has(name)) ordered.add(name);
    }
    return [...ordered];
  }

  /** A module as the kernel takes it. */
  async read(name: string): Promise<Buffer> {
    const path = this.#modules.get(name)?.path ?? "";
    return await decompressBytes(this.#tree.read(`${this.#folder}/${path}`), path);
  }

  /** Writes the lists by which modules are found, as depmod(8) does. */
  writeLists(): void {
    const all = [...this.#modules.values()];
    const ranked = all.map((module, rank) => ({ module, rank }));
    const dependencies = ranked.map(({ module, rank }) => {
      const needs = this.#needsOf(module.name).map((name) => ` ${this.#modules.get(name)?.path ?? name}`);
      return { key: module.name, rank, text: `${module.path}:${needs.join("")}` };
    });
    this.#write("modules.dep", dependencies.map(({ text }) => `${text}\n`).join(""));
    this.#writeIndex("modules.dep.bin", dependencies);
    const aliases = ranked.flatMap(({ module, rank }) => {
      return module.aliases.map((alias) => ({ key: alias, rank, text: module.name }));
    });
    this.#writeAliases("modules.alias", "Aliases extracted from modules themselves.", aliases);
    const symbols = ranked.flatMap(({ module, rank }) => {
      return module.symbols.map((symbol) => ({ key: `symbol:${symbol}`, rank, text: module.name }));
    });
    this.#writeAliases("modules.symbols", "Aliases for symbols, used by symbol_request().", symbols);
    const soft = all.flatMap(({ name, softDependencies }) =>
      softDependencies.map((text) => `softdep ${name} ${text}\n`),
    );
    this.#write("modules.softdep", `# Soft dependencies extracted from modules themselves.\n${soft.join("")}`);
    const devices = all.flatMap((module) => deviceLine(module));
    this.#write("modules.devname", `# Device nodes to trigger on-demand module loading.\n${devices.join("")}`);
    this.#writeBuiltIn();
  }

  #writeBuiltIn(): void {
    const names = linesOf(this.#tree, `${this.#folder}/modules.builtin`).map(moduleNameOf);
    this.#writeIndex(
      "modules.builtin.bin",
      names.map((key) => ({ key, rank: 0, text: "" })),
    );
    const info = this.#tree.find(`${this.#folder}/modules.builtin.modinfo`);
    const texts = info?.kind === "file" ? Buffer.from(info.content).toString("latin1").split("\0") : [];
    const aliases = texts.flatMap((text) => {
      const [, module, alias] = /^([^.=]+)\.alias=(.*)$/s.exec(text) ?? [];
      return module === undefined || alias === undefined ? [] : [{ key: underscored(alias), rank: 0, text: module }];
    });
    this.#writeIndex("modules.builtin.alias.bin", aliases);
  }

  /** What a module needs, directly and not, each before what it needs itself: to be loaded from the end on. */
  #needsOf(name: string): string[] {
    const done = new Set<string>();
    const visit = (one: string): void => {
      for (const needed of this.#modules.get(one)?.depends ?? []) {
        const plain = moduleNameOf(needed);
        if (done.has(plain) || !this.#modules.has(plain)) continue;
        visit(plain);
        done.add(plain);
      }
    };
    visit(name);
    return [...done].toReversed();
  }

  #write(name: string, content: string | Uint8Array): void {
    this.#tree.write(`${this.#folder}/${name}`, content);
  }

  #writeIndex(name: string, entries: readonly ({ readonly key: string } & IndexValue)[]): void {
    this.#write(name, writeModuleIndex(entries.map(({ key, rank, text }) => [key, { rank, text }])));
  }

  #writeAliases(name: string, title: string, entries: readonly ({ readonly key: string } & IndexValue)[]): void {
    this.#write(name, `# ${title}\n${entries.map(({ key, text }) => `alias ${key} ${text}\n`).join("")}`);
    this.#writeIndex(
      `${name}.bin`,
      entries.map((entry) => ({ ...entry, key: underscored(entry.key) })),
    );
  }
}

/** A device whose node may stand before its module is loaded: `devname:` and the number that is an alias too. */
function deviceLine({ name, aliases }: KernelModule): string[] {
  const device = aliases.find((alias) => alias.startsWith("devname:"))?.slice("devname:".length);
  for (const alias of aliases) {
    const [, kind, major, minor] = /^(char|block)-major-(\d+)-(\d+)$/.exec(alias) ?? [];
    if (device !== undefined && kind !== undefined) return [`${name} ${device} ${kind.slice(0, 1)}${major}:${minor}\n`];
  }
  return [];
}

/** In aliases `-` is `_`, but for what stands in brackets. */
function underscored(alias: string): string {
  return alias.replace(/\[[^\]]*\]|-/g, (part) => (part === "-" ? "_" : part));
}

function folderOf(version: string): string {
  return `/usr/lib/modules/${version}`;
}

function linesOf(tree: SystemTree, path: string): string[] {
  if (tree.find(path) === undefined) return [];
  return tree
    .read(path)
    .toString("latin1")
    .split("\n")
    .filter((line) => line !== "");
}

function* pathsBelow(tree: SystemTree, folder: string, below: string): Generator<string> {
  for (const name of tree.names(`${folder}/${below}`)) {
    const path = `${below}/${name}`;
    if (tree.get(`${folder}/${path}`, false).kind === "directory") yield* pathsBelow(tree, folder, path);
    else if (/\.ko(\.\w+)?$/.test(name)) yield path;
  }
}
