export { editFat } from "./edit/open-editor.ts";
export { makeFat, type FatOptions, type PlaceOnDisk } from "./make.ts";
export { measureFat } from "./measure.ts";
export { openFat, probeFat } from "./open.ts";
