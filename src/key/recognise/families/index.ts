import { archFamilies } from "./arch.ts";
import { debianFamilies } from "./debian.ts";
import { otherFamilies } from "./others.ts";
import type { Family } from "./family.ts";
import { fedoraFamilies } from "./fedora.ts";
import { independentFamilies } from "./independent.ts";

export type { Family, FamilyBoot } from "./family.ts";

/** The table, in the order in which rows are tried: of two that fit, the narrower stands first. */
export const families: readonly Family[] = [
  ...debianFamilies,
  ...archFamilies,
  ...fedoraFamilies,
  ...independentFamilies,
  ...otherFamilies,
];
