/** How the words of commands name places in images. */
export { parsePlace } from "../disk/index.ts";
