/** What an ISO's own boot menu says of one way to start it. Paths are as written, from the root of the ISO. */
export interface MenuEntry {
  readonly title: string;
  readonly kind: "linux" | "linux16" | "multiboot" | "multiboot2";
  readonly kernel: string;
  readonly words: readonly string[];
  readonly initrds: readonly string[];
  readonly modules: readonly { readonly path: string; readonly words: readonly string[] }[];
  /** The file that has it. */
  readonly menu: string;
}

/** So many entries of one ISO are taken, and no more. */
export const menuEntryLimit = 256;
/** So many files of menus are read, each time that one is named. */
export const menuFileLimit = 64;
/** Menus that lead to menus, as deep as this. */
export const menuDepthLimit = 8;
