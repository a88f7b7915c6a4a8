export { editFat } from "./edit/open-editor.ts";
export { openFat, probeFat } from "./open.ts";
