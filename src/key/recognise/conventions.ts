import type { Persistence, Refusal } from "./boot-entry.ts";

export type ConventionId =
  | "live-boot"
  | "casper"
  | "dracut-live"
  | "anaconda"
  | "archiso"
  | "antix"
  | "debian-installer-hd-media"
  | "debian-installer-disc"
  | "debian-installer-netboot";

/** A way in which initrds find an ISO file, told by the names of what is in them. */
export interface Convention {
  readonly id: ConventionId;
  /** For people. */
  readonly name: string;
  /** All are to be found among the paths of the initrd. */
  readonly signs: readonly RegExp[];
  /** What is added to the words of the ISO's own menu; `${…}` as in the table of families. */
  readonly words: readonly string[];
  /** What else is said where the ISO has no menu that could be read. */
  readonly wordsWithoutMenu?: readonly string[];
  /** Words of the ISO's own menu by which another convention is meant. */
  readonly unless?: RegExp;
  /** It looks for its ISO, whether or not its words say so. */
  readonly needsIso: boolean;
  /** Once its signs were seen, no others would change what is meant. */
  readonly isFinal?: true;
  readonly persistence?: Persistence;
  readonly refusal?: Refusal;
}

/** The first whose signs are all there holds. */
export const conventions: readonly Convention[] = [
  {
    id: "live-boot",
    name: "Debian's live-boot",
    signs: [/(?:^|\/)scripts\/live$/],
    words: ["boot=live", "findiso=${isoPath}"],
    wordsWithoutMenu: ["components"],
    needsIso: true,
    isFinal: true,
    persistence: {
      // It leaves out the device that an ISO is mounted from, by the name that it was mounted by: with findiso= that of
      // the partition, from which it then takes no changes either. By another name it is not known for the same.
      words: [
        "fromiso=/dev/disk/by-uuid/${isosUuid}${isoPath}",
        "persistence",
        "persistence-storage=file",
        "persistence-path=${changesFolder}",
      ],
      drops: ["findiso", "persistence-label", "persistence-media"],
      unless: ["nopersistence"],
      fileName: "persistence",
      label: "persistence",
      files: { "persistence.conf": "/ union\n" },
    },
  },
  {
    id: "casper",
    name: "Ubuntu's casper",
    signs: [/(?:^|\/)scripts\/casper$/],
    words: ["boot=casper", "iso-scan/filename=${isoPath}"],
    needsIso: true,
    isFinal: true,
    persistence: {
      words: ["persistent", "persistent-path=${changesFolder}"],
      drops: [],
      unless: ["nopersistent"],
      fileName: "writable",
      label: "writable",
      files: {},
      on: ["fat"],
    },
  },
  {
    id: "anaconda",
    name: "dracut with Anaconda, the installer of Fedora and its kin",
    signs: [/(?:^|\/)s?bin\/iso-scan$/, /(?:^|\/)anaconda[\w.-]*$|parse-anaconda[\w.-]*$/],
    words: ["inst.stage2=hd:LABEL=${label}", "iso-scan/filename=${isoPath}"],
    unless: /^root=live:/,
    needsIso: true,
    isFinal: true,
  },
  {
    id: "dracut-live",
    name: "dracut's live module",
    signs: [/(?:^|\/)s?bin\/iso-scan$/, /(?:^|\/)s?bin\/dmsquash-live-root(?:\.sh)?$/],
    words: ["root=live:CDLABEL=${label}", "rd.live.image", "iso-scan/filename=${isoPath}"],
    needsIso: true,
  },
  {
    id: "archiso",
    name: "archiso, or one made after it",
    signs: [/(?:^|\/)hooks\/\w+_loop_mnt$/],
    words: ["img_dev=/dev/disk/by-uuid/${isosUuid}", "img_loop=${isoPath}"],
    needsIso: true,
    isFinal: true,
  },
  {
    id: "antix",
    name: "antiX's live system",
    signs: [/^live\/bin\//],
    words: ["fromiso=${isoPath}", "buuid=${isosUuid}"],
    needsIso: true,
  },
  {
    id: "debian-installer-hd-media",
    name: "Debian's installer for hard disks, which looks for ISO files",
    signs: [/(?:^|\/)dpkg\/info\/iso-scan\.postinst$/],
    words: [],
    needsIso: true,
    isFinal: true,
  },
  {
    id: "debian-installer-disc",
    name: "Debian's installer for discs",
    signs: [/(?:^|\/)dpkg\/info\/cdrom-detect\.(?:postinst|templates)$/],
    words: [],
    needsIso: true,
    refusal: {
      reason: "its initrd looks for a disc or a stick of its own, not for an ISO file",
      hint: "take the installer's mini.iso (netboot), or the live image of the same version; or write this one to a stick of its own",
    },
  },
  {
    id: "debian-installer-netboot",
    name: "Debian's installer from the network",
    signs: [/(?:^|\/)dpkg\/info\/net-retriever\.\w+$/],
    words: [],
    needsIso: false,
  },
];

export function conventionOf(id: ConventionId): Convention {
  const found = conventions.find((one) => one.id === id);
  if (found === undefined) throw new TypeError(`there is no convention ${id}`);
  return found;
}
