/** What the places in the words of a table stand for in one ISO. */
export interface WordPlaces {
  readonly label: string;
  readonly isoUuid: string;
  readonly kernel: string;
}

/** The two places that only the key knows. */
const ofTheKey = /\$\{iso(?:Path|sUuid)\}/;
/** Where words for the system's installer begin; what is for the initrd stands before. */
const divider = /^--(?:-)?$/;
/** Dracut takes labels as udev escapes them. */
const escaped = (label: string): string =>
  label.replace(/[ "'\\$`]/g, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });

/** Words of a table with what is known of the ISO put in. */
export function placed(words: readonly string[], { label, isoUuid, kernel }: WordPlaces): readonly string[] {
  const folders = kernel.split("/").slice(1, -1);
  return words.map((word) =>
    word
      .replaceAll("${label}", () => escaped(label))
      .replaceAll("${isoUuid}", () => isoUuid)
      .replaceAll("${base}", () => folders[0] ?? "")
      .replaceAll("${kernelFolder}", () => `/${folders.join("/")}`),
  );
}

/** A word that names the ISO by its label, to dracut or to Anaconda. */
const byLabel = /^(.*(?:live|hd|cdrom):)(?:CD)?LABEL=(.+)$/;

/**
 * Labels with spaces and their kin reach no system: GRUB doubles the backslashes that would stand for them, but for Red
 * Hat's own. The identifier of the volume means the same.
 */
export function withoutOddLabels(
  words: readonly string[],
  { label, isoUuid }: Pick<WordPlaces, "label" | "isoUuid">,
): readonly string[] {
  const odd = escaped(label);
  if (odd === label || isoUuid === "") return words;
  return words.map((word) => {
    const [, before = "", named] = byLabel.exec(word) ?? [];
    return named === odd || named === label ? `${before}UUID=${isoUuid}` : word;
  });
}

/** Whether any of these words says where the ISO is. */
export function needsKey(words: readonly string[]): boolean {
  return words.some((word) => ofTheKey.test(word));
}

/** The words of a menu and those that are added, one of each key. */
export function mergedWords(
  own: readonly string[],
  added: readonly string[],
  drops: readonly string[] = [],
): readonly string[] {
  const replaced = new Set([...drops, ...added.filter((word) => ofTheKey.test(word)).map(keyOf)]);
  const kept = own.filter((word) => !replaced.has(keyOf(word)));
  const keys = new Set(kept.map(keyOf));
  const more: string[] = [];
  for (const word of added) {
    if (keys.has(keyOf(word))) continue;
    keys.add(keyOf(word));
    more.push(word);
  }
  const at = kept.findIndex((word) => divider.test(word));
  return at < 0 ? [...kept, ...more] : [...kept.slice(0, at), ...more, ...kept.slice(at)];
}

function keyOf(word: string): string {
  const at = word.indexOf("=");
  return at < 0 ? word : word.slice(0, at);
}
