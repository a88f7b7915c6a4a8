export { openFat, probeFat } from "./open.ts";
